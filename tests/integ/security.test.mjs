// A protected server: who gets in, how, and what everybody else is told.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { Internet, whyNoInternet } from './internet.mjs';
import { eventually, startServer, testPattern } from './server.mjs';

const WebSocket = createRequire(import.meta.url)('ws');
const run = promisify(execFile);

const PASSWORD = 'a password of people';
const TOKEN = 'a-token-of-programs-0123456789';
const OFFER = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:96 H264/90000\r\na=recvonly\r\n';

function scratch(t) {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

// Served on another loopback address, so that the password is asked for and nothing leaves the machine.
async function startProtected(t, extra = []) {
  const secret = join(scratch(t), 'password');
  writeFileSync(secret, `${PASSWORD}\n`, { mode: 0o600 });
  const server = await startServer(testPattern(),
    ['--bind', '127.0.0.2', '--password-file', secret, '--token', TOKEN, ...extra]);
  t.after(server.stop);
  return server;
}

const call = (server, path, options = {}) => fetch(`${server.url}${path}`, { redirect: 'manual', ...options });

function login(server, password, more = {}) {
  return call(server, '/api/login', {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ password, ...more }),
  });
}

async function loggedIn(server) {
  const answer = await login(server, PASSWORD);
  assert.equal(answer.status, 200);
  return answer.headers.get('set-cookie').split(';')[0];
}

