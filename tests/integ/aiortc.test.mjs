// aiortc, an independent WebRTC implementation, as receiver.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually, postJson, runPython, startServer, testPattern } from './server.mjs';

test('aiortc receives the test pattern and reads its clock', { timeout: 120000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const got = await runPython('aiortc_receiver.py', [server.url, 'view', 90]);
  assert.equal(got.frames, 90);
  assert.equal(got.width, 960);
  assert.equal(got.height, 540);
  assert.ok(got.clocks >= 85, `the clock was readable in ${got.clocks} of 90 frames`);
  for (let i = 1; i < got.stamps.length; i++) {
    assert.ok(got.stamps[i] > got.stamps[i - 1], 'time runs forward from frame to frame');
  }
  const ages = got.ages_ms.slice(30).sort((a, b) => a - b);
  assert.ok(ages[0] > 0, `a frame cannot be shown before it was made (${ages[0]} ms)`);
  assert.ok(ages[ages.length >> 1] < 500, `median age ${ages[ages.length >> 1]} ms`);
  assert.match(got.answer, /a=rtpmap:\d+ H264\/90000/);
  assert.match(got.answer, /a=setup:passive/);
  assert.equal(got.stats.active_connections, 1);
  assert.deepEqual(got.stats.connection_ids, ['view']);
});

test('two aiortc viewers of one node are served at once', { timeout: 120000 }, async (t) => {
  const server = await startServer(testPattern({ width: 640, height: 360 }));
  t.after(server.stop);
  const both = await Promise.all([1, 2].map(() => runPython('aiortc_receiver.py', [server.url, 'view', 60])));
  for (const got of both) {
    assert.equal(got.frames, 60);
    assert.equal(got.width, 640);
    assert.ok(got.clocks >= 50, `the clock was readable in ${got.clocks} of 60 frames`);
  }
});

test('viewers that have gone are forgotten', { timeout: 120000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  await runPython('aiortc_receiver.py', [server.url, 'view', 5]);
  await eventually('no viewer is left', 60, async () => {
    const stats = await (await fetch(`${server.url}/api/webrtc/stats`)).json();
    return stats.active_connections === 0;
  });
});

test('an unknown node is refused with a sentence', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const { status, body } = await postJson(`${server.url}/api/webrtc/offer`,
    { node_id: 'nobody', sdp: 'v=0\r\n', type: 'offer' });
  assert.equal(status, 404);
  assert.match(body.detail, /nobody/);
});
