// Google's libwebrtc by way of @roamhq/wrtc. That build has no H.264, so it proves VP8; Chromium
// (tests/e2e) is the libwebrtc that receives H.264.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { clockAgeMs, readClock } from './clock_code.mjs';
import { postJson, runPython, startServer, testPattern } from './server.mjs';

const { RTCPeerConnection, nonstandard } = createRequire(import.meta.url)('@roamhq/wrtc');
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

// Resolves with the ages of the first `count` pictures in ms (null: not readable) and their size.
function takePictures(track, count) {
  const sink = new nonstandard.RTCVideoSink(track);
  const ages = [];
  return new Promise((resolve) => {
    sink.onframe = ({ frame }) => {
      const clock = readClock(frame.data, frame.width, frame.height);
      ages.push(clock === null ? null : clockAgeMs(clock));
      if (ages.length < count) return;
      sink.onframe = null;
      sink.stop();
      resolve({ ages, width: frame.width, height: frame.height });
    };
  });
}

test('libwebrtc is shown VP8', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const connection = new RTCPeerConnection();
  t.after(() => connection.close());
  const { receiver } = recvonly(connection);
  const taken = takePictures(receiver.track, FRAMES);
  await connection.setLocalDescription(await connection.createOffer());
  assert.doesNotMatch(connection.localDescription.sdp, /H264/);
  const { status, body } = await postJson(`${server.url}/api/webrtc/offer`,
    { node_id: 'view', sdp: connection.localDescription.sdp, type: 'offer' });
  assert.equal(status, 200, body.detail);
  assert.match(body.sdp, /a=rtpmap:\d+ VP8\/90000/);
  await connection.setRemoteDescription(body);
  const { ages, width, height } = await taken;
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
