// node --test tools/tfjs2onnx/convert.test.mjs
//
// Where nanodet.json and nanodet.bin are in the folder OVERWATCH_MODEL_CACHE (by default the one that
// the start command fills), the whole model is converted, computed and held against
// golden-nanodet.json.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { convert } from './convert.mjs';
import { evaluate } from './evaluate.mjs';
import { OnnxGraph, f, i, ints, s } from './onnx.mjs';
import { openBatch } from './open-batch.mjs';
import { Message, varint } from './protobuf.mjs';
import { SIDE, testPicture } from './test-picture.mjs';
import { halfToNumber, readGraphModel } from './tfjs.mjs';
import { attr, floats, int32s, range, run, scalar } from './tiny-graph.mjs';

const hex = (bytes) => Buffer.from(bytes).toString('hex');

test('varints are those of the encoding guide', () => {
  assert.equal(hex(varint(0)), '00');
  assert.equal(hex(varint(1)), '01');
  assert.equal(hex(varint(150)), '9601');
  assert.equal(hex(varint(-2)), 'feffffffffffffffff01');
  assert.equal(hex(varint(2n ** 63n - 1n)), 'ffffffffffffffff7f');
});

test('messages are those of the encoding guide', () => {
  assert.equal(hex(new Message().int(1, 150).finish()), '089601');
  assert.equal(hex(new Message().string(2, 'testing').finish()), '120774657374696e67');
  assert.equal(hex(new Message().message(3, new Message().int(1, 150)).finish()), '1a03089601');
  assert.equal(hex(new Message().ints(6, [3, 270, 86942]).finish()), '3206038e029ea705');
  assert.equal(hex(new Message().float(1, 1).finish()), '0d0000803f');
  assert.equal(hex(new Message().floats(1, [1, -2]).finish()), '0a080000803f000000c0');
});

test('a model file has the bytes of onnx.proto3', () => {
  const graph = new OnnxGraph('g');
  graph.node('LeakyRelu', [graph.input('x', [1])], { alpha: f(0.5) }, ['y']);
  graph.output('y', [1]);
  graph.metadata = { k: 'v' };
  // Field by field after onnx.proto3; lengths are counted by hand.
  const bytes = hex(graph.serialize());
  const value = (name) => `0a01${name}120a0a08080112040a020801`;
  assert.ok(bytes.startsWith('0809' + '12097466' + '6a73326f6e6e78'), 'ir_version 9, producer');
  assert.ok(bytes.includes('0a05616c706861' + '150000003f' + 'a00101'), 'alpha = 0.5, type FLOAT');
  assert.ok(bytes.includes('120167' + `5a0f${value('78')}` + `620f${value('79')}`), 'name g, input x, output y');
  assert.ok(bytes.endsWith('42040a001012' + '72060a016b120176'), 'opset 18, metadata');
});

test('attributes carry their types', () => {
  const graph = new OnnxGraph('g');
  graph.node('Op', [], { a: i(2), b: s('q'), c: ints([1, 2]) });
  const bytes = hex(graph.serialize());
  assert.ok(bytes.includes('0a01611802a00102'));
  assert.ok(bytes.includes('0a0162220171a00103'));
  assert.ok(bytes.includes('0a016342020102a00107'));
});

test('half precision', () => {
  const cases = [[0x0000, 0], [0x3c00, 1], [0xc000, -2], [0x3555, 0.333251953125], [0x0001, 2 ** -24],
    [0x7bff, 65504], [0x7c00, Infinity], [0xfc00, -Infinity]];
  for (const [bits, value] of cases) assert.equal(halfToNumber(bits), value);
  assert.ok(Number.isNaN(halfToNumber(0x7e00)));
});

// --- operations on tiny graphs ---------------------------------------------------------------

const conv = (padding, stride = 1, dilation = 1) => ({
  padding: attr.s(padding), strides: attr.list(1, stride, stride, 1), dilations: attr.list(1, dilation, dilation, 1),
});

