import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bottleneckOf, stagesOf, type Operation, type Performance } from '../src/pages/performance/figures';

const operation = (p50_ms: number, count = 10): Operation => ({ count, avg_ms: p50_ms, p50_ms, p95_ms: 2 * p50_ms, p99_ms: 3 * p50_ms, max_ms: 4 * p50_ms });

test('stages come in the order of the frame, and only those that ran', () => {
  const stages = stagesOf({ jpeg_encoding: operation(0, 0), unheard_of: operation(1), model_inference: operation(20), decode: operation(5) });
  assert.deepEqual(stages.map(({ name }) => name), ['decode', 'model_inference', 'unheard_of']);
  assert.equal(stages[1]?.p95, 1);
  assert.equal(stages[1]?.p50, 0.5);
  assert.equal(stages[0]?.p95, 0.25);
});

test('the bottleneck is named, with what can be done', () => {
  const performance = { operations: {}, current_fps: 0, transports: {} } as unknown as Performance;
  assert.match(bottleneckOf({ ...performance, bottlenecks: [] }), /Nothing has been measured/);
  assert.match(bottleneckOf({ ...performance, bottlenecks: [{ operation: 'model_inference', avg_ms: 41.26 }] }), /Model takes longest: 41\.3 ms .*smaller model/);
  assert.match(bottleneckOf({ ...performance, bottlenecks: [{ operation: 'other', avg_ms: 1 }] }), /other takes longest: 1\.0 ms on average\.$/);
});
