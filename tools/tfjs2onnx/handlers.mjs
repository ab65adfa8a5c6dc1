// What handlers of operations share: constants, elementwise operations, new shapes.

import { Constant, Padded, Tensor, inverse, sizeOf } from './value.mjs';

/** A Padded as a written Pad; anything else as it is. */
export const plain = (graph, value) => (value instanceof Padded ? value.written(graph) : value);

export const constant = (value, what) => {
  if (!(value instanceof Constant)) throw new Error(`${what} must be a constant`);
  return value;
};

export const numbers = (value, what) => Array.from(constant(value, what).data, Number);

export const positiveAxis = (axis, rank) => (axis < 0 ? axis + rank : axis);

const broadcast = (a, b) => {
  const rank = Math.max(a.length, b.length);
  const side = (shape, k) => shape[k - rank + shape.length] ?? 1;
  return Array.from({ length: rank }, (_, k) => (side(a, k) === 1 ? side(b, k) : side(a, k)));
};

/** The same values, row by row, in another shape. */
export function reshaped(graph, value, shape) {
  if (value instanceof Constant) return new Constant(shape, value.data);
  const node = graph.node('Reshape', [value.inOrder(graph), graph.int64s('shape', shape)]);
  return new Tensor(node.outputs[0], shape, undefined, value.dtype);
}

export const unary = (opType, attributes = () => ({})) => ({ graph, inputs, attr }) => {
  const x = plain(graph, inputs[0]);
  const node = graph.node(opType, [x.name], attributes(attr));
  return new Tensor(node.outputs[0], x.shape, x.perm, x.dtype);
};

/** Of `rank` axes, new ones in front. */
function ofRank(graph, value, rank) {
  const missing = rank - value.shape.length;
  return missing === 0 ? value : reshaped(graph, value, [...new Array(missing).fill(1), ...value.shape]);
}

/** `opType` on values that are broadcast against each other, of which one at least is computed. */
export function together(graph, opType, values, resultType) {
  const shape = values.map((value) => value.shape).reduce(broadcast);
  const whole = values.map((value) => ofRank(graph, plain(graph, value), shape.length));
  const lead = whole.find((value) => value instanceof Tensor && value.dtype !== 'bool') ??
    whole.find((value) => value instanceof Tensor);
  const names = whole.map((value) => value.inOrder(graph, inverse(lead.perm), lead.dtype));
  return new Tensor(graph.node(opType, names).outputs[0], shape, lead.perm, resultType ?? lead.dtype);
}

/** The result is of the inputs' type unless `resultType` says otherwise. */
export const binary = (opType, fold, resultType) => ({ graph, inputs }) =>
  (inputs.every((value) => value instanceof Constant)
    ? foldBinary(inputs, fold)
    : together(graph, opType, inputs, resultType));

function foldBinary([a, b], fold) {
  const shape = broadcast(a.shape, b.shape);
  const at = ({ shape: own, data }, k) => {
    let index = 0;
    for (let axis = shape.length - 1, rest = k, stride = 1; axis >= 0; axis -= 1) {
      const side = own[axis - shape.length + own.length] ?? 1;
      index += (side === 1 ? 0 : rest % shape[axis]) * stride;
      stride *= side;
      rest = Math.floor(rest / shape[axis]);
    }
    return data[index];
  };
  const whole = sizeOf(a.shape) >= sizeOf(b.shape) ? a : b;
  const data = new whole.data.constructor(sizeOf(shape));
  for (let k = 0; k < data.length; k += 1) data[k] = fold(at(a, k), at(b, k));
  return new Constant(shape, data);
}
