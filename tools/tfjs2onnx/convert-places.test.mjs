// Operations by which models find places in their maps, and those of the models of people, on tiny
// graphs; and these models as a whole, held against what TensorFlow.js gives (golden-people.json).

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { convert } from './convert.mjs';
import { evaluate } from './evaluate.mjs';
import { scaledPicture } from './test-picture.mjs';
import { attr, floats, int32s, range, run, scalar } from './tiny-graph.mjs';

const number = (value) => ({ i: String(value) });
const texts = (...values) => ({ list: { s: values.map((text) => Buffer.from(text).toString('base64')) } });
const toFloat = { DstT: { type: 'DT_FLOAT' } };
const close = (seen, expected) => {
  assert.equal(seen.length, expected.length);
  seen.forEach((value, k) => assert.ok(Math.abs(value - expected[k]) < 1e-5, `${seen} instead of ${expected}`));
};

const window = (padding, stride = 1) => ({ padding: attr.s(padding), strides: attr.list(1, stride, stride, 1) });

test('a depthwise convolution keeps channels apart', () => {
  const x = floats([1, 1, 2, 2], 1, 2, 3, 4);
  const w = floats([1, 2, 2, 2], 1, 10, 100, 1000, 2, 20, 200, 2000); // two outputs of each channel
  const { shape, data } = run(x, { w }, [['y', 'DepthwiseConv2dNative', ['x', 'w'], window('VALID')]]);
  assert.deepEqual(shape, [1, 1, 1, 4]);
  assert.deepEqual(data, [1 + 6, 10 + 60, 200 + 800, 2000 + 8000]);
});

test('fused convolutions have their bias and bound', () => {
  const x = floats([1, 1, 3, 1], -9, 2, 9);
  const constants = { w: floats([1, 1, 1, 1], 1), b: floats([1], 0.5) };
  const fused = (...ops) => [['y', '_FusedConv2D', ['x', 'w', 'b'], { ...window('VALID'), fused_ops: texts(...ops) }]];
  assert.deepEqual(run(x, constants, fused('BiasAdd')).data, [-8.5, 2.5, 9.5]);
  assert.deepEqual(run(x, constants, fused('BiasAdd', 'Relu')).data, [0, 2.5, 9.5]);
  assert.deepEqual(run(x, constants, fused('BiasAdd', 'Relu6')).data, [0, 2.5, 6]);
  assert.throws(() => run(x, constants, fused('BiasAdd', 'Elu')), /fused Elu is not supported/);
});

test('a transposed convolution spreads each cell over its window', () => {
  const x = floats([1, 1, 2, 1], 1, 2);
  const constants = { n: int32s(1, 2, 4, 1), w: floats([2, 2, 1, 1], 1, 2, 3, 4) };
  const { shape, data } = run(x, constants, [['y', 'Conv2DBackpropInput', ['n', 'w', 'x'], window('SAME', 2)]]);
  assert.deepEqual(shape, [1, 2, 4, 1]);
  assert.deepEqual(data, [1, 2, 2, 4, 3, 4, 6, 8]);
});

test('AvgPool leaves padding out of the mean', () => {
  const x = floats([1, 1, 3, 1], 1, 2, 6);
  const pool = { ...window('SAME', 2), ksize: attr.list(1, 2, 2, 1) };
  assert.deepEqual(run(x, {}, [['y', 'AvgPool', ['x'], pool]]).data, [1.5, 6]);
});

test('MatMul with either order of the constant', () => {
  const x = floats([1, 2], 1, 10);
  assert.deepEqual(run(x, { w: floats([2, 2], 1, 2, 3, 4) }, [['y', 'MatMul', ['x', 'w']]]).data, [31, 42]);
  assert.deepEqual(run(x, { w: floats([2, 2], 1, 2, 3, 4) }, [['y', 'MatMul', ['x', 'w'], { transpose_b: attr.b(true) }]]).data, [21, 43]);
});

test('the best places of a map are found and read', () => {
  const x = floats([1, 2, 3], 5, 9, 1, 7, 3, 8);
  const constants = { flat: int32s(6), k: scalar(2), three: scalar(3), zero: scalar(0) };
  const nodes = [
    ['f', 'Reshape', ['x', 'flat']], ['t', 'TopKV2', ['f', 'k']],
    ['row', 'FloorDiv', ['t:1', 'three']], ['m', 'Mul', ['row', 'three']], ['column', 'Sub', ['t:1', 'm']],
    ['z', 'Sub', ['row', 'row']], ['at', 'Pack', ['z', 'row', 'column'], { axis: number(1) }], ['y', 'GatherNd', ['x', 'at']],
  ];
  assert.deepEqual(run(x, constants, nodes, 't').data, [9, 8]);
  assert.deepEqual(run(x, constants, nodes, 'at').data, [0, 0, 1, 0, 1, 2]);
  assert.deepEqual(run(x, constants, nodes, 'y').data, [9, 8]);
});

