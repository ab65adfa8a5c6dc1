import assert from 'node:assert/strict';
import { test } from 'node:test';
import { summaryOf } from '../src/pages/wall/view-list';
import { messageFrom, viewsFrom, type ViewInfo } from '../src/player/server-types';
import { formatFps, formatMs, formatRate, formatSize, NONE } from '../src/ui/format';
import { scaleTop, sparklineShape } from '../src/ui/sparkline';
import { livenessOf, troubleOf } from '../src/ui/view-health';

test('views are found in a list, in an object and in a message with data', () => {
  const views = [{ node_id: 'a' }, { node_id: 7 }, null, 'x'];
  for (const body of [views, { views }, { type: 'status_update', data: { views } }]) {
    assert.deepEqual(viewsFrom(body)?.map((view) => view.node_id), ['a']);
  }
  for (const body of [null, 3, {}, { views: {} }, { data: {} }]) assert.equal(viewsFrom(body), null);
});

test('a message is an object', () => {
  assert.deepEqual(messageFrom('{"type":"pong"}'), { type: 'pong' });
  for (const text of ['null', '[]', '7', '"x"', '{"type":', '']) assert.equal(messageFrom(text), null);
});

test('the server’s own names are understood', () => {
  const raw = { node_id: 'a', detections_count: 3, processing_time_ms: 6.5, source: { node_id: 'camera' }, latency_ms: { infer_start: 2, infer_end: 41.5 } };
  const view = viewsFrom([raw])?.[0];
  assert.equal(view?.detections, 3);
  assert.equal(view?.processing_ms, 6.5);
  assert.equal(view?.source_id, 'camera');
  assert.equal(view?.model_ms, 39.5);
  assert.equal(viewsFrom([{ node_id: 'a', latency_ms: { decoded: 1 } }])?.[0]?.model_ms, undefined);
});

test('liveness and trouble of a view', () => {
  const view = (more: Partial<ViewInfo>): ViewInfo => ({ node_id: 'v', source: { state: 'playing', text: 'old news' }, ...more });
  assert.equal(livenessOf(view({})), 'live');
  assert.equal(troubleOf(view({})), '');
  assert.equal(livenessOf(view({ source: { state: 'opening' } })), 'opening');
  const silent = view({ source: { state: 'no_signal', text: 'refused' }, model_error: 'broken' });
  assert.equal(livenessOf(silent), 'no-signal');
  assert.equal(troubleOf(silent), 'refused');
  assert.equal(livenessOf(view({ error: 'no encoder' })), 'error');
  assert.equal(troubleOf(view({ model_error: 'broken' })), 'broken');
  assert.equal(summaryOf([view({}), silent]), '2 views, 1 without a picture');
  assert.equal(summaryOf([view({})]), '1 view');
});

test('figures as text', () => {
  assert.deepEqual([0, 499_600, 2_000_000, 12_340_000].map(formatRate), [NONE, '500 kb/s', '2.00 Mb/s', '12.3 Mb/s']);
  assert.deepEqual([null, 9.04, 99.96, 123.4].map(formatMs), [NONE, '9.0 ms', '100 ms', '123 ms']);
  assert.deepEqual([undefined, 0, 4.96, 29.4].map(formatFps), [NONE, NONE, '5.0', '29']);
  assert.equal(formatSize(0, 540), NONE);
});

test('a latency line has the newest sample at the right and gaps where none was', () => {
  const { path, top } = sparklineShape([10, null, 20, 5], 5, 100, 50);
  assert.equal(top, 20);
  assert.equal(path, 'M25.0 25.0M75.0 0.0L100.0 37.5');
  assert.equal(scaleTop([null]), 10);
  assert.equal(scaleTop([6000]), 10_000);
});
