// What is shown and what there is: views, snapshots, components, figures, health, pages, the log-in.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { assertShape, client, send } from './api_client.mjs';
import { environment, eventually, root, startServer, testPattern } from './server.mjs';

const models = environment().OVERWATCH_MODEL_FOLDER, media = environment().OVERWATCH_MEDIA_FOLDER;
const hasModel = existsSync(join(models, 'nanodet.onnx'));

async function start(t, workflow = testPattern(), extra = []) {
  const server = await startServer(workflow, extra);
  t.after(server.stop);
  return { server, call: client(server) };
}

/** Width and height of a JPEG, from its start-of-frame. */
function jpegSize(bytes) {
  assert.equal(bytes.subarray(0, 2).toString('hex'), 'ffd8');
  for (let at = 2; at < bytes.length;) {
    const kind = bytes[at + 1];
    if (kind >= 0xc0 && kind <= 0xc2) return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)];
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return assert.fail('no start of frame');
}

const VIEW = { node_id: 'string', workflow_id: 'string', workflow_name: 'string', label: 'string', state: 'string', error: 'string',
  transport: 'string', predict: 'boolean', model_id: 'string', model_error: 'string', model_fps: 'number', model_ms: 'number', width: 'number', height: 'number',
  fps: 'number', detections_count: 'number', processing_time_ms: 'number', xray_mode: 'string', color_scheme: 'string', encoder: 'string', adaptive: 'boolean',
  min_bps: 'number', start_bps: 'number', max_bps: 'number', target_bps: 'number', renditions: 'array', frames: 'number', dropped: 'number',
  source: 'object', latency_ms: 'object', is_recorder: 'boolean', recording: 'object' };
const SOURCE = { node_id: 'string', state: 'string', since_s: 'number', text: 'string', width: 'number', height: 'number', fps: 'number', frames: 'number', reopened: 'number', codec: 'string' };

// A sentence is cut to its room, maybe within a character, and is told all the same.
test('what long names are wrong about is told', { timeout: 60000 }, async (t) => {
  const node = (id, type, data = {}) => ({ id, type, position: { x: 0, y: 0 }, data });
  for (const begin of ['', 'x']) {
    const name = `${begin}${'ä'.repeat(300)}`;
    const workflow = { id: 'long', name, nodes: [node('camera', 'camera', { url: `http://127.0.0.1:1/${name}` }), node('model', 'model', { modelId: name }), node('view', 'videoPreview', { label: name })],
      edges: [{ id: 'a', source: 'camera', target: 'model' }, { id: 'b', source: 'model', target: 'view' }] };
    const { call } = await start(t, workflow);
    const [view] = await eventually('the view tells why', 20, async () => {
      const { views } = await call('GET /api/views', 200);
      return views[0]?.source?.state === 'no_signal' && views[0].model_error && views;
    });
    assert.match(view.model_error, /ää.*: File name too long/);
    assert.match(view.source.text, /refused/);
    const { nodes } = await call('GET /api/workflow-builder/{id}/status', 200, { params: { id: 'long' } });
    assert.deepEqual(Object.keys(nodes).sort(), ['camera', 'model', 'view']);
  }
});

test('views have the members that are documented', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  const answer = await eventually('the view runs', 10, async () => {
    const { views } = await call('GET /api/views', 200);
    return views[0].state === 'running' && views;
  });
  assert.equal(answer.length, 1);
  assertShape(answer[0], VIEW, 'view');
  assertShape(answer[0].source, SOURCE, 'source');
  assert.deepEqual([answer[0].node_id, answer[0].workflow_id, answer[0].transport, answer[0].source.node_id], ['view', 'test', 'webrtc', 'pattern']);
  await call('POST /api/workflow-builder/stop-all', 200);
  assert.deepEqual(await call('GET /api/views', 200), { views: [] });
});

