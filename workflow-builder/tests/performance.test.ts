import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bottleneckOf, stagesOf, type Operation, type Performance } from '../src/pages/performance/figures';
import { cpuPercent, processSample } from '../src/pages/performance/server-process';
import { partsOf, TimesRecorder } from '../src/pages/performance/view-times';
import type { ViewInfo } from '../src/player/server-types';

const operation = (p50_ms: number, count = 10): Operation => ({ count, avg_ms: p50_ms, p50_ms, p95_ms: 2 * p50_ms, p99_ms: 3 * p50_ms, max_ms: 4 * p50_ms });

test('stages come in the order of the frame, and only those that ran', () => {
  const stages = stagesOf({ jpeg_encoding: operation(0, 0), unheard_of: operation(1), model_inference: operation(20), decode: operation(5) });
  assert.deepEqual(stages.map(({ name }) => name), ['decode', 'model_inference', 'unheard_of']);
  assert.equal(stages[1]?.p95, 1);
  assert.equal(stages[1]?.p50, 0.5);
  assert.equal(stages[0]?.p95, 0.25);
});

test('the bottleneck is named, with what can be done, by its share of the time between pictures', () => {
  const bottleneck = (fps: number, ...worst: { operation: string; avg_ms: number }[]) =>
    bottleneckOf({ operations: { model_inference: operation(30) }, current_fps: fps, bottlenecks: worst, transports: {} } as unknown as Performance);
  assert.equal(bottleneck(0).state, 'unknown');
  assert.match(bottleneck(0).text, /Nothing has been measured/);
  const model = { operation: 'model_inference', avg_ms: 41.26 };
  assert.equal(bottleneck(10, model).state, 'slow');
  assert.match(bottleneck(10, model).text, /^“Model” takes longest: 41\.3 ms on average, 60\.0 ms at p95\. A smaller model/);
  assert.equal(bottleneck(30, model).state, 'full');
  assert.match(bottleneck(30, model).text, /^“Model” is the bottleneck: .*33\.3 ms from one picture to the next\. A smaller model/);
  const quick = { operation: 'decode', avg_ms: 0.8 };
  assert.equal(bottleneck(30, quick).state, 'well');
  assert.match(bottleneck(30, quick).text, /^Nothing is slow\. What takes longest is “Decode”: 0\.8 ms on average\.$/);
  assert.match(bottleneck(30, { operation: 'other', avg_ms: 20 }).text, /^“other” takes longest: 20\.0 ms on average\.$/);
});

test('the stamps of a picture are taken apart, whichever are there', () => {
  assert.deepEqual(partsOf({ decoded: 1, infer_start: 3, infer_end: 13, drawn: 14, encoded: 16 }), { parts: { decode: 1, wait: 2, model: 10, draw: 1, encode: 2 }, total: 16 });
  assert.deepEqual(partsOf({ decoded: 0, drawn: 0.5, encoded: 2.5 }), { parts: { decode: 0, draw: 0.5, encode: 2 }, total: 2.5 });
  assert.equal(partsOf({ decoded: 1 }), null);
  assert.equal(partsOf({}), null);
});

test('times of a view: quantiles of new pictures of the last while', () => {
  const recorder = new TimesRecorder(100_000);
  const view = (frames: number, encoded: number): ViewInfo => ({ node_id: 'v', frames, latency_ms: { decoded: 1, encoded } });
  assert.deepEqual(recorder.update([{ node_id: 'v', frames: 0, latency_ms: {} }], 0)[0]?.parts, []);
  for (let second = 1; second <= 20; second++) recorder.update([view(second, second === 20 ? 51 : 11)], second * 1000);
  const [times] = recorder.update([view(20, 99)], 21_000); // no new picture: 99 is not counted
  assert.deepEqual([times?.p50, times?.p95], [11, 11]);
  assert.deepEqual(times?.parts.map(({ name, p50 }) => [name, p50]), [['decode', 1], ['encode', 10]]);
  const [late] = recorder.update([view(20, 99)], 118_500);
  assert.deepEqual([late?.p50, late?.p95], [11, 51], 'two looks are left');
  recorder.update([], 119_000);
  assert.deepEqual(recorder.update([view(20, 5)], 119_500)[0]?.p50, 5, 'a view that comes anew is looked at anew');
});

test('CPU and memory of the server', () => {
  const metrics = '# HELP x\nprocess_cpu_seconds_total 12.5\nprocess_cpu_seconds_total_other 1\nprocess_resident_memory_bytes 1.5e+08\n';
  const before = processSample(metrics, 1000);
  assert.deepEqual(before, { at: 1000, cpuSeconds: 12.5, residentBytes: 150_000_000 });
  assert.equal(processSample('nothing', 0), null);
  assert.equal(cpuPercent(before, { at: 3000, cpuSeconds: 13.5, residentBytes: 0 }), 50);
  assert.equal(cpuPercent(before, { at: 3000, cpuSeconds: 0.1, residentBytes: 0 }), null);
  assert.equal(cpuPercent(before, { at: 1001, cpuSeconds: 13, residentBytes: 0 }), null);
  assert.equal(cpuPercent(null, { at: 3000, cpuSeconds: 13, residentBytes: 0 }), null);
});