test('places are told apart by FloorMod and read by GatherV2', () => {
  const x = floats([2, 3], 5, 9, 1, 7, 3, 8);
  const constants = { flat: int32s(6), k: scalar(2), three: scalar(3), zero: scalar(0), one: scalar(1) };
  const nodes = [['f', 'Reshape', ['x', 'flat']], ['t', 'TopKV2', ['f', 'k']], ['column', 'FloorMod', ['t:1', 'three']]];
  assert.deepEqual(run(x, constants, nodes, 'column').data, [1, 2]);
  assert.deepEqual(run(x, constants, [...nodes, ['y', 'GatherV2', ['f', 't:1', 'zero']]]).data, [9, 8]);
  const columns = run(x, constants, [...nodes, ['y', 'GatherV2', ['x', 'column', 'one']]]);
  assert.deepEqual([columns.shape, columns.data], [[2, 2], [9, 1, 3, 8]]);
  const fractions = [['y', 'FloorMod', ['x', 'x']]];
  assert.throws(() => run(x, constants, fractions), /fractions are not supported/);
});

test('ArgMax, Max, Mean and Sum go along their axes', () => {
  const x = floats([2, 3], 1, 7, 7, 4, 0, -1);
  const constants = { a: scalar(0), b: scalar(-1), both: int32s(0, 1) };
  assert.deepEqual(run(x, constants, [['y', 'ArgMax', ['x', 'b']]]).data, [1, 0]);
  assert.deepEqual(run(x, constants, [['y', 'ArgMax', ['x', 'a']]]).data, [1, 0, 0]);
  assert.deepEqual(run(x, constants, [['y', 'Max', ['x', 'a']]]).data, [4, 7, 7]);
  const sum = run(x, constants, [['y', 'Sum', ['x', 'both'], { keep_dims: attr.b(true) }]]);
  assert.deepEqual([sum.shape, sum.data], [[1, 1], [18]]);
  const mean = run(x, constants, [['y', 'Mean', ['x', 'b'], { keep_dims: attr.b(true) }]]);
  assert.deepEqual([mean.shape, mean.data], [[2, 1], [5, 1]]);
});

test('comparisons choose between values', () => {
  const x = floats([4], -1, 0, 1, 2);
  const constants = { one: floats([], 1), zero: floats([], 0), other: floats([4], 10, 20, 30, 40) };
  const chosen = (...nodes) => run(x, constants, [...nodes, ['y', 'Select', ['c', 'x', 'other']]]).data;
  assert.deepEqual(chosen(['c', 'Less', ['x', 'one']]), [-1, 0, 30, 40]);
  assert.deepEqual(chosen(['c', 'GreaterEqual', ['x', 'one']]), [10, 20, 1, 2]);
  assert.deepEqual(chosen(['c', 'Greater', ['x', 'one']]), [10, 20, 30, 2]);
  assert.deepEqual(chosen(['c', 'Equal', ['x', 'one']]), [10, 20, 1, 40]);
  const between = [['a', 'Greater', ['x', 'zero']], ['b', 'Less', ['x', 'other']], ['d', 'LogicalAnd', ['a', 'b']], ['y', 'Cast', ['d'], toFloat]];
  assert.deepEqual(run(x, constants, between).data, [0, 0, 1, 1]);
});

test('elementwise operations', () => {
  const x = floats([3], 0.25, 1, 4);
  const constants = { two: floats([], 2), k: floats([3], 1, 1, 2) };
  const one = (op, inputs = ['x']) => run(x, constants, [['y', op, inputs]]).data;
  assert.deepEqual(one('Sqrt'), [0.5, 1, 2]);
  assert.deepEqual(one('Reciprocal'), [4, 1, 0.25]);
  assert.deepEqual(one('RealDiv', ['x', 'two']), [0.125, 0.5, 2]);
  assert.deepEqual(one('Minimum', ['x', 'two']), [0.25, 1, 2]);
  assert.deepEqual(one('Maximum', ['x', 'two']), [2, 2, 4]);
  assert.deepEqual(one('SquaredDifference', ['x', 'k']), [0.5625, 0, 4]);
  assert.deepEqual(one('AddN', ['x', 'k', 'x']), [1.5, 3, 10]);
  close(one('Exp'), [Math.exp(0.25), Math.E, Math.exp(4)]);
  assert.deepEqual(run(x, constants, [['d', 'Sub', ['x', 'two']], ['y', 'Abs', ['d']]]).data, [1.75, 1, 2]);
});

