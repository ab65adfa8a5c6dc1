import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BudgetRecorder, budgetOf, type LatencyBudget } from '../src/player/latency-budget';
import { WHOLE_LOOK, type FrameMetadata } from '../src/player/metadata';

/* Captured at 1 s of the server's clock, which is 400 ms ahead of the page's. */
const record: FrameMetadata = {
  rtpTimestamp: 0, captureUs: 1_000_000, sentMs: 20, stagesMs: { decoded: 1, inferStart: 2, inferEnd: 14, drawn: 14.5, encoded: 18 },
  width: 960, height: 540, predicted: false, boxesAgeMs: null, awaited: false, clean: false, vector: false, narrow: false, objects: [], zones: [],
  look: WHOLE_LOOK,
};
const clock = { offsetMs: 400, uncertaintyMs: 0.2 };
const at = (afterCapture: number) => 600 + afterCapture;
const times = { receivedMs: at(21), decodedMs: at(22.5), shownMs: at(30) };
const told = (budget: LatencyBudget | null) => budget?.segments.map(({ stage, ms }) => [stage, Math.round(ms * 100) / 100]);
const sum = (budget: LatencyBudget | null) => budget?.segments.reduce((total, { ms }) => total + ms, 0) ?? NaN;

test('the stages of a picture add up to its latency', () => {
  const budget = budgetOf(record, times, clock);
  assert.deepEqual(told(budget), [['capture', 1], ['wait', 1], ['model', 12], ['draw', 0.5], ['encode', 3.5], ['send', 2], ['network', 1], ['decode', 1.5], ['screen', 7.5]]);
  assert.ok(Math.abs((budget?.totalMs ?? 0) - 30) < 1e-9 && Math.abs(sum(budget) - 30) < 1e-9);
});

test('stages that were not passed are left out', () => {
  const { decoded = 0, drawn = 0, encoded = 0 } = record.stagesMs;
  const budget = budgetOf({ ...record, predicted: true, boxesAgeMs: 42, stagesMs: { decoded, drawn, encoded } }, { ...times, decodedMs: null }, clock);
  assert.deepEqual(told(budget)?.map(([stage]) => stage), ['capture', 'draw', 'encode', 'send', 'network', 'screen']);
  assert.equal(budget?.boxesAgeMs, 42);
  assert.deepEqual(told(budgetOf(record, { receivedMs: null, decodedMs: null, shownMs: at(30) }, clock))?.slice(-2), [['send', 2], ['network', 10]]);
});

test('what the clocks put out of order is cut, and the sum stays', () => {
  for (const offsetMs of [388, 399, 401, 440]) {
    const budget = budgetOf(record, times, { offsetMs, uncertaintyMs: 12 });
    assert.ok(budget?.segments.every(({ ms }) => ms >= 0), `${JSON.stringify(budget)}`);
    assert.ok(Math.abs(sum(budget) - (offsetMs - 370)) < 1e-9);
  }
});

test('without a clock that can tell there is none', () => {
  assert.equal(budgetOf(record, times, null), null);
  assert.equal(budgetOf(record, times, { offsetMs: 400, uncertaintyMs: 31 }), null);
});

test('the picture of median latency is found, and old ones are forgotten', () => {
  const recorder = new BudgetRecorder(5_000);
  for (const ms of [40, 20, 30, 90]) recorder.add(record, { ...times, shownMs: at(ms) });
  assert.equal(recorder.nearest(null, clock), null);
  assert.equal(Math.round(recorder.nearest(31, clock)?.totalMs ?? 0), 30);
  recorder.add({ ...record, captureUs: 11_000_000 }, { ...times, shownMs: at(10_050) });
  assert.equal(Math.round(recorder.nearest(31, clock)?.totalMs ?? 0), 50);
  recorder.clear();
  assert.equal(recorder.nearest(31, clock), null);
});
