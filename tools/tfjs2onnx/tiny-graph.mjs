// Graphs of a few nodes, converted and computed, for the tests of operations.

import assert from 'node:assert/strict';

import { evaluate } from './evaluate.mjs';
import { convertGraph } from './graph.mjs';
import { OnnxGraph } from './onnx.mjs';
import { Tensor } from './value.mjs';

const base64 = (text) => Buffer.from(text).toString('base64');
export const attr = {
  s: (text) => ({ s: base64(text) }),
  list: (...values) => ({ list: { i: values.map(String) } }),
  b: (value) => ({ b: value }),
  f: (value) => ({ f: value }),
};
export const floats = (shape, ...data) => ({ shape, dtype: 'float32', data: Float32Array.from(data.flat()) });
export const int32s = (...data) => ({ shape: [data.length], dtype: 'int32', data: Int32Array.from(data) });
export const scalar = (value) => ({ shape: [], dtype: 'int32', data: Int32Array.of(value) });
export const range = (count) => Array.from({ length: count }, (_, k) => k);

/**
 * Converts nodes [name, op, inputs, attributes] with constants by name, computes output `out` from
 * `x`, and gives { shape, data, ops: the ONNX operations written }.
 */
export function run(x, constants, nodes, out = nodes.at(-1)[0]) {
  const model = {
    nodes: [
      { name: 'x', op: 'Placeholder' },
      ...Object.keys(constants).map((name) => ({ name, op: 'Const' })),
      ...nodes.map(([name, op, input, attributes = {}]) => ({ name, op, input, attr: attributes })),
    ],
    outputs: [out],
    weights: new Map(Object.entries(constants)),
  };
  const graph = new OnnxGraph('tiny');
  const value = convertGraph(model, graph, new Map([['x', new Tensor(graph.input('x', x.shape), x.shape)]])).get(out);
  const ops = graph.nodes.map((node) => node.opType);
  const name = value.inOrder(graph);
  const result = evaluate(graph, { x }).get(name);
  assert.deepEqual(result.shape, value.shape);
  return { shape: result.shape, data: Array.from(result.data), ops };
}
