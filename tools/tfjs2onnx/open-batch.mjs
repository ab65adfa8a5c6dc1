// Makes a graph of one picture one of any number of pictures, where nothing in it mixes them.

const BATCH = 'batch';

/** Operations that keep pictures apart as they are, or whose axes are looked at below. */
const APART = new Set(['Add', 'AveragePool', 'Clip', 'Concat', 'Conv', 'ConvTranspose', 'Identity', 'LeakyRelu', 'MatMul',
  'MaxPool', 'Mul', 'Pad', 'Relu', 'Reshape', 'Resize', 'Sigmoid', 'Softmax', 'Split', 'Sub', 'Transpose']);

/** The first side of a new shape or size stays what it was: 0 in a Reshape, left out in a Resize. */
const changes = {
  Reshape(node, graph) {
    const shape = graph.initializers.get(node.inputs[1]);
    if (shape.data[0] !== 1n) throw new Error('a Reshape changes the first side');
    shape.data[0] = 0n;
  },
  Resize(node, graph) {
    const { data } = graph.initializers.get(node.inputs[3]);
    node.inputs[3] = graph.int64s('size', Array.from(data.subarray(2)));
    node.attributes.axes = { type: 'ints', value: [2, 3] };
  },
};

function keepsApart({ opType, attributes }) {
  if (opType === 'Transpose') return attributes.perm.value[0] === 0;
  return APART.has(opType) && attributes.axis?.value !== 0;
}

export function openBatch(graph) {
  for (const node of graph.nodes) {
    if (!keepsApart(node)) throw new Error(`${node.opType} "${node.name}" may mix pictures: the batch has to stay 1`);
    changes[node.opType]?.(node, graph);
  }
  for (const value of [...graph.inputs, ...graph.outputs]) value.shape = [BATCH, ...value.shape.slice(1)];
  delete graph.metadata.batch;
}