test('StridedSlice by its masks', () => {
  const x = floats([2, 3], range(6));
  const slice = (begin, end, masks) => {
    const constants = { b: int32s(...begin), e: int32s(...end), s: int32s(...begin.map(() => 1)) };
    const attributes = Object.fromEntries(Object.entries(masks).map(([key, value]) => [`${key}_mask`, number(value)]));
    const { shape, data } = run(x, constants, [['y', 'StridedSlice', ['x', 'b', 'e', 's'], attributes]]);
    return [shape, data];
  };
  assert.deepEqual(slice([0, 1], [2, 3], {}), [[2, 2], [1, 2, 4, 5]]);
  assert.deepEqual(slice([0, -1], [0, 0], { begin: 1, end: 3 }), [[2, 1], [2, 5]]);
  assert.deepEqual(slice([1, 0], [2, 3], { shrink_axis: 1 }), [[3], [3, 4, 5]]);
  assert.deepEqual(slice([0, 0], [0, 1], { new_axis: 1 }), [[1, 1, 3], [0, 1, 2]]);
});

test('Split, Unpack, ExpandDims, Squeeze and Tile', () => {
  const x = floats([2, 2], 1, 2, 3, 4);
  const constants = { axis: scalar(1), times: int32s(1, 2) };
  assert.deepEqual(run(x, constants, [['p', 'Split', ['axis', 'x'], { num_split: number(2) }], ['y', 'Identity', ['p:1']]]).data, [2, 4]);
  const unpacked = run(x, constants, [['p', 'Unpack', ['x'], { axis: number(1) }], ['y', 'Identity', ['p:1']]]);
  assert.deepEqual([unpacked.shape, unpacked.data], [[2], [2, 4]]);
  assert.deepEqual(run(x, constants, [['y', 'ExpandDims', ['x', 'axis']]]).shape, [2, 1, 2]);
  const back = [['e', 'ExpandDims', ['x', 'axis']], ['y', 'Squeeze', ['e'], { squeeze_dims: attr.list(1) }]];
  assert.deepEqual(run(x, constants, back).shape, [2, 2]);
  assert.deepEqual(run(x, constants, [['y', 'Tile', ['x', 'times']]]).data, [1, 2, 1, 2, 3, 4, 3, 4]);
});

test('what depends on shapes alone is computed at conversion', () => {
  const x = floats([2, 3], range(6));
  const constants = { zero: scalar(0), one: scalar(1), value: floats([], 1), side: int32s(-1, 1) };
  const nodes = [ // the row's number added to each value
    ['n', 'Size', ['x']], ['s', 'Shape', ['x']], ['u', 'Unpack', ['s'], { axis: number(0) }],
    ['r', 'Range', ['zero', 'u', 'one']], ['f', 'Cast', ['r'], toFloat], ['g', 'Reshape', ['f', 'side']],
    ['h', 'Fill', ['s', 'value']], ['grid', 'Mul', ['g', 'h']], ['y', 'AddV2', ['x', 'grid']],
  ];
  const { data, ops } = run(x, constants, nodes);
  assert.deepEqual(data, [0, 1, 2, 4, 5, 6]);
  assert.deepEqual(ops, ['Add']);
});

// --- the whole models ------------------------------------------------------------------------

const cache = process.env.OVERWATCH_MODEL_CACHE ?? fileURLToPath(new URL('../../.cache/model-sources', import.meta.url));
const golden = JSON.parse(readFileSync(new URL('./golden-people.json', import.meta.url), 'utf8'));

for (const name of Object.keys(golden).filter((key) => key !== 'madeBy')) {
  const source = join(cache, `${name}.json`);
  const skip = existsSync(source) ? false : `${source} is not there`;
  test(`${name} computes what TensorFlow.js computes`, { skip, timeout: 300000 }, () => {
    const { input, shape, values, tolerance } = golden[name];
    const graph = convert(source, name);
    assert.deepEqual(graph.inputs, [{ name: 'images', shape: input, dtype: 'float32' }]);
    assert.deepEqual(graph.outputs, [{ name: 'output0', shape, dtype: 'float32' }]);
    const picture = { shape: input, data: scaledPicture(input[3], input[2]) };
    const { data } = evaluate(graph, { images: picture }).get('output0');
    assert.ok(values.length > 50);
    for (const [k, expected] of values) assert.ok(Math.abs(data[k] - expected) < tolerance, `value ${k}: ${data[k]} instead of ${expected}`);
  });
}
