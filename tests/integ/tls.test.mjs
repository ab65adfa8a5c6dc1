// HTTPS and WSS by the server itself, asked by curl, Node and the ws package.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { certificate } from './certificate.mjs';
import { preload } from './preload.mjs';
import { eventually, startServer, testPattern } from './server.mjs';

const WebSocket = createRequire(import.meta.url)('ws');
const run = promisify(execFile);
const PASSWORD = 'a password of people';

async function startTls(t, prefix = []) {
  const files = certificate(t);
  const server = await startServer(testPattern(), ['--bind', '127.0.0.2', '--password', PASSWORD,
    '--tls-cert', files.cert, '--tls-key', files.key, '--data-folder', 'none'], 'ignore', prefix);
  t.after(server.stop);
  assert.match(server.url, /^https:/);
  return { server, files, port: Number(new URL(server.url).port) };
}

const curl = async (files, ...words) => (await run('curl', ['-s', '-i', '--cacert', files.cert, ...words])).stdout;

function handshake(port, options = {}) {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.2', rejectUnauthorized: false, ...options }, () => resolve(socket));
    socket.on('error', reject);
  });
}

test('curl logs in, and its cookie is for TLS alone', { timeout: 60000 }, async (t) => {
  const { server, files } = await startTls(t);
  assert.match(await curl(files, `${server.url}/view/view`), /^HTTP\/1.1 303 [\s\S]*Location: \/login\?next=/);
  const welcome = await curl(files, '-d', JSON.stringify({ password: PASSWORD }), `${server.url}/api/login`);
  const [, cookie] = welcome.match(/Set-Cookie: (\S+=\S+); Path=\/; HttpOnly; SameSite=Strict; Secure\r\n/);
  assert.match(await curl(files, '-b', cookie, `${server.url}/api/views`), /^HTTP\/1.1 200 [\s\S]*"node_id":"view"/);
  // A page of more than the buffers hold, over one connection, whole and again.
  const page = await run('curl', ['-s', '--cacert', files.cert, '-b', cookie, '-o', '/dev/null', '-o', '/dev/null', '-w', '%{size_download} %{num_connects}\n',
    `${server.url}/overwatch-view.js`, `${server.url}/overwatch-view.js`], { maxBuffer: 1 << 24 });
  const size = readFileSync(new URL('../../workflow-builder/dist/overwatch-view.js', import.meta.url)).length;
  assert.equal(page.stdout, `${size} 1\n${size} 0\n`);
  // And the other way: a body that is larger than all of them.
  const large = join(files.folder, 'large');
  writeFileSync(large, JSON.stringify({ nodes: 'x'.repeat(900000) }));
  assert.match(await curl(files, '-b', cookie, '--data-binary', `@${large}`, `${server.url}/api/workflow-builder/validate`), /HTTP\/1.1 (200|400) [\s\S]*nodes/);
});

test('the address of the client is seen behind TLS', { timeout: 60000 }, async (t) => {
  const { server, files } = await startTls(t);
  const guess = (from) => curl(files, '--interface', from, '-d', '{"password":"wrong"}', `${server.url}/api/login`);
  for (let i = 0; i < 5; i++) assert.match(await guess('127.0.0.3'), /^HTTP\/1.1 401 /);
  assert.match(await guess('127.0.0.3'), /^HTTP\/1.1 429 /);
  assert.match(await guess('127.0.0.1'), /^HTTP\/1.1 401 /);
  assert.match(server.log(), /log-in from 127\.0\.0\.3 was refused: too many/);
});

test('a WebSocket over TLS carries pictures', { timeout: 60000 }, async (t) => {
  const { server, files } = await startTls(t);
  const refused = new WebSocket(`${server.url.replace('https', 'wss')}/api/ws`, { ca: readFileSync(files.cert) });
  const [, response] = await once(refused, 'unexpected-response');
  assert.equal(response.statusCode, 401);
  const welcome = await curl(files, '-d', JSON.stringify({ password: PASSWORD }), `${server.url}/api/login`);
  const cookie = welcome.match(/Set-Cookie: ([^;]+)/)[1];
  const socket = new WebSocket(`${server.url.replace('https', 'wss')}/api/ws`, { ca: readFileSync(files.cert), headers: { cookie, origin: server.url } });
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'subscribe', topics: ['xray_frame'], filters: { node_id: 'view' }, binary: true }));
  let pictures = 0;
  for await (const [data, binary] of (async function* () { for (;;) yield await once(socket, 'message'); })()) {
    if (!binary) continue;
    const head = data.readUInt32BE(0);
    assert.equal(JSON.parse(data.subarray(4, 4 + head)).node_id, 'view');
    assert.deepEqual([data[4 + head], data[5 + head], data.at(-2), data.at(-1)], [0xff, 0xd8, 0xff, 0xd9]); // a whole JPEG
    if (++pictures === 20) break;
  }
  // A client is told of the end, over TLS too.
  const told = new Promise((resolve) => socket.on('message', (data, binary) => {
    if (!binary && JSON.parse(data).type === 'server_stopping') resolve(performance.now());
  }));
  const closed = once(socket, 'close');
  const asked = performance.now();
  server.child.kill('SIGTERM');
  await told;
  await closed;
  assert.equal((await server.exited).code, 0);
  t.diagnostic(`ended after ${Math.round(performance.now() - asked)} ms`);
  assert.ok(performance.now() - asked < 2000, `${performance.now() - asked} ms`);
});

