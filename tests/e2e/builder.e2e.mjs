// The workflow builder in real Chromium, from an empty canvas to a moving picture with boxes.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually, startServer } from '../integ/server.mjs';
import { buildStreet, colouredPixels, connect, drag, edges, figures, node, open, running } from './builder.mjs';

test('from nothing to a moving picture with boxes, by drag and drop', { timeout: 90000 }, async (t) => {
  const { page, server } = await open(t);
  await page.waitForSelector('[data-testid=empty]');
  await buildStreet(page);
  assert.equal(await page.locator('[data-testid=empty]').count(), 0);
  await page.click('[data-testid=execute]');
  await running(page);
  await page.waitForFunction(() => document.querySelector('overwatch-view')?.stats.fps > 3, null, { timeout: 30000 });
  await page.waitForFunction(() => /seen/.test(document.querySelector('[data-testid=view-figures]')?.textContent ?? ''), null, { timeout: 20000 });
  await eventually('boxes', 30, async () => (await colouredPixels(page)) >= 150);
  assert.match(await figures(page), /WebRTC · \d+ fps · \d+ ms · \d+ kbit\/s · \d+ seen/);
  // Each node tells how it is.
  await page.waitForSelector('[data-testid=thumbnail]');
  await page.waitForSelector('[data-testid=counts]');
  assert.match(await page.locator('[data-testid=counts]').textContent(), /person/);

  // Without X-RAY the same picture, on the same connection, has no boxes.
  const connections = async () => (await (await fetch(`${server.url}/api/webrtc/stats`)).json()).connections[0].connected_s;
  const before = await connections();
  await page.locator('[data-testid=xray-toggle]').uncheck();
  await eventually('no boxes', 20, async () => (await colouredPixels(page)) <= 40);
  assert.ok(await connections() >= before, 'the viewer stayed connected');
  assert.equal(await page.locator('[data-testid=unsaved]').textContent(), '', 'a live setting is saved by itself');
});

test('nothing moves when a workflow starts, runs and stops', { timeout: 90000 }, async (t) => {
  const { page } = await open(t);
  await page.click('[data-testid=begin]');
  const places = () => page.evaluate(() => Object.fromEntries([...document.querySelectorAll('.node, .node button, .node select, .node input, .topbar button, .topbar a')]
    .filter((element) => getComputedStyle(element).visibility === 'visible')
    .map((element, i) => {
      const { x, y, width, height } = element.getBoundingClientRect();
      return [element.dataset.testid ?? element.getAttribute('aria-label') ?? i, [x, y, width, height].map(Math.round).join()];
    })));
  const before = await places();
  const assertStill = async (when) => {
    const now = await places();
    for (const [name, place] of Object.entries(before)) assert.equal(now[name] ?? place, place, `${name} ${when}`);
  };
  assert.ok(Object.keys(before).length > 15);
  await page.click('[data-testid=execute]');
  await assertStill('while it starts');
  await running(page);
  await page.waitForSelector('[data-testid=thumbnail]');
  await page.waitForSelector('[data-testid=counts]');
  await page.waitForFunction(() => /seen/.test(document.querySelector('[data-testid=view-figures]')?.textContent ?? ''));
  await assertStill('while it runs');
  await page.click('[data-testid=stop]');
  await page.waitForFunction(() => document.querySelector('[data-testid=run-state]')?.dataset.state === 'disconnected');
  await assertStill('when it has stopped');
});

test('what is saved is there after a reload, and stops and starts', { timeout: 90000 }, async (t) => {
  const { page } = await open(t);
  await page.click('[data-testid=begin]');
  await page.fill('[data-testid=workflow-name]', 'Gate');
  assert.equal(await page.locator('[data-testid=unsaved]').textContent(), 'not saved');
  await page.keyboard.press('Control+s');
  await page.waitForFunction(() => document.querySelector('[data-testid=unsaved]')?.textContent === '');
  await page.reload();
  await page.waitForSelector('[data-testid=node-model]');
  assert.equal(await page.inputValue('[data-testid=workflow-name]'), 'Gate');
  assert.equal(await edges(page), 2);
  await page.keyboard.press('Control+Enter');
  await running(page);
  await page.click('[data-testid=stop]');
  await page.waitForFunction(() => document.querySelector('[data-testid=run-state]')?.dataset.state === 'disconnected', null, { timeout: 10000 });
});

test('a server that starts again runs what ran', { timeout: 90000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-data-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const first = await startServer(null, ['--data-folder', folder]);
  const post = async (path, body) => {
    const response = await fetch(`${first.url}/api/workflow-builder${path}`, { method: 'POST', body: JSON.stringify(body ?? {}) });
    assert.ok(response.ok, await response.text());
  };
  const workflow = (id) => ({
    id, name: id, edges: [{ id: 'e', source: `s-${id}`, target: `v-${id}` }],
    nodes: [{ id: `s-${id}`, type: 'testPattern', data: {} }, { id: `v-${id}`, type: 'videoPreview', data: {} }],
  });
  for (const id of ['runs', 'rests']) await post('', workflow(id));
  await post('/runs/execute');
  first.child.kill('SIGKILL');
  await first.exited;
  const second = await startServer(null, ['--data-folder', folder]);
  t.after(second.stop);
  const { workflows } = await (await fetch(`${second.url}/api/workflow-builder`)).json();
  assert.deepEqual(Object.fromEntries(workflows.map(({ id, running: runs }) => [id, runs])), { runs: true, rests: false });
  const { views } = await (await fetch(`${second.url}/api/views`)).json();
  assert.deepEqual(views.map(({ node_id }) => node_id), ['v-runs']);
});

