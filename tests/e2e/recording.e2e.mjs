// The button that records a view, in Chromium, and its recording played there: with the right length, from
// any place, and each picture of just the time that its line tells.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { client } from '../integ/api_client.mjs';
import { eventually, startServer, testPattern } from '../integ/server.mjs';
import { launch, openPage, showsPictures } from './browser.mjs';

async function serve(t) {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-recording-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const server = await startServer(testPattern({ width: 640, height: 360, objects: 4 }), ['--data-folder', folder]);
  t.after(server.stop);
  return { ...server, folder, call: client(server) };
}

const record = (page) => page.getByTestId('record');
const pressed = async (page) => (await record(page).getAttribute('aria-pressed')) === 'true';
const seconds = async (page) => {
  const [minutes, rest] = (await page.getByTestId('record-time').textContent()).split(':').map(Number);
  return 60 * minutes + rest;
};

/** Puts a video over the page, as `window.video`. */
function open(page, address) {
  return page.evaluate(async (src) => {
    window.video?.remove();
    window.video = Object.assign(document.createElement('video'), { src, muted: true, controls: true });
    window.video.style.cssText = 'position:fixed;inset:0;z-index:9;width:100%;height:100%';
    document.body.append(window.video);
    await new Promise((resolve, reject) => { window.video.onloadedmetadata = resolve; window.video.onerror = () => reject(new Error(window.video.error.message)); });
    const { duration, videoWidth, videoHeight } = window.video;
    return { duration, size: [videoWidth, videoHeight] };
  }, address);
}

/** Plays it from there until it has gone on for 1.5 s, or ends; resolves with how far it came. */
function play(page, from) {
  return page.evaluate(async (start) => {
    window.video.currentTime = start;
    await window.video.play();
    await new Promise((resolve) => { window.video.ontimeupdate = () => { if (window.video.currentTime > start + 1.5 || window.video.ended) resolve(); }; });
    window.video.pause();
    return window.video.currentTime;
  }, from);
}

/** Looks at the picture of each line in turn: by how much the clock in it differs from the time of the line, in ms. */
function readErrors(page, lines) {
  return page.evaluate(async (wanted) => {
    const { ClockCodeReader, clockCodeAgeUs } = await import('/clock-code.js');
    const reader = new ClockCodeReader(), errors = [];
    for (const { pts, time } of wanted) {
      const shown = new Promise((resolve) => { window.video.requestVideoFrameCallback(resolve); });
      window.video.currentTime = pts + 0.002;
      await shown;
      errors.push(clockCodeAgeUs(reader.read(window.video, window.video.videoHeight), Date.parse(time) * 1000) / 1000);
    }
    return errors;
  }, lines);
}

test('the button records what is seen, and what was recorded plays', { timeout: 120000 }, async (t) => {
  const server = await serve(t);
  const page = await openPage(await launch(t), `${server.url}/view/view`);
  await showsPictures(page);
  assert.equal(await record(page).getAttribute('aria-label'), 'Record (R)');
  assert.equal(await pressed(page), false);
  await record(page).click();
  assert.equal(await pressed(page), true);
  await eventually('it says for how long', 20, async () => (await seconds(page)) >= 3);
  assert.equal(await record(page).getAttribute('aria-label'), 'End the recording (R)');
  assert.equal(await record(page).getAttribute('data-state'), 'recording');

  // It plays while it grows.
  const [{ name }] = (await server.call('GET /api/recordings', 200)).recordings;
  const file = `/api/recordings/${name}.mp4`;
  await open(page, `${file}?growing`); // Chromium takes what it has of an address for a few minutes
  assert.ok((await play(page, 0)) > 1.4);
  await page.evaluate(() => window.video.remove());
  await eventually('there are some seconds', 30, async () => (await seconds(page)) >= 7);

  await page.keyboard.press('r');
  assert.equal(await pressed(page), false);
  const link = page.getByRole('link', { name: 'Save the video' });
  assert.equal(await link.getAttribute('href'), file);
  const recording = await eventually('it has ended', 20, async () => {
    const [found] = (await server.call('GET /api/recordings', 200)).recordings;
    return !found.recording && found;
  });
  await eventually('the button says so', 10, async () => (await record(page).getAttribute('data-state')) === 'off');
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  assert.equal(download.suggestedFilename(), `${name}.mp4`);
  assert.deepEqual(readFileSync(await download.path()), readFileSync(join(server.folder, 'recordings', `${name}.mp4`)));

  const { duration, size } = await open(page, file);
  assert.ok(Math.abs(duration - recording.seconds) < 0.05, `${duration} s of ${recording.seconds}`);
  assert.deepEqual(size, [640, 360]);
  for (const from of [0, 4.3]) assert.ok((await play(page, from)) > from + 1.4);
  // A line's time is written to a millisecond, and that is how well it fits to the clock in its picture.
  const text = readFileSync(join(server.folder, 'recordings', recording.lines), 'utf8');
  const pictures = text.trimEnd().split('\n').map((line) => JSON.parse(line)).filter(({ type }) => type === 'picture');
  const some = pictures.filter((_, i) => i % 17 === 3);
  assert.ok(some.length > 8);
  const errors = await readErrors(page, some);
  assert.ok(errors.every((ms) => Math.abs(ms) < 2), `the pictures are ${errors} ms off`);
  assert.deepEqual(page.failures, []);
});

