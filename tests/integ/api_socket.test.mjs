// The WebSocket: every message of docs/api.md, what is refused, and filters.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { assertShape, client } from './api_client.mjs';
import { preload } from './preload.mjs';
import { environment, eventually, startServer } from './server.mjs';
import { metric, open, sleeper, start, workflow } from './socket.mjs';

test('ping, subscribe and unsubscribe are answered', { timeout: 60000 }, async (t) => {
  const { ask } = await open(await start(t), t);
  const pong = await ask({ type: 'ping', t: 12.5 }, 'pong');
  assertShape(pong, { type: 'string', t: 'number', server_us: 'number', wall_us: 'number' });
  assert.equal(pong.t, 12.5);
  assert.ok(!('t' in await ask({ type: 'ping' }, 'pong')));
  assert.ok(!('t' in await ask({ type: 'ping', t: 'x' }, 'pong')));
  const filters = { node_ids: ['one'], workflow_id: 'w', max_fps: 5 };
  assert.deepEqual(await ask({ type: 'subscribe', topics: ['node_error'], filters, binary: true }, 'subscribed'),
    { type: 'subscribed', topics: ['node_error'], filters, binary: true, records: false, max_fps: 5 });
  assert.deepEqual(await ask({ type: 'unsubscribe', topics: ['node_error'] }, 'unsubscribed'), { type: 'unsubscribed' });
  assert.deepEqual(await ask({ type: 'unsubscribe' }, 'unsubscribed'), { type: 'unsubscribed' });
});

const refused = ['', 'x', '[]', 'null', '5', '{"type": "ping", "type": "ping"}', '{}', '{"type": 5}', '{"type": "subscribed"}', '{"type": "subscribe"}',
  '{"type": "subscribe", "topics": "xray_frame"}', '{"type": "subscribe", "topics": ["*"], "filters": []}', '{"type": "subscribe", "topics": ["*"], "filters": {"node_ids": "one"}}',
  '{"type": "subscribe", "topics": ["*"], "filters": {"node_id": 5}}', '{"type": "subscribe", "topics": ["*"], "filters": {"workflow_id": 5}}',
  '{"type": "subscribe", "topics": ["*"], "filters": {"max_fps": 0}}', '{"type": "subscribe", "topics": ["*"], "filters": {"max_fps": 1000}}',
  '{"type": "unsubscribe", "topics": "x"}', `{"type": "subscribe", "topics": ["*"], "filters": {"node_ids": [${Array(200).fill('"x"')}]}}`,
  `{"type": "subscribe", "topics": ["*"], "filters": {"node_id": "${'x'.repeat(128)}"}}`, `${'['.repeat(5000)}${']'.repeat(5000)}`];

test('anything else is answered with an error, and the connection stays', { timeout: 60000 }, async (t) => {
  const { ask, say } = await open(await start(t), t);
  for (const message of refused) {
    const answer = await ask(message, 'error');
    assertShape(answer, { type: 'string', detail: 'string' }, message.slice(0, 80));
    assert.ok(answer.detail.length > 15, message.slice(0, 80));
  }
  say(Buffer.from([1, 2, 3])); // binary messages have no meaning
  assert.equal((await ask({ type: 'ping', t: 1 }, 'pong')).t, 1);
});

test('a message of more than 64 kB ends the connection with its reason', { timeout: 60000 }, async (t) => {
  const { ask, socket, say } = await open(await start(t), t);
  const most = `{"type": "ping", "t": 3${' '.repeat((64 << 10) - 24)}}`;
  assert.equal(most.length, 64 << 10);
  assert.equal((await ask(most, 'pong')).t, 3);
  const closed = once(socket, 'close');
  say(`${most} `);
  assert.equal((await closed)[0], 1009);
});

const FRAME = { type: 'string', workflow_id: 'string', node_id: 'string', timestamp: 'number', fps: 'number', detections_count: 'number', processing_time_ms: 'number',
  xray_mode: 'string', color_scheme: 'string', resolution: 'object', sequence: 'number', capture_us: 'number', encoded_us: 'number', sent_us: 'number' };

