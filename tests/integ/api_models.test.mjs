// Models that people send, and what the list says of those that are there: the default model, the same
// network with its own outputs, which the program decodes itself, and tiny ones made here.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';

import { convert } from '../../tools/tfjs2onnx/convert.mjs';
import { OnnxGraph } from '../../tools/tfjs2onnx/onnx.mjs';
import { assertShape, client } from './api_client.mjs';
import { environment, eventually, postJson, root, startServer } from './server.mjs';

const folder = mkdtempSync(join(tmpdir(), 'overwatch-models-'));
const installed = join(environment().OVERWATCH_MODEL_FOLDER, 'nanodet.onnx');
const skip = existsSync(installed) ? false : 'no model';
after(() => rmSync(folder, { recursive: true, force: true }));

/** A model whose outputs are constants: [name, shape, values]. */
function tiny(outputs, metadata = {}) {
  const graph = new OnnxGraph('tiny');
  graph.input('images', [1, 3, 64, 64]);
  for (const [name, shape, values] of outputs) {
    graph.node('Identity', [graph.floats('values', shape, values)], {}, [name]);
    graph.output(name, shape);
  }
  graph.metadata = metadata;
  return Buffer.from(graph.serialize());
}

/** A grid as YOLOX gives it, with one object of class 1 whose box is 64..96, 24..56 of 128x128. */
function grid() {
  const rows = Array.from({ length: 84 }, () => [0.3, 0, 0, 0, 0, 0, 0]);
  rows[70] = [0.5, 0.25, 0, 0, 0.9, 0, 0.8];
  return tiny([['output', [1, 84, 7], rows.flat()]]);
}

/** Three outputs that also YOLOv3's might be. */
const convolutions = () => tiny([8, 4, 2].map((side) => [`grid${side}`, [1, 21, side, side], new Array(21 * side * side).fill(-9)]));

async function start(t, name, ...extra) {
  const server = await startServer(null, ['--data-folder', join(folder, name), ...extra]);
  t.after(server.stop);
  return server;
}

async function upload(server, query, body) {
  const response = await fetch(`${server.url}/api/uploads/model?${new URLSearchParams(query)}`, { method: 'POST', body });
  return { status: response.status, body: await response.json() };
}

const left = (name) => readdirSync(join(folder, name, 'uploads'));
const list = async (server) => (await client(server)('GET /api/workflow-components/models', 200)).models;

const workflow = (data) => ({ id: 'w', name: 'Uploaded', version: '1.0',
  nodes: [{ id: 'pattern', type: 'testPattern', position: { x: 0, y: 0 }, data: { width: 128, height: 128 } },
    { id: 'model', type: 'model', position: { x: 0, y: 0 }, data: { confidence: 0.5, ...data } },
    { id: 'view', type: 'videoPreview', position: { x: 300, y: 0 }, data: { boxTiming: 'sync' } }],
  edges: [{ id: 'a', source: 'pattern', target: 'model' }, { id: 'b', source: 'model', target: 'view' }] });

async function view(server) {
  await fetch(`${server.url}/api/video/view/snapshot`); // somebody looks, so the model works
  return (await client(server)('GET /api/views', 200)).views[0];
}

