// /api/workflow-builder: workflows that are kept. Every answer of docs/api.md, every failure.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { assertShape, client } from './api_client.mjs';
import { startServer } from './server.mjs';

const nodes = (view, settings = {}) => [
  { id: 'source', type: 'testPattern', position: { x: 0, y: 0 }, data: { fps: 10, width: 320, height: 180 } },
  { id: view, type: 'videoPreview', position: { x: 300, y: 0 }, data: settings },
];
const workflow = (id, settings) => ({
  id, name: `The ${id}`, description: 'of a test', version: '1.0', nodes: nodes(`${id}-view`, settings),
  edges: [{ id: 'e', source: 'source', target: `${id}-view`, sourceHandle: 'video-output', targetHandle: 'video-input' }],
});
const changeOf = (changes, id) => changes.find(({ node_id }) => node_id === id)?.change;

async function start(t, extra = []) {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-test-'));
  const server = await startServer(null, ['--data-folder', folder, ...extra]);
  t.after(async () => { await server.stop(); rmSync(folder, { recursive: true, force: true }); });
  const call = client(server);
  // An example is there at the first start; what it is, is no matter of these tests.
  for (const { id } of (await call('GET /api/workflow-builder', 200)).workflows) await call('DELETE /api/workflow-builder/{id}', 200, { params: { id } });
  return { server, call };
}

const ROW = { id: 'string', name: 'string', description: 'string', version: 'string', node_count: 'number', edge_count: 'number',
  running: 'boolean', saved: 'boolean', created_at: 'number', updated_at: 'number' };
const FINDING = { node_id: 'string', setting: 'string', message: 'string' };

test('a workflow is kept, listed, read, replaced and forgotten', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  assert.deepEqual(await call('GET /api/workflow-builder', 200), { total: 0, workflows: [] });
  const sent = { ...workflow('a'), theirs: { kept: [1, 2.5, null] } };
  const added = await call('POST /api/workflow-builder', 201, { body: sent });
  assertShape(added, { id: 'string', workflow: 'object', warnings: 'array', errors: 'array', applied: 'boolean' });
  assert.deepEqual(added.errors, []);
  assert.deepEqual(added.workflow, sent);
  assert.equal(added.applied, false);

  const list = await call('GET /api/workflow-builder', 200);
  assertShape(list, { total: 'number', workflows: 'array' });
  assert.equal(list.total, 1);
  assertShape(list.workflows[0], ROW);
  const { created_at: createdAt, updated_at: updatedAt, ...row } = list.workflows[0];
  assert.deepEqual(row, { id: 'a', name: 'The a', description: 'of a test', version: '1.0', node_count: 2, edge_count: 1, running: false, saved: true });
  assert.ok(Math.abs(createdAt - Date.now() / 1000) < 60 && updatedAt >= createdAt);

  const read = await call('GET /api/workflow-builder/{id}', 200, { params: { id: 'a' } });
  assert.deepEqual(read, { ...sent, created_at: createdAt, updated_at: updatedAt, running: false, saved: true });

  const changed = { ...read, name: 'Another name', nodes: nodes('a-view', { quality: 80 }) };
  const replaced = await call('PUT /api/workflow-builder/{id}', 200, { params: { id: 'a' }, body: changed });
  assert.equal(replaced.workflow.name, 'Another name');
  assert.ok(!('running' in replaced.workflow)); // what only answers have is not kept
  // The id of the path is the workflow's, whatever the body says.
  await call('PUT /api/workflow-builder/{id}', 200, { params: { id: 'a' }, body: { ...changed, id: 'other' } });
  assert.equal((await call('GET /api/workflow-builder/{id}', 200, { params: { id: 'a' } })).id, 'a');
  await call('GET /api/workflow-builder/{id}', 404, { params: { id: 'other' } });

  // In a `workflow` of the body, as the page before sent it.
  await call('POST /api/workflow-builder', 201, { body: { workflow: workflow('b') } });
  assert.deepEqual((await call('GET /api/workflow-builder', 200)).workflows.map(({ id }) => id).sort(), ['a', 'b']);
  assert.deepEqual(await call('DELETE /api/workflow-builder/{id}', 200, { params: { id: 'a' } }), { status: 'deleted' });
  await call('GET /api/workflow-builder/{id}', 404, { params: { id: 'a' } });
  await call('DELETE /api/workflow-builder/{id}', 404, { params: { id: 'a' } });
  await call('PUT /api/workflow-builder/{id}', 404, { params: { id: 'a' }, body: workflow('a') });
});

