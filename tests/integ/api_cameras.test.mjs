// /api/cameras: every answer of docs/api.md, every failure, and that no answer has a password.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { assertShape, client } from './api_client.mjs';
import { eventually, startServer } from './server.mjs';

const CAMERA = { id: 'string', name: 'string', url: 'string', username: 'string', has_password: 'boolean', enabled: 'boolean',
  created_at: 'number', updated_at: 'number' };

async function start(t) {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-test-'));
  const server = await startServer(null, ['--data-folder', folder]);
  t.after(async () => { await server.stop(); rmSync(folder, { recursive: true, force: true }); });
  return { server, call: client(server) };
}

test('a camera is kept, listed, read, changed and forgotten', { timeout: 60000 }, async (t) => {
  const { call, server } = await start(t);
  assert.deepEqual(await call('GET /api/cameras', 200), { total: 0, cameras: [] });
  const added = await call('POST /api/cameras', 201, { body: { name: 'Yard', url: 'rtsp://root:p%40ss%2Fword@192.0.2.1:554/live?a=b' } });
  assertShape(added, CAMERA);
  assert.equal(added.url, 'rtsp://192.0.2.1:554/live?a=b');
  assert.deepEqual([added.username, added.has_password, added.enabled], ['root', true, true]);
  const params = { id: added.id };
  assert.deepEqual(await call('GET /api/cameras/{id}', 200, { params }), added);
  assert.deepEqual(await call('GET /api/cameras', 200), { total: 1, cameras: [added] });

  // What is not sent stays.
  const put = (body) => call('PUT /api/cameras/{id}', 200, { params, body });
  assert.deepEqual({ ...await put({}), updated_at: added.updated_at }, added);
  let changed = await put({ name: 'Back yard', enabled: false });
  assert.deepEqual([changed.name, changed.enabled, changed.has_password, changed.url], ['Back yard', false, true, added.url]);
  assert.match((await call('POST /api/cameras/{id}/test', 409, { params })).detail, /off/);
  changed = await put({ enabled: true, url: 'http://192.0.2.2/', username: 'guest' });
  assert.deepEqual([changed.url, changed.username, changed.has_password, changed.enabled], ['http://192.0.2.2/', 'guest', true, true]);
  assert.equal((await put({ password: '' })).has_password, false);
  assert.equal((await put({ password: 'beside the url' })).has_password, true);

  assert.deepEqual(await call('DELETE /api/cameras/{id}', 200, { params }), { status: 'deleted' });
  for (const [route, more] of [['GET /api/cameras/{id}', {}], ['DELETE /api/cameras/{id}', {}], ['PUT /api/cameras/{id}', { body: { name: 'x' } }], ['POST /api/cameras/{id}/test', {}]]) {
    assert.match((await call(route, 404, { params, ...more })).detail, /no camera with this id/);
  }
  assert.doesNotMatch(server.log(), /p@ss|p%40ss|beside the url/);
});

test('no answer has a password, wherever it was sent', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  const secret = 'hunter2&%20é', answers = [];
  const added = await call('POST /api/cameras', 201, { body: { name: 'a', url: 'rtsp://192.0.2.1/', username: 'u', password: secret } });
  answers.push(added, await call('POST /api/cameras', 201, { body: { name: 'b', url: `rtsp://u:${encodeURIComponent(secret)}@192.0.2.1/` } }));
  const params = { id: added.id };
  answers.push(await call('PUT /api/cameras/{id}', 200, { params, body: { password: secret } }), await call('GET /api/cameras/{id}', 200, { params }),
    await call('GET /api/cameras', 200), await call('POST /api/cameras', 409, { body: { name: 'b', url: `rtsp://u:${encodeURIComponent(secret)}@192.0.2.9/` } }));
  for (const answer of answers) assert.doesNotMatch(JSON.stringify(answer), /hunter2/);
});

test('what is no camera is answered 400, a name that is taken 409', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  const url = 'rtsp://192.0.2.1/1';
  const { id } = await call('POST /api/cameras', 201, { body: { name: 'Taken', url } });
  for (const body of [{}, { name: 'x' }, { url }, { name: '', url }, { name: 'x', url: '' }, { name: 5, url }, { name: 'x', url: 5 }, { name: 'x', url, enabled: 'yes' },
    { name: 'x', url, password: 7 }, { name: 'x', url, username: [] }, { name: 'a\nb', url }, { name: 'x'.repeat(101), url }, { name: 'x', url: `${url}${'y'.repeat(900)}` },
    { name: 'x', url, username: 'u'.repeat(101) }, { name: 'x', url, password: 'p'.repeat(201) }, { name: 'x', url: `rtsp://${'u'.repeat(101)}:p@192.0.2.1/` },
    { name: 'x', url: 'file:///etc/passwd' }, { name: 'x', url: '/etc/passwd' }, { name: 'x', url: 'pipe:/etc/passwd' }, { name: 'x', url: 'rtsp://' }, { name: 'x', url: 'rtsp://a%ff:p@192.0.2.1/' },
    { name: 'x', url: 'v4l2:/etc/passwd' }, { name: 'x', url: 'javascript:alert(1)' }]) {
    await call('POST /api/cameras', 400, { body });
  }
  for (const body of [{ url: 'file:///etc/passwd' }, { name: 5 }, { enabled: 1 }, { url: '' }]) await call('PUT /api/cameras/{id}', 400, { params: { id }, body });
  assert.match((await call('POST /api/cameras', 409, { body: { name: 'Taken', url } })).detail, /name/);
  const other = await call('POST /api/cameras', 201, { body: { name: 'Other', url } });
  await call('PUT /api/cameras/{id}', 409, { params: { id: other.id }, body: { name: 'Taken' } });
  assert.equal((await call('GET /api/cameras', 200)).total, 2);
});

