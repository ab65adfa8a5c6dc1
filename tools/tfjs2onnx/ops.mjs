// One handler per TensorFlow operation: (context) -> value or list of values.
//
// context: { graph, node, inputs (values), attr(name, fallback), soleUse(index): whether input
// `index` is used by this node alone }. A new operation is a new row of OPS.

import { f, i, ints, s } from './onnx.mjs';
import { binary, constant, numbers, plain, positiveAxis, reshaped, unary } from './handlers.mjs';
import { PLACE_OPS } from './ops-places.mjs';
import { Constant, Padded, Tensor, inverse, sizeOf } from './value.mjs';

const NHWC_TO_NCHW = [0, 3, 1, 2];
const NCHW_TO_NHWC = [0, 2, 3, 1];

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

/** `weights`: height, width, channels that each output reads, outputs. */
function convolution(context, weights) {
  const { graph, attr } = context;
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

const conv2d = (context) => convolution(context, constant(context.inputs[1], 'the convolution kernel'));

/** Each channel by itself: height, width, channels, outputs of each. */
function depthwise(context) {
  const { shape: [height, width, channels, outputs], data } = constant(context.inputs[1], 'the convolution kernel');
  return convolution(context, new Constant([height, width, 1, channels * outputs], data));
}

/** A convolution with what follows it in one node: a bias, then an activation. */
const fused = (convolve) => (context) => {
  const x = convolve(context);
  const steps = context.attr('fused_ops', []);
  if (steps[0] !== 'BiasAdd' || steps.length > 2) throw new Error(`fused ${steps.join(', ')} is not supported`);
  const conv = context.graph.nodes.at(-1);
  conv.inputs.push(context.graph.floats('bias', [x.shape[3]], constant(context.inputs[2], 'the bias').data));
  if (steps.length === 1) return x;
  if (!['Relu', 'Relu6'].includes(steps[1])) throw new Error(`fused ${steps[1]} is not supported`);
  return OPS[steps[1]]({ ...context, inputs: [x] });
};

/** The gradient of a convolution, that is a transposed one: its size, height x width x out x in, input. */
function convTranspose({ graph, inputs, attr }) {
  const [, height, width, count] = numbers(inputs[0], 'the size of the result');
  const weights = constant(inputs[1], 'the convolution kernel');
  const x = plain(graph, inputs[2]);
  const kernel = weights.shape.slice(0, 2);
  const strides = attr('strides').slice(1, 3);
  const totals = [height, width].map((side, k) => (x.shape[k + 1] - 1) * strides[k] + kernel[k] - side);
  if (totals.some((total) => total < 0)) throw new Error('a result larger than its windows is not supported');
  const node = graph.node('ConvTranspose', [x.inOrder(graph, NHWC_TO_NCHW), weights.inOrder(graph, [3, 2, 0, 1])], {
    kernel_shape: ints(kernel), strides: ints(strides),
    pads: ints([...totals.map((total) => total >> 1), ...totals.map((total) => (total + 1) >> 1)]),
  });
  return new Tensor(node.outputs[0], [x.shape[0], height, width, count], NCHW_TO_NHWC);
}

const pool = (opType, isNeutral) => (context) => {
  const kernel = context.attr('ksize').slice(1, 3);
  const window = windowInput(context, kernel, [1, 1], isNeutral);
  const node = context.graph.node(opType, [window.name], {
    kernel_shape: ints(kernel), strides: ints(window.strides), pads: ints(window.pads),
  });
  return new Tensor(node.outputs[0], [window.batch, ...window.out, window.channels], NCHW_TO_NHWC);
};

/** ONNX leaves padded cells out of the maximum, which is a fill with the lowest value. */
const maxPool = pool('MaxPool', (fill) => fill <= -3e38);

/** Padded cells are left out of the mean in both. */
const averagePool = pool('AveragePool', () => false);

function pad({ graph, inputs }) {
  const pairs = numbers(inputs[1], 'the paddings');
  const x = plain(graph, inputs[0]);
  const fill = inputs[2] ? numbers(inputs[2], 'the fill value')[0] : 0;
  return new Padded(x, x.shape.map((_, k) => pairs[2 * k]), x.shape.map((_, k) => pairs[2 * k + 1]), fill);
}

function transpose({ inputs }) {
  return inputs[0].transposed(numbers(inputs[1], 'the permutation'));
}

function concat({ graph, inputs }) {
  const values = inputs.slice(0, -1).map((value) => plain(graph, value));
  const lead = values.find((value) => value instanceof Tensor);
  if (!lead) throw new Error('a concatenation of constants only is not supported');
  const axis = positiveAxis(numbers(inputs.at(-1), 'the axis')[0], lead.shape.length);
  const names = values.map((value) => value.inOrder(graph, inverse(lead.perm), lead.dtype));
  const shape = [...lead.shape];
  shape[axis] = values.reduce((sum, value) => sum + value.shape[axis], 0);
  const node = graph.node('Concat', names, { axis: i(lead.perm[axis]) });
  return new Tensor(node.outputs[0], shape, lead.perm, lead.dtype);
}

/** Parts of `sizes` along an axis. */
function parts(graph, x, axis, sizes) {
  const node = graph.node('Split', [x.name, graph.int64s('split', sizes)], { axis: i(x.perm[axis]) }, sizes.length);
  return sizes.map((size, k) => {
    const shape = [...x.shape];
    shape[axis] = size;
    return new Tensor(node.outputs[k], shape, x.perm, x.dtype);
  });
}

function splitV({ graph, inputs }) {
  const x = plain(graph, inputs[0]);
  const axis = positiveAxis(numbers(inputs[2], 'the split axis')[0], x.shape.length);
  const sizes = numbers(inputs[1], 'the split sizes');
  const known = sizes.filter((size) => size >= 0).reduce((sum, size) => sum + size, 0);
  return parts(graph, x, axis, sizes.map((size) => (size < 0 ? x.shape[axis] - known : size)));
}

function split({ graph, inputs, attr }) {
  const x = plain(graph, inputs[1]);
  const axis = positiveAxis(numbers(inputs[0], 'the split axis')[0], x.shape.length);
  const count = attr('num_split');
  return parts(graph, x, axis, new Array(count).fill(x.shape[axis] / count));
}

function reshape({ graph, inputs }) {
  const wanted = numbers(inputs[1], 'the new shape');
  const known = wanted.filter((side) => side >= 0).reduce((product, side) => product * side, 1);
  return reshaped(graph, inputs[0], wanted.map((side) => (side < 0 ? sizeOf(inputs[0].shape) / known : side)));
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

function relu6({ graph, inputs }) {
  const x = plain(graph, inputs[0]);
  const bound = (value) => graph.floats('bound', [], [value]);
  return new Tensor(graph.node('Clip', [x.name, bound(0), bound(6)]).outputs[0], x.shape, x.perm);
}

function matMul({ graph, inputs, attr }) {
  let weights = constant(inputs[1], 'the second factor');
  if (attr('transpose_a', false) || weights.shape.length !== 2) throw new Error('only a matrix times a constant one is supported');
  if (attr('transpose_b', false)) weights = weights.transposed([1, 0]);
  const node = graph.node('MatMul', [inputs[0].inOrder(graph), weights.inOrder(graph)]);
  return new Tensor(node.outputs[0], [inputs[0].shape[0], weights.shape[1]]);
}

export const OPS = {
  Add: add,
  AddV2: add,
  AvgPool: averagePool,
  BiasAdd: add,
  ConcatV2: concat,
  Conv2D: conv2d,
  Conv2DBackpropInput: convTranspose,
  DepthwiseConv2dNative: depthwise,
  FusedDepthwiseConv2dNative: fused(depthwise),
  Identity: ({ inputs }) => inputs[0],
  LeakyRelu: unary('LeakyRelu', (attr) => ({ alpha: f(attr('alpha', 0.2)) })),
  MatMul: matMul,
  MaxPool: maxPool,
  Mul: binary('Mul', (a, b) => a * b),
  Pad: pad,
  PadV2: pad,
  Relu: unary('Relu'),
  Relu6: relu6,
  Reshape: reshape,
  ResizeBilinear: resizeBilinear,
  Sigmoid: unary('Sigmoid'),
  SparseToDense: sparseToDense,
  Split: split,
  SplitV: splitV,
  Sub: binary('Sub', (a, b) => a - b),
  Transpose: transpose,
  _FusedConv2D: fused(conv2d),
  ...PLACE_OPS,
};
