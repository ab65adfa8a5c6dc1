// Poses and masks in the pixels: the models of people on a part of the sample footage in which people
// are large enough for them, shown in Chromium, and told as data.
// Runs alone: the models want all cores.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, after, test } from 'node:test';
import { promisify } from 'node:util';

import { eventually, root, startServer } from '../integ/server.mjs';
import { launch, nextPictures, openPage, showsPictures } from './browser.mjs';

const { WebSocket } = createRequire(new URL('../package.json', import.meta.url))('ws');
const footage = join(root, '.cache/media/vtest.avi');
const needed = [footage, join(root, '.cache/models/movenet-multipose.onnx'), join(root, '.cache/models/selfie.onnx')];
const options = { timeout: 120000, skip: needed.every(existsSync) ? false : 'the footage or the models are not there' };

let folder, clip;

before(async () => {
  if (options.skip) return;
  folder = mkdtempSync(join(tmpdir(), 'overwatch-people-'));
  clip = join(folder, 'people.mp4');
  await promisify(execFile)('ffmpeg', ['-v', 'error', '-i', footage, '-t', '8', '-vf', 'crop=320:240:400:140,scale=640:480', '-c:v', 'libx264', '-crf', '16', clip]);
});

after(() => folder && rmSync(folder, { recursive: true }));

const workflow = (model) => ({
  id: 'people', name: 'People', nodes: [
    { id: 'video', type: 'videoInput', data: { videoPath: clip } },
    { id: 'model', type: 'model', data: { confidence: 0.25, fps: 10, showLabels: false, showConfidence: false, ...model } },
    { id: 'view', type: 'videoPreviewWebRTC', data: { bitratePreset: 'high', boxTiming: 'sync' } },
  ],
  edges: [{ id: 'a', source: 'video', target: 'model' }, { id: 'b', source: 'model', target: 'view' }],
});

async function show(t, model) {
  const server = await startServer(workflow(model));
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/view/view`);
  await showsPictures(page);
  const set = async (data) => {
    const response = await fetch(`${server.url}/api/workflow-builder/people/nodes/model`, {
      method: 'PATCH', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ data }),
    });
    assert.equal(response.status, 200);
  };
  return { server, page, set };
}

/**
 * Of the picture that is shown, counted in the page: the share of pixels of the blue that people are
 * drawn in (the sign on the street is more of a green), of the violet of their right sides, and of nearly
 * black ones.
 */
function look(page) {
  return page.evaluate(() => {
    const surface = document.querySelector('overwatch-view').surface;
    const width = surface.videoWidth ?? surface.width, height = surface.videoHeight ?? surface.height;
    const context = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d');
    context.drawImage(surface, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    let blue = 0, violet = 0, dark = 0;
    for (let i = 0; i < data.length; i += 4) {
      const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
      blue += b > 150 && b - r > 90 && b - g > 30;
      violet += b > 130 && b - g > 60 && r - g > 15;
      dark += Math.max(r, g, b) < 56;
    }
    const all = width * height;
    return { blue: blue / all, violet: violet / all, dark: dark / all };
  });
}

/** The middle one of some pictures, a moment apart: people come and go. */
async function usualShare(page, color = 'blue') {
  const shares = [];
  for (let k = 0; k < 5; k += 1) {
    await nextPictures(page, 3);
    shares.push((await look(page))[color]);
  }
  return shares.sort((a, b) => a - b)[2];
}

/** The next detection_data of the model in which an object passes `wanted`. */
async function nextObject(server, wanted) {
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/ws`);
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'subscribe', topics: ['detection_data'], filters: { node_id: 'model' } }));
  const found = await new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('message', (text) => {
      const message = JSON.parse(text);
      const object = message.detections?.find(wanted);
      if (object) resolve({ object, message });
    });
  });
  socket.close();
  return found;
}

test('a pose is drawn by its mode and told with its points', options, async (t) => {
  const { server, page, set } = await show(t, { modelId: 'movenet-multipose', xrayMode: 'pose-skeleton' });
  await eventually('a skeleton', 30, async () => (await look(page)).violet > 0.001);
  const skeleton = await usualShare(page, 'violet');
  await set({ xrayMode: 'pose-keypoints' });
  await eventually('points without bones', 30, async () => (await usualShare(page, 'violet')) < 0.6 * skeleton);
  await set({ enableXRay: false });
  await eventually('a plain picture', 30, async () => (await usualShare(page, 'violet')) < 0.0002);

  const { object } = await nextObject(server, ({ confidence, keypoints }) => confidence > 0.4 && keypoints);
  assert.equal(object.class_name, 'person');
  assert.equal(object.keypoints.length, 17);
  const [x1, y1, x2, y2] = object.bbox;
  const seen = object.keypoints.filter(([, , score]) => score > 0.4);
  assert.ok(seen.length >= 6, `${seen.length} points are seen`);
  const around = 0.2 * (y2 - y1);
  for (const [x, y] of seen) assert.ok(x > x1 - around && x < x2 + around && y > y1 - around && y < y2 + around, `${x}, ${y} is far from ${object.bbox}`);
  // Whoever walks has the nose above the ankles.
  const [nose, ankle] = [object.keypoints[0], object.keypoints[15]];
  if (nose[2] > 0.4 && ankle[2] > 0.4) assert.ok(nose[1] < ankle[1]);
});

test('a mask is drawn by its mode and told in runs', options, async (t) => {
  const { server, page, set } = await show(t, { modelId: 'selfie', confidence: 0.8, xrayMode: 'masks-solid' });
  await eventually('a filled mask', 30, async () => (await look(page)).blue > 0.01);
  const solid = await usualShare(page);
  await set({ xrayMode: 'masks-contour' });
  await eventually('contours', 30, async () => {
    const share = await usualShare(page);
    return share > 0.0005 && share < 0.5 * solid;
  });
  await set({ xrayMode: 'masks', overlayAlpha: 0, showContours: false });
  await eventually('nothing', 30, async () => (await usualShare(page)) < 0.0002);
  await set({ xrayMode: 'masks-schematic', overlayAlpha: 1 });
  await eventually('masks on a dark ground', 30, async () => {
    const { blue, dark } = await look(page);
    return dark > 0.6 && blue > 0.01;
  });

  const { object, message } = await nextObject(server, ({ mask }) => mask);
  const { size: [height, width], counts } = object.mask;
  assert.equal(counts.reduce((sum, count) => sum + count, 0), width * height);
  const inside = counts.filter((_, k) => k % 2 === 1).reduce((sum, count) => sum + count, 0);
  assert.ok(inside > 0.2 * width * height && inside < width * height, `${inside} of ${width}x${height} cells`);
  assert.deepEqual([message.width, message.height], [640, 480]);
});