test('Conv2D with VALID padding sums its window', () => {
  const x = floats([1, 3, 3, 1], range(9));
  const { shape, data, ops } = run(x, { w: floats([2, 2, 1, 1], 1, 2, 3, 4) }, [['y', 'Conv2D', ['x', 'w'], conv('VALID')]]);
  assert.deepEqual(shape, [1, 2, 2, 1]);
  assert.deepEqual(data, [27, 37, 57, 67]); // 0*1 + 1*2 + 3*3 + 4*4 = 27
  assert.deepEqual(ops, ['Transpose', 'Conv']);
});

test('Conv2D keeps channels apart and in order', () => {
  const x = floats([1, 1, 2, 2], 1, 2, 3, 4); // two cells of two channels
  const w = floats([1, 1, 2, 3], 1, 10, 100, 2, 20, 200); // in x out
  assert.deepEqual(run(x, { w }, [['y', 'Conv2D', ['x', 'w'], conv('VALID')]]).data, [5, 50, 500, 11, 110, 1100]);
});

test('Conv2D with SAME padding puts the odd cell at the end', () => {
  const x = floats([1, 4, 4, 1], range(16));
  const w = floats([3, 3, 1, 1], new Array(9).fill(1));
  const { shape, data } = run(x, { w }, [['y', 'Conv2D', ['x', 'w'], conv('SAME', 2)]]);
  assert.deepEqual(shape, [1, 2, 2, 1]);
  assert.deepEqual(data, [45, 39, 66, 50]); // rows 0..2 x columns 0..2 first
});

test('a dilated Conv2D skips cells', () => {
  const x = floats([1, 3, 3, 1], range(9));
  const w = floats([2, 2, 1, 1], 1, 1, 1, 1);
  assert.deepEqual(run(x, { w }, [['y', 'Conv2D', ['x', 'w'], conv('VALID', 1, 2)]]).data, [0 + 2 + 6 + 8]);
});

test('a grouped Conv2D reads its own channels only', () => {
  const x = floats([1, 1, 1, 4], 1, 2, 3, 4);
  const w = floats([1, 1, 2, 2], 1, 1, 1, 1); // two groups of two inputs, one output each
  assert.deepEqual(run(x, { w }, [['y', 'Conv2D', ['x', 'w'], conv('VALID')]]).data, [3, 7]);
});

test('a bias and a Pad become part of the convolution', () => {
  const x = floats([1, 2, 2, 1], 1, 2, 3, 4);
  const constants = {
    w: floats([3, 3, 1, 2], new Array(18).fill(1)), b: floats([2], 0.5, -1), p: { ...int32s(0, 0, 1, 1, 1, 1, 0, 0), shape: [4, 2] },
  };
  const { data, ops } = run(x, constants, [['q', 'Pad', ['x', 'p']], ['y', 'Conv2D', ['q', 'w'], conv('VALID')], ['z', 'Add', ['y', 'b']]]);
  assert.deepEqual(data, [10.5, 9, 10.5, 9, 10.5, 9, 10.5, 9]);
  assert.deepEqual(ops, ['Transpose', 'Conv']);
});

test('a bias stays outside where the bare convolution is used too', () => {
  const x = floats([1, 1, 1, 1], 3);
  const constants = { w: floats([1, 1, 1, 1], 2), b: floats([1], 1) };
  const { data } = run(x, constants, [
    ['y', 'Conv2D', ['x', 'w'], conv('VALID')], ['z', 'AddV2', ['y', 'b']], ['u', 'Mul', ['y', 'z']]]);
  assert.deepEqual(data, [42]); // 6 * 7
});

