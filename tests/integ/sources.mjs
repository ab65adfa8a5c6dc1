// Sources of video for tests, and a viewer that tells what it sees. Ports are chosen by the system.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { eventually, root } from './server.mjs';

/** A camera at `url`, shown over WebRTC as node "view". */
export function cameraWorkflow(url, settings = {}, view = {}) {
  return {
    id: 'test', name: 'Test', version: '1.0',
    nodes: [
      { id: 'camera', type: 'camera', position: { x: 0, y: 0 }, data: { url, ...settings } },
      { id: 'view', type: 'videoPreviewWebRTC', position: { x: 300, y: 0 }, data: view },
    ],
    edges: [{ id: 'e', source: 'camera', target: 'view' }],
  };
}

/** What /api/views says of the source of the one view. */
export async function sourceOf(server) {
  const { views } = await (await fetch(`${server.url}/api/views`)).json();
  return views[0].source;
}

/** Waits until the source plays at a measured rate; resolves with its status. */
export function playing(server, seconds = 20) {
  return eventually('the source plays', seconds, async () => {
    const source = await sourceOf(server);
    return source.state === 'playing' && source.fps > 0 && source;
  });
}

/** Waits until the source has no signal; resolves with its status. */
export function noSignal(server, seconds = 20) {
  return eventually('there is no signal', seconds, async () => {
    const source = await sourceOf(server);
    return source.state === 'no_signal' && source;
  });
}

