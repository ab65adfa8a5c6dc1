// A disk that is full: what cannot be kept is answered 507, what was acknowledged stays.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { client } from './api_client.mjs';
import { startServer } from './server.mjs';

// No file may grow beyond this, which a program is told as it is told of a full disk.
const LIMIT_KB = 600;
const limited = ['bash', '-c', `ulimit -f ${LIMIT_KB}; trap '' XFSZ; exec "$0" "$@"`];

const workflow = (id, filling) => ({
  id, name: id, filling, nodes: [{ id: 's', type: 'testPattern', data: { fps: 5 } }, { id: `${id}-view`, type: 'videoPreview', data: {} }],
  edges: [{ id: 'e', source: 's', target: `${id}-view` }],
});

// A camera that asks for a password and takes none; it tells those that it was given.
async function startLockedCamera(t) {
  const passwords = [], waiting = [];
  const http = createServer((request, answer) => {
    const given = request.headers.authorization?.match(/^Basic (.+)$/)?.[1];
    if (given) passwords.push(Buffer.from(given, 'base64').toString());
    if (given) waiting.splice(0).forEach((resolve) => resolve());
    answer.writeHead(401, { 'www-authenticate': 'Basic realm="camera"' }).end();
  });
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(() => { http.closeAllConnections(); http.close(); });
  return { port: http.address().port, passwords, asked: () => new Promise((resolve) => waiting.push(resolve)) };
}

test('a full disk is answered 507, and loses nothing', { timeout: 60000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const server = await startServer(null, ['--data-folder', folder], 'ignore', limited);
  t.after(() => server.child.kill('SIGKILL')); // where the test fails
  let call = client(server);
  // Until there is no room for one more.
  const fill = async (route, params, body) => {
    for (let i = 0; i < 400; i++) if ((await call.whole(route, [200, 201, 507], { params, body: body(i) })).status === 507) return;
    assert.fail(`${route}: always room`);
  };
  const camera = (name) => ({ name, url: `rtsp://192.0.2.1/${'x'.repeat(800)}` });
  const first = await call('POST /api/cameras', 201, { body: camera('kept') });
  const large = 'x'.repeat(30000), kept = [];
  const locked = await startLockedCamera(t);
  const guarded = (password, filling) => ({
    id: 'guarded', name: 'guarded', filling, edges: [],
    nodes: [{ id: 'c', type: 'camera', data: { url: `http://root:${password}@127.0.0.1:${locked.port}/` } }],
  });
  await call('POST /api/workflow-builder', 201, { body: guarded('old', '') });
  await call('POST /api/workflow-builder', 201, { body: workflow('first', large) });
  await call('POST /api/workflow-builder/{id}/execute', 200, { params: { id: 'first' } });
  const shown = { id: 'first', node_id: 'first-view' }, label = async () => (await call('GET /api/views', 200)).views[0].label;
  await call('PATCH /api/workflow-builder/{id}/nodes/{node_id}', 200, { params: shown, body: { data: { label: 'kept' } } });
  assert.equal(await label(), 'kept');
  let full;
  for (let i = 0; i < 100 && !full; i++) {
    const answer = await call.whole('POST /api/workflow-builder', [201, 507], { body: workflow(`w${i}`, large) });
    if (answer.status === 201) kept.push(`w${i}`);
    else full = answer;
  }
  assert.match(full.json.detail, /could not be saved/);
  assert.ok(kept.length > 3, `${kept.length} were kept before`);

  // A password would still find room, but not the document it belongs to: both stay as they were.
  await call('PUT /api/workflow-builder/{id}', 507, { params: { id: 'guarded' }, body: guarded('new', `${large}${large}`) });

  // Every call that keeps something says the same, and changes nothing.
  const params = { id: kept[0], node_id: `${kept[0]}-view` }, more = workflow(kept[0], `${large}${large}`);
  await call('PUT /api/workflow-builder/{id}', 507, { params, body: more });
  await call('POST /api/workflow-builder/{id}/deploy', 507, { params, body: more });
  await call('POST /api/workflow-builder/import', 507, { body: workflow('imported', large) });
  await call('PATCH /api/workflow-builder/{id}/nodes/{node_id}', 507, { params, body: { data: { note: large } } });
  // Of one that runs, too: the picture does not show what is not kept.
  await call('PATCH /api/workflow-builder/{id}/nodes/{node_id}', 507, { params: shown, body: { data: { label: 'not kept', note: large } } });
  assert.equal(await label(), 'kept');
  await fill('POST /api/cameras', {}, (i) => camera(`c${i}`));
  const gone = await call.whole('DELETE /api/workflow-builder/{id}', [200, 507], { params: { id: kept[1] } }); // that may need room, too
  await fill('PUT /api/cameras/{id}', { id: first.id }, (i) => ({ url: camera('').url.replace(/x/g, i % 2 ? 'y' : 'z') }));

  // Reading and what runs go on.
  assert.equal((await call('GET /api/workflow-builder/{id}', 200, { params })).filling, large);
  assert.deepEqual((await call('GET /api/workflow-builder/status', 200)).workflow_ids, ['first']);
  const cameras = await call('GET /api/cameras', 200);
  await server.stop();

  const again = await startServer(null, ['--data-folder', folder]);
  t.after(again.stop);
  call = client(again);
  const ids = (await call('GET /api/workflow-builder', 200)).workflows.map(({ id }) => id);
  for (const id of ['first', ...kept.filter((_, i) => i !== 1 || gone.status === 507)]) assert.ok(ids.includes(id), id);
  assert.ok(!ids.includes('imported'));
  assert.equal((await call('GET /api/workflow-builder/{id}', 200, { params })).filling, large);
  assert.deepEqual(await call('GET /api/cameras', 200), cameras);
  assert.deepEqual((await call('GET /api/workflow-builder/status', 200)).workflow_ids, ['first']);
  await call('POST /api/workflow-builder', 201, { body: workflow('room again', large) });
  const asked = locked.asked();
  await call('POST /api/workflow-builder/{id}/execute', 200, { params: { id: 'guarded' } });
  await asked;
  assert.deepEqual(new Set(locked.passwords), new Set(['root:old']));
});
