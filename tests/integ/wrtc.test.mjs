// Google's libwebrtc by way of @roamhq/wrtc. That build has no H.264, so it proves VP8; Chromium
// (tests/e2e) is the libwebrtc that receives H.264.
// Runs alone: it measures how old pictures are.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { postJson, runPython, startServer, testPattern } from './server.mjs';

const { RTCPeerConnection } = createRequire(import.meta.url)('@roamhq/wrtc');
const here = dirname(fileURLToPath(import.meta.url));
const FRAMES = 60;

async function offerOf(prepare) {
  const connection = new RTCPeerConnection();
  prepare(connection);
  await connection.setLocalDescription(await connection.createOffer());
  const { sdp } = connection.localDescription;
  connection.close();
  return sdp;
}

const recvonly = (connection) => connection.addTransceiver('video', { direction: 'recvonly' });
const withoutVp8 = (sdp) => sdp.replaceAll('VP8/90000', 'VP6/90000');

// wrtc_viewer.mjs in a process of its own: what it printed.
async function view(url, frames, seconds) {
  const child = spawn(process.execPath, [join(here, 'wrtc_viewer.mjs'), url, 'view', String(frames)],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  const late = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
  let text = '';
  for await (const part of child.stdout) text += part;
  clearTimeout(late);
  assert.ok(text.endsWith('\n'), `nothing was shown within ${seconds} s`);
  return JSON.parse(text);
}

test('libwebrtc is shown VP8', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const { offer, status, answer, width, height, ages } = await view(server.url, FRAMES, 30);
  assert.doesNotMatch(offer, /H264/);
  assert.equal(status, 200, answer);
  assert.match(answer, /a=rtpmap:\d+ VP8\/90000/);
  assert.deepEqual([width, height], [960, 540]);
  const read = ages.filter((age) => age !== null);
  assert.ok(read.length >= FRAMES - 5, `the clock was readable in ${read.length} of ${FRAMES} pictures`);
  const settled = read.slice(20).sort((a, b) => a - b);
  assert.ok(settled[0] > 0, `a picture cannot be shown before it was made (${settled[0]} ms)`);
  assert.ok(settled[settled.length >> 1] < 250, `median age ${settled[settled.length >> 1]} ms`);
});

test('an offer of libwebrtc with neither H.264 nor VP8 is refused with the reason', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const sdp = withoutVp8(await offerOf(recvonly));
  const { status, body } = await postJson(`${server.url}/api/webrtc/offer`, { node_id: 'view', sdp, type: 'offer' });
  assert.ok(status >= 400 && status < 500, `status ${status}`);
  assert.match(body.detail, /H\.?264/);
  assert.match(body.detail, /VP8/);
});

test('an offer of libwebrtc without video is refused with the reason', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const sdp = await offerOf((connection) => connection.createDataChannel('x'));
  const { status, body } = await postJson(`${server.url}/api/webrtc/offer`, { node_id: 'view', sdp, type: 'offer' });
  assert.ok(status >= 400 && status < 500, `status ${status}`);
  assert.match(body.detail, /video/);
});

test('refused offers disturb nobody', { timeout: 120000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const viewer = runPython('aiortc_receiver.py', [server.url, 'view', 60]);
  const sdp = withoutVp8(await offerOf(recvonly));
  for (let i = 0; i < 20; i++) {
    const { status } = await postJson(`${server.url}/api/webrtc/offer`, { node_id: 'view', sdp, type: 'offer' });
    assert.ok(status >= 400 && status < 500, `status ${status}`);
  }
  assert.equal((await viewer).frames, 60);
});
