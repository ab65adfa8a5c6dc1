// A view as Motion JPEG over HTTP: whole pictures, each at once, the newest for who reads slowly.
// Runs alone: it measures how often pictures come.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { test } from 'node:test';

import { client } from './api_client.mjs';
import { eventually, postJson, startServer, testPattern } from './server.mjs';

function watch(server, path) {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, agent: false }, resolve).on('error', reject).end();
  });
}

// The parts as they come: the boundary behind a picture must come with it.
async function* parts(response) {
  let rest = Buffer.alloc(0);
  const begin = '--frame\r\n';
  for await (const piece of response) {
    rest = Buffer.concat([rest, piece]);
    for (;;) {
      if (rest.length < begin.length) break;
      assert.equal(rest.subarray(0, begin.length).toString('latin1'), begin);
      const head = rest.indexOf('\r\n\r\n');
      if (head < 0) break;
      const size = Number(/Content-Length: (\d+)/.exec(rest.subarray(0, head).toString('latin1'))[1]);
      const end = head + 4 + size + 2;
      if (rest.length < end + begin.length) break;
      yield rest.subarray(head + 4, head + 4 + size);
      rest = rest.subarray(end);
    }
  }
}

const isJpeg = (picture) => picture.readUInt16BE(0) === 0xffd8 && picture.readUInt16BE(picture.length - 2) === 0xffd9;

test('pictures come whole, at the rate asked for, until the view ends', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern({ fps: 30 }));
  t.after(server.stop);
  const response = await watch(server, '/api/video/view/mjpeg?fps=10');
  assert.equal(response.statusCode, 200);
  assert.equal(response.headers['content-type'], 'multipart/x-mixed-replace; boundary=frame');
  assert.equal(response.headers['content-length'], undefined);
  let count = 0, begin = 0;
  for await (const picture of parts(response)) {
    assert.ok(isJpeg(picture));
    if (++count === 5) begin = performance.now();
    if (count === 25) {
      const fps = 20000 / (performance.now() - begin);
      assert.ok(fps > 4 && fps < 11.5, `${fps} fps`);
      assert.equal((await postJson(`${server.url}/api/workflow-builder/test/stop`, '')).status, 200);
    }
  }
  assert.ok(count >= 25 && count < 40);
});

test('who reads slowly holds nobody up and is shown the newest', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern({ fps: 30, width: 1920, height: 1080 }));
  t.after(server.stop);
  const slow = await watch(server, '/api/video/view/mjpeg?fps=30');
  slow.pause();
  const quick = await watch(server, '/api/video/view/mjpeg?fps=30');
  let seen = 0, bytes = 0;
  for await (const picture of parts(quick)) {
    bytes = picture.length;
    if (++seen === 90) break;
  }
  // Three seconds of pictures, of which the slow one is owed only what its buffers hold and the newest.
  let owed = 0;
  slow.on('data', (piece) => (owed += piece.length));
  slow.resume();
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(owed > 0 && owed < 60 * bytes, `${owed} bytes of pictures of ${bytes}`);
  slow.destroy();
});

test('no view, no rate, too many', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const call = client(server), route = 'GET /api/video/{node_id}/mjpeg';
  await call(route, 404, { params: { node_id: 'nobody' } });
  for (const fps of ['0', 'x', '61', '-1', 'nan']) await call(route, 400, { params: { node_id: 'view' }, query: `?fps=${fps}` });
  const watching = await Promise.all(Array.from({ length: 64 }, () => watch(server, '/api/video/view/mjpeg?fps=1')));
  const refused = await watch(server, '/api/video/view/mjpeg');
  assert.equal(refused.statusCode, 503);
  refused.resume();
  for (const response of watching) response.destroy();
  await eventually('there is room again', 10, async () => {
    const response = await watch(server, '/api/video/view/mjpeg');
    const { statusCode } = response;
    response.destroy();
    return statusCode === 200;
  });
});

test('a stream ends with the log-in that it was asked for with', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern(), ['--password', 'a long enough password']);
  t.after(server.stop);
  assert.equal((await fetch(`${server.url}/api/video/view/mjpeg`)).status, 401);
  const login = await fetch(`${server.url}/api/login`, { method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ password: 'a long enough password' }) });
  const cookie = login.headers.get('set-cookie').split(';')[0];
  const { hostname, port } = new URL(server.url);
  const response = await new Promise((resolve) => request({ hostname, port, path: '/api/video/view/mjpeg', headers: { cookie }, agent: false }, resolve).end());
  assert.equal(response.statusCode, 200);
  response.resume();
  const ended = once(response, 'close');
  assert.equal((await fetch(`${server.url}/api/logout`, { method: 'POST', headers: { cookie } })).status, 200);
  await ended;
});
