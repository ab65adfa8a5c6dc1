// GStreamer's webrtcbin, an independent WebRTC implementation, as viewer: by our offer route and as a
// WHEP player.
// Runs alone: it measures how old pictures are.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ownAddress } from './clock_code.mjs';
import { eventually, runPython, startServer, testPattern } from './server.mjs';

// libnice makes no candidates of loopback addresses.
const address = ownAddress();
const skip = address ? false : 'this machine has no address but loopback';

async function watch(t, codec, signalling) {
  const server = await startServer(testPattern(), ['--public-address', address]);
  t.after(server.stop);
  const got = await runPython('gst_viewer.py', [server.url, 'view', 60, codec, signalling]);
  assert.equal(got.frames, 60);
  assert.deepEqual([got.width, got.height], [960, 540]);
  assert.ok(got.clocks >= 55, `the clock was readable in ${got.clocks} of 60 frames`);
  // The first frames wait for the pipeline to start.
  const ages = got.ages_ms.slice(20).sort((a, b) => a - b);
  assert.ok(ages[0] > 0, `a frame cannot be shown before it was made (${ages[0]} ms)`);
  assert.ok(ages[ages.length >> 1] < 250, `median age ${ages[ages.length >> 1]} ms`);
  assert.match(got.answer, new RegExp(`a=rtpmap:\\d+ ${codec}/90000`));
  return { server, got };
}

test('GStreamer shows H.264', { timeout: 90000, skip }, async (t) => {
  await watch(t, 'H264', 'offer');
});

test('GStreamer shows VP8', { timeout: 90000, skip }, async (t) => {
  await watch(t, 'VP8', 'offer');
});

test('GStreamer plays by WHEP: offer, candidates by PATCH, end by DELETE', { timeout: 90000, skip }, async (t) => {
  const { server, got } = await watch(t, 'H264', 'whep');
  assert.deepEqual(got.exchanges, [['POST', 201], ['PATCH', 204], ['DELETE', 200]]);
  assert.equal(got.headers['content-type'], 'application/sdp');
  assert.match(got.headers.location, /^\/whep\/view\/[0-9a-f]{32}$/);
  assert.match(got.headers.etag, /^"[^"]+"$/);
  await eventually('the viewer that said goodbye is gone', 5, async () =>
    (await (await fetch(`${server.url}/api/webrtc/stats`)).json()).active_connections === 0);
});
