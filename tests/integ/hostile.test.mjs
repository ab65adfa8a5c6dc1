// Bytes from strangers: nothing crashes, nothing is answered that must not be, no viewer is disturbed.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';

import { eventually, postJson, residentMb, runPython, startServer, testPattern } from './server.mjs';

const M_LINE = 'm=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:96 H264/90000\r\na=recvonly\r\n';
const HEAD = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n';

const offers = {
  empty: '',
  'not SDP': 'hello',
  'head alone': HEAD,
  'a NUL inside': `${HEAD}\0${M_LINE}`,
  '64 m-lines': HEAD + M_LINE.repeat(64),
  'a m-line of 60 kB': `${HEAD}m=video 9 UDP/TLS/RTP/SAVPF ${'96 '.repeat(20000)}\r\n`,
  'no ICE credentials': HEAD + M_LINE,
};

test('malformed offers get a 4xx with a sentence', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  for (const [name, sdp] of Object.entries(offers)) {
    const { status, body } = await postJson(`${server.url}/api/webrtc/offer`, { node_id: 'view', sdp, type: 'offer' });
    assert.ok(status >= 400 && status < 500, `${name}: status ${status}`);
    assert.ok(body.detail?.length > 10, `${name}: ${JSON.stringify(body)}`);
  }
  for (const body of ['', '{', '[]', '{"node_id": 5}', '{"node_id": "view"}', 'null']) {
    const answer = await postJson(`${server.url}/api/webrtc/offer`, body);
    assert.ok(answer.status >= 400 && answer.status < 500, `${body}: status ${answer.status}`);
  }
});

test('an offer of more than a megabyte is refused', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const body = JSON.stringify({ node_id: 'view', sdp: 'a'.repeat(3 << 20), type: 'offer' });
  // Either an answer or a closed connection; both are a refusal.
  const status = await postJson(`${server.url}/api/webrtc/offer`, body).then((r) => r.status, () => 'closed');
  assert.ok(status === 'closed' || (status >= 400 && status < 500), `status ${status}`);
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
});

test('datagrams from strangers are not answered and disturb no viewer', { timeout: 120000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const viewer = runPython('aiortc_receiver.py', [server.url, 'view', 90]);
  const socket = createSocket('udp4');
  let answers = 0;
  socket.on('message', () => { answers += 1; });
  // A STUN binding request without credentials, with a user fragment nobody has, DTLS, RTP, noise.
  const request = Buffer.from('000100002112a442000102030405060708090a0b', 'hex');
  const named = Buffer.from('0001000c2112a442000102030405060708090a0b00060005613a622e63000000', 'hex');
  const hello = Buffer.from('16fefd0000000000000000000c010000000000000000000000', 'hex');
  const bursts = [request, named, hello, Buffer.alloc(1500, 0x80), Buffer.from([0]), Buffer.alloc(0)];
  for (let size = 0; size < request.length; size++) bursts.push(request.subarray(0, size));
  for (let round = 0; round < 50; round++) {
    for (const data of bursts) {
      await new Promise((resolve) => { socket.send(data, server.mediaPort, '127.0.0.1', resolve); });
    }
  }
  const got = await viewer;
  socket.close();
  assert.equal(got.frames, 90);
  assert.equal(answers, 0);
});

// A small generator of reproducible numbers (mulberry32).
function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const HOST = 'Host: localhost\r\n';
const requests = [
  `GET /healthz HTTP/1.1\r\n${HOST}\r\n`,
  `POST /api/webrtc/offer HTTP/1.1\r\n${HOST}Content-Length: 7\r\n\r\n{"a":1}`,
  `GET /api/ws HTTP/1.1\r\n${HOST}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58`,
  `POST /api/webrtc/cleanup HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
  `GET / HTTP/1.1\r\n${HOST}Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`,
  `POST /api/workflow-builder/t/stop HTTP/1.1\r\n${HOST}\r\nmore and more`,
  `GET /x?a=b&c=%20 HTTP/1.1\r\nX-A: 1\r\n${HOST}Origin: http://elsewhere\r\n\r\n`,
];

test('mutated, cut and joined HTTP requests do not stop the server', { timeout: 120000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const random = seeded(7);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const { port } = new URL(server.url);
  const open = [];
  let reached = 0;
  for (let i = 0; i < 3000; i++) {
    const data = Buffer.from(Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(requests)).join(''), 'latin1');
    for (let n = pick([0, 0, 1, 3]); n > 0; n--) data[Math.floor(random() * data.length)] = pick([0, 10, 13, 32, 58, 255, Math.floor(random() * 256)]);
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {}); // a server that closes at once is within its rights
    socket.resume();
    await once(socket, 'connect').then(() => { reached += 1; });
    const cut = Math.floor(random() * data.length);
    socket.write(data.subarray(0, cut));
    socket.write(data.subarray(cut));
    if (random() < 0.3) socket.end();
    open.push(socket);
    if (open.length > 60) open.splice(Math.floor(random() * 60), 1)[0].destroy();
    // In between, an honest request must be answered.
    if (i % 300 === 0) assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  }
  for (const socket of open) socket.destroy();
  assert.equal(reached, 3000);
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
});

test('a port that is taken is named in the error', { timeout: 60000 }, async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const { port } = other.address();
  await assert.rejects(startServer(null, ['--port', String(port)]), new RegExp(`${port}`));
});

test('a view without a model stays below 60 MB', { timeout: 120000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  await runPython('aiortc_receiver.py', [server.url, 'view', 120]);
  const mb = residentMb(server.child.pid);
  t.diagnostic(`resident: ${mb.toFixed(1)} MB`);
  assert.ok(mb > 1 && mb < 60, `${mb} MB`);
});

test('SIGTERM ends the server within two seconds, viewers or not', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  const over = new AbortController();
  const viewer = runPython('aiortc_receiver.py', [server.url, 'view', 100000], 30, over.signal).catch(() => null);
  await eventually('a viewer is connected', 20, async () => {
    const stats = await (await fetch(`${server.url}/api/webrtc/stats`)).json();
    return stats.active_connections === 1;
  });
  const asked = performance.now();
  await server.stop();
  t.diagnostic(`ended after ${Math.round(performance.now() - asked)} ms`);
  assert.ok(performance.now() - asked < 2000, `${performance.now() - asked} ms`);
  over.abort(); // it would look for pictures for long yet
  await viewer;
});