/** 'open', or the status that the handshake was refused with. */
function openSocket(server, headers = {}) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/ws`, { headers, rejectUnauthorized: false });
    socket.on('open', () => resolve({ result: 'open', socket }));
    socket.on('unexpected-response', (_, response) => resolve({ result: response.statusCode }));
    socket.on('error', reject);
  });
}

test('without a log-in only the log-in and a sign of life are there', { timeout: 60000 }, async (t) => {
  const server = await startProtected(t);
  for (const path of ['/', '/view/view', '/workflows']) {
    const answer = await call(server, path);
    assert.equal(answer.status, 303, path);
    assert.equal(answer.headers.get('location'), path === '/' ? '/login' : `/login?next=${path}`);
  }
  for (const [method, path] of [['GET', '/api/views'], ['POST', '/api/workflow-builder/execute'],
    ['GET', '/api/nothing'], ['POST', '/nothing'], ['GET', '/overwatch-view.js'], ['GET', '/metrics'],
    ['DELETE', '/api/workflow-builder/x'], ['GET', '/api/video/view/snapshot']]) {
    const answer = await call(server, path, { method });
    assert.equal(answer.status, 401, `${method} ${path}`);
    assert.match((await answer.json()).detail, /Log in/);
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
  }
  assert.deepEqual(await (await call(server, '/healthz')).json(), { status: 'ok' });
  const page = await call(server, '/login');
  assert.equal(page.status, 200);
  assert.match(await page.text(), /Log in/);
  for (const path of ['/assets/..%2findex.html', '/assets%2f..%2findex.html']) assert.equal((await call(server, path)).status, 404);
});

test('a body is not read from strangers', { timeout: 60000 }, async (t) => {
  const server = await startProtected(t);
  const socket = connect(new URL(server.url).port, '127.0.0.2');
  await once(socket, 'connect');
  socket.write('POST /api/workflow-builder/execute HTTP/1.1\r\nHost: 127.0.0.2\r\nContent-Length: 900000\r\n\r\n');
  const [data] = await once(socket, 'data'); // nothing of the body was sent
  assert.match(data.toString(), /^HTTP\/1.1 401 [\s\S]*Connection: close/);
  socket.destroy();
});

test('a password opens a session that its cookie carries and a log-out ends', { timeout: 60000 }, async (t) => {
  const server = await startProtected(t);
  const wrong = await login(server, 'not the password');
  assert.equal(wrong.status, 401);
  assert.equal(wrong.headers.get('set-cookie'), null);
  const answer = await login(server, PASSWORD, { next: '/view/view' });
  assert.equal(answer.status, 200);
  assert.equal((await answer.json()).next, '/view/view');
  const cookie = answer.headers.get('set-cookie');
  assert.match(cookie, /^overwatch_\d+=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/);
  const headers = { cookie: `theirs=1; ${cookie.split(';')[0]}` };
  assert.equal((await call(server, '/api/views', { headers })).status, 200);
  assert.equal((await (await call(server, '/healthz', { headers })).json()).views, 1);
  assert.equal((await call(server, '/api/views', { headers: { cookie: `${headers.cookie}0` } })).status, 401);

  const { socket } = await openSocket(server, headers);
  const closed = once(socket, 'close');
  assert.equal((await call(server, '/api/logout', { method: 'POST', headers })).status, 200);
  assert.equal((await call(server, '/api/views', { headers })).status, 401);
  await closed; // the WebSocket went with the session
});

test('next leads nowhere else', { timeout: 60000 }, async (t) => {
  const server = await startProtected(t);
  const cookie = await loggedIn(server);
  for (const next of ['//evil.example', '/\\evil.example', 'https://evil.example', '/\r\nSet-Cookie: a=b', 'javascript:x', '/\t/evil.example']) {
    assert.equal((await (await login(server, PASSWORD, { next })).json()).next, '/', next);
    const answer = await call(server, `/login?next=${encodeURIComponent(next)}`, { headers: { cookie } });
    assert.equal(answer.status, 303);
    assert.equal(answer.headers.get('location'), '/', next);
    assert.equal(answer.headers.get('set-cookie'), null);
  }
  const answer = await call(server, '/login?next=%2Fview%2Fview%3Fa%3Db', { headers: { cookie } });
  assert.equal(answer.headers.get('location'), '/view/view?a=b');
  assert.equal((await call(server, '//evil.example/x')).headers.get('location'), '/login');
});

test('programs and players bear a token', { timeout: 60000 }, async (t) => {
  const server = await startProtected(t);
  const offer = (headers) => call(server, '/whep/view', { method: 'POST', headers: { 'content-type': 'application/sdp', ...headers }, body: OFFER });
  let answer = await offer({});
  assert.equal(answer.status, 401);
  assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
  answer = await offer({ authorization: 'Bearer something-else-altogether' });
  assert.equal(answer.status, 401);
  assert.match(answer.headers.get('www-authenticate'), /invalid_token/);
  assert.equal((await offer({ authorization: `Basic ${TOKEN}` })).status, 401);
  answer = await offer({ authorization: `Bearer ${TOKEN}` });
  assert.equal(answer.status, 400); // let in, and this offer has no ICE credentials
  assert.equal((await call(server, '/api/views', { headers: { authorization: `Bearer ${TOKEN}` } })).status, 200);
  assert.equal((await call(server, '/api/views', { headers: { authorization: `Bearer ${PASSWORD}` } })).status, 401);
  assert.equal((await login(server, TOKEN)).status, 200);
});

test('a WebSocket is opened to those who have logged in', { timeout: 60000 }, async (t) => {
  const server = await startProtected(t);
  const cookie = await loggedIn(server);
  assert.equal((await openSocket(server)).result, 401);
  assert.equal((await openSocket(server, { cookie, origin: 'http://evil.example' })).result, 403);
  for (const headers of [{ cookie }, { authorization: `Bearer ${TOKEN}` }, { cookie, origin: server.url }]) {
    const { result, socket } = await openSocket(server, headers);
    assert.equal(result, 'open');
    socket.send(JSON.stringify({ type: 'ping' }));
    assert.equal(JSON.parse((await once(socket, 'message'))[0]).type, 'pong');
    socket.close();
  }
});

test('Host and Origin guard the log-in, too', { timeout: 60000 }, async (t) => {
  const server = await startProtected(t);
  const { port } = new URL(server.url);
  const body = JSON.stringify({ password: PASSWORD });
  const ask = async (host, more = '') => {
    const socket = connect(port, '127.0.0.2');
    socket.write(`POST /api/login HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`);
    let text = '';
    for await (const part of socket) text += part;
    return text;
  };
  for (const text of [await ask('evil.example'), await ask(`127.0.0.2:${port}`, 'Origin: http://evil.example\r\n')]) {
    assert.match(text, /^HTTP\/1.1 403 /);
    assert.doesNotMatch(text, /Set-Cookie/i);
  }
  assert.match(await ask(`127.0.0.2:${port}`, `Origin: http://127.0.0.2:${port}\r\n`), /^HTTP\/1.1 200 [\s\S]*Set-Cookie/);
});

