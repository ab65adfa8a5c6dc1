// Records beside the video in Chromium: each is of the very picture that it is given for.
// Runs alone: it looks at every picture that is shown.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startServer, testPattern } from '../integ/server.mjs';
import { launch, openPage, showsPictures } from './browser.mjs';
import { openInLab, skipFar } from './lab.mjs';

const SECONDS = Number(process.env.OVERWATCH_METADATA_SECONDS ?? 6);

// Watches for a while: of each picture shown the clock that is drawn in it and, by its RTP timestamp,
// its record. On a busy machine the next picture may be on the screen before this one is read, so that
// it is asked which one it read: those are left out, and counted.
const watch = (page, seconds) => page.evaluate(async (seconds) => {
  const { ClockCodeReader } = await import('/clock-code.js');
  const player = document.querySelector('overwatch-view');
  const reader = new ClockCodeReader();
  const pictures = [];
  let late = 0, moved = 0;
  let last = null; // the picture on the screen
  player.addEventListener('metadata', ({ detail }) => {
    if (detail !== player.metadata) throw new Error('the property is not what the event said');
    if (last !== null && last.record === null && last.rtp === detail.rtpTimestamp) {
      last.record = detail;
      late++;
    }
  });
  // Who listens is sent each picture's record, from some pictures later on.
  for (let known = 0; known < 10; known++) await new Promise((resolve) => player.addEventListener('metadata', resolve, { once: true }));
  const video = player.surface;
  await new Promise((resolve) => {
    const end = performance.now() + seconds * 1000;
    const shown = (_now, { rtpTimestamp }) => {
      if (performance.now() > end) { // the record of the one before had until now to come
        resolve();
        return;
      }
      const record = player.metadata?.rtpTimestamp === rtpTimestamp ? player.metadata : null;
      const picture = new VideoFrame(video);
      last = { rtp: rtpTimestamp, clock: reader.read(picture, video.videoHeight), record };
      if (picture.metadata().rtpTimestamp === rtpTimestamp) pictures.push(last);
      else moved++;
      picture.close();
      video.requestVideoFrameCallback(shown);
    };
    video.requestVideoFrameCallback(shown);
  });
  return { late, moved, pictures };
}, seconds);

// The wall clock drawn and the capture time recorded differ by the same for every picture.
function compare(pictures) {
  const known = pictures.filter(({ clock, record }) => clock !== null && record !== null);
  const offsets = known.map(({ clock, record }) => clock - record.captureUs);
  const usual = [...offsets].sort((a, b) => a - b)[offsets.length >> 1];
  return { compared: known.length, mismatches: offsets.filter((offset) => Math.abs(offset - usual) > 5000).length };
}

test('the record of each picture is of that picture', { timeout: 60000 + 1000 * SECONDS }, async (t) => {
  const workflow = testPattern({ width: 640, height: 360, fps: 60 });
  workflow.nodes[1].data.maxFps = 60;
  const server = await startServer(workflow);
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/view/view`);
  await showsPictures(page, 'webrtc');
  const { late, moved, pictures } = await watch(page, SECONDS);
  const missing = pictures.filter(({ record }) => record === null).length;
  const { compared, mismatches } = compare(pictures);
  t.diagnostic(`${pictures.length} pictures, ${compared} compared, ${mismatches} mismatches, ${missing} without a record, ${late} records after their picture, ${moved} not read in time`);
  assert.ok(compared > 10 * SECONDS, `${compared} of ${pictures.length} pictures compared`);
  assert.equal(mismatches, 0);
  assert.equal(missing, 0);
  const { connections: [connection] } = await (await fetch(`${server.url}/api/webrtc/stats`)).json();
  assert.equal(connection.data_channel, true);
  assert.ok(connection.records_sent >= compared && connection.records_dropped === 0);
  assert.deepEqual(page.failures, []);
});

test('what is lost on the way is missing, and never that of another picture', { skip: skipFar, timeout: 60000 + 1000 * SECONDS }, async (t) => {
  const { lab, page } = await openInLab(t, testPattern({ width: 640, height: 360 }), 'view', { rttMs: 40, capacityBps: 8e6, queueMs: 300 });
  await page.waitForFunction(() => document.querySelector('overwatch-view').metadata !== null);
  lab.setLoss(5);
  const { late, pictures } = await watch(page, SECONDS);
  const missing = pictures.filter(({ record }) => record === null).length;
  const { compared, mismatches } = compare(pictures);
  t.diagnostic(`${pictures.length} pictures, ${compared} compared, ${mismatches} mismatches, ${missing} without a record, ${late} records after their picture`);
  assert.ok(compared > 10 * SECONDS, `${compared} of ${pictures.length} pictures compared`);
  assert.equal(mismatches, 0);
  assert.deepEqual(page.failures, []);
});

test('each viewer is told under its own timestamps', { timeout: 90000 }, async (t) => {
  const server = await startServer(testPattern({ width: 640, height: 360 }), ['--media-threads', '3']);
  t.after(server.stop);
  const browser = await launch(t);
  const pages = [];
  for (let i = 0; i < 3; i++) pages.push(await openPage(browser, `${server.url}/view/view`));
  for (const page of pages) await showsPictures(page, 'webrtc');
  for (const { pictures } of await Promise.all(pages.map((page) => watch(page, 3)))) {
    const { compared, mismatches } = compare(pictures);
    assert.ok(compared > 20 && mismatches === 0, `${mismatches} mismatches in ${compared}`);
  }
});

// Of each picture that is painted the clock that is drawn in it and its record, in the same moment.
const watchPainted = (page, count) => page.evaluate(async (count) => {
  const { ClockCodeReader } = await import('/clock-code.js');
  const player = document.querySelector('overwatch-view');
  const reader = new ClockCodeReader();
  const pictures = [];
  await new Promise((resolve) => player.addEventListener('frame', function shown() {
    const { surface } = player;
    pictures.push({ clock: reader.read(surface, surface.height), record: player.metadata });
    if (pictures.length < count) return;
    player.removeEventListener('frame', shown);
    resolve();
  }));
  return pictures;
}, count);

test('over the WebSocket, too', { timeout: 90000 }, async (t) => {
  const workflow = testPattern({ width: 640, height: 360, fps: 60 });
  workflow.nodes[1].data.maxFps = 60;
  const server = await startServer(workflow);
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/view/view`);
  await showsPictures(page, 'webrtc');
  await page.waitForFunction(() => document.querySelector('overwatch-view').metadata !== null);
  await page.evaluate(() => { document.querySelector('overwatch-view').transport = 'websocket'; });
  await showsPictures(page, 'websocket');
  const pictures = await watchPainted(page, 120);
  const { compared, mismatches } = compare(pictures);
  t.diagnostic(`${pictures.length} pictures, ${compared} compared, ${mismatches} mismatches`);
  assert.equal(compared, pictures.length, 'each has a clock and a record');
  assert.equal(mismatches, 0);
  assert.deepEqual(page.failures, []);
});
