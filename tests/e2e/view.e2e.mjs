// The view page in Chromium: pictures move, pixels are right, it recovers from what goes wrong.
// Runs alone: it measures how old pictures are.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { eventually, startServer, testPattern, testPatterns } from '../integ/server.mjs';
import { launch, openPage, playerState, readClocks, showsPictures } from './browser.mjs';

async function serve(t, workflow = testPattern(), extra = []) {
  const server = await startServer(workflow, extra);
  t.after(server.stop);
  return server;
}

const viewers = async (server) => (await (await fetch(`${server.url}/api/webrtc/stats`)).json()).active_connections;

test('WebRTC shows the clock, young and running', { timeout: 90000 }, async (t) => {
  const server = await serve(t);
  const page = await openPage(await launch(t), `${server.url}/view/view`);
  await showsPictures(page, 'webrtc');
  const clocks = await readClocks(page, 60);
  const ages = clocks.map((clock) => clock.age).sort((a, b) => a - b);
  t.diagnostic(`age of shown pictures: median ${ages[30].toFixed(1)} ms`);
  assert.ok(ages[0] > 0 && ages[30] < 200, `ages ${ages[0]}…${ages[59]} ms`);

  // What the page says of itself agrees with what is in the picture.
  await page.waitForFunction(() => document.querySelector('overwatch-view').stats.latency.p50 > 0);
  const { stats, state } = await playerState(page);
  assert.equal(state, 'connected');
  assert.ok(Math.abs(stats.latency.p50 - ages[30]) < 25, `${stats.latency.p50} ms said, ${ages[30]} ms read`);
  assert.equal(stats.width, 960);
  assert.ok(stats.fps > 10, `${stats.fps} fps`);

  for (const line of ['✅ WebRTC connection established for view', '✅ WebRTC track received',
    'WebRTC connection state: connected']) {
    assert.ok(page.lines.includes(line), `console lacks "${line}": ${page.lines.join(' | ')}`);
  }
  for (const line of ['📡 Received WebRTC offer from node view', '✅ Created WebRTC answer for view',
    'WebRTC ICE state: connected', 'WebRTC connection state: connected', '🎥 Updated WebRTC stream for view']) {
    assert.ok(server.log().includes(line), `log lacks "${line}"`);
  }
  assert.deepEqual(page.failures, []);
});

test('the WebSocket view shows the clock too, and can be chosen', { timeout: 90000 }, async (t) => {
  const server = await serve(t);
  const page = await openPage(await launch(t), `${server.url}/view/view`);
  await showsPictures(page, 'webrtc');
  await page.getByRole('button', { name: 'WebSocket' }).click();
  await showsPictures(page, 'websocket');
  const clocks = await readClocks(page, 30);
  assert.ok(clocks.every(({ age, transport }) => transport === 'websocket' && age > 0 && age < 500));
  await eventually('the WebRTC session is closed', 10, async () => (await viewers(server)) === 0);
  await page.getByRole('button', { name: 'WebRTC', exact: true }).click();
  await showsPictures(page, 'webrtc');
});

test('two viewers share one encoding; one that leaves does not disturb the other', { timeout: 120000 }, async (t) => {
  const server = await serve(t);
  const browser = await launch(t);
  const first = await openPage(browser, `${server.url}/view/view`);
  await showsPictures(first, 'webrtc');
  const second = await openPage(browser, `${server.url}/view/view`);
  await showsPictures(second, 'webrtc');
  assert.equal(await viewers(server), 2);
  const both = await Promise.all([readClocks(first, 20), readClocks(second, 20)]);
  assert.ok(both.flat().every(({ age }) => age < 500));
  await second.close();
  await eventually('the second viewer is gone', 10, async () => (await viewers(server)) === 1);
  assert.equal((await readClocks(first, 20)).length, 20);
  await first.reload();
  await showsPictures(first, 'webrtc');
  await eventually('a reload leaves no session behind', 10, async () => (await viewers(server)) === 1);
});

test('a server that is restarted is found again', { timeout: 120000 }, async (t) => {
  const server = await startServer(testPattern());
  const port = new URL(server.url).port;
  const page = await openPage(await launch(t), `${server.url}/view/view`);
  await showsPictures(page, 'webrtc');
  await server.stop();
  await page.waitForFunction(() => document.querySelector('overwatch-view').state !== 'connected');
  const { reason } = await playerState(page);
  assert.ok(reason.length > 5, 'the page says why');
  await serve(t, testPattern(), ['--port', port]);
  await showsPictures(page, 'webrtc', 30);
  assert.equal((await readClocks(page, 10)).length, 10);
});

test('WebRTC returns by itself when it works again', { timeout: 120000 }, async (t) => {
  const server = await serve(t);
  // Until told otherwise no answer of the server is taken, as if a firewall ate the packets.
  const init = () => {
    window.blocked = true;
    const set = RTCPeerConnection.prototype.setRemoteDescription;
    RTCPeerConnection.prototype.setRemoteDescription = function (answer) {
      const dead = window.blocked && { type: 'answer', sdp: answer.sdp.replace(/a=candidate.*\r\n/g, '').replace(/a=ice-pwd:.*/, 'a=ice-pwd:000000000000000000000000') };
      return set.call(this, dead || answer);
    };
  };
  const page = await openPage(await launch(t), `${server.url}/view/view`, { init });
  await showsPictures(page, 'websocket');
  await page.evaluate(() => { window.blocked = false; });
  await showsPictures(page, 'webrtc', 60);
});