test('who names a version replaces no other one', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  const params = { id: 'a' }, node = { id: 'a', node_id: 'a-view' };
  const put = (status, name, tag) => call.whole('PUT /api/workflow-builder/{id}', status, { params, body: { ...workflow('a'), name }, headers: tag === undefined ? {} : { 'if-match': tag } });
  const read = async () => call.whole('GET /api/workflow-builder/{id}', 200, { params });
  const first = (await call.whole('POST /api/workflow-builder', 201, { body: workflow('a') })).headers.etag;
  assert.match(first, /^"[0-9a-f]{16}"$/);
  assert.equal((await read()).headers.etag, first);
  await call('POST /api/workflow-builder/{id}/execute', 200, { params });
  assert.equal((await read()).headers.etag, first, 'that it runs is none of its versions');

  const second = (await put(200, 'Second', first)).headers.etag;
  assert.notEqual(second, first);
  const refused = await put(412, 'Late', first);
  assert.match(refused.json.detail, /changed since it was read: nothing was saved/);
  assert.equal(refused.headers.etag, second);
  assert.equal((await read()).json.name, 'Second');
  await put(412, 'Late', `W/${second}`); // weak
  await put(412, 'Late', '"other", "another"');
  await put(412, 'Late', `"${'x'.repeat(200)}"`); // longer than any that was given
  const third = (await put(200, 'Third', `"other", ${second}`)).headers.etag;
  assert.equal((await put(200, 'Third', '*')).headers.etag, third, 'the same is the same version');
  await put(200, 'Whatever was there'); // as it always was

  // A change of one node tells which version it was made to, and which it made.
  const before = (await read()).headers.etag;
  const changed = await call.whole('PATCH /api/workflow-builder/{id}/nodes/{node_id}', 200, { params: node, body: { data: { quality: 60 } } });
  assert.equal(changed.json.replaced_etag, before);
  assert.equal((await read()).headers.etag, changed.headers.etag);
  await put(412, 'Late', before);

  await call('DELETE /api/workflow-builder/{id}', 200, { params });
  await put(404, 'Gone', changed.headers.etag);
  // What runs without being kept has no version.
  await call('POST /api/workflow-builder/execute', 200, { body: workflow('a') });
  assert.equal((await read()).headers.etag, undefined);
});

test('ids: made where there is none, 409 where it is taken, 400 where it is none', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  const made = new Set();
  for (const id of [undefined, null, '']) made.add((await call('POST /api/workflow-builder', 201, { body: { ...workflow('x'), id } })).id);
  assert.equal(made.size, 3);
  await call('POST /api/workflow-builder', 201, { body: workflow('taken') });
  assert.match((await call('POST /api/workflow-builder', 409, { body: workflow('taken') })).detail, /there already/);
  await call('POST /api/workflow-builder', 201, { body: workflow('ünï ☃ code') });
  assert.equal((await call('GET /api/workflow-builder/{id}', 200, { params: { id: 'ünï ☃ code' } })).name, 'The ünï ☃ code');
  for (const id of [5, true, [], {}, '..', '.hidden', 'a/b', 'a\\b', 'a?b', 'a#b', 'a%b', 'a\nb', 'x'.repeat(128)]) {
    await call('POST /api/workflow-builder', 400, { body: { ...workflow('x'), id } });
  }
  await call('POST /api/workflow-builder', 201, { body: workflow('x'.repeat(100)) });
});

