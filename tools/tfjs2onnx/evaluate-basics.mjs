// What operators of the evaluation share. Whole numbers are in an Int32Array, all else in floats.

import { sizeOf } from './value.mjs';

export const tensor = (shape, data) => ({ shape, data: data ?? new Float32Array(sizeOf(shape)) });
export const attribute = (node, name, fallback) => node.attributes[name]?.value ?? fallback;
export const integers = (t) => Array.from(t.data, Number);

export const map = (rule) => ([x], node) => tensor(x.shape, x.data.map((value) => rule(value, node)));

/** [outer, side, inner] of an axis. */
export const around = (shape, axis) => [sizeOf(shape.slice(0, axis)), shape[axis], sizeOf(shape.slice(axis + 1))];

/** Index of `shape` that element `k` of `out` reads, by broadcasting. */
function broadcastIndex(k, out, shape) {
  let index = 0;
  let stride = 1;
  for (let axis = out.length - 1, rest = k; axis >= 0; axis -= 1) {
    const side = shape[axis - out.length + shape.length] ?? 1;
    index += (side === 1 ? 0 : rest % out[axis]) * stride;
    stride *= side;
    rest = Math.floor(rest / out[axis]);
  }
  return index;
}

export const combine = (rule) => ([a, b]) => {
  const rank = Math.max(a.shape.length, b.shape.length);
  const side = (t, axis) => t.shape[axis - rank + t.shape.length] ?? 1;
  const shape = Array.from({ length: rank }, (_, axis) => Math.max(side(a, axis), side(b, axis)));
  const out = tensor(shape, new a.data.constructor(sizeOf(shape)));
  for (let k = 0; k < out.data.length; k += 1) {
    out.data[k] = rule(a.data[broadcastIndex(k, shape, a.shape)], b.data[broadcastIndex(k, shape, b.shape)]);
  }
  return out;
};
