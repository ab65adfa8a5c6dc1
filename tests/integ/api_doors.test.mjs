// What holds for every route alike, asked of each by the server's own table: who is let in, which
// methods and bodies are taken. A route that no test calls fails here.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';

import { client, fill, routes, send } from './api_client.mjs';
import { startServer, testPattern } from './server.mjs';

const WebSocket = createRequire(import.meta.url)('ws');
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const TOKEN = 'a-token-of-programs-0123456789';

// Their bodies are not JSON, or not looked at.
const WITHOUT_JSON = new Set([
  'POST /api/logout', 'POST /api/webrtc/cleanup', 'PATCH /api/webrtc/sessions/{session_id}',
  'POST /whep/{node_id}', 'PATCH /whep/{node_id}/{session_id}',
  'POST /api/workflow-builder/performance/reset', 'POST /api/workflow-builder/stop-all',
  'POST /api/workflow-builder/{id}/stop', 'POST /api/workflow-builder/{id}/execute',
  'POST /api/cameras/{id}/test',
]);
const EMPTY_IS_FINE = new Set(['POST /api/webrtc/close/{node_id}', 'POST /api/workflow-builder/{id}/deploy',
  'POST /api/workflow-builder/{id}/preview']);

const pathOf = ({ pattern }) => fill(pattern, {});

function matches(pattern, path) {
  const parts = pattern.split('/'), given = path.split('/');
  return parts.length === given.length && parts.every((part, i) => part.startsWith('{') || part === given[i]);
}

/** The methods that the table has for a path. */
const methodsOf = (path) => new Set(routes().filter(({ pattern }) => matches(pattern, path)).map(({ method }) => method));

test('every route is called by a test of its own', () => {
  const folder = new URL('.', import.meta.url);
  const tests = readdirSync(folder).filter((name) => /^api_.*\.test\.mjs$/.test(name) && name !== 'api_doors.test.mjs')
    .map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n');
  const all = routes();
  assert.ok(all.length > 40, `${all.length} routes were read`);
  const forgotten = all.map(({ route }) => route).filter((route) => !tests.includes(`'${route}'`));
  assert.deepEqual(forgotten, [], 'no tests/integ/api_*.test.mjs calls these routes by their name');
});

test('another method is answered 405 with those that the path has', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  let asked = 0;
  for (const path of new Set(routes().map(pathOf))) {
    const known = methodsOf(path);
    for (const method of METHODS.filter((one) => !known.has(one))) {
      const answer = await send(`${server.url}${path}`, { method });
      assert.equal(answer.status, 405, `${method} ${path}`);
      assert.match(answer.json.detail, /method/);
      assert.deepEqual(answer.headers.allow.split(', ').sort(), [...known].sort(), `Allow of ${path}`);
      asked += 1;
    }
    const asks = await send(`${server.url}${path}`, { method: 'OPTIONS' });
    assert.equal(asks.status, 204, `OPTIONS ${path}`);
  }
  assert.ok(asked > 80, `${asked} were asked`);
  for (const method of METHODS) {
    const nothing = await send(`${server.url}/api/nothing`, { method });
    assert.equal(nothing.status, 404, method);
    assert.match(nothing.json.detail, /nothing at this path/);
  }
});

test('a foreign Host or Origin is answered 403, whatever the route', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const { host } = new URL(server.url);
  for (const one of routes()) {
    for (const headers of [{ host: 'evil.example' }, { host, origin: 'http://evil.example' }, { host, origin: 'null' }]) {
      const answer = await send(`${server.url}${pathOf(one)}`, { method: one.method, headers });
      assert.equal(answer.status, 403, `${one.route} ${JSON.stringify(headers)}`);
      assert.ok(answer.json.detail.length > 20);
    }
  }
  // Nothing was done: stop-all was among them.
  assert.equal((await (await fetch(`${server.url}/api/workflow-builder/status`)).json()).running_workflows, 1);
});