test('MaxPool takes in a Pad with the lowest value, not one with zeros', () => {
  const x = floats([1, 2, 2, 1], -1, -2, -3, -4);
  const p = { ...int32s(0, 0, 1, 0, 1, 0, 0, 0), shape: [4, 2] };
  const pool = { padding: attr.s('VALID'), ksize: attr.list(1, 2, 2, 1), strides: attr.list(1, 1, 1, 1) };
  const lowest = run(x, { p, v: floats([], -3.4028234663852886e38) }, [['q', 'PadV2', ['x', 'p', 'v']], ['y', 'MaxPool', ['q'], pool]]);
  assert.deepEqual(lowest.data, [-1, -1, -1, -1]);
  assert.deepEqual(lowest.ops, ['Transpose', 'MaxPool']);
  const zeros = run(x, { p }, [['q', 'Pad', ['x', 'p']], ['y', 'MaxPool', ['q'], pool]]);
  assert.deepEqual(zeros.data, [0, 0, 0, -1]);
  assert.deepEqual(zeros.ops, ['Pad', 'Transpose', 'MaxPool']);
});

test('a Pad of a transposed tensor pads the right axes', () => {
  const x = floats([2, 1], 1, 2);
  const p = { ...int32s(0, 1, 1, 0), shape: [2, 2] };
  const { shape, data } = run(x, { t: int32s(1, 0), p }, [['y', 'Transpose', ['x', 't']], ['z', 'Pad', ['y', 'p']]]);
  assert.deepEqual(shape, [2, 3]);
  assert.deepEqual(data, [0, 1, 2, 0, 0, 0]);
});

test('transposes there and back leave nothing behind', () => {
  const x = floats([1, 2, 3, 2], range(12));
  const constants = { a: int32s(0, 2, 3, 1), b: int32s(0, 3, 1, 2) };
  const there = run(x, constants, [['y', 'Transpose', ['x', 'a']]]);
  assert.deepEqual(there.data.slice(0, 4), [0, 6, 1, 7]);
  const back = run(x, constants, [['y', 'Transpose', ['x', 'a']], ['r', 'Relu', ['y']], ['z', 'Transpose', ['r', 'b']]]);
  assert.deepEqual(back.data, range(12));
  assert.deepEqual(back.ops, ['Relu']);
});

test('LeakyRelu, Relu and Sigmoid', () => {
  const x = floats([3], -2, 0, 2);
  assert.deepEqual(run(x, {}, [['y', 'LeakyRelu', ['x'], { alpha: attr.f(0.25) }]]).data, [-0.5, 0, 2]);
  assert.deepEqual(run(x, {}, [['y', 'Relu', ['x']]]).data, [0, 0, 2]);
  const [low, half, high] = run(x, {}, [['y', 'Sigmoid', ['x']]]).data;
  assert.equal(half, 0.5);
  assert.ok(Math.abs(low - 0.1192029) < 1e-6 && Math.abs(high - 0.8807971) < 1e-6);
});

test('arithmetic with constants follows the order of a transposed tensor', () => {
  const x = floats([2, 3], range(6));
  const constants = { t: int32s(1, 0), k: floats([2], 10, 100) };
  const ops = (op) => run(x, constants, [['y', 'Transpose', ['x', 't']], ['z', op, ['y', 'k']]]).data;
  assert.deepEqual(ops('Mul'), [0, 300, 10, 400, 20, 500]);
  assert.deepEqual(ops('Sub'), [-10, -97, -9, -96, -8, -95]);
  assert.deepEqual(ops('AddV2'), [10, 103, 11, 104, 12, 105]);
});

test('arithmetic brings two tensors to one order', () => {
  const x = floats([2, 2], 1, 2, 3, 4);
  const { data } = run(x, { t: int32s(1, 0) }, [['y', 'Transpose', ['x', 't']], ['z', 'Sub', ['x', 'y']]]);
  assert.deepEqual(data, [0, -1, 1, 0]);
});

test('ConcatV2 and SplitV follow the axis', () => {
  const x = floats([2, 3], range(6));
  const constants = { t: int32s(1, 0), axis: scalar(-1), first: scalar(0), sizes: int32s(2, -1) };
  const transposed = ['y', 'Transpose', ['x', 't']]; // [3, 2]
  const joined = run(x, constants, [transposed, ['z', 'ConcatV2', ['y', 'y', 'axis']]]);
  assert.deepEqual([joined.shape, joined.data], [[3, 4], [0, 3, 0, 3, 1, 4, 1, 4, 2, 5, 2, 5]]);
  const parts = [transposed, ['p', 'SplitV', ['y', 'sizes', 'first']], ['q', 'Identity', ['p:1']], ['r', 'Identity', ['p']]];
  assert.deepEqual(run(x, constants, parts, 'q').data, [2, 5]);
  assert.deepEqual(run(x, constants, parts, 'r').data, [0, 3, 1, 4]);
});