test('a snapshot is a JPEG of a view or of a source, 404 where there is none', { timeout: 60000 }, async (t) => {
  const { call } = await start(t, testPattern({ width: 640, height: 360 }));
  const picture = (id, query) => call.whole('GET /api/video/{node_id}/snapshot', 200, { params: { node_id: id }, query });
  const ofView = await picture('view');
  assert.equal(ofView.headers['content-type'], 'image/jpeg');
  assert.deepEqual(jpegSize(ofView.bytes), [640, 360]);
  assert.deepEqual(jpegSize((await picture('pattern')).bytes), [640, 360]);
  assert.deepEqual(jpegSize((await picture('pattern', '?width=160')).bytes), [160, 90]);
  for (const query of ['?width=-1', '?width=0', '?width=x', '?width=999999999999', '?width=1']) jpegSize((await picture('pattern', query)).bytes);
  // Without overlay a view's is its source's, in the source's size.
  const plain = await picture('view', '?overlay=0');
  assert.deepEqual(jpegSize(plain.bytes), [640, 360]);
  assert.deepEqual(jpegSize((await picture('view', '?overlay=false&width=160')).bytes), [160, 90]);
  for (const id of ['gone', 'test', '..%2f']) await call('GET /api/video/{node_id}/snapshot', 404, { params: { node_id: id } });
});

test('a source without a picture is answered 504, in time', { timeout: 60000 }, async (t) => {
  const { call } = await start(t, {
    id: 'w', nodes: [{ id: 'c', type: 'camera', data: { url: 'rtsp://192.0.2.1/' } }], edges: [],
  });
  await call('GET /api/video/{node_id}/snapshot', 504, { params: { node_id: 'c' } });
});

const SETTING = { name: 'string', label: 'string', help: 'string', type: 'string', required: 'boolean' };
const KINDS = { bool: 'boolean', int: 'number', number: 'number', text: 'string', choice: 'string' };

test('node types: every setting has a default of its type and within its range', { timeout: 60000 }, async (t) => {
  const { call } = await start(t, null);
  const { node_types: types } = await call('GET /api/workflow-components/node-types', 200);
  const names = types.map(({ type }) => type);
  for (const type of ['videoInput', 'camera', 'testPattern', 'model', 'detectionFilter', 'zone', 'videoPreview', 'videoPreviewWebRTC', 'dataPreview', 'debug']) {
    assert.ok(names.includes(type), type);
  }
  assert.equal(new Set(names).size, names.length);
  for (const type of types) {
    for (const name of ['type', 'label', 'help', 'role', 'category']) assert.ok(type[name]?.length > 0, `${type.type}.${name}`);
    assert.match(type.role, /^(source|model|filter|sink|view)$/);
    assert.ok(type.input || type.output, type.type);
    assert.equal(new Set(type.settings.map(({ name }) => name)).size, type.settings.length);
    for (const setting of type.settings) {
      const what = `${type.type}.${setting.name}`;
      for (const [name, kind] of Object.entries(SETTING)) assert.equal(typeof setting[name], kind, `${what}: ${name}`);
      assert.ok(setting.help.length > 5 && setting.label, what);
      if (setting.type === 'list') assert.deepEqual(setting.default, [], what);
      else if (['object', 'colors'].includes(setting.type)) assert.deepEqual(setting.default, {}, what);
      else assert.equal(typeof setting.default, KINDS[setting.type] ?? assert.fail(`${what}: ${setting.type}`), what);
      if (setting.type === 'choice') assert.ok(setting.choices.includes(setting.default), what);
      if ('min' in setting) assert.ok(setting.default >= setting.min && setting.default <= setting.max, `${what}: ${setting.default}`);
    }
  }
  // The table is what validation goes by: a node of each type with all its defaults has no error of
  // its own, and one step beyond a range is refused by its name.
  for (const { type, settings } of types) {
    const data = Object.fromEntries(settings.map((setting) => [setting.name, setting.default]));
    const given = { ...data, ...(type === 'videoInput' ? { videoPath: 'x.mp4' } : {}), ...(type === 'camera' ? { url: 'rtsp://192.0.2.1/' } : {}) };
    const validate = async (changed) => (await call('POST /api/workflow-builder/validate', 200, { body: { nodes: [{ id: 'n', type, data: changed }], edges: [] } }));
    assert.deepEqual((await validate(given)).errors.filter(({ setting }) => setting !== 'edges'), [], type);
    for (const { name, min, max } of settings.filter((one) => 'min' in one)) {
      for (const value of [min - 1, max + 1]) {
        const { errors } = await validate({ ...given, [name]: value });
        assert.ok(errors.some((one) => one.setting === name), `${type}.${name} = ${value}`);
      }
    }
  }
});