test('without a log-in every route but the open ones is closed, with the token none is', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern(), ['--bind', '127.0.0.2', '--token', TOKEN]);
  t.after(server.stop);
  for (const one of routes()) {
    const answer = await send(`${server.url}${pathOf(one)}`, { method: one.method });
    if (one.open || one.method === 'OPTIONS') {
      assert.ok(answer.status < 401, `${one.route}: ${answer.status}`);
    } else if (one.method === 'GET' && one.pattern.startsWith('/view/')) {
      assert.equal(answer.status, 303, one.route);
    } else {
      assert.equal(answer.status, 401, one.route);
      assert.match(answer.json.detail, /Log in/);
      assert.equal(answer.headers['www-authenticate'], 'Bearer');
    }
  }
  assert.equal((await client(server, { authorization: `Bearer ${TOKEN}` })('GET /api/workflow-builder/status', 200)).running_workflows, 1);
  for (const one of routes()) {
    const answer = await send(`${server.url}${pathOf(one)}`, { method: one.method, headers: { authorization: `Bearer ${TOKEN}` } });
    assert.ok(![401, 403, 500].includes(answer.status), `${one.route}: ${answer.status}`);
  }
});

const DEEP = 5000;
const brokenBodies = {
  'an open brace': '{',
  'a list': '[]',
  'a text': '"workflow"',
  null: 'null',
  'nothing after the colon': '{"a":',
  'a name twice': '{"a": 1, "a": 2}',
  'two objects': '{}{}',
  'a NUL behind it': '{}\0',
  'a NUL in a text': '{"id": "a\\u0000b", "node_id": "a\\u0000b"}',
  'bytes that are not UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  'half a surrogate': '{"a": "\\ud800"}',
  'a number too large': '{"a": 1e999}',
  'lists in lists without end': `{"a": ${'['.repeat(DEEP)}${']'.repeat(DEEP)}}`,
  'objects in objects without end': `{"a": ${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}}`,
};

test('a body that is no JSON object is answered 400 by every route that reads one', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const takers = routes().filter(({ method, route, streams }) => ['POST', 'PUT', 'PATCH'].includes(method) && !streams && !WITHOUT_JSON.has(route));
  assert.ok(takers.length >= 12, `${takers.length} take JSON`);
  const call = client(server);
  for (const { route } of takers) {
    for (const body of Object.values(brokenBodies)) await call(route, 400, { body });
    if (!EMPTY_IS_FINE.has(route)) await call(route, 400, { body: '' });
  }
  assert.equal((await call('GET /api/workflow-builder/status', 200)).running_workflows, 1);
});

/** A body without a length, in chunks. */
const chunks = (size) => (async function* parts() {
  const piece = Buffer.alloc(64 << 10, 0x20);
  for (let sent = 0; sent < size; sent += piece.length) yield piece;
})();

test('a body of more than a megabyte is answered 413, with a length or in chunks', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const call = client(server), most = 1 << 20;
  const padded = (size) => `{"nodes": [], "edges": []${' '.repeat(size - 26)}}`;
  assert.equal(padded(most).length, most);
  assert.equal((await call('POST /api/workflow-builder/validate', 200, { body: padded(most) })).valid, true);
  for (const { route, method } of routes().filter((one) => ['POST', 'PUT', 'PATCH'].includes(one.method) && !one.streams)) {
    assert.match((await call(route, 413, { body: padded(most + 1) })).detail, /1 MB/, method);
  }
  const answer = await fetch(`${server.url}/api/workflow-builder/validate`, { method: 'POST', body: chunks(3 << 20), duplex: 'half' });
  assert.equal(answer.status, 413);
  // One that announces more than anybody reads is refused before it comes.
  const announced = await send(`${server.url}/api/workflow-builder/validate`, { method: 'POST', headers: { 'content-length': String(2 ** 40) } }).catch((error) => error);
  assert.equal(announced.status, 413);
});

test('HEAD is GET without the body; a slash at the end is forgiven; a WebSocket is at its path only', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const head = await send(`${server.url}/api/views`, { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.bytes.length, 0);
  assert.ok(Number(head.headers['content-length']) > 100);
  for (const path of ['/api/cameras/', '/api/workflow-builder/', '/api/views/']) assert.equal((await send(`${server.url}${path}`)).status, 200, path);
  const refused = await new Promise((resolve) => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/api/views`);
    socket.on('unexpected-response', (_, answer) => resolve(answer.statusCode));
    socket.on('open', () => resolve('open'));
  });
  assert.equal(refused, 404);
});