test('the page of recordings shows one as it grows, plays it with what was seen, and deletes it', { timeout: 120000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-recording-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const node = (id, type, data) => ({ id, type, data });
  const server = await startServer({
    id: 'street', name: 'Street', edges: ['video', 'model', 'zone', 'square'].slice(1).map((target, i) => ({ id: target, source: ['video', 'model', 'zone'][i], target })),
    nodes: [node('video', 'videoInput', { videoPath: 'vtest.avi' }), node('model', 'model', { modelId: 'nanodet', confidence: 0.4, customColors: { person: '#00ff00' } }),
      node('zone', 'zone', { zoneType: 'rectangle', polygon: [[0.1, 0.1], [0.9, 0.9]], filterType: 'all' }),
      node('square', 'videoPreviewWebRTC', { label: 'The square', layout: 'clean' })],
  }, ['--data-folder', folder]);
  t.after(server.stop);
  const call = client(server), ask = (recording) => call('PUT /api/views/{node_id}/recording', 200, { params: { node_id: 'square' }, body: { recording } });
  const page = await openPage(await launch(t), `${server.url}/recordings`);
  await page.getByText('Nothing has been recorded yet').waitFor();
  await ask(true);
  const card = page.getByTestId('recording'), length = card.locator('.length');
  await page.locator('[data-testid=recording][data-live=true]').waitFor();
  const first = await length.textContent();
  await eventually('it grows', 20, async () => (await length.textContent()) > first && (await length.textContent()) >= '0:02');
  await eventually('somebody is seen', 30, async () => (await call('GET /api/views', 200)).views[0].detections_count > 0);
  await ask(false);
  await page.locator('[data-testid=recording][data-live=false]').waitFor();
  assert.match(await card.textContent(), /The square.*By hand/);
  await page.locator('[data-testid=recording] canvas[data-drawn=true]').waitFor();
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Wall' }).waitFor();

  // With the keyboard.
  await card.getByRole('button', { name: /^Play The square, Today/ }).press('Enter');
  await page.waitForFunction(() => document.querySelector('video').currentTime > 0.5 && document.querySelector('.stage').dataset.objects > 0);
  /* How much is painted; in the colour that was chosen for people; in that of the zone's outline. */
  const painted = () => page.evaluate(() => {
    const { width, height } = document.querySelector('.overlay');
    const { data } = document.querySelector('.overlay').getContext('2d').getImageData(0, 0, width, height);
    const count = (is) => data.reduce((sum, _, i) => sum + (i % 4 === 0 && is(data[i], data[i + 1], data[i + 2], data[i + 3]) ? 1 : 0), 0);
    return {
      all: count((_r, _g, _b, a) => a > 0), chosen: count((r, g, b, a) => a === 255 && r === 0 && g === 255 && b === 0),
      zone: count((r, g, b, a) => a > 200 && r > 220 && Math.abs(g - 0.82 * r) < 12 && Math.abs(b - 0.4 * r) < 12),
    };
  });
  const drawn = await painted();
  assert.ok(drawn.all > 0 && drawn.chosen > 50 && drawn.zone > 50, JSON.stringify(drawn));
  await page.keyboard.press('b');
  assert.equal((await painted()).all, 0, 'boxes can be switched off');
  await page.keyboard.press('Escape');
  await page.getByTestId('player').waitFor({ state: 'hidden' });
  await page.waitForFunction(() => location.hash === '');
  assert.match(await page.evaluate(() => document.activeElement.textContent), /^Play The square/);

  const [recording] = (await call('GET /api/recordings', 200)).recordings;
  const [download] = await Promise.all([page.waitForEvent('download'), card.getByRole('link', { name: 'Save the video' }).click()]);
  assert.equal(download.suggestedFilename(), recording.video);
  const answers = ['dismiss', 'accept'];
  page.on('dialog', (dialog) => dialog[answers.shift()]());
  await card.getByTestId('delete').click();
  assert.equal(await card.count(), 1, 'it stays when that is not confirmed');
  await card.getByTestId('delete').click();
  await page.getByText('Nothing has been recorded yet').waitFor();
  assert.equal((await call('GET /api/recordings', 200)).total, 0);
  assert.deepEqual(page.failures, []);
});

test('two pages show the same recording', { timeout: 120000 }, async (t) => {
  const server = await serve(t);
  const browser = await launch(t);
  const one = await openPage(browser, `${server.url}/view/view`), other = await openPage(browser, `${server.url}/view/view?transport=websocket`);
  await Promise.all([showsPictures(one), showsPictures(other, 'websocket')]);
  await record(one).click();
  await eventually('the other shows it', 15, () => pressed(other));
  await eventually('the other counts', 15, async () => (await seconds(other)) >= 1);
  await record(other).click();
  await eventually('the first shows it', 15, async () => !(await pressed(one)));
});

test('where nothing is kept the button says why', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/view/view`);
  await showsPictures(page);
  await record(page).click();
  await page.getByText('Nothing is recorded here').waitFor();
  assert.equal(await pressed(page), false);
});