const broken = {
  'no nodes': [{ edges: [] }, null, 'nodes'],
  'nodes that are no list': [{ nodes: {}, edges: [] }, null, 'nodes'],
  'edges that are no list': [{ nodes: [], edges: 'x' }, null, 'edges'],
  'too many nodes': [{ nodes: Array.from({ length: 257 }, (_, i) => ({ id: `n${i}`, type: 'testPattern' })), edges: [] }, null, 'nodes'],
  'too many edges': [{ nodes: nodes('v'), edges: Array.from({ length: 1025 }, (_, i) => ({ id: `e${i}`, source: 'source', target: 'v' })) }, null, 'edges'],
  'a node without an id': [{ nodes: [{ type: 'testPattern' }], edges: [] }, null, 'id'],
  'a node id twice': [{ nodes: [{ id: 'a', type: 'testPattern' }, { id: 'a', type: 'testPattern' }], edges: [] }, 'a', 'id'],
  'an unknown type': [{ nodes: [{ id: 'a', type: 'teleporter', data: {} }], edges: [] }, 'a', 'type'],
  'a value out of range': [{ nodes: [{ id: 'a', type: 'testPattern', data: { fps: 100000 } }], edges: [] }, 'a', 'fps'],
  'a value of the wrong kind': [{ nodes: [{ id: 'a', type: 'testPattern', data: { clock: 'maybe' } }], edges: [] }, 'a', 'clock'],
  'a required setting missing': [{ nodes: [{ id: 'a', type: 'videoInput', data: {} }], edges: [] }, 'a', 'videoPath'],
  'an edge to nowhere': [{ nodes: nodes('v'), edges: [{ id: 'e', source: 'source', target: 'gone' }] }, null, 'edges'],
  'a view without a source': [{ nodes: nodes('v'), edges: [] }, 'v', 'edges'],
  'a circle': [{ nodes: [{ id: 'a', type: 'detectionFilter', data: {} }, { id: 'b', type: 'detectionFilter', data: {} }],
    edges: [{ id: '1', source: 'a', target: 'b' }, { id: '2', source: 'b', target: 'a' }] }, 'a', 'edges'],
  'two inputs': [{ nodes: [...nodes('v'), { id: 'second', type: 'testPattern', data: {} }],
    edges: [{ id: '1', source: 'source', target: 'v' }, { id: '2', source: 'second', target: 'v' }] }, 'v', 'edges'],
};

test('what is not valid is answered 400 with the findings, and kept as a draft when that is asked for', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  for (const [name, [document, nodeId, setting]] of Object.entries(broken)) {
    const refused = await call('POST /api/workflow-builder', 400, { body: { ...document, id: 'broken' } });
    assertShape(refused, { message: 'string', detail: 'string', errors: 'array', warnings: 'array' }, name);
    const found = refused.errors.find((one) => one.node_id === nodeId && one.setting === setting);
    assert.ok(found, `${name}: ${JSON.stringify(refused.errors)}`);
    assert.deepEqual(Object.keys(found).sort(), Object.keys(FINDING).sort());
    assert.equal(refused.detail, refused.errors[0].message);
    const checked = await call('POST /api/workflow-builder/validate', 200, { body: document });
    assert.deepEqual(checked, { valid: false, errors: refused.errors, warnings: refused.warnings });
    const previewed = await call('POST /api/workflow-builder/{id}/preview', 200, { params: { id: 'broken' }, body: document });
    assert.deepEqual(previewed, { valid: false, errors: refused.errors, warnings: refused.warnings, changes: [] });
    await call('POST /api/workflow-builder/{id}/deploy', 400, { params: { id: 'broken' }, body: document });
    await call('POST /api/workflow-builder/execute', 400, { body: document });
  }
  assert.equal((await call('GET /api/workflow-builder', 200)).total, 0);
  assert.equal((await call('GET /api/workflow-builder/status', 200)).running_workflows, 0);

  const draft = broken['a view without a source'][0];
  const kept = await call('POST /api/workflow-builder', 201, { query: '?draft=true', body: { ...draft, id: 'draft' } });
  assert.equal(kept.errors.length, 1);
  const refused = await call('POST /api/workflow-builder/{id}/execute', 400, { params: { id: 'draft' } });
  assert.equal(refused.errors[0].node_id, 'v');
  await call('PUT /api/workflow-builder/{id}', 400, { params: { id: 'draft' }, body: draft });
  await call('PUT /api/workflow-builder/{id}', 200, { params: { id: 'draft' }, query: '?draft=1', body: draft });
  // Not even as a draft: what is not of the shape.
  await call('POST /api/workflow-builder', 400, { query: '?draft=true', body: { nodes: 5, edges: [] } });
});

test('unknown settings and members are kept and warned of', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  const sent = { ...workflow('w', { wobble: 3 }), mood: 'good' };
  const { warnings, workflow: kept } = await call('POST /api/workflow-builder', 201, { body: sent });
  assertShape(warnings[0], FINDING);
  assert.deepEqual([warnings[0].node_id, warnings[0].setting], ['w-view', 'wobble']);
  assert.match(warnings[0].message, /wobble.*kept/);
  assert.deepEqual(kept, sent);
  const started = await call('POST /api/workflow-builder/{id}/execute', 200, { params: { id: 'w' } });
  assert.deepEqual(started.warnings, warnings);

  // A choice that is not in the list is such a thing, too, unless somebody chooses it now.
  const chosen = await call('PUT /api/workflow-builder/{id}', 200, { params: { id: 'w' }, body: workflow('w', { boxTiming: 'sometimes' }) });
  assert.deepEqual(chosen.errors, []);
  assert.deepEqual([chosen.warnings[0].node_id, chosen.warnings[0].setting], ['w-view', 'boxTiming']);
  assert.match(chosen.warnings[0].message, /sometimes.*predict.*sync/);
  assert.equal(chosen.workflow.nodes[1].data.boxTiming, 'sometimes');
  const patch = { params: { id: 'w', node_id: 'w-view' }, body: { data: { boxTiming: 'never' } } };
  assert.match((await call('PATCH /api/workflow-builder/{id}/nodes/{node_id}', 400, patch)).detail, /boxTiming/);
});

