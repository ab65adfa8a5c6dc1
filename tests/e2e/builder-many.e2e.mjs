// Many nodes on one canvas: all live, and each still to be moved. How smoothly is measured by
// bench/builder.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually, postJson, startServer } from '../integ/server.mjs';
import { launch, openPage } from './browser.mjs';

const viewport = { width: 1280, height: 720 };

async function open(t, nodes, edges = [], execute = false) {
  const server = await startServer(null);
  t.after(server.stop);
  assert.equal((await postJson(`${server.url}/api/workflow-builder?draft=true`, { id: 'w', name: 'W', version: '1.0', nodes, edges })).status, 201);
  if (execute) assert.equal((await postJson(`${server.url}/api/workflow-builder/w/execute`, {})).status, 200);
  const page = await openPage(await launch(t), `${server.url}/?workflow=w`, { viewport });
  t.after(() => assert.deepEqual(page.failures, []));
  return page;
}

test('sixteen sources show sixteen live pictures', { timeout: 90000 }, async (t) => {
  const sources = Array.from({ length: 16 }, (_, i) => ({
    id: `p${i}`, type: 'testPattern', position: { x: (i % 4) * 250, y: Math.floor(i / 4) * 200 }, data: { width: 640, height: 360, fps: 5 },
  }));
  const page = await open(t, sources, [], true);
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=thumbnail]').length === 16);
  const look = () => page.evaluate(() => [...document.querySelectorAll('[data-testid=thumbnail]')].map((canvas) => canvas.toDataURL('image/png')));
  const before = await look();
  await eventually('all have changed', 15, async () => (await look()).every((picture, i) => picture !== before[i]));
});

test('one of forty nodes is dragged, the others stay, and it can be undone', { timeout: 90000 }, async (t) => {
  const kinds = ['testPattern', 'model', 'videoPreview', 'zone'];
  const nodes = Array.from({ length: 40 }, (_, i) => ({ id: `n${i}`, type: kinds[i % 4], position: { x: (i % 8) * 430, y: Math.floor(i / 8) * 360 }, data: {} }));
  const edges = Array.from({ length: 10 }, (_, i) => ({ id: `e${i}`, source: `n${4 * i}`, target: `n${4 * i + 1}` }));
  const page = await open(t, nodes, edges);
  await page.waitForFunction(() => document.querySelectorAll('.react-flow__node').length === 40);
  const places = () => page.evaluate(() => Object.fromEntries([...document.querySelectorAll('.react-flow__node')].map((node) => [node.dataset.id, node.style.transform])));
  const before = await places();
  const box = await page.locator('.node[data-id=n18] header').boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + 60, y + 40, { steps: 8 });
  await page.mouse.up();
  const after = await places();
  assert.deepEqual(Object.keys(after).filter((id) => after[id] !== before[id]), ['n18']);
  await page.keyboard.press('Control+z');
  await page.waitForFunction((transform) => document.querySelector('.react-flow__node[data-id=n18]').style.transform === transform, before.n18);
});
