// Google's libwebrtc by way of @roamhq/wrtc. That build has no H.264, so it is the real offer that must
// be refused with a reason a person understands; Chromium (tests/e2e) is the libwebrtc that receives.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { postJson, runPython, startServer, testPattern } from './server.mjs';

const { RTCPeerConnection } = createRequire(import.meta.url)('@roamhq/wrtc');

async function offerOf(prepare) {
  const connection = new RTCPeerConnection();
  prepare(connection);
  await connection.setLocalDescription(await connection.createOffer());
  const { sdp } = connection.localDescription;
  connection.close();
  return sdp;
}

test('an offer of libwebrtc without H.264 is refused with the reason', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const sdp = await offerOf((connection) => connection.addTransceiver('video', { direction: 'recvonly' }));
  assert.match(sdp, /VP8/);
  assert.doesNotMatch(sdp, /H264/);
  const { status, body } = await postJson(`${server.url}/api/webrtc/offer`, { node_id: 'view', sdp, type: 'offer' });
  assert.ok(status >= 400 && status < 500, `status ${status}`);
  assert.match(body.detail, /H\.?264/);
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
  const sdp = await offerOf((connection) => connection.addTransceiver('video', { direction: 'recvonly' }));
  for (let i = 0; i < 20; i++) {
    await postJson(`${server.url}/api/webrtc/offer`, { node_id: 'view', sdp, type: 'offer' });
  }
  assert.equal((await viewer).frames, 60);
});
