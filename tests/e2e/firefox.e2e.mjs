// Real Firefox. Debian's has no H.264 over WebRTC until it has downloaded a decoder, which it cannot
// here: so it is the browser that proves VP8, and without VP8 the fall-back to the WebSocket.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { ownAddress } from '../integ/clock_code.mjs';
import { startServer, testPattern } from '../integ/server.mjs';
import { playerState, readClocks, showsPictures } from './browser.mjs';

const puppeteer = createRequire(new URL('../package.json', import.meta.url))('puppeteer-core');

// Firefox makes no WebRTC connections over loopback.
const address = ownAddress();
const skip = address ? false : 'this machine has no address but loopback';

/** The view page in a Firefox that ends with the test; `init` runs before the page's own scripts. */
async function open(t, { options = [], init, reachable = true } = {}) {
  const server = await startServer(testPattern(), [...(reachable ? ['--public-address', address] : []), ...options]);
  t.after(server.stop);
  const browser = await puppeteer.launch({
    browser: 'firefox', headless: true, executablePath: process.env.OVERWATCH_FIREFOX ?? '/usr/bin/firefox-esr',
  });
  t.after(() => browser.close());
  const page = await browser.newPage();
  // browser.mjs asks as Playwright wants it.
  const wait = page.waitForFunction.bind(page);
  page.waitForFunction = (question, argument, settings) => wait(question, settings ?? {}, argument);
  if (init) await page.evaluateOnNewDocument(init);
  await page.goto(`${server.url}/view/view`);
  return { server, page };
}

const young = (clocks) => {
  const ages = clocks.map(({ age }) => age).sort((a, b) => a - b);
  assert.ok(ages[0] > 0 && ages[ages.length >> 1] < 500, `ages ${ages.join(' ')} ms`);
};

test('Firefox shows the picture by VP8', { timeout: 90000, skip }, async (t) => {
  const { server, page } = await open(t);
  await showsPictures(page, 'webrtc');
  const clocks = await readClocks(page, 30);
  assert.ok(clocks.every(({ transport }) => transport === 'webrtc'));
  young(clocks);
  const { stats } = await playerState(page);
  assert.deepEqual([stats.width, stats.height], [960, 540]);
  assert.ok(stats.fps > 8, `${stats.fps} fps`);
  const { connections } = await (await fetch(`${server.url}/api/webrtc/stats`)).json();
  assert.match(connections[0].encoder, /libvpx/);
});

// What Firefox offers when a policy or a build takes VP8 from it; the page is asked to do without.
function withoutVp8() {
  const real = RTCRtpReceiver.getCapabilities;
  RTCRtpReceiver.getCapabilities = function (kind) {
    const all = real.call(this, kind);
    return all && { ...all, codecs: all.codecs.filter(({ mimeType }) => !/vp8|h264/i.test(mimeType)) };
  };
}

test('Firefox without VP8 is shown the picture by the WebSocket, with the reason', { timeout: 90000, skip }, async (t) => {
  const { page } = await open(t, { init: withoutVp8 });
  await showsPictures(page, 'websocket');
  const clocks = await readClocks(page, 20);
  assert.ok(clocks.every(({ transport }) => transport === 'websocket'));
  young(clocks);
  const { reason } = await playerState(page);
  assert.match(reason, /H\.264/);
  assert.match(reason, /VP8/);
});

test('a server told to send H.264 only refuses Firefox with the reason', { timeout: 90000, skip }, async (t) => {
  const { server, page } = await open(t, { options: ['--codec', 'h264'] });
  await showsPictures(page, 'websocket');
  young(await readClocks(page, 20));
  const { reason } = await playerState(page);
  assert.match(reason, /H\.264/);
  assert.match(server.log(), /WebRTC offer refused: .*H\.264/);
});

test('over loopback alone Firefox has the WebSocket view, and the page says why', { timeout: 90000 }, async (t) => {
  const { page } = await open(t, { reachable: false });
  await showsPictures(page, 'websocket');
  await page.waitForFunction(() => /loopback only, by which Firefox .*--public-address/.test(document.querySelector('overwatch-view')?.reason ?? ''), {}, { timeout: 60000 });
});