/** The picture of view "view" as JPEG bytes. */
export async function snapshot(server) {
  const response = await fetch(`${server.url}/api/video/view/snapshot`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type'), /image\/jpeg/);
  const bytes = Buffer.from(await response.arrayBuffer());
  assert.equal(bytes.subarray(0, 3).toString('hex'), 'ffd8ff');
  return bytes;
}

function jsonLines(child, onValue) {
  createInterface({ input: child.stdout }).on('line', (line) => onValue(JSON.parse(line)));
}

function python(script, args) {
  return spawn('/usr/bin/python3', [join(root, 'tests/integ', script), ...args.map(String)],
    { stdio: ['pipe', 'pipe', 'pipe'] });
}

async function end(child, signal = 'SIGKILL') {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill(signal);
  await closed;
}

/** An RTSP camera (GStreamer). Resolves with { port, freeze(), thaw(), kill() }; port 0 is any free one. */
export async function rtspCamera({ port = 0, fps = 25, codec = 'h264', credentials = '' } = {}) {
  const child = python('rtsp_camera.py', [port, fps, codec, credentials]);
  let err = '';
  child.stderr.on('data', (data) => (err += data));
  const found = await new Promise((resolve, reject) => {
    jsonLines(child, (value) => resolve(value.port));
    child.once('close', () => reject(new Error(`rtsp_camera.py ended:\n${err}`)));
  });
  return {
    port: found,
    freeze: () => child.kill('SIGSTOP'),
    thaw: () => child.kill('SIGCONT'),
    kill: () => end(child),
  };
}

/**
 * A WebRTC viewer (aiortc) of node "view" that watches until stop() is called:
 * { frames(), last(), sizes (in the order seen), states, stop() }.
 */
export function startViewer(server) {
  const child = python('aiortc_viewer.py', [server.url, 'view']);
  const sizes = [], states = [];
  let last = { frame: 0 }, err = '';
  child.stderr.on('data', (data) => (err += data));
  jsonLines(child, (value) => {
    if (value.state) states.push(value.state);
    if (!value.frame) return;
    last = value;
    const size = `${value.width}x${value.height}`;
    if (sizes.at(-1) !== size) sizes.push(size);
  });
  const closed = once(child, 'close');
  return {
    frames: () => last.frame,
    last: () => last,
    sizes, states,
    alive() {
      if (child.exitCode !== null) throw new Error(`the viewer ended:\n${err.slice(-3000)}`);
      return states.every((state) => state === 'connecting' || state === 'connected');
    },
    async stop() {
      child.stdin.end();
      const forced = setTimeout(() => child.kill('SIGKILL'), 10000);
      await closed;
      clearTimeout(forced);
    },
  };
}

export function ffmpeg(args) {
  const child = spawn('ffmpeg', ['-nostdin', '-v', 'error', ...args],
    { stdio: ['ignore', 'pipe', 'inherit'] });
  child.on('error', () => {});
  return child;
}

// A test picture that comes at its own rate, in H.264 without delay.
export function testVideo({ size = '320x240', rate = 25 } = {}) {
  return ['-re', '-f', 'lavfi', '-i', `testsrc=size=${size}:rate=${rate}`];
}
export const h264 = ['-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-preset', 'ultrafast',
  '-tune', 'zerolatency', '-g', '25'];

/**
 * An HTTP server that answers each request with what FFmpeg writes, run after run. { url, next() (ends
 * the run that plays), stop() }
 */
export async function httpVideo(type, ...runs) {
  const playing = new Set();
  const server = createHttpServer(async (request, response) => {
    response.writeHead(200, { 'content-type': type });
    for (const args of runs) {
      if (response.destroyed) return;
      const child = ffmpeg([...args, 'pipe:1']);
      const closed = once(child, 'close');
      playing.add(child);
      response.once('close', () => child.kill('SIGKILL'));
      child.stdout.pipe(response, { end: false });
      await closed;
      playing.delete(child);
    }
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/video`,
    next() {
      for (const child of playing) child.kill('SIGTERM');
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await Promise.all([...playing].map((child) => end(child)));
    },
  };
}

/** A server that accepts connections and never says a word. { port, accepted(), stop() } */
export async function silentServer() {
  const sockets = new Set();
  let accepted = 0;
  const server = createServer((socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    accepted: () => accepted,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A port that was free a moment ago, for programs that cannot choose one themselves. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** A program that serves its video to one client, started again until it is stopped. { stop() } */
export function keepServing(args) {
  let child, stopped = false;
  const start = () => {
    if (stopped) return;
    child = ffmpeg(args);
    child.once('close', start);
  };
  start();
  return {
    async stop() {
      stopped = true;
      await end(child);
    },
  };
}

/** A named pipe in a folder of its own. { path, remove() } */
export function namedPipe() {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-pipe-'));
  const path = join(folder, 'video.y4m');
  execFileSync('mkfifo', [path]);
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

const chromaBytes = {
  '420jpeg': (width, height) => 2 * Math.ceil(width / 2) * Math.ceil(height / 2),
  422: (width, height) => 2 * Math.ceil(width / 2) * height,
  444: (width, height) => 2 * width * height,
};

/** One grey picture of a Y4M stream; with `first`, behind the stream's header. */
export function y4mFrame({ width, height, chroma, luma }, first) {
  const header = first ? `YUV4MPEG2 W${width} H${height} F25:1 Ip A1:1 C${chroma}\n` : '';
  return Buffer.concat([
    Buffer.from(`${header}FRAME\n`),
    Buffer.alloc(width * height, luma),
    Buffer.alloc(chromaBytes[chroma](width, height), 128),
  ]);
}

/** Writes grey Y4M pictures, 25 a second, to a stream; show() begins a stream of another kind. */
export function y4mWriter(stream) {
  let kind = null, first = true;
  stream.on('error', () => {});
  const timer = setInterval(() => {
    if (!kind || stream.writableNeedDrain) return;
    stream.write(y4mFrame(kind, first));
    first = false;
  }, 40);
  return {
    show(next) { kind = next; first = true; },
    stop() { clearInterval(timer); stream.destroy(); },
  };
}

/** Opens a named pipe for writing without waiting for a reader (Linux allows it read-write). */
export function openPipe(path) {
  return openSync(path, 'r+');
}
