// One handler per TensorFlow operation: (context) -> value or list of values.
//
// context: { graph, node, inputs (values), attr(name, fallback), soleUse(index): whether input
// `index` is used by this node alone }. A new operation is a new row of OPS.

import { f, i, ints, s } from './onnx.mjs';
import { Constant, Padded, Tensor, identity, inverse, sizeOf } from './value.mjs';

const NHWC_TO_NCHW = [0, 3, 1, 2];
const NCHW_TO_NHWC = [0, 2, 3, 1];

/** A Padded as a written Pad; anything else as it is. */
const plain = (graph, value) => (value instanceof Padded ? value.written(graph) : value);

const constant = (value, what) => {
  if (!(value instanceof Constant)) throw new Error(`${what} must be a constant`);
  return value;
};

const numbers = (value, what) => Array.from(constant(value, what).data, Number);

const broadcast = (a, b) => {
  const rank = Math.max(a.length, b.length);
  const side = (shape, k) => shape[k - rank + shape.length] ?? 1;
  return Array.from({ length: rank }, (_, k) => Math.max(side(a, k), side(b, k)));
};

const unary = (opType, attributes = () => ({})) => ({ graph, inputs, attr }) => {
  const x = plain(graph, inputs[0]);
  const node = graph.node(opType, [x.name], attributes(attr));
  return new Tensor(node.outputs[0], x.shape, x.perm);
};

/** A constant of equal or lower rank, shaped and ordered to stand beside `tensor`. */
function constantBeside(graph, value, tensor) {
  const rank = tensor.shape.length;
  const shape = [...new Array(rank - value.shape.length).fill(1), ...value.shape];
  return new Constant(shape, value.data).inOrder(graph, inverse(tensor.perm));
}

const binary = (opType, fold) => ({ graph, inputs }) => {
  if (inputs.every((value) => value instanceof Constant)) return foldBinary(inputs, fold);
  const [a, b] = inputs.map((value) => plain(graph, value));
  const shape = broadcast(a.shape, b.shape);
  const lead = a instanceof Tensor ? a : b;
  const names = [a, b].map((value) => {
    if (value instanceof Tensor && value.shape.length === lead.shape.length) {
      return value.inOrder(graph, inverse(lead.perm));
    }
    if (value instanceof Constant && value.shape.length <= lead.shape.length) {
      return constantBeside(graph, value, lead);
    }
    throw new Error(`${opType} of ranks ${a.shape.length} and ${b.shape.length} is not supported`);
  });
  return new Tensor(graph.node(opType, names).outputs[0], shape, lead.perm);
};

function foldBinary([a, b], fold) {
  const whole = sizeOf(a.shape) >= sizeOf(b.shape) ? a : b;
  const count = sizeOf(whole.shape);
  if (![a, b].every((value) => [1, count].includes(sizeOf(value.shape)))) {
    throw new Error('constants of shapes that need broadcasting are not folded');
  }
  const at = (value, k) => value.data[sizeOf(value.shape) === 1 ? 0 : k];
  const data = new whole.data.constructor(count);
  for (let k = 0; k < count; k += 1) data[k] = fold(at(a, k), at(b, k));
  return new Constant(whole.shape, data);
}

/** Adding a vector along the channels of a convolution that nothing else uses is its bias. */
function add(context) {
  const { graph, inputs } = context;
  for (const [own, other] of [[0, 1], [1, 0]]) {
    const conv = graph.nodes.find((node) => node.opType === 'Conv' && node.outputs[0] === inputs[own].name);
    const bias = inputs[other];
    const channels = inputs[own].shape.at(-1);
    if (conv?.inputs.length === 2 && context.soleUse(own) && bias instanceof Constant &&
        bias.shape.length === 1 && bias.shape[0] === channels && inputs[own].perm.at(-1) === 1) {
      conv.inputs.push(graph.floats('bias', [channels], bias.data));
      return inputs[own];
    }
  }
  return binary('Add', (a, b) => a + b)(context);
}

