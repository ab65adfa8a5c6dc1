// The client overlay: boxes that the page draws over a clean picture, from the record of that picture.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually } from '../integ/server.mjs';
import { openDemo as open } from './demo.mjs';

// How many pixels the overlay covers; and whether they lie on the sides of the boxes it is to show.
const drawn = (page) => page.evaluate(() => {
  const player = document.querySelector('overwatch-view');
  const canvas = player.shadowRoot.querySelector('.overlay');
  const context = canvas.getContext('2d');
  const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
  let covered = 0;
  for (let i = 3; i < data.length; i += 4) covered += data[i] > 0 ? 1 : 0;
  const record = player.metadata;
  if (record === null || record.objects.length === 0) return null; // a busy model says nothing for a while
  const scale = Math.min(width / record.width, height / record.height);
  const left = (width - record.width * scale) / 2, top = (height - record.height * scale) / 2;
  const sides = record.objects.filter(({ box }) => box.width > 0 && box.height > 0).map(({ box }) => {
    const x = Math.round(left + (box.x + box.width / 2) * record.width * scale);
    const y = Math.round(top + (box.y + box.height) * record.height * scale);
    return [-1, 0, 1].some((dy) => (data[4 * ((y + dy) * width + x) + 3] ?? 0) > 0 || y >= height - 1);
  });
  return { covered, sides };
});

for (const transport of ['webrtc', 'websocket']) {
  test(`boxes are drawn over a clean picture where the record has them (${transport})`, { timeout: 90000 }, async (t) => {
    const page = await open(t, 'clean', {}, 3, transport);
    let looked = 0;
    await eventually('ten pictures with objects', 20, async () => {
      const now = await drawn(page);
      if (now === null) return false;
      assert.ok(now.covered > 0);
      assert.ok(now.sides.every(Boolean), `${now.sides}`);
      return ++looked === 10;
    });
    assert.equal(await page.evaluate(() => document.querySelector('overwatch-view').metadata?.clean ?? true), true);
    assert.deepEqual(page.failures, []);
  });
}

/** Everything that the page says to the server from now on, but the clock's questions. */
async function listen(page) {
  const session = await page.context().newCDPSession(page);
  const said = [];
  await session.send('Network.enable');
  session.on('Network.requestWillBeSent', ({ request }) => said.push(request.url));
  session.on('Network.webSocketFrameSent', ({ response }) => said.push(response.payloadData));
  return () => said.filter((text) => !text.includes('"type":"ping"'));
}

const overlayIs = (page, empty) => page.waitForFunction((empty) => {
  const canvas = document.querySelector('overwatch-view').shadowRoot.querySelector('.overlay');
  return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.every((value) => value === 0) === empty;
}, empty);
const setAttribute = (page, name, value) => page.evaluate(([name, value]) => document.querySelector('overwatch-view').setAttribute(name, value), [name, value]);
const patchModel = async (page, data) => assert.equal(await page.evaluate(async (data) => (await fetch('/api/workflow-builder/demo/nodes/detector', {
  method: 'PATCH', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ data }),
})).status, data), 200);

test('it is filtered in the page, and can be switched off', { timeout: 90000 }, async (t) => {
  const page = await open(t, 'clean');
  const said = await listen(page);
  const set = (name, value) => setAttribute(page, name, value);
  const empty = () => overlayIs(page, true);
  const shown = () => overlayIs(page, false);
  await set('overlay-classes', 'giraffe');
  await empty();
  await set('overlay-classes', '');
  await set('overlay-confidence', '1.1');
  await empty();
  await set('overlay-confidence', '0');
  await shown();
  await set('overlay', 'off');
  await empty();
  await set('overlay', 'on');
  await shown();
  assert.deepEqual(said(), [], 'the server does not notice');
});

test('what the user of the workflow wants drawn is drawn here, too, unless the viewer chooses otherwise', { timeout: 90000 }, async (t) => {
  const page = await open(t, 'clean', { showBoxes: false });
  const isOnSides = async () => {
    const now = await drawn(page);
    return now === null ? null : now.sides.filter(Boolean).length / now.sides.length;
  };
  await overlayIs(page, false); // the labels
  await eventually('no boxes', 20, async () => (await isOnSides() ?? 1) < 0.5);
  await patchModel(page, { showLabels: false, showConfidence: false, showTrackIds: false });
  await overlayIs(page, true);
  await setAttribute(page, 'overlay-parts', 'boxes');
  await eventually('boxes', 20, async () => await isOnSides() === 1);
  await patchModel(page, { minConfidenceViz: 1 });
  await overlayIs(page, true);
  assert.ok(await page.evaluate(() => document.querySelector('overwatch-view').metadata.look.confidence) === 1);
  await setAttribute(page, 'overlay-confidence', '0');
  await overlayIs(page, false);
  assert.deepEqual(page.failures, []);
});

