// Operations by which a model finds places in its maps and reads there: comparing, sorting,
// indexing, slicing. What depends on shapes alone is computed here.

import { DATA_TYPE, i } from './onnx.mjs';
import { binary, constant, numbers, plain, positiveAxis, reshaped, together, unary } from './handlers.mjs';
import { Constant, Tensor, sizeOf } from './value.mjs';

const whole = (shape, values) => new Constant(shape, Int32Array.from(values));

/** The name of a value in its own order, as what the operation wants. */
const named = (graph, value, dtype = value.dtype) => plain(graph, value).inOrder(graph, undefined, dtype);

function cast({ graph, inputs: [x], attr }) {
  const toFloat = attr('DstT') === 'DT_FLOAT';
  if (x instanceof Constant) return new Constant(x.shape, (toFloat ? Float32Array : Int32Array).from(x.data));
  const dtype = toFloat ? 'float32' : 'int64';
  if (x.dtype === dtype) return x;
  const node = graph.node('Cast', [x.name], { to: i(DATA_TYPE[dtype]) });
  return new Tensor(node.outputs[0], x.shape, x.perm, dtype);
}

/** What a StridedSlice reads of each axis, and the shape that comes out. */
function slices({ inputs, attr }) {
  const x = inputs[0];
  const [begin, end, strides] = inputs.slice(1).map((value) => numbers(value, 'what a slice takes'));
  const masked = (name, k) => ((attr(name, 0) >> k) & 1) === 1;
  if (attr('ellipsis_mask', 0) || strides.some((stride) => stride !== 1)) throw new Error('only strides of 1 without an ellipsis are supported');
  const ranges = [];
  const shape = [];
  begin.forEach((_, k) => {
    if (masked('new_axis_mask', k)) {
      shape.push(1);
      return;
    }
    const side = x.shape[ranges.length];
    const bound = (value) => Math.min(Math.max(value < 0 ? value + side : value, 0), side);
    const from = masked('begin_mask', k) ? 0 : bound(begin[k]);
    const single = masked('shrink_axis_mask', k);
    const to = single ? from + 1 : masked('end_mask', k) ? side : bound(end[k]);
    ranges.push([from, to]);
    if (!single) shape.push(to - from);
  });
  for (const side of x.shape.slice(ranges.length)) {
    ranges.push([0, side]);
    shape.push(side);
  }
  return { ranges, shape };
}

function stridedSlice(context) {
  const { graph, inputs: [x] } = context;
  const { ranges, shape } = slices(context);
  if (x instanceof Constant) {
    let { data } = x;
    for (let axis = x.shape.length - 1, inner = 1; axis >= 0; inner *= ranges[axis][1] - ranges[axis][0], axis -= 1) {
      const run = x.shape[axis] * inner;
      const [from, to] = ranges[axis];
      data = data.filter((_, k) => k % run >= from * inner && k % run < to * inner);
    }
    return new Constant(shape, data);
  }
  const cut = ranges.map((_, axis) => axis).filter((axis) => ranges[axis][1] - ranges[axis][0] < x.shape[axis]);
  const bounds = [0, 1].map((side) => graph.int64s('bounds', cut.map((axis) => ranges[axis][side])));
  const name = cut.length > 0
    ? graph.node('Slice', [named(graph, x), ...bounds, graph.int64s('axes', cut)]).outputs[0]
    : named(graph, x);
  const sliced = new Tensor(name, ranges.map(([from, to]) => to - from), undefined, x.dtype);
  return reshaped(graph, sliced, shape);
}

/** Values of one shape side by side along a new axis. */
function pack({ graph, inputs, attr }) {
  const axis = positiveAxis(attr('axis', 0), inputs[0].shape.length + 1);
  const shape = [...inputs[0].shape];
  shape.splice(axis, 0, 1);
  const result = shape.map((side, k) => (k === axis ? inputs.length : side));
  if (inputs.every((value) => value instanceof Constant)) {
    if (sizeOf(shape) !== 1) throw new Error('constants of more than one value are not packed');
    return new Constant(result, inputs[0].data.constructor.from(inputs.map((value) => value.data[0])));
  }
  const lead = inputs.find((value) => value instanceof Tensor);
  const names = inputs.map((value) => named(graph, reshaped(graph, value, shape), lead.dtype));
  return new Tensor(graph.node('Concat', names, { axis: i(axis) }).outputs[0], result, undefined, lead.dtype);
}

function unpack({ graph, inputs: [x], attr }) {
  const axis = positiveAxis(attr('axis', 0), x.shape.length);
  const shape = x.shape.filter((_, k) => k !== axis);
  if (x instanceof Constant) {
    if (sizeOf(shape) !== 1) throw new Error('constants are unpacked to single values only');
    return Array.from(x.data, (value) => new Constant(shape, x.data.constructor.of(value)));
  }
  const count = x.shape[axis];
  if (count === 1) return [reshaped(graph, x, shape)];
  const sizes = graph.int64s('split', new Array(count).fill(1));
  const node = graph.node('Split', [named(graph, x), sizes], { axis: i(axis) }, count);
  const part = x.shape.map((side, k) => (k === axis ? 1 : side));
  return node.outputs.map((name) => reshaped(graph, new Tensor(name, part, undefined, x.dtype), shape));
}

function expandDims({ graph, inputs }) {
  const x = plain(graph, inputs[0]);
  const shape = [...x.shape];
  shape.splice(positiveAxis(numbers(inputs[1], 'the new axis')[0], shape.length + 1), 0, 1);
  return reshaped(graph, x, shape);
}