test('models, their classes and videos are those of the folders', { skip: hasModel ? false : 'no model', timeout: 60000 }, async (t) => {
  const { call } = await start(t, null);
  const { models: list } = await call('GET /api/workflow-components/models', 200);
  for (const one of list) {
    assertShape(one, { id: 'string', name: 'string', file: 'string', size_bytes: 'number', default: 'boolean', task: 'string', family: 'string',
      provider: 'string', input_width: 'number', input_height: 'number', class_count: 'number', ms: 'number' });
  }
  const nanodet = list.find(({ id }) => id === 'nanodet');
  assert.deepEqual([nanodet.file, nanodet.default, list.filter((one) => one.default).length], ['nanodet.onnx', true, 1]);
  const ofDefault = await call('GET /api/workflow-components/classes', 200);
  assertShape(ofDefault, { model: 'string', task: 'string', family: 'string', input_width: 'number', input_height: 'number', classes: 'array' });
  assert.equal(ofDefault.classes.length, 80);
  assert.deepEqual(ofDefault.classes[0], { id: 0, name: 'person' });
  assert.deepEqual((await call('GET /api/workflow-components/classes', 200, { query: '?model=nanodet' })).classes, ofDefault.classes);
  for (const id of ['gone', '../models/nanodet', '/etc/passwd', 'nanodet.onnx']) {
    await call('GET /api/workflow-components/classes', 404, { query: `?model=${encodeURIComponent(id)}` });
  }
  const { files } = await call('GET /api/workflow-components/videos', 200);
  for (const one of files) {
    assertShape(one, { name: 'string', bytes: 'number' });
    assert.ok(existsSync(join(media, one.name)), one.name);
  }
});

const OPERATION = { count: 'number', avg_ms: 'number', min_ms: 'number', max_ms: 'number', p50_ms: 'number', p95_ms: 'number', p99_ms: 'number', std_ms: 'number' };
const OPERATIONS = ['decode', 'preprocess', 'model_inference', 'postprocess', 'xray_visualization', 'h264_encoding', 'jpeg_encoding', 'packetize_send', 'glass_to_encoder'];
const TRANSPORT = { viewers: 'number', fps: 'number', kB_per_s: 'number', frames: 'number', bytes: 'number', frames_dropped: 'number', latency_ms: 'number', latency_max_ms: 'number', encoding: 'object' };