test('what is under the pointer shows its values, and a click tells it', { timeout: 90000 }, async (t) => {
  const page = await open(t, 'clean');
  // Objects walk: the pointer is put on one until its card is there.
  let card = '';
  for (let i = 0; i < 40 && card === ''; i++) {
    const at = await page.evaluate(() => {
      const player = document.querySelector('overwatch-view');
      const bounds = player.getBoundingClientRect(), record = player.metadata;
      if (record === null) return null;
      const scale = Math.min(bounds.width / record.width, bounds.height / record.height);
      const { box } = record.objects.reduce((a, b) => (a.box.width * a.box.height > b.box.width * b.box.height ? a : b));
      return {
        x: bounds.x + bounds.width / 2 + (box.x + box.width / 2 - 0.5) * record.width * scale,
        y: bounds.y + bounds.height / 2 + (box.y + box.height / 2 - 0.5) * record.height * scale,
      };
    });
    if (at === null) continue;
    await page.evaluate(() => document.querySelector('overwatch-view').addEventListener('objectclick', ({ detail }) => { window.clicked = detail; }, { once: true }));
    await page.mouse.move(at.x, at.y);
    await page.mouse.click(at.x, at.y);
    card = await page.evaluate(() => {
      const element = document.querySelector('overwatch-view').shadowRoot.querySelector('.card');
      return element.hidden ? '' : element.textContent;
    });
  }
  assert.match(card, /confidence \d+ %\n\d+ × \d+ at \d+, \d+/);
  const clicked = await page.evaluate(() => window.clicked);
  assert.ok(clicked.confidence > 0 && clicked.className !== '');
});

test('it does not draw over what is drawn already', { timeout: 90000 }, async (t) => {
  const page = await open(t, 'xray');
  const now = await drawn(page);
  assert.equal(now?.covered ?? 0, 0);
});

// How many pixels of the overlay have nearly this colour.
const coloured = (page, colour) => page.evaluate((colour) => {
  const canvas = document.querySelector('overwatch-view').shadowRoot.querySelector('.overlay');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) count += data[i + 3] > 200 && colour.every((channel, k) => Math.abs(channel - data[i + k]) < 25) ? 1 : 0;
  return count;
}, colour);
const coloursShow = async (page, colour, wanted) => {
  for (let tries = 0; tries < 100; tries++) if (await coloured(page, colour) > 50 === wanted) return;
  assert.fail(`${await coloured(page, colour)} pixels of ${colour}`);
};

test('zones and the colours of the user are drawn in the page as on the server', { timeout: 90000 }, async (t) => {
  const zone = { label: 'Square', zoneType: 'rectangle', polygon: [[0.2, 0.3], [0.9, 0.95]], filterType: 'all' };
  const page = await open(t, 'clean', { customColors: { person: '#00ff66' } }, 3, 'webrtc', zone);
  await page.waitForFunction(() => (document.querySelector('overwatch-view').metadata?.zones[0]?.inside ?? 0) > 0);
  const yellow = [0xff, 0xd1, 0x66], green = [0, 0xff, 0x66];
  await coloursShow(page, yellow, true);
  await coloursShow(page, green, true);
  await page.evaluate(() => document.querySelector('overwatch-view').setAttribute('overlay-classes', 'giraffe'));
  await coloursShow(page, green, false);
  await coloursShow(page, yellow, true);
  await patchModel(page, { showZones: false });
  await coloursShow(page, yellow, false);
  assert.deepEqual(page.failures, []);
});

// Of an object with a shape, how much of its box the overlay covers.
const covered = (page, what) => page.waitForFunction((what) => {
  const player = document.querySelector('overwatch-view');
  const canvas = player.shadowRoot.querySelector('.overlay');
  const record = player.metadata;
  const object = record?.objects.find((one) => (what === 'mask' ? one.mask !== null : one.keyPoints.length > 0));
  if (!object) return null;
  const scale = Math.min(canvas.width / record.width, canvas.height / record.height);
  const width = record.width * scale, height = record.height * scale;
  const { x, y, width: w, height: h } = object.box;
  const part = [(canvas.width - width) / 2 + x * width + 4, (canvas.height - height) / 2 + y * height + 4, w * width - 8, h * height - 8].map(Math.round);
  if (part[2] < 8 || part[3] < 8) return null;
  const { data } = canvas.getContext('2d').getImageData(...part);
  let count = 0;
  for (let i = 3; i < data.length; i += 4) count += data[i] > 0 ? 1 : 0;
  return { part: count / (data.length / 4), points: object.keyPoints.length };
}, what, { timeout: 30000 }).then((handle) => handle.jsonValue());

test('poses are drawn in the page', { timeout: 90000 }, async (t) => {
  const page = await open(t, 'clean', { modelId: 'movenet-multipose', confidence: 0.2 }, 1);
  const { part, points } = await covered(page, 'pose');
  assert.equal(points, 17);
  assert.ok(part > 0.01, `${part} of the box is covered`);
});

test('masks are drawn in the page', { timeout: 90000 }, async (t) => {
  const page = await open(t, 'clean', { modelId: 'selfie', confidence: 0.4 }, 1);
  const { part } = await covered(page, 'mask');
  assert.ok(part > 0.1, `${part} of the box is covered`);
});