test('more cameras than the store holds are answered 429', { timeout: 120000 }, async (t) => {
  const { call } = await start(t);
  const url = 'rtsp://192.0.2.1/';
  for (let added = 0; added < 1000; added += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, i) => call('POST /api/cameras', 201, { body: { name: `${added + i}`, url } })));
  }
  assert.equal((await call('GET /api/cameras', 200)).total, 1000);
  assert.match((await call('POST /api/cameras', 429, { body: { name: 'one more', url } })).detail, /too many cameras/);
});

test('a test opens the camera, with its password, and says what it sees or why not', { timeout: 60000 }, async (t) => {
  const { call, server } = await start(t);
  const asked = [];
  await call('POST /api/workflow-builder/execute', 200, { body: { id: 'w', nodes: [{ id: 's', type: 'testPattern', data: { width: 320, height: 180 } }], edges: [] } });
  const picture = await eventually('a picture for the camera', 10, async () => {
    const answer = await fetch(`${server.url}/api/video/s/snapshot`);
    return answer.ok && Buffer.from(await answer.arrayBuffer());
  });
  const camera = createServer((request, answer) => {
    asked.push(request.headers.authorization);
    if (request.headers.authorization !== `Basic ${Buffer.from('u:p:w').toString('base64')}`) {
      answer.writeHead(401, { 'www-authenticate': 'Basic realm="camera"' }).end();
      return;
    }
    answer.writeHead(200, { 'content-type': 'multipart/x-mixed-replace; boundary=frame' });
    const clock = setInterval(() => {
      answer.write(`--frame\r\nContent-Type: image/jpeg\r\nContent-Length: ${picture.length}\r\n\r\n`);
      answer.write(Buffer.concat([picture, Buffer.from('\r\n')]));
    }, 100);
    answer.on('close', () => clearInterval(clock));
  }).listen(0, '127.0.0.1');
  await once(camera, 'listening');
  t.after(() => { camera.closeAllConnections(); camera.close(); });
  const url = `http://127.0.0.1:${camera.address().port}/stream`;
  const { id } = await call('POST /api/cameras', 201, { body: { name: 'Street', url, username: 'u', password: 'p:w' } });
  const seen = await call('POST /api/cameras/{id}/test', 200, { params: { id } });
  assertShape(seen, { ok: 'boolean', width: 'number', height: 'number', fps: 'number', codec: 'string', reason: 'string' });
  assert.deepEqual([seen.ok, seen.width, seen.height, seen.reason], [true, 320, 180, '']);
  assert.ok(seen.fps > 4 && seen.fps < 20 && seen.codec, JSON.stringify(seen));

  await call('PUT /api/cameras/{id}', 200, { params: { id }, body: { password: 'wrong' } });
  const refused = await call('POST /api/cameras/{id}/test', 200, { params: { id } });
  assert.equal(refused.ok, false);
  assert.ok(refused.reason.length > 10);
  assert.doesNotMatch(refused.reason, /wrong/);
  await call('PUT /api/cameras/{id}', 200, { params: { id }, body: { url: 'http://127.0.0.1:9/' } });
  assert.equal((await call('POST /api/cameras/{id}/test', 200, { params: { id } })).ok, false);
  assert.ok(asked.length >= 2);
});

test('a test of a camera that says nothing does not hold up the end of the server', { timeout: 60000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const server = await startServer(null, ['--data-folder', folder]);
  t.after(server.stop);
  const call = client(server);
  let came;
  const asked = new Promise((resolve) => { came = resolve; });
  const camera = createServer(() => came()).listen(0, '127.0.0.1');
  await once(camera, 'listening');
  t.after(() => { camera.closeAllConnections(); camera.close(); });
  const { id } = await call('POST /api/cameras', 201, { body: { name: 'Silent', url: `http://127.0.0.1:${camera.address().port}/stream` } });
  const tested = call('POST /api/cameras/{id}/test', 503, { params: { id } });
  await asked;
  const start = performance.now();
  server.child.kill('SIGTERM');
  assert.deepEqual(await server.exited, { code: 0, signal: null });
  const ms = performance.now() - start;
  t.diagnostic(`ended after ${Math.round(ms)} ms`);
  assert.ok(ms < 2000, `it took ${Math.round(ms)} ms`);
  await tested;
});