test('tries are few', { timeout: 60000 }, async (t) => {
  const server = await startProtected(t);
  const cookie = await loggedIn(server);
  for (let i = 0; i < 5; i++) assert.equal((await login(server, `guess ${i}`)).status, 401);
  const answer = await login(server, PASSWORD); // the right one is not looked at any more
  assert.equal(answer.status, 429);
  const wait = Number(answer.headers.get('retry-after'));
  assert.ok(wait >= 1 && wait <= 12, `Retry-After: ${wait}`);
  assert.match((await answer.json()).detail, new RegExp(`${wait} s`));
  // Those who are in stay in.
  assert.equal((await call(server, '/api/views', { headers: { cookie } })).status, 200);
  assert.equal((await call(server, '/api/views', { headers: { authorization: `Bearer ${TOKEN}` } })).status, 200);
  assert.doesNotMatch(server.log(), /guess|a password of people|a-token/);
  assert.match(server.log(), /log-in from 127\.0\.0\.1 was refused/);
});

test('a password may be given as its hash', { timeout: 60000 }, async (t) => {
  const server = await startServer(null);
  await server.stop(); // for the path of the program
  const child = run(server.child.spawnfile, ['hash-password']);
  child.child.stdin.end(`${PASSWORD}\n`);
  const hash = (await child).stdout.trim();
  assert.match(hash, /^scrypt:14:8:1:/);
  const guarded = await startServer(testPattern(), ['--password', hash]);
  t.after(guarded.stop);
  assert.equal((await call(guarded, '/api/views')).status, 401);
  assert.equal((await login(guarded, hash)).status, 401);
  assert.equal((await login(guarded, PASSWORD)).status, 200);
});

test('loopback without a password is open', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  assert.equal((await call(server, '/api/views')).status, 200);
  assert.equal((await call(server, '/login?next=/view/view')).headers.get('location'), '/view/view');
  assert.deepEqual(await (await login(server, 'anything')).json(), { status: 'ok', next: '/' });
});

test('another address is served with a first token', { skip: whyNoInternet(), timeout: 120000 }, async (t) => {
  const internet = new Internet(t);
  const address = internet.addPublic('server', 20);
  internet.addPublic('viewer', 10);
  const data = join(internet.folder, 'data');
  const open = () => startServer(testPattern(), ['--bind', '0.0.0.0', '--data-folder', data], 'ignore', internet.prefix('server'));
  const first = await open();
  const [, token] = first.log().match(/Log in with this token: ([0-9a-f]{40})\n/);
  await first.stop();
  const server = await open();
  internet.endsWith(server.stop);
  assert.doesNotMatch(server.log(), new RegExp(token)); // shown once
  assert.equal(readFileSync(join(data, 'token'), 'utf8'), `${token}\n`);
  assert.equal(statSync(join(data, 'token')).mode & 0o777, 0o600);
  const url = `http://${address}:${new URL(server.url).port}`;
  const [command, ...words] = internet.prefix('viewer');
  const curl = async (path, ...more) => (await run(command, [...words, 'curl', '-s', '-w', '\n%{http_code}', ...more, `${url}${path}`])).stdout;
  assert.match(await curl('/api/views'), /401$/);
  assert.match(await curl('/api/views', '-H', `Authorization: Bearer ${token}`), /"node_id":"view"[\s\S]*200$/);
  assert.match(await curl('/api/login', '-d', JSON.stringify({ password: token })), /200$/);
  assert.match(await curl('/api/views', '-H', `Authorization: Bearer ${token}`, '-H', 'Host: evil.example'), /403$/);
});