test('pictures come as base64 or as bytes, of the nodes that were named, as often as was asked', { timeout: 60000 }, async (t) => {
  const server = await start(t);
  const text = await open(server, t);
  await text.ask({ type: 'subscribe', topics: ['xray_frame'], filters: { node_id: 'one' } }, 'subscribed');
  const frame = await text.next('xray_frame');
  assertShape(frame, { ...FRAME, frame_data: 'string' });
  assert.deepEqual([frame.workflow_id, frame.node_id, frame.resolution], ['w', 'one', { width: 320, height: 180 }]);
  assert.equal(Buffer.from(frame.frame_data, 'base64').subarray(0, 2).toString('hex'), 'ffd8');
  assert.ok(Math.abs(frame.timestamp - Date.now() / 1000) < 5);

  const bytes = await open(server, t);
  await bytes.ask({ type: 'subscribe', topics: ['*'], filters: { node_ids: ['two'], max_fps: 8 }, binary: true }, 'subscribed');
  const picture = await bytes.next('xray_frame');
  assertShape(picture, { ...FRAME, jpeg: 'object' });
  assert.equal(picture.jpeg.subarray(0, 2).toString('hex'), 'ffd8');
  const pictures = () => bytes.all.filter((one) => one.type === 'xray_frame');
  const from = pictures().length, began = performance.now();
  await eventually('eight more', 20, () => pictures().length >= from + 8);
  const rate = 8000 / (performance.now() - began);
  assert.ok(rate < 10, `${rate} a second, of 20 that there are`);
  assert.ok(text.all.every(({ node_id: id }) => id === undefined || id === 'one'));
  assert.ok(pictures().every(({ node_id: id }) => id === 'two'));
  // Not any more, when it was said so.
  await bytes.ask({ type: 'unsubscribe', topics: ['xray_frame'] }, 'unsubscribed');
  const kept = pictures().length, others = text.all.length;
  await eventually('twelve of the other view', 20, () => text.all.length >= others + 12);
  assert.ok(pictures().length <= kept + 1, 'one may have been under way');
});

test('with each picture comes its record, to who asks', { timeout: 60000 }, async (t) => {
  const server = await start(t);
  const capture = (record) => record.readUIntBE(6, 6);
  for (const binary of [true, false]) {
    const one = await open(server, t);
    const { records } = await one.ask({ type: 'subscribe', topics: ['xray_frame'], filters: { node_id: 'one' }, binary, records: true }, 'subscribed');
    assert.equal(records, true);
    for (let i = 0; i < 3; i++) {
      const picture = await one.next('xray_frame');
      assertShape(picture, binary ? { ...FRAME, record_bytes: 'number', jpeg: 'object' } : { ...FRAME, record: 'string', frame_data: 'string' });
      const record = binary ? picture.jpeg.subarray(0, picture.record_bytes) : Buffer.from(picture.record, 'base64');
      const jpeg = binary ? picture.jpeg.subarray(picture.record_bytes) : Buffer.from(picture.frame_data, 'base64');
      assert.equal(record[0], 1);
      assert.equal(capture(record), picture.capture_us);
      assert.ok(Math.abs(record.readUInt16BE(12) * 100 - (picture.sent_us - picture.capture_us)) <= 100);
      assert.equal(jpeg.subarray(0, 2).toString('hex'), 'ffd8');
      assert.equal(jpeg.subarray(-2).toString('hex'), 'ffd9');
    }
  }
});

const STATES = ['opening', 'loading', 'running', 'idle', 'held', 'no_signal', 'ended', 'error'];

test('status comes each second and tells of every node', { timeout: 60000 }, async (t) => {
  const server = await start(t);
  const { ask, next } = await open(server, t);
  await ask({ type: 'subscribe', topics: ['status_update'] }, 'subscribed');
  const status = await next('status_update');
  assertShape(status, { type: 'string', server_us: 'number', running_workflows: 'number', workflow_ids: 'array', views: 'array', workflows: 'array' });
  assert.deepEqual([status.running_workflows, status.workflow_ids, status.views.length], [1, ['w'], 2]);
  const call = client(server);
  assert.deepEqual(Object.keys(status.workflows[0]).sort(), Object.keys(await call('GET /api/workflow-builder/{id}/status', 200, { params: { id: 'w' } })).sort());
  for (const node of Object.values(status.workflows[0].nodes)) {
    assert.ok(STATES.includes(node.state), node.state);
    assert.equal(typeof node.reason, 'string');
  }
  const [first, second] = [await next('status_update'), await next('status_update')];
  const apart = (second.server_us - first.server_us) / 1000;
  assert.ok(apart > 500 && apart < 2500, `${apart} ms`);
});