test('a running workflow changes node by node; preview tells what deploy does', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  const params = { id: 'run' };
  const first = workflow('run');
  for (const route of ['POST /api/workflow-builder/{id}/execute', 'POST /api/workflow-builder/{id}/stop', 'POST /api/workflow-builder/{id}/deploy',
    'POST /api/workflow-builder/{id}/preview', 'GET /api/workflow-builder/{id}/status', 'GET /api/workflow-builder/{id}/export']) {
    await call(route, 404, { params });
  }
  // Of one that is not kept yet.
  let preview = await call('POST /api/workflow-builder/{id}/preview', 200, { params, body: first });
  assertShape(preview, { valid: 'boolean', errors: 'array', warnings: 'array', changes: 'array' });
  assert.deepEqual(preview.changes, [{ node_id: 'source', change: 'added' }, { node_id: 'run-view', change: 'added' }]);
  assert.equal((await call('GET /api/workflow-builder', 200)).total, 0); // it only told

  let deployed = await call('POST /api/workflow-builder/{id}/deploy', 200, { params, body: first });
  assertShape(deployed, { status: 'string', workflow_id: 'string', warnings: 'array', changes: 'array' });
  assert.equal(deployed.status, 'running');
  assert.deepEqual(deployed.changes, preview.changes);
  assert.deepEqual(await call('GET /api/workflow-builder/status', 200), { running_workflows: 1, workflow_ids: ['run'] });

  const second = { ...workflow('run', { quality: 70 }), nodes: [...nodes('run-view', { quality: 70 }), { id: 'more', type: 'testPattern', position: { x: 0, y: 9 }, data: { fps: 5 } }] };
  preview = await call('POST /api/workflow-builder/{id}/preview', 200, { params, body: second });
  assert.equal(changeOf(preview.changes, 'source'), 'kept');
  assert.equal(changeOf(preview.changes, 'run-view'), 'updated');
  assert.equal(changeOf(preview.changes, 'more'), 'added');
  deployed = await call('POST /api/workflow-builder/{id}/deploy', 200, { params, body: second });
  assert.deepEqual(deployed.changes, preview.changes);
  // PUT changes the running one, too.
  const put = await call('PUT /api/workflow-builder/{id}', 200, { params, body: first });
  assert.equal(put.applied, true);
  assert.equal(changeOf(put.changes, 'more'), 'removed');
  // Nothing in the body: as it is kept.
  assert.ok((await call('POST /api/workflow-builder/{id}/deploy', 200, { params })).changes.every(({ change }) => change === 'kept'));
  assert.ok((await call('POST /api/workflow-builder/{id}/preview', 200, { params })).changes.every(({ change }) => change === 'kept'));
  assert.ok((await call('POST /api/workflow-builder/{id}/execute', 200, { params })).changes.every(({ change }) => change === 'kept'));

  const status = await call('GET /api/workflow-builder/{id}/status', 200, { params });
  assertShape(status, { workflow_id: 'string', name: 'string', running: 'boolean', nodes: 'object' });
  assert.equal(status.running, true);
  assert.deepEqual(Object.keys(status.nodes).sort(), ['run-view', 'source']);
  for (const node of Object.values(status.nodes)) for (const name of ['type', 'state', 'reason']) assert.equal(typeof node[name], 'string', name);

  assert.deepEqual(await call('POST /api/workflow-builder/{id}/stop', 200, { params }), { status: 'stopped', workflow_id: 'run' });
  await call('POST /api/workflow-builder/{id}/stop', 404, { params });
  assert.deepEqual(await call('GET /api/workflow-builder/{id}/status', 200, { params }), { workflow_id: 'run', name: 'The run', running: false, nodes: {} });
  await call('POST /api/workflow-builder/{id}/execute', 200, { params });
  assert.deepEqual(await call('POST /api/workflow-builder/stop-all', 200), { status: 'stopped' });
  assert.deepEqual(await call('GET /api/workflow-builder/status', 200), { running_workflows: 0, workflow_ids: [] });
  await call('POST /api/workflow-builder/{id}/execute', 200, { params });
  await call('DELETE /api/workflow-builder/{id}', 200, { params });
  assert.equal((await call('GET /api/workflow-builder/status', 200)).running_workflows, 0);
});

