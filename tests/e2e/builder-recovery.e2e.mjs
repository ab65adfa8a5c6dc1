// What the builder shows when cameras and the server itself go away and come back.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually, postJson, startServer } from '../integ/server.mjs';
import { rtspCamera } from '../integ/sources.mjs';
import { launch, openPage } from './browser.mjs';
import { node, open, running } from './builder.mjs';

const stateOf = (page, type) => node(page, type).locator('[data-testid=node-state]').textContent();
const text = (page, id) => page.locator(`[data-testid=${id}]`).first().textContent();

test('a camera that dies and returns is seen at its node', { timeout: 120000 }, async (t) => {
  const first = await rtspCamera();
  t.after(first.kill);
  const { page, server } = await open(t);
  const workflow = {
    id: 'yard', name: 'Yard', version: '1.0',
    nodes: [
      { id: 'yard-camera', type: 'camera', position: { x: 0, y: 0 }, data: { url: `rtsp://127.0.0.1:${first.port}/camera` } },
      { id: 'yard-view', type: 'videoPreviewWebRTC', position: { x: 320, y: 0 }, data: {} },
    ],
    edges: [{ id: 'e', source: 'yard-camera', target: 'yard-view' }],
  };
  assert.equal((await postJson(`${server.url}/api/workflow-builder`, workflow)).status, 201);
  await page.goto(`${server.url}/?workflow=yard`);
  await page.click('[data-testid=execute]');
  await running(page);
  const plays = () => eventually('the camera plays', 40, async () => (await stateOf(page, 'camera')) === 'running' && /320×240 · \d+/.test(await node(page, 'camera').textContent()));
  await plays();
  await eventually('the picture moves', 30, async () => /fps/.test(await text(page, 'view-figures')));
  await first.kill();
  await eventually('no signal', 30, async () => (await stateOf(page, 'camera')) === 'no signal');
  assert.ok((await node(page, 'camera').locator('[role=alert]').textContent()).length > 10, 'with the reason');
  const again = await rtspCamera({ port: first.port });
  t.after(again.kill);
  await plays();
  assert.equal(await node(page, 'camera').locator('[role=alert]').count(), 0);
});

test('saves outlive a kill, and the page finds its server again', { timeout: 120000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-data-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  let server = await startServer(null, ['--data-folder', folder]);
  t.after(() => server.stop());
  const port = new URL(server.url).port;
  const page = await openPage(await launch(t), `${server.url}/`, { viewport: { width: 1280, height: 720 } });
  await page.click('[data-testid=begin]');
  await page.click('[data-testid=execute]');
  await running(page);

  for (let round = 0; round < 3; round++) {
    // One save after the other; the server is killed in the middle of them.
    let told = '';
    const killed = new Promise((resolve) => setTimeout(resolve, 300 + 170 * round)).then(() => server.child.kill('SIGKILL'));
    for (let i = 0; i < 200 && !server.child.killed; i++) {
      const name = `Round ${round}, save ${i}`;
      await page.fill('[data-testid=workflow-name]', name);
      await page.keyboard.press('Control+s');
      await page.waitForFunction(() => document.querySelector('[data-testid=run-state]')?.textContent !== 'Saving…');
      if ((await text(page, 'unsaved')) === '') told = name;
    }
    await killed;
    await server.exited;
    await eventually('the page tells that the server is away', 15, async () => (await text(page, 'run-state')) === 'Server not reachable');
    assert.equal(await stateOf(page, 'model'), '');

    server = await startServer(null, ['--data-folder', folder, '--port', port]);
    await running(page);
    const { workflows } = await (await fetch(`${server.url}/api/workflow-builder`)).json();
    assert.equal(workflows.length, 1);
    assert.ok(told === '' || Number(workflows[0].name.match(/save (\d+)/)?.[1]) >= Number(told.match(/save (\d+)/)[1]), `kept "${workflows[0].name}", told "${told}"`);
    await eventually('the picture is back', 30, async () => /[1-9]\d* fps/.test(await text(page, 'view-figures')));
  }
  // What was not saved is still there, and can be saved now.
  await page.fill('[data-testid=workflow-name]', 'After all');
  await page.keyboard.press('Control+s');
  await eventually('it is saved', 30, async () => (await (await fetch(`${server.url}/api/workflow-builder`)).json()).workflows[0].name === 'After all');
  assert.deepEqual(page.failures, []);
});
