// A model that rests while nobody looks, and wakes when somebody does; and what it does when the program
// is to end.
// Runs alone: the model wants all cores, what is seen at what time is compared, and how long an end takes.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { OnnxGraph } from '../../tools/tfjs2onnx/onnx.mjs';
import { environment, eventually, root, startServer } from './server.mjs';

const { WebSocket } = createRequire(new URL('../package.json', import.meta.url))('ws');
const footage = join(root, '.cache/media/vtest.avi');

const workflow = {
  id: 'test', name: 'Test', version: '1.0',
  nodes: [
    { id: 'video', type: 'videoInput', data: { videoPath: footage } },
    { id: 'model', type: 'model', data: { confidence: 0.4, fps: 10 } },
    { id: 'view', type: 'videoPreview', data: {} },
  ],
  edges: [{ id: 'a', source: 'video', target: 'model' }, { id: 'b', source: 'model', target: 'view' }],
};

/** Watches until `enough` of a picture; resolves with how many objects each picture had. */
async function watch(server, enough) {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/ws`);
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'subscribe', topics: ['xray_frame'], filters: { node_id: 'view' } }));
  const counts = [];
  await new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (data) => {
      const message = JSON.parse(data);
      if (message.type !== 'xray_frame') return;
      counts.push(message.detections_count);
      if (enough(message)) resolve();
    });
  });
  socket.close();
  await once(socket, 'close');
  return counts;
}

async function nodes(server) {
  return (await (await fetch(`${server.url}/api/workflow-builder/test/status`)).json()).nodes;
}

test('who looks again after a pause sees no boxes of before', { timeout: 90000, skip: !existsSync(footage) }, async (t) => {
  const server = await startServer(workflow);
  t.after(server.stop);
  await eventually('the model is loaded', 30, async () => (await nodes(server)).model.state === 'idle');

  const seesObjects = (message) => message.detections_count >= 3;
  const first = await watch(server, seesObjects);
  assert.equal(first[0], 0);
  await eventually('nobody looks', 10, async () => (await nodes(server)).view.state === 'idle');
  const { frames } = (await nodes(server)).video;
  // Half a second: by itself the tracker would still move its boxes on.
  await eventually('some frames go by', 10, async () => (await nodes(server)).video.frames >= frames + 6);
  const again = await watch(server, seesObjects);
  assert.equal(again[0], 0, 'the first picture has boxes of things that have moved on');
});

const END_MS = 2000;

/** A folder for models that goes with the test. */
function modelFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * A model that is at it for longer than a test waits: four million sines, again and again. With `picture`
 * of its input, so in each run; without, of a constant, which ONNX Runtime reckons while it loads the file.
 */
function long(picture) {
  const graph = new OnnxGraph('long');
  graph.input('images', [1, 3, 64, 64]);
  const seed = picture ? 'images' : graph.floats('seed', [1, 3, 64, 64], new Array(3 * 64 * 64).fill(0.5));
  let last = graph.node('Tile', [seed, graph.int64s('repeats', [1, 1, 1, 341])]);
  for (let i = 0; i < 1500; i++) last = graph.node('Sin', last.outputs);
  graph.node('ReduceMax', last.outputs, {}, ['scores']);
  graph.output('scores', [1, 1, 1, 1]);
  return Buffer.from(graph.serialize());
}

/** How much processor time the threads of this name have taken, in seconds; null: there are none. */
function threadSeconds(pid, name) {
  const stats = readdirSync(`/proc/${pid}/task`).map((id) => {
    try {
      return readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8');
    } catch {
      return ''; // it has just ended
    }
  }).filter((stat) => stat.includes(`(${name})`));
  const ticks = stats.map((stat) => stat.slice(stat.lastIndexOf(')')).split(' ')).reduce((sum, words) => sum + Number(words[12]), 0);
  return stats.length ? ticks / 100 : null;
}

/** Tells the server to end and fails unless it does, in time and in order. */
async function assertEnds(t, server) {
  const start = performance.now();
  server.child.kill('SIGTERM');
  const end = await server.exited, ms = performance.now() - start;
  t.diagnostic(`ended after ${Math.round(ms)} ms`);
  assert.deepEqual(end, { code: 0, signal: null }, server.log());
  assert.ok(ms < END_MS, `it took ${Math.round(ms)} ms`);
}

test('a server that measures many models ends soon when it is told to', { timeout: 60000 }, async (t) => {
  const folder = modelFolder(t), installed = environment().OVERWATCH_MODEL_FOLDER;
  const real = existsSync(installed) ? readdirSync(installed).filter((name) => name.endsWith('.onnx')) : [];
  if (!real.length) return t.skip('no models');
  for (let i = 0; i < 40; i++) symlinkSync(join(installed, real[i % real.length]), join(folder, `copy-${i}.onnx`));
  const server = await startServer(null, ['--model-folder', folder]);
  t.after(server.stop);
  const asked = fetch(`${server.url}/api/workflow-components/models`).then((answer) => answer.json()).catch(() => null);
  await eventually('a model is measured', 10, () => threadSeconds(server.child.pid, 'catalogue') !== null);
  await assertEnds(t, server);
  await asked;
});

for (const [doing, picture] of [['loads', false], ['runs', true]])
  test(`a server ends soon when it is told to while a model ${doing}`, { timeout: 60000 }, async (t) => {
    const folder = modelFolder(t);
    writeFileSync(join(folder, 'long.onnx'), long(picture));
    const server = await startServer({ ...workflow, nodes: workflow.nodes.map((node) => (
      { video: { id: 'video', type: 'testPattern', data: {} }, model: { ...node, data: { modelId: 'long' } } }[node.id] ?? node)) },
    ['--model-folder', folder]);
    t.after(server.stop);
    await eventually('it is at it', 20, () => threadSeconds(server.child.pid, 'model') > 0.5);
    assert.equal((await nodes(server)).model.state, 'loading'); // a file is loaded, and what it gives looked at
    await assertEnds(t, server);
    assert.doesNotMatch(server.log(), /model node model: /);
  });