test('settings of one node change while it runs and are kept', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  const params = { id: 'set', node_id: 'set-view' }, patch = 'PATCH /api/workflow-builder/{id}/nodes/{node_id}';
  await call(patch, 404, { params, body: { data: { quality: 60 } } });
  await call('POST /api/workflow-builder', 201, { body: workflow('set', { quality: 40 }) });
  let answer = await call(patch, 200, { params, body: { data: { quality: 60 } } });
  assert.equal(answer.applied, false);
  assert.equal(answer.data.quality, 60);
  await call('POST /api/workflow-builder/{id}/execute', 200, { params });
  answer = await call(patch, 200, { params, body: { data: { quality: 70, wobble: 1 } } });
  assertShape(answer, { node_id: 'string', data: 'object', change: 'string', applied: 'boolean', warnings: 'array', replaced_etag: 'string' });
  assert.deepEqual(answer.data, { quality: 70, wobble: 1 });
  assert.deepEqual([answer.node_id, answer.change, answer.applied], ['set-view', 'updated', true]);
  assert.equal(answer.warnings[0].setting, 'wobble');
  assert.deepEqual((await call('GET /api/workflow-builder/{id}', 200, { params })).nodes[1].data, { quality: 70, wobble: 1 });
  for (const data of [5, null, [], 'x', undefined]) await call(patch, 400, { params, body: { data } });
  for (const quality of [0, 101, 'best', true, [], 1.5]) assert.match((await call(patch, 400, { params, body: { data: { quality } } })).detail, /quality/);
  await call(patch, 404, { params: { ...params, node_id: 'gone' }, body: { data: {} } });
  assert.deepEqual((await call('GET /api/workflow-builder/{id}', 200, { params })).nodes[1].data, { quality: 70, wobble: 1 });
});

test('one workflow is executed from the body, without being kept', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  const body = workflow('free');
  const started = await call('POST /api/workflow-builder/execute', 200, { body });
  assert.deepEqual(started, { status: 'running', workflow_id: 'free', warnings: [] });
  assert.match((await call('POST /api/workflow-builder/execute', 409, { body })).detail, /running already/);
  const { workflows } = await call('GET /api/workflow-builder', 200);
  assert.deepEqual(workflows.map(({ id, saved, running }) => [id, saved, running]), [['free', false, true]]);
  assert.equal((await call('GET /api/workflow-builder/{id}', 200, { params: { id: 'free' } })).saved, false);
  const patched = await call('PATCH /api/workflow-builder/{id}/nodes/{node_id}', 200, { params: { id: 'free', node_id: 'free-view' }, body: { data: { quality: 20 } } });
  assert.equal(patched.applied, true);
  await call('POST /api/workflow-builder/execute', 400, { body: { workflow: { nodes: 1 } } });
  // A view's name is the address of its picture: one that runs elsewhere is not taken.
  const twin = { ...workflow('twin'), nodes: nodes('free-view'), edges: [{ id: 'e', source: 'source', target: 'free-view' }] };
  await call('POST /api/workflow-builder', 201, { body: twin });
  for (const [route, more] of [['POST /api/workflow-builder/{id}/execute', {}], ['POST /api/workflow-builder/{id}/deploy', { body: twin }]]) {
    assert.match((await call(route, 409, { params: { id: 'twin' }, ...more })).detail, /free-view.*running already/);
  }
  const preview = await call('POST /api/workflow-builder/{id}/preview', 200, { params: { id: 'twin' } });
  assert.equal(preview.valid, false);
  assert.match(preview.errors[0].message, /free-view/);
});