test('what is installed is listed with what it finds and how long it takes', { skip, timeout: 60000 }, async (t) => {
  const models = join(folder, 'installed');
  mkdirSync(models);
  writeFileSync(join(models, 'nanodet.onnx'), readFileSync(installed));
  writeFileSync(join(models, 'broken.onnx'), 'this is no model');
  writeFileSync(join(models, 'grid.onnx'), grid());
  writeFileSync(join(models, 'grid.json'), JSON.stringify({ classes: ['cat', 'dog'] }));
  const server = await start(t, 'lists', '--model-folder', models);
  const [broken, yolox, nanodet, ...none] = await list(server);
  assert.deepEqual(none, []);
  assert.match(broken.error, /cannot be loaded/);
  assert.deepEqual({ id: yolox.id, task: yolox.task, family: yolox.family, classes: yolox.class_count, default: yolox.default },
    { id: 'grid', task: 'detect', family: 'yolox', classes: 2, default: false });
  assertShape(nanodet, { id: 'string', name: 'string', file: 'string', size_bytes: 'number', default: 'boolean', task: 'string',
    family: 'string', provider: 'string', input_width: 'number', input_height: 'number', class_count: 'number', ms: 'number' });
  assert.deepEqual([nanodet.default, nanodet.family, nanodet.input_width, nanodet.class_count], [true, 'ultralytics', 416, 80]);
  assert.ok(nanodet.ms > 1 && nanodet.ms < 2000, `${nanodet.ms} ms`);
  const again = performance.now();
  await list(server);
  assert.ok(performance.now() - again < nanodet.ms * 4 + 50, 'what is known is not measured again');
  writeFileSync(join(models, 'grid.json'), '{"classes": ["cat"]}');
  assert.match((await list(server))[1].error, /not understood.*output \[1,84,7\]/);
});

test('a model is sent, listed, used, and removed when nobody uses it', { skip, timeout: 60000 }, async (t) => {
  const server = await start(t, 'used');
  const { status, body } = await upload(server, { name: 'my grid.onnx', sidecar: '{"classes": ["cat", "dog"]}' }, grid());
  assert.equal(status, 201, body.detail);
  assert.equal(body.path, 'uploads/my grid.onnx');
  assert.deepEqual([body.family, body.task, body.class_count, body.input_width], ['yolox', 'detect', 2, 64]);
  assert.deepEqual(left('used').sort(), ['my grid.json', 'my grid.onnx']);
  assert.ok((await list(server)).some(({ id, family }) => id === 'uploads/my grid' && family === 'yolox'));
  const classes = await client(server)('GET /api/workflow-components/classes', 200, { query: '?model=uploads/my%20grid' });
  assert.deepEqual(classes.classes, [{ id: 0, name: 'cat' }, { id: 1, name: 'dog' }]);

  const executed = await postJson(`${server.url}/api/workflow-builder/execute`, workflow({ modelId: 'uploads/my grid' }));
  assert.equal(executed.status, 200, executed.body.detail);
  await eventually('the object is seen', 10, async () => (await view(server)).detections_count === 1);
  await client(server)('DELETE /api/uploads/{id}', 409, { params: { id: body.id } });
  await client(server)('POST /api/workflow-builder/stop-all', 200);
  await client(server)('DELETE /api/uploads/{id}', 200, { params: { id: body.id } });
  assert.deepEqual(left('used'), []);
});

test('a model that is not understood is refused with what was seen, and taken when told', { skip, timeout: 60000 }, async (t) => {
  const server = await start(t, 'told');
  const refused = await upload(server, { name: 'cut.onnx' }, convolutions());
  assert.equal(refused.status, 415);
  assert.match(refused.body.detail, /"cut.onnx" cannot be used: .*inputs images \[1,3,64,64\]; outputs grid8 \[1,21,8,8\].*`decoder`/);
  const wrong = await upload(server, { name: 'cut.onnx', sidecar: '{"decoder": "yolo"}' }, convolutions());
  assert.equal(wrong.status, 415);
  assert.match(wrong.body.detail, /"decoder" has to be/);
  assert.ok(!wrong.body.detail.includes(folder), wrong.body.detail);
  assert.deepEqual(left('told'), []);
  const taken = await upload(server, { name: 'cut.onnx', sidecar: '{"decoder": "yolov5-grid"}' }, convolutions());
  assert.equal(taken.status, 201, taken.body.detail);
  assert.equal(taken.body.family, 'yolov5-grid');
});