test('Reshape reads a transposed tensor in its own order', () => {
  const x = floats([2, 3], range(6));
  const { shape, data } = run(x, { t: int32s(1, 0), n: int32s(2, -1) }, [['y', 'Transpose', ['x', 't']], ['z', 'Reshape', ['y', 'n']]]);
  assert.deepEqual([shape, data], [[2, 3], [0, 3, 1, 4, 2, 5]]);
});

test('shapes that are computed from constants are folded', () => {
  const constants = {
    none: { shape: [0, 1], dtype: 'int32', data: new Int32Array(0) }, size: int32s(2), values: int32s(),
    zero: scalar(0), shape: int32s(3, 2), at: { ...int32s(1), shape: [1, 1] }, more: int32s(5),
  };
  const nodes = [['d', 'SparseToDense', ['none', 'size', 'values', 'zero']], ['sum', 'AddV2', ['shape', 'd']], ['y', 'Reshape', ['x', 'sum']]];
  const { shape, ops } = run(floats([6], range(6)), constants, nodes);
  assert.deepEqual([shape, ops], [[3, 2], ['Reshape']]);
  const set = [['d', 'SparseToDense', ['at', 'size', 'more', 'zero']], ['y', 'Mul', ['x', 'd']]];
  assert.deepEqual(run(floats([2], 7, 7), constants, set).data, [0, 35]);
});

test('ResizeBilinear by its three rules', () => {
  const x = floats([1, 1, 2, 1], 0, 4);
  const resize = (attributes) => run(x, { n: int32s(1, 4) }, [['y', 'ResizeBilinear', ['x', 'n'], attributes]]).data;
  assert.deepEqual(resize({ half_pixel_centers: attr.b(true) }), [0, 1, 3, 4]);
  assert.deepEqual(resize({}), [0, 2, 4, 4]);
  assert.deepEqual(resize({ align_corners: attr.b(true) }).map((v) => Math.round(v * 3)), [0, 4, 8, 12]);
});

test('what cannot be converted is named', () => {
  const x = floats([1], 1);
  assert.throws(() => run(x, {}, [['y', 'Einsum', ['x']]]), /operation Einsum \("y"\) is not supported/);
  assert.throws(() => run(x, {}, [['y', 'Relu', ['nowhere']]]), /"nowhere", which it does not have/);
  assert.throws(() => run(x, {}, [['y', 'Relu', ['z']], ['z', 'Relu', ['y']]]), /loop/);
  assert.throws(() => run(x, {}, [['y', 'Reshape', ['x', 'x']]]), /Reshape "y": the new shape must be a constant/);
});

test('broken packages are refused with a reason', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'tfjs2onnx-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'm.json');
  const write = (weights, bytes) => {
    writeFileSync(join(folder, 'm.bin'), Buffer.alloc(bytes));
    writeFileSync(path, JSON.stringify({ modelTopology: { node: [] }, weightsManifest: [{ paths: ['m.bin'], weights }] }));
  };
  write([{ name: 'w', shape: [3], dtype: 'float32', quantization: { dtype: 'float16' } }], 6);
  assert.equal(readGraphModel(path).weights.get('w').data.length, 3);
  write([{ name: 'w', shape: [3], dtype: 'float32' }], 11);
  assert.throws(() => readGraphModel(path), /weight w reaches past the end/);
  write([{ name: 'w', shape: [3], dtype: 'float32', quantization: { dtype: 'uint8', min: 0, scale: 1 } }], 3);
  assert.throws(() => readGraphModel(path), /uint8 is not supported/);
  writeFileSync(path, '{}');
  assert.throws(() => readGraphModel(path), /not a TensorFlow.js graph model/);
});