test('an unknown view says so', { timeout: 60000 }, async (t) => {
  const server = await serve(t);
  const page = await openPage(await launch(t), `${server.url}/view/nobody`);
  await page.waitForFunction(() => /nobody/.test(document.querySelector('overwatch-view')?.reason ?? ''));
  assert.notEqual((await playerState(page)).state, 'connected');
});

test('a dead source is shown as NO SIGNAL with the reason', { timeout: 60000 }, async (t) => {
  const workflow = testPattern();
  workflow.nodes[0] = { id: 'pattern', type: 'videoInput', data: { videoPath: '/nowhere/missing.mp4' } };
  const server = await serve(t, workflow);
  const page = await openPage(await launch(t), `${server.url}/view/view`);
  await page.waitForFunction(() => document.querySelector('overwatch-view').stats.width > 0);
  const views = await (await fetch(`${server.url}/api/views`)).json();
  assert.match(JSON.stringify(views), /no_signal/i);
  assert.match(JSON.stringify(views), /missing\.mp4/);
});

test('keys: a snapshot in full size, the details, the transport', { timeout: 60000 }, async (t) => {
  const server = await serve(t);
  const page = await openPage(await launch(t), `${server.url}/view/view`);
  await showsPictures(page, 'webrtc');
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('s')]);
  const png = readFileSync(await download.path());
  assert.deepEqual([...png.subarray(1, 4)], [...Buffer.from('PNG')]);
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [960, 540]);
  assert.match(download.suggestedFilename(), /view.*\.png$/);

  const details = page.getByTestId('stat-clock');
  assert.equal(await details.isVisible(), false);
  await page.keyboard.press('i');
  await details.waitFor({ state: 'visible' });
  assert.match(await details.textContent(), /ms|not aligned/); // filled when it opens, not later
  await page.keyboard.press('t');
  await page.waitForFunction(() => document.querySelector('overwatch-view').transport !== 'auto');
});

test('the figures do not move when they change', { timeout: 60000 }, async (t) => {
  const server = await serve(t);
  const page = await openPage(await launch(t), `${server.url}/view/view`);
  await showsPictures(page, 'webrtc');
  // Two updates a second: look at the places over four of them.
  const moved = await page.evaluate(() => new Promise((resolve) => {
    const places = () => [...document.querySelectorAll('[data-testid^=stat-]')].map((cell) => Math.round(cell.getBoundingClientRect().left)).join();
    const seen = new Set();
    let updates = 0;
    document.querySelector('overwatch-view').addEventListener('stats', () => {
      updates += 1;
      if (updates > 2) seen.add(places()); // the first ones still fill empty cells
      if (updates === 6) resolve(seen.size - 1);
    });
  }));
  assert.equal(moved, 0, 'columns changed their place');
  // While anything is animated, pictures wait for the steps of the animation (src/pages/view/view.css).
  const animated = await page.evaluate(() => new Promise((resolve) => {
    const player = document.querySelector('overwatch-view');
    const seen = new Set();
    let pictures = 0, updates = 0; // of the figures
    player.addEventListener('stats', () => updates++);
    player.addEventListener('frame', () => {
      for (const animation of [...document.getAnimations(), ...player.shadowRoot.getAnimations()]) seen.add(animation.effect.target.className);
      if (++pictures >= 20 && updates >= 2) resolve([...seen]);
    });
  }));
  assert.deepEqual(animated, []);
});

test('a page without CPU to spare says no latency rather than a wrong one', { timeout: 120000 }, async (t) => {
  const server = await serve(t, testPatterns(12));
  // Answers to the clock's questions wait for the busy page, from its first moment on.
  const init = () => {
    window.said = [];
    document.addEventListener('DOMContentLoaded', () => new MutationObserver(() => {
      for (const player of document.querySelectorAll('overwatch-view:not([watched])')) {
        player.setAttribute('watched', '');
        player.addEventListener('stats', ({ detail: { latency, clockUncertaintyMs } }) => window.said.push({ p50: latency.p50, clockUncertaintyMs }));
      }
    }).observe(document.body, { subtree: true, childList: true }));
  };
  const browser = await launch(t);
  const page = await openPage(browser, 'about:blank', { init });
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await page.goto(`${server.url}/wall?live=64`);
  await page.waitForFunction(() => window.said.filter(({ p50 }) => p50 !== null).length > 30, null, { timeout: 90000 });
  const said = await page.evaluate(() => window.said);
  const known = said.filter(({ p50 }) => p50 !== null);
  t.diagnostic(`${known.length} of ${said.length} known; least ${Math.min(...known.map(({ p50 }) => p50)).toFixed(1)} ms; uncertainty at first ${said.find(({ clockUncertaintyMs }) => clockUncertaintyMs !== null).clockUncertaintyMs.toFixed(1)} ms`);
  for (const { p50, clockUncertaintyMs } of known) assert.ok(p50 > 0 && p50 >= clockUncertaintyMs, `${p50} ms, ± ${clockUncertaintyMs}`);
});
