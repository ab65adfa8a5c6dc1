// The WebSocket: every message of docs/api.md, what is refused, filters, and that it belongs to all
// alike: a client that does not read holds up nobody.
// Runs alone: it measures how long pictures and pings take.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { assertShape, client } from './api_client.mjs';
import { environment, eventually, residentMb, startServer, testPattern } from './server.mjs';

const WebSocket = createRequire(import.meta.url)('ws');

const view = (id, source) => [{ id, type: 'videoPreview', position: { x: 0, y: 0 }, data: {} }, { id: `${id}-e`, source, target: id }];
/** A pattern, looked at by these views. */
function workflow(id, views, settings = {}) {
  const made = views.map((one) => view(one, `${id}-source`));
  return { id, name: id, nodes: [{ id: `${id}-source`, type: 'testPattern', data: { width: 320, height: 180, fps: 20, ...settings } }, ...made.map(([node]) => node)], edges: made.map(([, edge]) => edge) };
}

async function start(t, body = workflow('w', ['one', 'two'])) {
  const server = await startServer(body);
  t.after(server.stop);
  return server;
}

/** { socket, say(message), next(type), all: [messages and pictures] } */
async function open(server, t) {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/ws`);
  await once(socket, 'open');
  t.after(() => socket.terminate());
  const all = [], waiting = [];
  socket.on('message', (data, binary) => {
    const size = binary ? data.readUInt32BE(0) : 0;
    const message = binary ? { ...JSON.parse(data.subarray(4, 4 + size)), jpeg: data.subarray(4 + size) } : JSON.parse(data);
    all.push(message);
    for (const wait of waiting.splice(0)) if (!wait(message)) waiting.push(wait);
  });
  const say = (message) => socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  const next = (type, fits = () => true, seconds = 10) => new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`no ${type} within ${seconds} s, but ${all.map((one) => one.type)}`)), seconds * 1000);
    waiting.push((message) => message.type === type && fits(message) && (clearTimeout(late), resolve(message), true));
  });
  const ask = async (message, type) => { const answer = next(type); say(message); return answer; };
  return { socket, say, next, ask, all };
}

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
  await bytes.ask({ type: 'subscribe', topics: ['*'], filters: { node_ids: ['two'], max_fps: 4 }, binary: true }, 'subscribed');
  const picture = await bytes.next('xray_frame');
  assertShape(picture, { ...FRAME, jpeg: 'object' });
  assert.equal(picture.jpeg.subarray(0, 2).toString('hex'), 'ffd8');
  const pictures = () => bytes.all.filter((one) => one.type === 'xray_frame');
  const from = pictures().length, began = performance.now();
  await eventually('eight more', 20, () => pictures().length >= from + 8);
  const rate = 8000 / (performance.now() - began);
  assert.ok(rate < 5, `${rate} a second, of 20 that there are`);
  assert.ok(text.all.every(({ node_id: id }) => id === undefined || id === 'one'));
  assert.ok(pictures().every(({ node_id: id }) => id === 'two'));
  // Not any more, when it was said so.
  await bytes.ask({ type: 'unsubscribe', topics: ['xray_frame'] }, 'unsubscribed');
  const kept = pictures().length;
  await bytes.next('status_update');
  await bytes.next('status_update');
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

/** A client that subscribes to all there is and does not read a byte after the handshake. */
async function sleeper(server) {
  const socket = connect(new URL(server.url).port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write('GET /api/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n');
  await once(socket, 'readable');
  socket.pause();
  const text = Buffer.from('{"type": "subscribe", "topics": ["*"], "filters": {"max_fps": 120}}');
  socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text])); // masked with zeros
  return socket;
}

test('clients that do not read hold up nobody and cost no more memory with time', { timeout: 120000 }, async (t) => {
  const server = await start(t, workflow('w', ['one', 'two', 'three', 'four'], { width: 1280, height: 720, fps: 30 }));
  const { ask, all } = await open(server, t);
  await ask({ type: 'subscribe', topics: ['xray_frame'], filters: { node_id: 'one' }, binary: true }, 'subscribed');
  const frames = () => all.filter(({ type }) => type === 'xray_frame');
  /** The worst and median way from encoder to socket of the next pictures, ms, and the time a ping takes. */
  const measure = async (count) => {
    const from = frames().length;
    const pings = [];
    await eventually(`${count} pictures`, 30, async () => {
      const asked = performance.now();
      await ask({ type: 'ping' }, 'pong');
      pings.push(performance.now() - asked);
      return frames().length >= from + count;
    });
    const ways = frames().slice(from).map((one) => (one.sent_us - one.capture_us) / 1000).sort((a, b) => a - b);
    pings.sort((a, b) => a - b);
    return { picture: ways[Math.floor(ways.length / 2)], ping: pings[Math.floor(pings.length / 2)] };
  };
  const before = await measure(60);
  const sleepers = await Promise.all(Array.from({ length: 10 }, () => sleeper(server)));
  t.after(() => sleepers.forEach((socket) => socket.destroy()));
  const metric = async (name) => Number((await (await fetch(`${server.url}/metrics`)).text()).match(new RegExp(`^${name} (.*)$`, 'm'))[1]);
  // They are behind when pictures for them are replaced by newer ones.
  await eventually('they are behind', 30, async () => await metric('overwatch_websocket_replaced_frames_total') > 200);
  const early = residentMb(server.child.pid);
  const during = await measure(150);
  const late = residentMb(server.child.pid);
  t.diagnostic(`capture to socket ${before.picture.toFixed(1)} → ${during.picture.toFixed(1)} ms, ping ${before.ping.toFixed(1)} → ${during.ping.toFixed(1)} ms, resident ${early.toFixed(1)} → ${late.toFixed(1)} MB`);
  assert.ok(during.picture < before.picture + 30, `capture to socket ${before.picture} → ${during.picture} ms`);
  assert.ok(during.ping < before.ping + 30, `ping ${before.ping} → ${during.ping} ms`);
  assert.ok(late < early + 5, `resident ${early} → ${late} MB`);
  // Whoever takes nothing for 20 s is cut off; this one stays.
  await eventually('they are cut off', 40, async () => await metric('overwatch_websocket_clients') === 1);
  assert.equal((await ask({ type: 'ping', t: 1 }, 'pong')).t, 1);
});