test('TLS 1.2 and 1.3 are spoken, nothing older', { timeout: 60000 }, async (t) => {
  const { port } = await startTls(t);
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    const socket = await handshake(port, { minVersion: version, maxVersion: version, ALPNProtocols: ['h2', 'http/1.1'] });
    assert.equal(socket.getProtocol(), version);
    assert.equal(socket.alpnProtocol, 'http/1.1');
    socket.destroy();
  }
  await assert.rejects(handshake(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }));
});

test('plain HTTP on that port is sent to https, or told', { timeout: 60000 }, async (t) => {
  const { port } = await startTls(t);
  const ask = async (text) => {
    const socket = connect(port, '127.0.0.2');
    socket.write(text);
    let answer = '';
    for await (const part of socket) answer += part;
    return answer;
  };
  assert.match(await ask(`GET /view/view?a=b HTTP/1.1\r\nHost: 127.0.0.2:${port}\r\n\r\n`),
    new RegExp(`^HTTP/1.1 308 [\\s\\S]*Location: https://127.0.0.2:${port}/view/view\\?a=b\r\n`));
  for (const text of ['GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n', `POST /api/login HTTP/1.1\r\nHost: 127.0.0.2:${port}\r\nContent-Length: 0\r\n\r\n`,
    `GET http://evil.example/ HTTP/1.1\r\nHost: 127.0.0.2:${port}\r\n\r\n`, '\0\0\0\0']) {
    const answer = await ask(text);
    assert.match(answer, /^HTTP\/1.1 400 [\s\S]*https:\/\//, text);
    assert.doesNotMatch(answer, /Location/);
  }
});

test('broken, cut and idle handshakes do not stop the others', { timeout: 60000 }, async (t) => {
  const speed = 4;
  const { server, port } = await startTls(t, preload(t, 'fast_clock', { CLOCK_SPEED: speed }));
  const idle = connect(port, '127.0.0.2'), half = connect(port, '127.0.0.2');
  const since = performance.now();
  const ended = [idle, half].map((socket) => { socket.on('error', () => {}); return once(socket, 'close'); });
  const first = [];
  const probe = connect(port, '127.0.0.2', () => probe.write(Buffer.from('16030100050100000100', 'hex')));
  probe.on('error', () => {});
  half.write(Buffer.from('160301', 'hex'));
  let seed = 1;
  const random = () => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return seed / 0x7fffffff; };
  for (let i = 0; i < 300; i++) {
    const socket = connect(port, '127.0.0.2');
    socket.on('error', () => {});
    const data = Buffer.from(Array.from({ length: 1 + Math.floor(random() * 200) }, () => Math.floor(random() * 256)));
    data[0] = random() < 0.8 ? 0x16 : data[0];
    socket.write(data);
    if (random() < 0.5) socket.end();
    first.push(socket);
    if (first.length > 40) first.shift().destroy();
    if (i % 60 === 0) (await handshake(port)).destroy();
  }
  (await handshake(port)).destroy();
  for (const socket of [...first, probe]) socket.destroy();
  await Promise.all(ended); // by the deadline
  const waited = (performance.now() - since) * speed;
  assert.ok(waited > 8000 && waited < 20000, `${waited} ms of the server's`);
  assert.equal((await fetchHealth(server)).statusCode, 200);
});

async function fetchHealth(server) {
  const { request } = await import('node:https');
  const [response] = await once(request(`${server.url}/healthz`, { rejectUnauthorized: false }).end(), 'response');
  response.resume();
  return response;
}

test('SIGHUP takes a new certificate, and keeps the old one when that is broken', { timeout: 60000 }, async (t) => {
  const { server, files, port } = await startTls(t);
  const serial = async () => {
    const socket = await handshake(port);
    const { serialNumber } = socket.getPeerCertificate();
    socket.destroy();
    return serialNumber;
  };
  const first = await serial();
  const kept = await handshake(port);
  files.renew();
  server.child.kill('SIGHUP');
  await eventually('it is read', 10, () => /was read anew/.test(server.log()));
  const second = await serial();
  assert.notEqual(second, first);
  writeFileSync(files.cert, 'not a certificate');
  server.child.kill('SIGHUP');
  await eventually('it is refused', 10, () => /the old TLS certificate stays in use: the TLS certificate \S+cert\.pem cannot be used/.test(server.log()));
  assert.equal(await serial(), second);
  kept.write('GET /healthz HTTP/1.1\r\nHost: 127.0.0.2\r\n\r\n'); // those who were there stay
  assert.match(String((await once(kept, 'data'))[0]), /^HTTP\/1.1 200/);
  kept.destroy();
});

test('files that do not fit are named', { timeout: 60000 }, async (t) => {
  const one = certificate(t), other = certificate(t);
  const start = (cert, key) => startServer(null, ['--tls-cert', cert, '--tls-key', key, '--data-folder', 'none']);
  await assert.rejects(start(one.cert, other.key), /TLS key \S+key\.pem cannot be used: .*(mismatch|values)/);
  await assert.rejects(start('/nonexistent.pem', one.key), /TLS certificate \/nonexistent\.pem cannot be read: No such file/);
  await assert.rejects(start(one.key, one.key), /TLS certificate \S+key\.pem cannot be used/);
  await assert.rejects(start(one.cert, one.cert), /TLS key \S+cert\.pem cannot be used/);
  execFileSync('openssl', ['ec', '-in', one.key, '-aes128', '-passout', 'pass:secret', '-out', `${one.key}.locked`], { stdio: 'ignore' });
  await assert.rejects(start(one.cert, `${one.key}.locked`), /TLS key \S+\.locked cannot be used/);
  await assert.rejects(startServer(null, ['--tls-cert', one.cert]), /--tls-cert and --tls-key need each other/);
});
