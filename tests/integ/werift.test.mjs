// werift, a WebRTC implementation in TypeScript that shares nothing with the others, as viewer. It does
// not decode: what it puts together is given to FFmpeg, and the clock is read in the pictures.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { readClock } from './clock_code.mjs';
import { postJson, startServer, testPattern } from './server.mjs';

const werift = createRequire(import.meta.url)('werift');
const WIDTH = 640, HEIGHT = 360, FRAMES = 60;

// Resolves with `count` access units of a track, each the packets' payloads put together.
function takeFrames(track, codec, count) {
  return new Promise((resolve) => {
    const frames = [];
    let packets = [];
    let sequence = null;
    track.onReceiveRtp.subscribe((packet) => {
      const { sequenceNumber, marker } = packet.header;
      // A packet lost on loopback would be the sender's fault: the pictures behind it must not be taken.
      if (sequence !== null) assert.equal(sequenceNumber, (sequence + 1) & 0xffff, 'packets come in order');
      sequence = sequenceNumber;
      packets.push(packet);
      if (!marker || frames.length >= count) return;
      frames.push(werift.dePacketizeRtpPackets(codec, packets));
      packets = [];
      if (frames.length === count) resolve(frames);
    });
  });
}

// IVF: the container of VP8 that every decoder reads.
function ivf(frames) {
  const head = Buffer.alloc(32);
  head.write('DKIF');
  head.writeUInt16LE(32, 6);
  head.write('VP80', 8);
  [WIDTH, HEIGHT].forEach((value, i) => head.writeUInt16LE(value, 12 + 2 * i));
  [30, 1, frames.length].forEach((value, i) => head.writeUInt32LE(value, 16 + 4 * i));
  return Buffer.concat([head, ...frames.flatMap((frame, i) => {
    const mark = Buffer.alloc(12);
    mark.writeUInt32LE(frame.length, 0);
    mark.writeUInt32LE(i, 4);
    return [mark, frame];
  })]);
}

// The luma planes that FFmpeg decodes.
async function decode(format, bytes) {
  const child = spawn('ffmpeg', ['-v', 'error', '-f', format, '-i', 'pipe:0', '-fps_mode', 'passthrough',
    '-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(bytes);
  const parts = [];
  for await (const part of child.stdout) parts.push(part);
  const all = Buffer.concat(parts);
  return Array.from({ length: all.length / (WIDTH * HEIGHT) }, (_, i) => all.subarray(i * WIDTH * HEIGHT, (i + 1) * WIDTH * HEIGHT));
}

async function watch(t, name, codec) {
  const server = await startServer(testPattern({ width: WIDTH, height: HEIGHT }));
  t.after(server.stop);
  const connection = new werift.RTCPeerConnection({ codecs: { video: [codec] }, iceAdditionalHostAddresses: ['127.0.0.1'] });
  t.after(() => connection.close());
  connection.addTransceiver('video', { direction: 'recvonly' });
  const framesTaken = new Promise((resolve) => {
    connection.onTrack.subscribe((track) => resolve(takeFrames(track, name, FRAMES)));
  });
  await connection.setLocalDescription(await connection.createOffer());
  const { status, body } = await postJson(`${server.url}/api/webrtc/offer`,
    { node_id: 'view', sdp: connection.localDescription.sdp, type: 'offer' });
  assert.equal(status, 200, JSON.stringify(body));
  await connection.setRemoteDescription(body);
  const frames = await framesTaken;
  assert.equal(frames[0].isKeyframe, true, 'the first picture is a key frame');
  return frames.map(({ data }) => data);
}

function checkPictures(pictures) {
  assert.equal(pictures.length, FRAMES);
  const clocks = pictures.map((picture) => readClock(picture, WIDTH, HEIGHT)).filter((clock) => clock !== null);
  assert.ok(clocks.length >= FRAMES - 5, `the clock was readable in ${clocks.length} of ${FRAMES} pictures`);
  for (let i = 1; i < clocks.length; i++) assert.ok(clocks[i] > clocks[i - 1], 'time runs forward from picture to picture');
}

test('werift receives H.264', { timeout: 60000 }, async (t) => {
  const frames = await watch(t, 'MPEG4/ISO/AVC', werift.useH264());
  checkPictures(await decode('h264', Buffer.concat(frames)));
});

test('werift receives VP8', { timeout: 60000 }, async (t) => {
  const frames = await watch(t, 'VP8', werift.useVP8());
  checkPictures(await decode('ivf', ivf(frames)));
});

test('werift gets a record for each picture, under its timestamp', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern({ width: WIDTH, height: HEIGHT }));
  t.after(server.stop);
  const connection = new werift.RTCPeerConnection({
    codecs: { video: [werift.useH264()] }, iceAdditionalHostAddresses: ['127.0.0.1'], bundlePolicy: 'max-bundle',
  });
  t.after(() => connection.close());
  connection.addTransceiver('video', { direction: 'recvonly' });
  const channel = connection.createDataChannel('metadata', { ordered: false, maxRetransmits: 0 });
  const records = new Set(), pictures = new Set();
  channel.onMessage.subscribe((data) => records.add(data.readUInt32BE(2)));
  const enough = new Promise((resolve) => {
    connection.onTrack.subscribe((track) => track.onReceiveRtp.subscribe(({ header }) => {
      if (header.marker && records.size > 0) pictures.add(header.timestamp);
      if (pictures.size > FRAMES) resolve();
    }));
  });
  await connection.setLocalDescription(await connection.createOffer());
  const { status, body } = await postJson(`${server.url}/api/webrtc/offer`,
    { node_id: 'view', sdp: connection.localDescription.sdp, type: 'offer' });
  assert.equal(status, 200, JSON.stringify(body));
  await connection.setRemoteDescription(body);
  await enough;
  const known = [...pictures].slice(0, FRAMES); // the record of the last one may still be on its way
  assert.deepEqual(known.filter((timestamp) => !records.has(timestamp)), []);
});