test('figures of the operations are told and begin anew', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  await call.whole('GET /api/video/{node_id}/snapshot', 200, { params: { node_id: 'view' } });
  const figures = await call('GET /api/workflow-builder/performance', 200);
  assertShape(figures, { current_fps: 'number', operations: 'object', bottlenecks: 'array', transports: 'object' });
  assert.deepEqual(Object.keys(figures.operations).sort(), [...OPERATIONS].sort());
  for (const [name, one] of Object.entries(figures.operations)) {
    assertShape(one, OPERATION, name);
    const rising = [one.min_ms, one.p50_ms, one.p95_ms, one.p99_ms, one.max_ms];
    assert.ok(rising.every((value, i) => i === 0 || value >= rising[i - 1] - 0.001), `${name}: ${rising}`);
  }
  assert.ok(figures.operations.jpeg_encoding.count >= 1);
  for (const one of figures.bottlenecks) assertShape(one, { operation: 'string', avg_ms: 'number' });
  assert.ok(figures.bottlenecks.length >= 1 && figures.bottlenecks.length <= 3);
  assertShape(figures.transports.websocket, TRANSPORT, 'websocket');
  assertShape(figures.transports.webrtc, { ...TRANSPORT, packets: 'number', retransmits: 'number', sending: 'object' }, 'webrtc');
  assert.deepEqual(await call('POST /api/workflow-builder/performance/reset', 200), { status: 'reset' });
  assert.equal((await call('GET /api/workflow-builder/performance', 200)).operations.jpeg_encoding.count, 0);
});

test('health and metrics', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  const health = await call('GET /healthz', 200);
  assertShape(health, { status: 'string', version: 'string', uptime_s: 'number', views: 'number', now_us: 'number' });
  assert.deepEqual([health.status, health.views], ['ok', 1]);
  assert.ok((await call('GET /healthz', 200)).now_us > health.now_us);
  const metrics = await call.whole('GET /metrics', 200);
  assert.match(metrics.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  assert.match(metrics.text, /^overwatch_workflows_running 1$/m);
});

test('pages are pages, paths lead out of no folder', { timeout: 60000 }, async (t) => {
  const { call, server } = await start(t);
  for (const route of ['GET /view/{node_id}', 'GET /', 'GET /wall', 'GET /recordings', 'GET /performance']) {
    const page = await call.whole(route, 200, { params: { node_id: 'view' } });
    assert.match(page.headers['content-type'], /^text\/html/);
    assert.match(page.text, /<!doctype html>/i);
  }
  assert.match((await call.whole('GET /overwatch-view.js', 200)).headers['content-type'], /javascript/);
  for (const path of ['/nothing', '/../../../etc/passwd', '/..%2f..%2fetc/passwd', '/assets/', '/assets', '/.overwatch-stamp', '/a%00b']) {
    const answer = await send(`${server.url}${path}`);
    assert.ok([400, 404].includes(answer.status), `${path}: ${answer.status}`);
  }
});

test('the log-in of an open and of a protected server', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  assert.deepEqual(await call('POST /api/login', 200, { body: { password: 'x', next: '/wall' } }), { status: 'ok', next: '/wall' });
  assert.equal((await call.whole('GET /login', 303, { query: '?next=%2Fwall' })).headers.location, '/wall');
  assert.deepEqual(await call('POST /api/logout', 200), { status: 'logged out' });
  for (const body of [{}, { password: 5 }, { password: null }]) await call('POST /api/login', 400, { body });

  const guarded = await start(t, testPattern(), ['--password', 'a password of people', '--token', 'a-token-of-programs-0123456789']);
  assert.equal((await guarded.call.whole('GET /login', 200)).headers['content-type'], 'text/html; charset=utf-8');
  await guarded.call('POST /api/login', 401, { body: { password: 'wrong' } });
  const welcome = await guarded.call.whole('POST /api/login', 200, { body: { password: 'a password of people', next: '//evil.example' } });
  assert.deepEqual(welcome.json, { status: 'ok', next: '/' });
  const [cookie] = welcome.headers['set-cookie'][0].split(';');
  await guarded.call('GET /api/views', 200, { headers: { cookie } });
  await guarded.call('POST /api/logout', 200, { headers: { cookie } });
  await guarded.call('GET /api/views', 401, { headers: { cookie } });
  for (let i = 0; i < 4; i++) await guarded.call('POST /api/login', 401, { body: { password: 'wrong' } });
  const limited = await guarded.call.whole('POST /api/login', 429, { body: { password: 'a password of people' } });
  assert.ok(Number(limited.headers['retry-after']) >= 1);
});