/** TensorFlow's SAME padding for the two spatial axes: the odd element goes to the end. */
function samePads(shape, kernel, strides, dilations) {
  const totals = [0, 1].map((k) => {
    const out = Math.ceil(shape[k] / strides[k]);
    return Math.max(0, (out - 1) * strides[k] + (kernel[k] - 1) * dilations[k] + 1 - shape[k]);
  });
  return [...totals.map((total) => total >> 1), ...totals.map((total) => (total + 1) >> 1)];
}

/** The input in NCHW order with the window's padding, taking in a Pad whose fill is `neutral`. */
function windowInput({ graph, inputs, attr }, kernel, dilations, isNeutral) {
  if (attr('data_format', 'NHWC') !== 'NHWC') throw new Error('only data_format NHWC is supported');
  const strides = attr('strides').slice(1, 3);
  const padding = attr('padding');
  let x = inputs[0];
  let pads = [0, 0, 0, 0];
  if (padding === 'SAME') {
    x = plain(graph, x);
    pads = samePads(x.shape.slice(1, 3), kernel, strides, dilations);
  } else if (padding !== 'VALID') {
    throw new Error(`padding ${padding} is not supported`);
  } else if (x instanceof Padded) {
    const { before, after, inner } = x;
    if (isNeutral(x.fill) && [before[0], before[3], after[0], after[3]].every((n) => n === 0)) {
      pads = [before[1], before[2], after[1], after[2]];
      x = inner;
    } else {
      x = x.written(graph);
    }
  }
  const out = [0, 1].map((k) => Math.floor(
    (x.shape[k + 1] + pads[k] + pads[k + 2] - (kernel[k] - 1) * dilations[k] - 1) / strides[k]) + 1);
  return { name: x.inOrder(graph, NHWC_TO_NCHW), batch: x.shape[0], channels: x.shape[3], pads, strides, out };
}

function conv2d(context) {
  const { graph, inputs, attr } = context;
  const weights = constant(inputs[1], 'the convolution kernel'); // height, width, in, out
  const [height, width, depth, count] = weights.shape;
  const dilations = attr('dilations', [1, 1, 1, 1]).slice(1, 3);
  const window = windowInput(context, [height, width], dilations, (fill) => fill === 0);
  if (window.channels % depth !== 0) throw new Error('the kernel does not fit the channels of its input');
  const node = graph.node('Conv', [window.name, weights.inOrder(graph, [3, 2, 0, 1])], {
    kernel_shape: ints([height, width]),
    strides: ints(window.strides),
    dilations: ints(dilations),
    pads: ints(window.pads),
    group: i(window.channels / depth),
  });
  return new Tensor(node.outputs[0], [window.batch, ...window.out, count], NCHW_TO_NHWC);
}

function maxPool(context) {
  const kernel = context.attr('ksize').slice(1, 3);
  // ONNX leaves padded cells out of the maximum, which is a fill with the lowest value.
  const window = windowInput(context, kernel, [1, 1], (fill) => fill <= -3e38);
  const node = context.graph.node('MaxPool', [window.name], {
    kernel_shape: ints(kernel), strides: ints(window.strides), pads: ints(window.pads),
  });
  return new Tensor(node.outputs[0], [window.batch, ...window.out, window.channels], NCHW_TO_NHWC);
}

function pad({ graph, inputs }) {
  const pairs = numbers(inputs[1], 'the paddings');
  const x = plain(graph, inputs[0]);
  const fill = inputs[2] ? numbers(inputs[2], 'the fill value')[0] : 0;
  return new Padded(x, x.shape.map((_, k) => pairs[2 * k]), x.shape.map((_, k) => pairs[2 * k + 1]), fill);
}

function transpose({ inputs }) {
  return inputs[0].transposed(numbers(inputs[1], 'the permutation'));
}

const positiveAxis = (axis, rank) => (axis < 0 ? axis + rank : axis);