test('files, devices and addresses beyond what is allowed are answered 403', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  const video = (videoPath) => ({ nodes: [{ id: 'v', type: 'videoInput', data: { videoPath } }], edges: [] });
  const refused = [video('/etc/passwd'), video('../../../../../../etc/passwd'), video('file:///etc/passwd'), video('concat:/etc/passwd'),
    { nodes: [{ id: 'c', type: 'camera', data: { url: 'pipe:/etc/passwd' } }], edges: [] },
    { nodes: [{ id: 'c', type: 'camera', data: { url: 'v4l2:/dev/../etc/passwd' } }], edges: [] },
    { nodes: [...nodes('v'), { id: 'm', type: 'model', data: { modelId: '/etc/passwd' } }], edges: [{ id: '1', source: 'source', target: 'm' }, { id: '2', source: 'm', target: 'v' }] }];
  for (const body of refused) {
    await call('POST /api/workflow-builder/execute', 403, { body });
    await call('POST /api/workflow-builder/{id}/deploy', 403, { params: { id: 'bad' }, body });
    assert.equal((await call('POST /api/workflow-builder/{id}/preview', 200, { params: { id: 'bad' }, body })).valid, false);
  }
  assert.equal((await call('GET /api/workflow-builder/status', 200)).running_workflows, 0);
});

test('more than --max-workflows that run is answered 429, a workflow too large 413', { timeout: 60000 }, async (t) => {
  const { call } = await start(t, ['--max-workflows', '1']);
  await call('POST /api/workflow-builder/{id}/deploy', 200, { params: { id: 'one' }, body: workflow('one') });
  await call('POST /api/workflow-builder', 201, { body: workflow('two') });
  assert.match((await call('POST /api/workflow-builder/{id}/execute', 429, { params: { id: 'two' } })).detail, /--max-workflows/);
  await call('POST /api/workflow-builder/{id}/deploy', 429, { params: { id: 'three' }, body: workflow('three') });
  // It fits into a body and is too large when it is written.
  const large = { nodes: [], edges: [], note: '' };
  large.note = 'x'.repeat((1 << 20) - JSON.stringify(large).length);
  assert.match((await call('POST /api/workflow-builder', 413, { body: large })).detail, /too large/);
  await call('PUT /api/workflow-builder/{id}', 413, { params: { id: 'two' }, body: large });
  await call('POST /api/workflow-builder/{id}/deploy', 413, { params: { id: 'two' }, body: large });
  await call('POST /api/workflow-builder/import', 413, { body: large });
});

test('more workflows than the store holds are answered 429', { timeout: 120000 }, async (t) => {
  const { call } = await start(t);
  const empty = { nodes: [], edges: [] };
  for (let added = 0; added < 1000; added += 50) {
    await Promise.all(Array.from({ length: 50 }, () => call('POST /api/workflow-builder', 201, { body: empty })));
  }
  const began = performance.now();
  assert.equal((await call('GET /api/workflow-builder', 200)).total, 1000);
  t.diagnostic(`1000 listed in ${(performance.now() - began).toFixed(1)} ms`);
  assert.match((await call('POST /api/workflow-builder', 429, { body: empty })).detail, /too many/);
  await call('POST /api/workflow-builder/import', 429, { body: empty });
});

test('what is exported is imported as it was', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  const sent = { ...workflow('out'), viewport: { x: 1, y: 2, zoom: 0.5 }, name: 'Gate "3" / west\r\nX: y' };
  await call('POST /api/workflow-builder', 201, { body: sent });
  const answer = await call.whole('GET /api/workflow-builder/{id}/export', 200, { params: { id: 'out' } });
  assert.equal(answer.headers['content-disposition'], 'attachment; filename="Gate-3-west-X-y.json"');
  assert.match(answer.headers['content-type'], /^application\/json/);
  const { site, timestamp, ...file } = answer.json;
  assert.equal(site, 'overwatch');
  assert.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60000, timestamp);
  assert.deepEqual(file, sent);

  const taken = await call('POST /api/workflow-builder/import', 201, { body: answer.json });
  assert.notEqual(taken.id, 'out'); // the first one is still there
  assert.deepEqual(taken.workflow, { ...answer.json, id: taken.id });
  await call('DELETE /api/workflow-builder/{id}', 200, { params: { id: 'out' } });
  assert.equal((await call('POST /api/workflow-builder/import', 201, { body: answer.json })).id, 'out');
  const nameless = { nodes: [], edges: [], site: 'gate', timestamp: 'then' };
  assert.equal((await call('POST /api/workflow-builder/import', 201, { query: '?name=From%20a%20file', body: nameless })).workflow.name, 'From a file');
  for (const body of [{ site: 'x' }, { nodes: 'x', edges: [] }, { nodes: [], edges: {} }]) await call('POST /api/workflow-builder/import', 400, { body });
});
