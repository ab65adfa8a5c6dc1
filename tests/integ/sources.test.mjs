// Real sources: network cameras that come, go and hang, pipes, and videos that change as they play.
import assert from 'node:assert/strict';
import { createWriteStream } from 'node:fs';
import { describe, test } from 'node:test';

import { eventually, startServer } from './server.mjs';
import {
  cameraWorkflow, ffmpeg, freePort, h264, httpVideo, keepServing, namedPipe, noSignal, openPipe, playing,
  rtspCamera, silentServer, snapshot, sourceOf, startViewer, testVideo, y4mWriter,
} from './sources.mjs';

// Everything that the server tells the world about its sources.
async function allAnswers(server) {
  const paths = ['/api/views', '/api/workflow-builder/status', '/api/webrtc/stats', '/healthz',
    '/api/workflow-builder/test/status', '/api/workflow-builder/performance'];
  const texts = await Promise.all(paths.map(async (path) => (await fetch(server.url + path)).text()));
  return texts.join('\n') + server.log();
}

async function framesGoOn(viewer, count, seconds = 20) {
  const from = viewer.frames();
  await eventually(`${count} frames more`, seconds, () => viewer.alive() && viewer.frames() >= from + count);
}

// These wait for seconds on end and do little meanwhile: they run side by side, those first that take
// longest.
const waiting = [];
const beside = (...one) => waiting.push(one);

beside('an RTSP camera plays, dies and comes back; its viewer stays', { timeout: 120000 }, async (t) => {
  let camera = await rtspCamera();
  t.after(() => camera.kill());
  const server = await startServer(cameraWorkflow(`rtsp://127.0.0.1:${camera.port}/camera`));
  t.after(server.stop);
  const source = await playing(server);
  assert.equal(source.codec, 'h264');
  assert.deepEqual([source.width, source.height], [320, 240]);
  assert.ok(source.fps > 8 && source.fps < 35, `${source.fps} fps`);
  assert.ok((await snapshot(server)).length > 1000);

  const viewer = startViewer(server);
  t.after(viewer.stop);
  await framesGoOn(viewer, 25);
  const bright = viewer.last().mean;
  await camera.kill();
  const killed = performance.now();
  const dark = await noSignal(server, 7);
  t.diagnostic(`no signal after ${Math.round(performance.now() - killed)} ms: ${dark.text}`);
  assert.ok(dark.text.length > 10, dark.text);
  assert.equal(dark.fps, 0);
  // The card that says so is another picture than the camera's.
  await eventually('the viewer sees the card', 10,
    () => viewer.alive() && Math.abs(viewer.last().mean - bright) > 10);
  await framesGoOn(viewer, 2);

  camera = await rtspCamera({ port: camera.port });
  const back = await playing(server, 25);
  assert.ok(back.reopened > 0);
  await eventually('the viewer sees the camera again', 10,
    () => viewer.alive() && Math.abs(viewer.last().mean - bright) < 10);
  assert.deepEqual(viewer.states.filter((state) => state === 'connected'), ['connected']);
});

beside('a camera that freezes is no signal, and plays on when it wakes', { timeout: 120000 }, async (t) => {
  const camera = await rtspCamera();
  t.after(() => camera.kill());
  const server = await startServer(cameraWorkflow(`rtsp://127.0.0.1:${camera.port}/camera`));
  t.after(server.stop);
  await playing(server);
  const viewer = startViewer(server);
  t.after(viewer.stop);
  await framesGoOn(viewer, 10);
  camera.freeze();
  const frozen = performance.now();
  const dark = await noSignal(server, 7.5);
  t.diagnostic(`no signal after ${Math.round(performance.now() - frozen)} ms: ${dark.text}`);
  await framesGoOn(viewer, 4);
  camera.thaw();
  await playing(server, 25);
  await framesGoOn(viewer, 25);
});

beside('a stream that ends is opened again', { timeout: 120000 }, async (t) => {
  const video = await httpVideo('video/mp2t', [...testVideo(), '-t', '2', ...h264, '-f', 'mpegts']);
  t.after(video.stop);
  const server = await startServer(cameraWorkflow(video.url));
  t.after(server.stop);
  await playing(server);
  const ended = await noSignal(server, 10);
  assert.match(ended.text, /ended/);
  assert.ok((await playing(server)).reopened > 0);
});

beside("a camera's password is in no log and no answer", { timeout: 120000 }, async (t) => {
  const camera = await rtspCamera({ credentials: 'user:secret' });
  t.after(() => camera.kill());
  const url = `rtsp://user:secret@127.0.0.1:${camera.port}/camera?token=secret`;
  const server = await startServer(cameraWorkflow(url));
  t.after(server.stop);
  await playing(server);
  await camera.kill();
  const dark = await noSignal(server);
  assert.match(dark.text, /127\.0\.0\.1/);
  await eventually('it was tried again', 10, async () => (await sourceOf(server)).reopened > 1);
  const said = await allAnswers(server);
  assert.match(said, /no signal/);
  assert.doesNotMatch(said, /secret/);
});

