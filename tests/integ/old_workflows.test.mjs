// Workflow files of the system before, in tests/data/old-workflows: each loads, nothing in it is lost,
// what is odd is named, and what can run runs and shows pictures.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { client } from './api_client.mjs';
import { eventually, root, startServer } from './server.mjs';

const folder = join(root, 'tests/data/old-workflows');
const hasFootage = existsSync(join(root, '.cache/media/vtest.avi'));

/**
 * What is expected of each file: the node and setting of each warning, and of each error that keeps it
 * from running; `views` whose pictures come when it runs.
 */
const files = {
  street: { views: ['videoPreviewWebRTC-1700000000003'], sees: 'model-1700000000002' },
  'nested-config': { views: ['2'] },
  'numbers-as-text': { views: ['numbers-view'] },
  'no-ids': { views: ['no-ids-view'] },
  'old-handles': { views: ['handles-view', 'handles-webrtc'] },
  'dual-stream': { views: ['dual-ws', 'dual-rtc'] },
  'unknown-settings': { warnings: ['in gpuDecode', 'in tags', 'unknown-view overlay', 'unknown-view пульт'], views: ['unknown-view'] },
  'model-not-here': { views: ['not-here-view'], fails: { yolo: /yolo11n-seg/ } },
  'camera-password': { views: ['yard-view'], secret: 'hunter2' },
  'xray-settings': { views: ['xray-view', 'people-view'] },
  'unknown-node-type': { errors: ['alert type'] },
  'dangling-edge': { errors: ['null edges'] },
  'half-built': { errors: ['in videoPath', 'net confidence', 'net edges', 'half-built-view edges'] },
};
const named = (findings) => findings.map(({ node_id, setting }) => `${node_id} ${setting}`);

test('every file is expected to do something', () => {
  assert.deepEqual(readdirSync(folder).sort(), Object.keys(files).map((name) => `${name}.json`).sort());
});

for (const [name, expected] of Object.entries(files)) {
  test(`${name} loads${expected.views ? ' and runs' : ', and says why it does not run'}`, { skip: hasFootage ? false : 'no footage', timeout: 60000 }, async (t) => {
    const data = mkdtempSync(join(tmpdir(), 'overwatch-test-'));
    const server = await startServer(null, ['--data-folder', data]);
    t.after(async () => { await server.stop(); rmSync(data, { recursive: true, force: true }); });
    const call = client(server);
    const file = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
    const { id, workflow, warnings, errors } = await call('POST /api/workflow-builder/import', 201, { query: `?name=${name}`, body: file });
    assert.deepEqual(named(warnings).sort(), (expected.warnings ?? []).sort());
    assert.deepEqual(named(errors).sort(), (expected.errors ?? []).sort());

    // Nothing of the file is lost, on the way in or out; a password is not shown.
    const hidden = JSON.parse(JSON.stringify(file).replaceAll(`:${expected.secret}@`, ':***@'));
    const whole = { id, name, version: '1.0', ...hidden };
    assert.deepEqual(workflow, whole);
    const { timestamp, ...exported } = await call('GET /api/workflow-builder/{id}/export', 200, { params: { id } });
    const { timestamp: old, ...rest } = whole;
    assert.deepEqual(exported, rest);
    assert.ok(timestamp > String(old), 'the time of the export');
    assert.deepEqual(await call('POST /api/workflow-builder/validate', 200, { body: exported }).then((found) => named(found.errors)), named(errors));

    if (!expected.views) {
      const refused = await call('POST /api/workflow-builder/{id}/execute', 400, { params: { id } });
      assert.deepEqual(named(refused.errors).sort(), expected.errors.sort());
      return;
    }
    await call('POST /api/workflow-builder/{id}/execute', 200, { params: { id } });
    for (const view of expected.views) {
      const picture = await fetch(`${server.url}/api/video/${view}/snapshot`);
      // A view of a camera that does not answer shows the card that says so.
      assert.equal(picture.status, 200, view);
      assert.ok((await picture.arrayBuffer()).byteLength > 2000, view);
    }
    for (const [node, error] of Object.entries(expected.fails ?? {})) {
      await eventually(`${node} says why it does not work`, 10, async () => {
        const { nodes } = await call('GET /api/workflow-builder/{id}/status', 200, { params: { id } });
        return nodes[node].state === 'error' && error.test(nodes[node].reason);
      });
    }
    if (expected.sees) {
      await eventually(`${expected.sees} finds something in the street`, 20, async () => {
        await fetch(`${server.url}/api/video/${expected.views[0]}/snapshot`);
        const { nodes } = await call('GET /api/workflow-builder/{id}/status', 200, { params: { id } });
        return nodes[expected.sees].detections > 0;
      });
    }
    assert.equal(expected.secret !== undefined && server.log().includes(expected.secret), false);
  });
}
