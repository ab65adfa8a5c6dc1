// The operators of ops-places.mjs, computed.

import { around, attribute, combine, integers, map, tensor } from './evaluate-basics.mjs';
import { sizeOf } from './value.mjs';

const truth = (rule) => (inputs, node) => {
  const { shape, data } = combine((a, b) => (rule(a, b) ? 1 : 0))(inputs, node);
  return tensor(shape, data);
};

function cast([x], node) {
  return tensor(x.shape, (attribute(node, 'to') === 1 ? Float32Array : Int32Array).from(x.data));
}

function slice([x, starts, ends, axes]) {
  let { shape, data } = x;
  integers(axes).forEach((axis, k) => {
    const [from, to] = [integers(starts)[k], integers(ends)[k]];
    const [, side, inner] = around(shape, axis);
    data = data.filter((_, index) => Math.floor(index / inner) % side >= from && Math.floor(index / inner) % side < to);
    shape = shape.map((own, at) => (at === axis ? to - from : own));
  });
  return tensor(shape, data);
}

function tile([x, repeats]) {
  const shape = x.shape.map((side, k) => side * integers(repeats)[k]);
  const out = tensor(shape, new x.data.constructor(sizeOf(shape)));
  for (let k = 0; k < out.data.length; k += 1) {
    let from = 0;
    for (let axis = shape.length - 1, rest = k, stride = 1; axis >= 0; axis -= 1) {
      from += (rest % shape[axis] % x.shape[axis]) * stride;
      stride *= x.shape[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    out.data[k] = x.data[from];
  }
  return out;
}

/** Along the last axis; of equal values the first. */
function topK([x, k]) {
  const [count] = integers(k);
  const side = x.shape.at(-1);
  const values = [];
  const indices = [];
  for (let row = 0; row < x.data.length / side; row += 1) {
    const order = Array.from({ length: side }, (_, at) => at)
      .sort((a, b) => x.data[row * side + b] - x.data[row * side + a]).slice(0, count);
    indices.push(...order);
    values.push(...order.map((at) => x.data[row * side + at]));
  }
  const shape = [...x.shape.slice(0, -1), count];
  return [tensor(shape, Float32Array.from(values)), tensor(shape, Int32Array.from(indices))];
}

function argMax([x], node) {
  const axis = attribute(node, 'axis');
  const [outer, side, inner] = around(x.shape, axis);
  const out = tensor(x.shape.filter((_, k) => k !== axis), new Int32Array(outer * inner));
  for (let k = 0; k < out.data.length; k += 1) {
    const at = (s) => x.data[(Math.floor(k / inner) * side + s) * inner + (k % inner)];
    for (let s = 1; s < side; s += 1) if (at(s) > at(out.data[k])) out.data[k] = s;
  }
  return out;
}

const reduce = (rule, first) => ([x, along], node) => {
  let { shape, data } = x;
  for (const axis of integers(along)) {
    const [outer, side, inner] = around(shape, axis);
    const reduced = new Float32Array(outer * inner).fill(first);
    data.forEach((value, k) => {
      const to = Math.floor(k / (side * inner)) * inner + (k % inner);
      reduced[to] = rule(reduced[to], value);
    });
    data = reduced;
    shape = shape.map((own, at) => (at === axis ? 1 : own));
  }
  const axes = integers(along);
  return tensor(attribute(node, 'keepdims') ? shape : shape.filter((_, k) => !axes.includes(k)), data);
};

function gatherNd([x, indices]) {
  const depth = indices.shape.at(-1);
  const run = sizeOf(x.shape.slice(depth));
  const shape = [...indices.shape.slice(0, -1), ...x.shape.slice(depth)];
  const out = tensor(shape, new x.data.constructor(sizeOf(shape)));
  for (let k = 0; k < indices.data.length / depth; k += 1) {
    let from = 0;
    for (let axis = 0; axis < depth; axis += 1) from = from * x.shape[axis] + indices.data[k * depth + axis];
    out.data.set(x.data.subarray(from * run, (from + 1) * run), k * run);
  }
  return out;
}

function gather([x, indices], node) {
  const axis = attribute(node, 'axis');
  const [outer, side, inner] = around(x.shape, axis);
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  const out = tensor(shape, new x.data.constructor(sizeOf(shape)));
  const count = indices.data.length;
  for (let k = 0; k < outer * count; k += 1) {
    const from = (Math.floor(k / count) * side + indices.data[k % count]) * inner;
    out.data.set(x.data.subarray(from, from + inner), k * inner);
  }
  return out;
}

function mean(inputs, node) {
  const { shape, data } = reduce((a, b) => a + b, 0)(inputs, node);
  return tensor(shape, data.map((value) => (value * data.length) / inputs[0].data.length));
}

function where([condition, a, b]) {
  return tensor(a.shape, a.data.map((value, k) => (condition.data[k] ? value : b.data[k])));
}

export const PLACE_OPERATORS = {
  Abs: map(Math.abs),
  And: truth((a, b) => a && b),
  ArgMax: argMax,
  Cast: cast,
  Div: combine((a, b) => a / b),
  Equal: truth((a, b) => a === b),
  Exp: map(Math.exp),
  Gather: gather,
  GatherND: gatherNd,
  Greater: truth((a, b) => a > b),
  GreaterOrEqual: truth((a, b) => a >= b),
  Less: truth((a, b) => a < b),
  Max: combine(Math.max),
  Min: combine(Math.min),
  Mod: combine((a, b) => a % b),
  Reciprocal: map((value) => 1 / value),
  ReduceMax: reduce(Math.max, -Infinity),
  ReduceMean: mean,
  ReduceSum: reduce((a, b) => a + b, 0),
  Slice: slice,
  Sqrt: map(Math.sqrt),
  Tile: tile,
  TopK: topK,
  Where: where,
};