test('an open batch goes through what keeps pictures apart', () => {
  const graph = new OnnxGraph('g');
  graph.node('Reshape', [graph.input('x', [1, 4]), graph.int64s('shape', [1, 2, 2])], {}, ['square']);
  graph.node('Concat', ['square', 'square'], { axis: i(2) }, ['y']);
  graph.output('y', [1, 2, 4]);
  graph.metadata = { batch: '1', task: 'detect' };
  openBatch(graph);
  assert.deepEqual([graph.inputs[0].shape, graph.outputs[0].shape], [['batch', 4], ['batch', 2, 4]]);
  assert.deepEqual(Array.from(graph.initializers.get(graph.nodes[0].inputs[1]).data), [0n, 2n, 2n]);
  assert.deepEqual(graph.metadata, { task: 'detect' });
  assert.ok(hex(graph.serialize()).includes('0a0712056261746368'), 'a side named batch');
});

test('an open batch is refused where pictures would mix', () => {
  for (const [op, inputs, attributes] of [['Concat', ['x', 'x'], { axis: i(0) }], ['TopK', ['x'], {}], ['Transpose', ['x'], { perm: ints([1, 0]) }]]) {
    const graph = new OnnxGraph('g');
    graph.input('x', [1, 4]);
    graph.node(op, inputs, attributes);
    assert.throws(() => openBatch(graph), new RegExp(`${op} .* may mix pictures`));
  }
  const graph = new OnnxGraph('g');
  graph.node('Reshape', [graph.input('x', [1, 4]), graph.int64s('shape', [2, 2])]);
  assert.throws(() => openBatch(graph), /changes the first side/);
});

// --- the whole model -------------------------------------------------------------------------

const cache = process.env.OVERWATCH_MODEL_CACHE ?? fileURLToPath(new URL('../../.cache/model-sources', import.meta.url));
const source = join(cache, 'nanodet.json');
const skip = existsSync(source) ? false : `${source} is not there`;

test('nanodet speaks the contract', { skip }, () => {
  const graph = convert(source, 'nanodet');
  assert.deepEqual(graph.inputs, [{ name: 'images', shape: [1, 3, SIDE, SIDE], dtype: 'float32' }]);
  assert.deepEqual(graph.outputs, [{ name: 'output0', shape: [1, 84, 3549], dtype: 'float32' }]);
  assert.equal(graph.metadata.task, 'detect');
  assert.ok(graph.metadata.names.startsWith("{0: 'person', 1: 'bicycle',"));
  assert.ok(graph.metadata.names.endsWith("79: 'toothbrush'}"));
  const left = graph.nodes.filter((node) => ['Transpose', 'Pad'].includes(node.opType));
  assert.deepEqual(left, []);
});

test('nanodet computes what TensorFlow.js computes', { skip, timeout: 300000 }, () => {
  const golden = JSON.parse(readFileSync(new URL('./golden-nanodet.json', import.meta.url), 'utf8'));
  const graph = convert(source, 'nanodet');
  const picture = { shape: [1, 3, SIDE, SIDE], data: testPicture() };
  const { data } = evaluate(graph, { images: picture }).get('output0');
  assert.equal(data.length, 84 * golden.columns);
  assert.ok(golden.values.length >= 100);
  for (const [row, column, expected] of golden.values) {
    const seen = data[row * golden.columns + column];
    assert.ok(Math.abs(seen - expected) < (row < 4 ? 0.01 : 1e-4), `row ${row} column ${column}: ${seen} instead of ${expected}`);
  }
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const boxes = sum(Array.from(data.subarray(0, 4 * golden.columns)));
  const scores = sum(Array.from(data.subarray(4 * golden.columns)));
  assert.ok(Math.abs(boxes / golden.sumOfBoxes - 1) < 1e-5);
  assert.ok(Math.abs(scores / golden.sumOfScores - 1) < 1e-4);
});
