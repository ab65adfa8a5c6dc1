// Boxes in the pixels: the default model on the sample footage, shown in Chromium.
// Runs alone: the model wants all cores, and boxes are compared with where things are.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually, root, startServer } from '../integ/server.mjs';
import { grabPicture, launch, openPage, playerState, showsPictures } from './browser.mjs';

const footage = join(root, '.cache/media/vtest.avi');

function workflow(model, boxTiming) {
  return {
    id: 'xray', name: 'X-RAY', nodes: [
      { id: 'video', type: 'videoInput', data: { videoPath: footage } },
      { id: 'model', type: 'model', data: { confidence: 0.4, fps: 10, ...model } },
      { id: 'view', type: 'videoPreviewWebRTC', data: { bitratePreset: 'high', boxTiming } },
    ],
    edges: [{ id: 'a', source: 'video', target: 'model' }, { id: 'b', source: 'model', target: 'view' }],
  };
}

// Pixels of a colour that the grey street hardly has: boxes and labels are strongly coloured.
function vividShare({ data }) {
  let vivid = 0;
  for (let i = 0; i < data.length; i += 4) {
    const high = Math.max(data[i], data[i + 1], data[i + 2]), low = Math.min(data[i], data[i + 1], data[i + 2]);
    vivid += high - low > 110;
  }
  return vivid / (data.length / 4);
}

const DRAWN = 0.01; // more than it has anywhere (0.0035), less than with boxes (0.03 and more)

async function show(t, model, boxTiming) {
  const server = await startServer(workflow(model, boxTiming));
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/view/view`);
  await showsPictures(page);
  return { server, page };
}

for (const boxTiming of ['predict', 'sync']) {
  test(`boxes are drawn (${boxTiming})`, { timeout: 120000, skip: !existsSync(footage) }, async (t) => {
    const { page, server } = await show(t, {}, boxTiming);
    await page.waitForFunction(() => document.querySelector('overwatch-view').stats.detections > 0, null, { timeout: 60000 });
    const share = await eventually('boxes in the picture', 30, async () => {
      const vivid = vividShare(await grabPicture(page));
      return vivid > DRAWN && vivid;
    });
    assert.ok(share < 0.2, `${share} of the picture is coloured`);
    const { stats } = await playerState(page);
    assert.ok(stats.detections >= 1 && stats.detections < 40, `${stats.detections} detections`);
    const { operations } = await (await fetch(`${server.url}/api/workflow-builder/performance`)).json();
    for (const name of ['model_inference', 'xray_visualization', 'h264_encoding', 'decode']) {
      assert.ok(operations[name].count > 0, `${name} was not measured`);
    }
  });
}

test('with X-RAY off the picture is plain', { timeout: 120000, skip: !existsSync(footage) }, async (t) => {
  const { page } = await show(t, { enableXRay: false }, 'predict');
  const share = vividShare(await grabPicture(page));
  assert.ok(share < DRAWN, `${share} of the picture is coloured`);
});

async function set(server, node, data) {
  const response = await fetch(`${server.url}/api/workflow-builder/xray/nodes/${node}`, {
    method: 'PATCH', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ data }),
  });
  return { status: response.status, body: await response.json() };
}

// Share of pixels of a part of the picture (x0, y0, x1, y1 in 0..1) that are as asked for.
function shareOf({ width, height, data }, [x0, y0, x1, y1], isWanted) {
  let wanted = 0, all = 0;
  for (let y = Math.floor(y0 * height); y < y1 * height; y++) {
    for (let x = Math.floor(x0 * width); x < x1 * width; x++, all++) {
      const at = 4 * (y * width + x);
      wanted += isWanted(data[at], data[at + 1], data[at + 2]);
    }
  }
  return wanted / all;
}

// Nearly black.
const darkShare = (picture, part) => shareOf(picture, part, (...colors) => Math.max(...colors) < 56);
const brightShare = (picture, part) => shareOf(picture, part, (red, green, blue) => red + green + blue > 450);

test('modes follow on the running picture', { timeout: 120000, skip: !existsSync(footage) }, async (t) => {
  const { page, server } = await show(t, {}, 'predict');
  const shows = (what, check) => eventually(what, 20, async () => check(await grabPicture(page, { scale: 0.25 })));
  const all = [0, 0, 1, 1], last = [0.5, 0.5, 1, 1], first = [0, 0, 0.5, 0.5];
  await shows('the street', (picture) => darkShare(picture, all) < 0.4);
  assert.equal((await set(server, 'model', { xrayMode: 'schematic' })).status, 200);
  await shows('a schematic', (picture) => darkShare(picture, all) > 0.8);
  assert.equal((await set(server, 'model', { xrayMode: 'quad' })).status, 200);
  await shows('four panels', (picture) => darkShare(picture, last) > 0.7 && darkShare(picture, first) < 0.4);
  assert.equal((await set(server, 'model', { xrayMode: 'both' })).status, 200);
  await shows('a heat map', (picture) => darkShare(picture, last) < 0.4 && vividShare(picture) > DRAWN);
  const refused = await set(server, 'model', { xrayMode: 'depth' });
  assert.equal(refused.status, 400);
  assert.match(refused.body.detail, /xrayMode.*heatmap/);
  const { views } = await (await fetch(`${server.url}/api/views`)).json();
  assert.equal(views[0].xray_mode, 'boxes+heatmap');
  assert.equal((await playerState(page)).state, 'connected');
});

// On the dark ground of the schematic, with nothing drawn of the objects.
test('zones and a legend are drawn when wanted', { timeout: 120000, skip: !existsSync(footage) }, async (t) => {
  const zoned = workflow({ xrayMode: 'schematic', showBoxes: false, showLabels: false, showConfidence: false, overlayAlpha: 0 }, 'predict');
  zoned.nodes[2].data.width = 384; // quick to hand over
  zoned.nodes.push({ id: 'zone', type: 'zone', data: { label: 'Forecourt', polygon: [[0.3, 0.4], [0.6, 0.4], [0.6, 0.7], [0.3, 0.7]], filterType: 'all' } });
  zoned.edges = [{ id: 'a', source: 'video', target: 'model' }, { id: 'b', source: 'model', target: 'zone' }, { id: 'c', source: 'zone', target: 'view' }];
  const server = await startServer(zoned);
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/healthz`);
  const outline = [0.29, 0.45, 0.31, 0.65], tag = [0.3, 0.33, 0.55, 0.4];
  const corners = [[0, 0, 0.25, 0.15], [0.75, 0, 1, 0.15], [0, 0.85, 0.25, 1], [0.75, 0.85, 1, 1]];
  const share = async (part) => brightShare(await grabPicture(page, { url: '/api/video/view/snapshot' }), part);
  const inCorners = async () => {
    const picture = await grabPicture(page, { url: '/api/video/view/snapshot' });
    return Math.max(...corners.map((part) => brightShare(picture, part)));
  };
  await eventually('the outline of the zone', 30, async () => (await share(outline)) > 0.08);
  await eventually('its tag', 10, async () => (await share(tag)) > 0.02);
  assert.ok((await inCorners()) < 0.005, 'nothing else is drawn');
  assert.equal((await set(server, 'model', { showLegend: true })).status, 200);
  await eventually('the legend', 30, async () => (await inCorners()) > 0.01);
  assert.equal((await set(server, 'model', { showZones: false, showLegend: false })).status, 200);
  await eventually('nothing', 10, async () => (await share(outline)) + (await share(tag)) + (await inCorners()) < 0.005);
});