test('what starts, changes or stops is told before the call is answered', { timeout: 60000 }, async (t) => {
  const server = await start(t);
  const { ask, next } = await open(server, t);
  await ask({ type: 'subscribe', topics: ['status_update'] }, 'subscribed');
  const post = (path, body) => fetch(`${server.url}/api/workflow-builder${path}`, { method: 'POST', body: body && JSON.stringify(body) });
  const steps = [['/execute', workflow('second', ['three']), ['second', 'w']], ['/second/stop', null, ['w']], ['/stop-all', null, []]];
  for (const [path, body, ids] of steps) {
    const told = next('status_update', ({ workflow_ids: now }) => now.toSorted().join() === ids.join());
    assert.equal((await post(path, body)).status, 200);
    const { now_us: answered } = await (await fetch(`${server.url}/healthz`)).json();
    assert.ok((await told).server_us <= answered, path);
  }
});

test('an error of a node comes at once, and that it has gone, too', { timeout: 60000 }, async (t) => {
  const models = mkdtempSync(join(tmpdir(), 'overwatch-test-'));
  t.after(() => rmSync(models, { recursive: true, force: true }));
  writeFileSync(join(models, 'broken.onnx'), 'this is no model');
  const server = await startServer(null, ['--model-folder', models]);
  t.after(server.stop);
  const { ask, next } = await open(server, t);
  await ask({ type: 'subscribe', topics: ['node_error', 'xray_frame'], filters: { workflow_id: 'bad' } }, 'subscribed');
  const call = client(server), told = next('node_error', ({ error }) => error !== ''), picture = next('xray_frame');
  await call('POST /api/workflow-builder/execute', 200, {
    body: {
      id: 'bad', nodes: [{ id: 's', type: 'testPattern', data: { fps: 5 } }, { id: 'm', type: 'model', data: { modelId: 'broken' } }, { id: 'v', type: 'videoPreview', data: {} }],
      edges: [{ id: '1', source: 's', target: 'm' }, { id: '2', source: 'm', target: 'v' }],
    },
  });
  const error = await told;
  assertShape(error, { type: 'string', workflow_id: 'string', node_id: 'string', timestamp: 'number', error: 'string' });
  assert.deepEqual([error.workflow_id, error.node_id], ['bad', 'm']);
  assert.match(error.error, /broken/);
  await picture; // which runs on without boxes
  copyFileSync(join(environment().OVERWATCH_MODEL_FOLDER, 'nanodet.onnx'), join(models, 'sound.onnx'));
  const gone = next('node_error', ({ node_id: id, error: text }) => id === 'm' && text === '');
  await call('PATCH /api/workflow-builder/{id}/nodes/{node_id}', 200, { params: { id: 'bad', node_id: 'm' }, body: { data: { modelId: 'sound' } } });
  await gone;
});

test('the server says that it stops', { timeout: 60000 }, async (t) => {
  const server = await startServer(workflow('w', ['one']));
  const { next, ask } = await open(server, t);
  await ask({ type: 'ping' }, 'pong');
  const goodbye = next('server_stopping');
  await server.stop();
  assert.deepEqual(await goodbye, { type: 'server_stopping' });
});

test('whoever takes nothing for 20 s is cut off, the others stay', { timeout: 60000 }, async (t) => {
  const speed = 4;
  const server = await start(t, workflow('w', ['one', 'two'], { width: 1280, height: 720, fps: 10 }), preload(t, 'fast_clock', { CLOCK_SPEED: speed }));
  const { ask } = await open(server, t);
  await ask({ type: 'subscribe', topics: ['status_update'] }, 'subscribed');
  const asleep = await sleeper(server);
  t.after(() => asleep.destroy());
  await eventually('it is behind', 20, async () => await metric(server, 'overwatch_websocket_replaced_frames_total') > 0);
  const behind = performance.now();
  await eventually('it is cut off', 20, async () => await metric(server, 'overwatch_websocket_clients') === 1);
  const waited = (performance.now() - behind) * speed;
  t.diagnostic(`cut off after ${Math.round(waited / 1000)} s of the server's`);
  assert.ok(waited > 10000, `${waited} ms of the server's`);
  assert.equal((await ask({ type: 'ping', t: 1 }, 'pong')).t, 1);
});