beside('a wrong password is said, and not repeated', { timeout: 60000 }, async (t) => {
  const camera = await rtspCamera({ credentials: 'user:right' });
  t.after(() => camera.kill());
  const server = await startServer(cameraWorkflow(`rtsp://user:secret@127.0.0.1:${camera.port}/camera`));
  t.after(server.stop);
  assert.match((await noSignal(server)).text, /401|[Uu]nauthorized/);
  assert.doesNotMatch(await allAnswers(server), /secret/);
});

const httpKinds = [
  ['MJPEG', ['-c:v', 'mjpeg', '-q:v', '5', '-pix_fmt', 'yuvj420p', '-f', 'mpjpeg'],
    'multipart/x-mixed-replace;boundary=ffmpeg', 'mjpeg'],
  ['FLV', [...h264, '-f', 'flv'], 'video/x-flv', 'h264'],
  ['MPEG-TS', [...h264, '-f', 'mpegts'], 'video/mp2t', 'h264'],
];

for (const [name, args, type, codec] of httpKinds) {
  beside(`${name} over HTTP plays at its rate`, { timeout: 60000 }, async (t) => {
    const video = await httpVideo(type, [...testVideo(), ...args]);
    t.after(video.stop);
    const server = await startServer(cameraWorkflow(video.url));
    t.after(server.stop);
    const source = await playing(server);
    assert.equal(source.codec, codec);
    assert.deepEqual([source.width, source.height], [320, 240]);
    await eventually('the rate is right', 15, async () => {
      const { fps } = await sourceOf(server);
      return fps > 20 && fps < 30;
    });
    await snapshot(server);
  });
}

beside('MJPEG over HTTP plays at its rate when that is slower than its time stamps', { timeout: 60000 }, async (t) => {
  const [, args, type] = httpKinds[0];
  const video = await httpVideo(type, [...testVideo({ rate: 10 }), ...args]);
  t.after(video.stop);
  const server = await startServer(cameraWorkflow(video.url));
  t.after(server.stop);
  await playing(server);
  await eventually('the rate is right', 15, async () => {
    const { fps } = await sourceOf(server);
    return fps > 8.5 && fps < 12;
  });
});

beside('RTMP plays', { timeout: 60000 }, async (t) => {
  const url = `rtmp://127.0.0.1:${await freePort()}/live/camera`;
  const camera = keepServing([...testVideo(), ...h264, '-f', 'flv', '-listen', '1', url]);
  t.after(camera.stop);
  const server = await startServer(cameraWorkflow(url));
  t.after(server.stop);
  const source = await playing(server, 30);
  assert.equal(source.codec, 'h264');
  await snapshot(server);
});

for (const scheme of ['rtsp', 'http', 'rtmp']) {
  beside(`a server that accepts and then hangs is no signal (${scheme})`, { timeout: 60000 }, async (t) => {
    const hanging = await silentServer();
    t.after(hanging.stop);
    const server = await startServer(cameraWorkflow(`${scheme}://127.0.0.1:${hanging.port}/live/camera`));
    t.after(server.stop);
    const dark = await noSignal(server, 7);
    assert.ok(hanging.accepted() > 0);
    assert.match(dark.text, /answer|timed out/i);
    await eventually('it is tried again', 20, () => hanging.accepted() > 1);
    const asked = performance.now();
    await server.stop();
    assert.ok(performance.now() - asked < 2000, 'a source that hangs does not hold up the end');
  });
}

beside('a viewer goes on when the video in a pipe changes size and format', { timeout: 120000 }, async (t) => {
  const pipe = namedPipe();
  t.after(pipe.remove);
  const writer = y4mWriter(createWriteStream(pipe.path, { fd: openPipe(pipe.path) }));
  t.after(writer.stop);
  // A machine that is busy does not make the picture smaller: sizes are of the source alone.
  const server = await startServer(cameraWorkflow(`pipe:${pipe.path}`, {}, { adaptive: false }));
  t.after(server.stop);
  const kinds = [
    { width: 320, height: 240, chroma: '420jpeg', luma: 60 },
    { width: 640, height: 360, chroma: '420jpeg', luma: 100 },
    { width: 640, height: 360, chroma: '422', luma: 140 },
    { width: 322, height: 182, chroma: '444', luma: 180 },
    { width: 320, height: 240, chroma: '420jpeg', luma: 60 },
  ];
  writer.show(kinds[0]);
  await playing(server);
  const viewer = startViewer(server);
  t.after(viewer.stop);
  for (const kind of kinds) {
    writer.show(kind);
    await eventually(`${kind.width}x${kind.height} ${kind.chroma} is seen`, 15, () => viewer.alive() &&
      viewer.last().width === kind.width && viewer.last().height === kind.height &&
      Math.abs(viewer.last().mean - kind.luma) < 5);
    await framesGoOn(viewer, 10);
    const source = await sourceOf(server);
    assert.deepEqual([source.width, source.height, source.codec], [kind.width, kind.height, 'rawvideo']);
  }
  assert.deepEqual(viewer.sizes, ['320x240', '640x360', '322x182', '320x240']);
  assert.equal((await sourceOf(server)).reopened, 0);
});

