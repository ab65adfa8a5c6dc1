// Settings of a view that is watched: its layout and its rates change, and nobody is cut off.
// Runs alone: it measures how soon changes are seen.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually, startServer, testPattern } from '../integ/server.mjs';
import { grabPicture, launch, openPage, showsPictures } from './browser.mjs';

async function serve(t, settings = {}) {
  const server = await startServer(testPattern({ width: 480, height: 270, ...settings }));
  t.after(server.stop);
  return server;
}

async function set(server, node, data) {
  const response = await fetch(`${server.url}/api/workflow-builder/test/nodes/${node}`, {
    method: 'PATCH', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ data }),
  });
  const body = await response.json();
  assert.equal(response.status, 200, JSON.stringify(body));
  assert.equal(body.change, 'updated');
}

const connections = async (server) => (await (await fetch(`${server.url}/api/webrtc/stats`)).json()).connections;

/** Resolves with how long it took until the page shows this size. */
async function showsSize(page, width, height, seconds = 10) {
  const begun = performance.now();
  await page.waitForFunction(([w, h]) => {
    const surface = document.querySelector('overwatch-view').surface;
    return (surface.videoWidth ?? surface.width) === w && (surface.videoHeight ?? surface.height) === h;
  }, [width, height], { timeout: seconds * 1000, polling: 'raf' });
  return performance.now() - begun;
}

/** Mean difference of luma between the halves of a picture. */
function difference({ width, height, data }) {
  let sum = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width / 2; x++) {
      const left = 4 * (y * width + x), right = left + 2 * width;
      sum += Math.abs(data[left + 1] - data[right + 1]);
    }
  }
  return sum / (height * width / 2);
}

for (const transport of ['webrtc', 'websocket']) {
  test(`the layout follows on the same connection (${transport})`, { timeout: 90000 }, async (t) => {
    const server = await serve(t);
    await set(server, 'view', { bitratePreset: 'high' });
    const page = await openPage(await launch(t), `${server.url}/view/view`);
    await showsPictures(page, 'webrtc');
    if (transport === 'websocket') {
      await page.getByRole('button', { name: 'WebSocket' }).click();
      await showsPictures(page, 'websocket');
    }
    await showsSize(page, 480, 270);
    const before = (await connections(server)).map((connection) => connection.connected_s);
    await set(server, 'view', { layout: 'side-by-side' });
    const took = await showsSize(page, 960, 270);
    t.diagnostic(`side by side after ${took.toFixed(0)} ms`);
    // The same frame twice: the picture moves, and its halves agree, up to what the codec leaves.
    const grabbed = await eventually('a picture of that size', 10, async () => {
      const picture = await grabPicture(page);
      return picture.width === 960 && picture;
    });
    assert.ok(difference(grabbed) < 4, `the halves differ by ${difference(grabbed)}`);
    await set(server, 'view', { layout: 'original' });
    await showsSize(page, 480, 270);
    await showsPictures(page, transport);
    const after = await connections(server);
    assert.equal(after.length, transport === 'webrtc' ? 1 : 0);
    if (transport === 'webrtc') assert.ok(after[0].connected_s > before[0], 'it was connected anew');
    assert.deepEqual(page.failures, []);
  });
}

test('a snapshot has the layout', { timeout: 60000 }, async (t) => {
  const server = await serve(t);
  await set(server, 'view', { layout: 'side-by-side', width: 240 });
  const page = await openPage(await launch(t), `${server.url}/healthz`);
  const size = await page.evaluate(async () => {
    const bitmap = await createImageBitmap(await (await fetch('/api/video/view/snapshot')).blob());
    return [bitmap.width, bitmap.height];
  });
  assert.deepEqual(size, [480, 136]);
});

test('the bitrate follows on the same connection', { timeout: 90000 }, async (t) => {
  const server = await serve(t, { width: 960, height: 540, objects: 12 });
  await set(server, 'view', { bitratePreset: 'low' });
  const page = await openPage(await launch(t), `${server.url}/view/view`);
  await showsPictures(page, 'webrtc');
  const target = async () => (await connections(server))[0].target_bps;
  const [{ connected_s: before }] = await connections(server);
  await eventually('the low target', 10, async () => (await target()) <= 200000);
  await set(server, 'view', { bitratePreset: 'high' });
  await eventually('a higher target', 20, async () => (await target()) > 600000);
  await set(server, 'view', { bitratePreset: 'custom', minBitrate: 50, startBitrate: 150, maxBitrate: 300 });
  await eventually('the custom target', 2, async () => (await target()) <= 300000);
  const all = await connections(server);
  assert.equal(all.length, 1);
  assert.ok(all[0].connected_s > before, 'it was connected anew');
  await showsPictures(page, 'webrtc');
  assert.deepEqual(page.failures, []);
});