function squeeze({ graph, inputs: [x], attr }) {
  const axes = attr('squeeze_dims', []).map((axis) => positiveAxis(axis, x.shape.length));
  const gone = (side, k) => (axes.length > 0 ? axes.includes(k) : side === 1);
  return reshaped(graph, plain(graph, x), x.shape.filter((side, k) => !gone(side, k)));
}

function range({ inputs }) {
  const [start, limit, step] = inputs.map((value) => numbers(value, 'a range')[0]);
  const count = Math.max(0, Math.ceil((limit - start) / step));
  return new Constant([count], inputs[0].data.constructor.from({ length: count }, (_, k) => start + k * step));
}

function fill({ inputs }) {
  const shape = numbers(inputs[0], 'the shape');
  const { data } = constant(inputs[1], 'the value');
  return new Constant(shape, new data.constructor(sizeOf(shape)).fill(data[0]));
}

function tile({ graph, inputs: [x, times] }) {
  const repeats = numbers(times, 'how often');
  const shape = x.shape.map((side, k) => side * repeats[k]);
  const node = graph.node('Tile', [named(graph, x), graph.int64s('repeats', repeats)]);
  return new Tensor(node.outputs[0], shape, undefined, x.dtype);
}

function topK({ graph, inputs: [x, k] }) {
  const [count] = numbers(k, 'how many');
  const shape = [...x.shape.slice(0, -1), count];
  const node = graph.node('TopK', [named(graph, x), graph.int64s('k', [count])], { axis: i(x.shape.length - 1) }, 2);
  return [new Tensor(node.outputs[0], shape), new Tensor(node.outputs[1], shape, undefined, 'int64')];
}

function argMax({ graph, inputs: [x, at] }) {
  const axis = positiveAxis(numbers(at, 'the axis')[0], x.shape.length);
  const node = graph.node('ArgMax', [named(graph, x)], { axis: i(axis), keepdims: i(0) });
  return new Tensor(node.outputs[0], x.shape.filter((_, k) => k !== axis), undefined, 'int64');
}

const reduce = (opType) => ({ graph, inputs: [x, along], attr }) => {
  const axes = numbers(along, 'the axes').map((axis) => positiveAxis(axis, x.shape.length));
  const keep = attr('keep_dims', false);
  const shape = x.shape.map((side, k) => (axes.includes(k) ? 1 : side)).filter((_, k) => keep || !axes.includes(k));
  const node = graph.node(opType, [named(graph, x), graph.int64s('axes', axes)], { keepdims: i(keep ? 1 : 0) });
  return new Tensor(node.outputs[0], shape);
};

function gatherNd({ graph, inputs: [x, indices] }) {
  const shape = [...indices.shape.slice(0, -1), ...x.shape.slice(indices.shape.at(-1))];
  const node = graph.node('GatherND', [named(graph, x), named(graph, indices, 'int64')]);
  return new Tensor(node.outputs[0], shape, undefined, x.dtype);
}

function gather({ graph, inputs: [x, indices, at], attr }) {
  const axis = positiveAxis(numbers(at, 'the axis')[0], x.shape.length);
  if (attr('batch_dims', 0)) throw new Error('GatherV2 with batch_dims is not supported');
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  const node = graph.node('Gather', [named(graph, x), named(graph, indices, 'int64')], { axis: i(axis) });
  return new Tensor(node.outputs[0], shape, undefined, x.dtype);
}

function squaredDifference({ graph, inputs }) {
  const difference = together(graph, 'Sub', inputs);
  return together(graph, 'Mul', [difference, difference]);
}

/** Of whole numbers, which are never below 0 here: ONNX rounds towards 0. */
const ofWhole = (handler) => (context) => {
  if (context.inputs.some((value) => value instanceof Tensor && value.dtype !== 'int64')) {
    throw new Error('FloorDiv and FloorMod of fractions are not supported');
  }
  return handler(context);
};

export const PLACE_OPS = {
  Abs: unary('Abs'),
  AddN: ({ graph, inputs }) => inputs.reduce((sum, value) => together(graph, 'Add', [sum, value])),
  ArgMax: argMax,
  Cast: cast,
  Equal: binary('Equal', (a, b) => a === b, 'bool'),
  Exp: unary('Exp'),
  ExpandDims: expandDims,
  Fill: fill,
  FloorDiv: ofWhole(binary('Div', (a, b) => Math.floor(a / b))),
  FloorMod: ofWhole(binary('Mod', (a, b) => a % b)),
  GatherNd: gatherNd,
  GatherV2: gather,
  Greater: binary('Greater', (a, b) => a > b, 'bool'),
  GreaterEqual: binary('GreaterOrEqual', (a, b) => a >= b, 'bool'),
  Less: binary('Less', (a, b) => a < b, 'bool'),
  LogicalAnd: binary('And', (a, b) => a && b, 'bool'),
  Max: reduce('ReduceMax'),
  Maximum: binary('Max', Math.max),
  Mean: reduce('ReduceMean'),
  Minimum: binary('Min', Math.min),
  Pack: pack,
  Range: range,
  RealDiv: binary('Div', (a, b) => a / b),
  Reciprocal: unary('Reciprocal'),
  Select: ({ graph, inputs }) => together(graph, 'Where', inputs),
  Shape: ({ inputs: [x] }) => whole([x.shape.length], x.shape),
  Size: ({ inputs: [x] }) => whole([], [sizeOf(x.shape)]),
  Sqrt: unary('Sqrt'),
  SquaredDifference: squaredDifference,
  Squeeze: squeeze,
  StridedSlice: stridedSlice,
  Sum: reduce('ReduceSum'),
  Tile: tile,
  TopKV2: topK,
  Unpack: unpack,
};