beside('a viewer goes on when an MPEG-TS stream changes its size', { timeout: 120000 }, async (t) => {
  // Streams of one program, as a camera that is set to another size sends them.
  const run = (size) => [...testVideo({ size }), ...h264, '-f', 'mpegts'];
  const video = await httpVideo('video/mp2t', run('320x240'), run('480x272'), run('320x240'));
  t.after(video.stop);
  const server = await startServer(cameraWorkflow(video.url));
  t.after(server.stop);
  await playing(server);
  const viewer = startViewer(server);
  t.after(viewer.stop);
  await framesGoOn(viewer, 10);
  video.next();
  await eventually('both sizes are seen', 30, () => viewer.alive() && viewer.sizes.includes('480x272'));
  await framesGoOn(viewer, 10);
  video.next();
  await eventually('the first size comes back', 30, () => viewer.alive() && viewer.sizes.at(-1) === '320x240');
  assert.equal((await sourceOf(server)).reopened, 0);
});

beside('a named pipe waits for its writers', { timeout: 60000 }, async (t) => {
  const pipe = namedPipe();
  t.after(pipe.remove);
  const server = await startServer(cameraWorkflow(`pipe:${pipe.path}`));
  t.after(server.stop);
  for (const size of ['320x240', '160x120']) {
    const [width, height] = size.split('x').map(Number);
    const child = ffmpeg([...testVideo({ size }), '-pix_fmt', 'yuv420p', '-f', 'yuv4mpegpipe', '-y', pipe.path]);
    t.after(() => child.kill('SIGKILL'));
    const source = await playing(server);
    assert.deepEqual([source.width, source.height], [width, height]);
    await snapshot(server);
    child.kill('SIGKILL');
    assert.match((await noSignal(server)).text, /writer/);
  }
});

beside('standard input plays Y4M', { timeout: 60000 }, async (t) => {
  const child = ffmpeg([...testVideo(), '-pix_fmt', 'yuv420p', '-f', 'yuv4mpegpipe', 'pipe:1']);
  t.after(() => child.kill('SIGKILL'));
  const server = await startServer(cameraWorkflow('pipe:-'), [], 'pipe');
  t.after(server.stop);
  child.stdout.pipe(server.child.stdin);
  const source = await playing(server);
  assert.deepEqual([source.width, source.height, source.codec], [320, 240, 'rawvideo']);
  await snapshot(server);
  child.kill('SIGKILL');
  const ended = await eventually('the input has ended', 10, async () => {
    const now = await sourceOf(server);
    return now.state === 'ended' && now;
  });
  assert.match(ended.text, /standard input/);
});

beside('headerless video on standard input plays by the format that is stated', { timeout: 60000 }, async (t) => {
  const child = ffmpeg([...testVideo(), '-pix_fmt', 'bgr24', '-f', 'rawvideo', 'pipe:1']);
  t.after(() => child.kill('SIGKILL'));
  const server = await startServer(cameraWorkflow('pipe:-', { pixelFormat: 'bgr24', width: 320, height: 240 }), [], 'pipe');
  t.after(server.stop);
  child.stdout.pipe(server.child.stdin);
  const source = await playing(server);
  assert.deepEqual([source.width, source.height, source.codec], [320, 240, 'rawvideo']);
  await snapshot(server);
  await assert.rejects(startServer(cameraWorkflow('pipe:-', { pixelFormat: 'bgr24', width: 320 })), /height/);
  await assert.rejects(startServer(null, ['--source', 'pipe:-', '--raw', 'bgr24']), /yuv420p:640x480/);
});

beside('a local camera that is not there is named', { timeout: 60000 }, async (t) => {
  for (const data of [{ url: 'v4l2:/dev/video77' }, { url: '', cameraId: '77' }]) {
    const server = await startServer(cameraWorkflow('', data));
    t.after(server.stop);
    const { text } = await noSignal(server);
    assert.match(text, /\/dev\/video77/);
    assert.match(text, /[Nn]o such (file|device)/);
  }
});

describe('side by side', { concurrency: 5 }, () => {
  for (const one of waiting) test(...one);
});