test('wrong connections are refused with the reason', { timeout: 60000 }, async (t) => {
  const { page } = await open(t);
  await drag(page, 'testPattern', 60, 60);
  await drag(page, 'zone', 60, 300);
  await drag(page, 'model', 420, 60);
  await drag(page, 'debug', 420, 330);
  const refused = async (from, to, reason) => {
    const before = await edges(page);
    await connect(page, node(page, from), node(page, to));
    await page.waitForFunction((text) => [...document.querySelectorAll('[data-testid=toast]')].some((toast) => toast.textContent.includes(text)), reason);
    assert.equal(await edges(page), before);
  };
  await refused('testPattern', 'zone', 'Zone takes detections: put a model before it.');
  await refused('testPattern', 'debug', 'Debug takes detections: put a model before it.');
  await refused('zone', 'model', 'AI Model takes its picture from a source.');
  await refused('zone', 'zone', 'A node cannot feed itself.');
  await connect(page, node(page, 'model'), node(page, 'debug'));
  assert.equal(await edges(page), 1);
  await refused('zone', 'debug', 'Debug has its one input already: remove that connection first.');
});

test('undo, redo, copy, paste and delete', { timeout: 60000 }, async (t) => {
  const { page } = await open(t);
  await page.click('[data-testid=begin]');
  const count = () => page.locator('.react-flow__node').count();
  assert.equal(await count(), 3);
  await page.locator('[data-testid=node-model] header').click();
  await page.keyboard.press('Control+c');
  await page.keyboard.press('Control+v');
  assert.equal(await count(), 4);
  await page.keyboard.press('Delete');
  assert.equal(await count(), 3);
  await page.keyboard.press('Control+z');
  assert.equal(await count(), 4);
  await page.click('[data-testid=undo]');
  assert.equal(await count(), 3);
  await page.click('[data-testid=redo]');
  assert.equal(await count(), 4);
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Delete');
  assert.equal(await count(), 0);
});

test('the list of mistakes leads to the node', { timeout: 60000 }, async (t) => {
  const { page } = await open(t);
  await drag(page, 'model', 300, 200);
  await drag(page, 'videoPreview', 700, 100);
  await page.click('[data-testid=execute]');
  await page.waitForSelector('[data-testid=report]');
  assert.match(await page.locator('[data-testid=report]').textContent(), /has no picture: connect a source/);
  await page.locator('[data-testid=show-node]').first().click();
  await page.waitForSelector('[data-testid=inspector]');
  assert.equal(await page.locator('[data-testid=report]').count(), 0);
  // The nodes stay marked until something is changed.
  assert.equal(await page.locator('.node[data-fault]').count(), 2);
  await page.fill('[data-testid=node-name]', 'Detector');
  assert.equal(await page.locator('.node[data-fault]').count(), 0);
  await page.click('[data-testid=execute]');
  await page.click('[data-testid=save-draft]');
  await page.waitForFunction(() => document.querySelector('[data-testid=unsaved]')?.textContent === '');
});

test('a zone is drawn on the picture, and counts', { timeout: 90000 }, async (t) => {
  const { page } = await open(t);
  await buildStreet(page);
  await page.locator('.react-flow__edge').nth(1).click({ force: true });
  await page.keyboard.press('Delete');
  assert.equal(await edges(page), 1);
  await drag(page, 'zone', 430, 480);
  await connect(page, node(page, 'model'), node(page, 'zone'));
  await connect(page, node(page, 'zone'), node(page, 'videoPreviewWebRTC'));
  await page.click('[data-testid=execute]');
  await running(page);
  await node(page, 'zone').locator('header').click();
  await page.selectOption('[data-testid=setting-zoneType]', 'rectangle');
  await page.click('[data-testid=edit-zone]');
  const drawing = page.locator('[data-testid=zone-drawing]');
  const box = await drawing.boundingBox();
  await page.mouse.click(box.x + 2, box.y + 2);
  await page.mouse.click(box.x + box.width - 3, box.y + box.height - 3);
  await page.keyboard.press('Escape');
  await page.waitForFunction(() => Number(document.querySelector('[data-testid=zone-figures] dd')?.textContent) > 0, null, { timeout: 20000 });
  assert.match(await node(page, 'zone').textContent(), /passed/);
});

test('data and messages pass by', { timeout: 90000 }, async (t) => {
  const { page } = await open(t);
  await drag(page, 'video vtest.avi', 120, 120);
  await drag(page, 'model nanodet', 420, 120);
  await drag(page, 'dataPreview', 760, 60);
  await drag(page, 'debug', 760, 360);
  await connect(page, node(page, 'videoInput'), node(page, 'model'));
  await connect(page, node(page, 'model'), node(page, 'dataPreview'));
  await connect(page, node(page, 'model'), node(page, 'debug'));
  await page.click('[data-testid=execute]');
  await page.waitForFunction(() => /person/.test(document.querySelector('[data-testid=data-table]')?.textContent ?? ''), null, { timeout: 30000 });
  await page.waitForFunction(() => /detections?/.test(document.querySelector('[data-testid=messages]')?.textContent ?? ''), null, { timeout: 20000 });
});
