// A model that rests while nobody looks, and wakes when somebody does.
// Runs alone: the model wants all cores, and what is seen at what time is compared.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually, root, startServer } from './server.mjs';

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