test('what is no model, too large or without a name is refused and leaves nothing', { timeout: 60000 }, async (t) => {
  const server = await start(t, 'refuses', '--max-upload-mb', '1');
  assert.equal((await upload(server, {}, grid())).status, 400);
  await client(server)('POST /api/uploads/model', 415, { query: '?name=street.mp4', body: grid(), type: 'application/octet-stream' });
  assert.equal((await upload(server, { name: 'large.onnx' }, Buffer.alloc(1.1e6))).status, 413);
  const broken = await upload(server, { name: 'broken.onnx' }, 'no model');
  assert.equal(broken.status, 415);
  assert.ok(!broken.body.detail.includes(folder), broken.body.detail);
  const video = await fetch(`${server.url}/api/uploads/video?name=a.mp4&sidecar={}`, { method: 'POST', body: 'x' });
  assert.equal(video.status, 400);
  assert.deepEqual(left('refuses'), []);
});

test('a decoder that a node names starts the model anew', { skip, timeout: 60000 }, async (t) => {
  const models = join(folder, 'named');
  mkdirSync(models);
  writeFileSync(join(models, 'grid.onnx'), grid());
  const server = await start(t, 'names', '--model-folder', models);
  const call = client(server);
  await call('POST /api/workflow-builder', 201, { body: workflow({ modelId: 'grid', decoder: 'nanodet' }) });
  await call('POST /api/workflow-builder/{id}/execute', 200, { params: { id: 'w' } });
  await eventually('the node says what is wrong', 10, async () => /does not fit the decoder nanodet/.test((await view(server)).model_error));
  const patched = await call('PATCH /api/workflow-builder/{id}/nodes/{node_id}', 200, { params: { id: 'w', node_id: 'model' }, body: { data: { decoder: 'auto' } } });
  assert.equal(patched.change, 'restarted');
  await eventually('the object is seen', 10, async () => (await view(server)).detections_count === 1);
});

/** The first `count` results of a model, by the frame they are of. */
async function results(server, node, count) {
  const seen = new Map();
  const answer = await fetch(`${server.url}/api/nodes/${node}/detections`);
  for await (const line of createInterface({ input: Readable.fromWeb(answer.body) })) {
    const { sequence, detections } = JSON.parse(line);
    seen.set(sequence, detections);
    if (seen.size === count) break;
  }
  return seen;
}

const source = join(root, '.cache/model-sources/nanodet.json');
const footage = join(environment().OVERWATCH_MEDIA_FOLDER, 'vtest.avi');
const missing = [installed, source, footage].find((file) => !existsSync(file));

test('NanoDet decoded by the program sees what the converted one sees', { skip: missing && `${missing} is not there`, timeout: 60000 }, async (t) => {
  const server = await start(t, 'raw');
  const { status, body } = await upload(server, { name: 'raw.onnx' }, Buffer.from(convert(source, 'nanodet-raw').serialize()));
  assert.equal(status, 201, body.detail);
  assert.deepEqual([body.family, body.class_count, body.input_width], ['nanodet', 80, 416]);
  const node = (id, type, data) => ({ id, type, position: { x: 0, y: 0 }, data });
  const model = (id, modelId) => node(id, 'model', { modelId, confidence: 0.4, fps: 10 });
  const executed = await postJson(`${server.url}/api/workflow-builder/execute`, { id: 'both', name: 'Both',
    nodes: [node('video', 'videoInput', { videoPath: 'vtest.avi', fps: 5 }), model('own', 'uploads/raw.onnx'), model('default', 'nanodet')],
    edges: ['own', 'default'].map((id) => ({ id, source: 'video', target: id })) });
  assert.equal(executed.status, 200, executed.body.detail);
  const [own, usual] = await Promise.all([results(server, 'own', 15), results(server, 'default', 15)]);
  let frames = 0, objects = 0;
  for (const [sequence, expected] of usual) {
    const seen = own.get(sequence);
    if (!seen) continue;
    frames += 1;
    objects += seen.length;
    assert.equal(seen.length, expected.length, `frame ${sequence}`);
    seen.forEach((one, k) => {
      assert.equal(one.class_id, expected[k].class_id);
      one.bbox.forEach((value, at) => assert.ok(Math.abs(value - expected[k].bbox[at]) < 0.5, `${one.bbox} instead of ${expected[k].bbox}`));
    });
  }
  assert.ok(frames >= 8 && objects >= 5 * frames, `${objects} objects in ${frames} frames`);
});