function concat({ graph, inputs }) {
  const values = inputs.slice(0, -1).map((value) => plain(graph, value));
  const lead = values.find((value) => value instanceof Tensor);
  if (!lead) throw new Error('a concatenation of constants only is not supported');
  const axis = positiveAxis(numbers(inputs.at(-1), 'the axis')[0], lead.shape.length);
  const names = values.map((value) => value.inOrder(graph, inverse(lead.perm)));
  const shape = [...lead.shape];
  shape[axis] = values.reduce((sum, value) => sum + value.shape[axis], 0);
  const node = graph.node('Concat', names, { axis: i(lead.perm[axis]) });
  return new Tensor(node.outputs[0], shape, lead.perm);
}

function splitV({ graph, inputs }) {
  const x = plain(graph, inputs[0]);
  const axis = positiveAxis(numbers(inputs[2], 'the split axis')[0], x.shape.length);
  const sizes = numbers(inputs[1], 'the split sizes');
  const known = sizes.filter((size) => size >= 0).reduce((sum, size) => sum + size, 0);
  const whole = sizes.map((size) => (size < 0 ? x.shape[axis] - known : size));
  const node = graph.node('Split', [x.name, graph.int64s('split', whole)], { axis: i(x.perm[axis]) }, whole.length);
  return whole.map((size, k) => {
    const shape = [...x.shape];
    shape[axis] = size;
    return new Tensor(node.outputs[k], shape, x.perm);
  });
}

function reshape({ graph, inputs }) {
  const wanted = numbers(inputs[1], 'the new shape');
  const known = wanted.filter((side) => side >= 0).reduce((product, side) => product * side, 1);
  const shape = wanted.map((side) => (side < 0 ? sizeOf(inputs[0].shape) / known : side));
  if (inputs[0] instanceof Constant) return new Constant(shape, inputs[0].data);
  const name = inputs[0].inOrder(graph, identity(inputs[0].shape.length));
  return new Tensor(graph.node('Reshape', [name, graph.int64s('shape', shape)]).outputs[0], shape);
}

function resizeBilinear({ graph, inputs, attr }) {
  const x = plain(graph, inputs[0]);
  const [height, width] = numbers(inputs[1], 'the new size');
  const mode = attr('align_corners', false) ? 'align_corners'
    : attr('half_pixel_centers', false) ? 'half_pixel' : 'asymmetric';
  const size = graph.int64s('size', [x.shape[0], x.shape[3], height, width]);
  const node = graph.node('Resize', [x.inOrder(graph, NHWC_TO_NCHW), '', '', size], {
    mode: s('linear'), coordinate_transformation_mode: s(mode),
  });
  return new Tensor(node.outputs[0], [x.shape[0], height, width, x.shape[3]], NCHW_TO_NHWC);
}

/** Only as a computation of shapes: everything constant, indices of one number each. */
function sparseToDense({ inputs }) {
  const [indices, shape, values, fallback] = ['indices', 'shape', 'values', 'default']
    .map((what, k) => numbers(inputs[k], `SparseToDense ${what}`));
  if (shape.length !== 1) throw new Error('SparseToDense of more than one axis is not supported');
  const data = new Int32Array(shape[0]).fill(fallback[0]);
  indices.forEach((index, k) => { data[index] = values[values.length === 1 ? 0 : k]; });
  return new Constant(shape, data);
}

export const OPS = {
  Add: add,
  AddV2: add,
  BiasAdd: add,
  ConcatV2: concat,
  Conv2D: conv2d,
  Identity: ({ inputs }) => inputs[0],
  LeakyRelu: unary('LeakyRelu', (attr) => ({ alpha: f(attr('alpha', 0.2)) })),
  MaxPool: maxPool,
  Mul: binary('Mul', (a, b) => a * b),
  Pad: pad,
  PadV2: pad,
  Relu: unary('Relu'),
  Reshape: reshape,
  ResizeBilinear: resizeBilinear,
  Sigmoid: unary('Sigmoid'),
  SparseToDense: sparseToDense,
  SplitV: splitV,
  Sub: binary('Sub', (a, b) => a - b),
  Transpose: transpose,
};

