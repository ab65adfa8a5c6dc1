// The codec that a viewer is sent: H.264 where it can read it, VP8 where it cannot or is told to.
// Runs alone: it measures how old pictures are.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startServer, testPattern } from '../integ/server.mjs';
import { launch, openPage, playerState, readClocks, showsPictures } from './browser.mjs';

async function watch(t, codec) {
  const server = await startServer(testPattern(), ['--codec', codec]);
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/view/view`);
  await showsPictures(page, 'webrtc');
  return { server, page };
}

async function decoded(server) {
  const { connections } = await (await fetch(`${server.url}/api/webrtc/stats`)).json();
  assert.equal(connections.length, 1);
  return connections[0];
}

for (const [codec, encoder] of [['vp8', 'libvpx'], ['h264', '264']]) {
  test(`${codec}: the clock is shown, young and running`, { timeout: 90000 }, async (t) => {
    const { server, page } = await watch(t, codec);
    const clocks = await readClocks(page, 60);
    const ages = clocks.map((clock) => clock.age).sort((a, b) => a - b);
    t.diagnostic(`age of shown pictures: median ${ages[30].toFixed(1)} ms`);
    assert.ok(ages[0] > 0 && ages[30] < 200, `ages ${ages[0]}…${ages[59]} ms`);
    const { state, stats } = await playerState(page);
    assert.equal(state, 'connected');
    assert.equal(stats.width, 960);
    assert.match((await decoded(server)).encoder, new RegExp(encoder));
    assert.deepEqual(page.failures, []);
  });
}