test('a model that cannot be loaded leaves the picture running and says why', { timeout: 120000, skip: !existsSync(footage) }, async (t) => {
  const { server, page } = await show(t, { modelId: '/nowhere/none.onnx' }, 'sync');
  const views = await (await fetch(`${server.url}/api/views`)).json();
  assert.match(JSON.stringify(views), /none\.onnx/);
  assert.equal((await playerState(page)).state, 'connected');
});

test('a snapshot has boxes though nobody was watching', { timeout: 60000, skip: !existsSync(footage) }, async (t) => {
  const server = await startServer(workflow({}, 'predict'));
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/healthz`);
  const picture = await grabPicture(page, { url: '/api/video/view/snapshot' });
  assert.equal(picture.width, 768);
  assert.ok(vividShare(picture) > DRAWN, 'there are no boxes in the snapshot');
});

/**
 * Of pictures shown over the WebSocket, each with its record: where objects stood half a second to one
 * and a half before, away from all boxes of now, how many of `count` such places are of the blue of
 * people.
 */
const trailShare = (page, count) => page.evaluate((count) => new Promise((resolve) => {
  const player = document.querySelector('overwatch-view');
  const stood = new Map(); // track: [{ x, y, atUs }]
  let places = 0, hits = 0;
  const blue = (context, x, y) => {
    const { data } = context.getImageData(x - 2, y - 2, 5, 5);
    for (let i = 0; i < data.length; i += 4) if (data[i + 2] - data[i] > 70 && data[i + 1] - data[i] > 40) return true;
    return false;
  };
  player.addEventListener('frame', function shown() {
    const record = player.metadata, canvas = player.surface, { width, height } = canvas;
    if (record === null) return;
    const context = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d', { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    for (const { className, trackId, box } of record.objects) {
      if (className !== 'person' || trackId === null) continue;
      const now = { x: (box.x + box.width / 2) * width, y: (box.y + box.height) * height, atUs: record.captureUs };
      const before = stood.get(trackId) ?? [];
      for (const { x, y, atUs } of before) {
        const age = now.atUs - atUs;
        const away = record.objects.every(({ box: b }) => x < b.x * width - 8 || x > (b.x + b.width) * width + 8 || y < b.y * height - 8 || y > (b.y + b.height) * height + 8);
        if (age < 500_000 || age > 1_500_000 || !away || x < 3 || y < 3 || x > width - 3 || y > height - 3) continue;
        places++;
        hits += blue(context, Math.round(x), Math.round(y));
      }
      stood.set(trackId, [...before, now]);
    }
    if (places < count) return;
    player.removeEventListener('frame', shown);
    resolve(hits / places);
  });
}), count);

test('trails lie behind those who walk, when they are asked for', { timeout: 180000, skip: !existsSync(footage) }, async (t) => {
  const { page, server } = await show(t, { showTrails: true, showLabels: false, showConfidence: false }, 'sync');
  await page.getByRole('button', { name: 'WebSocket' }).click();
  await showsPictures(page, 'websocket');
  const trailed = await trailShare(page, 60);
  assert.equal((await set(server, 'model', { showTrails: false })).status, 200);
  const bare = await trailShare(page, 60);
  t.diagnostic(`of places where people stood ${(100 * trailed).toFixed(0)} % are coloured, without trails ${(100 * bare).toFixed(0)} %`);
  assert.ok(trailed > 0.6 && bare < 0.2, `${trailed}, ${bare}`);
});
