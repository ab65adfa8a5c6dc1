// How fast the builder is there, and whether it stays smooth: limits wide enough for a busy machine.
// Runs alone: it measures how smooth pictures are.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually, postJson, startServer } from '../integ/server.mjs';
import { launch, openPage } from './browser.mjs';

const viewport = { width: 1280, height: 720 };

async function serve(t, workflow) {
  const server = await startServer(null);
  t.after(server.stop);
  assert.equal((await postJson(`${server.url}/api/workflow-builder?draft=true`, workflow)).status, 201);
  return server;
}

const workflowOf = (nodes, edges = []) => ({ id: 'w', name: 'W', version: '1.0', nodes, edges });

// Time between the frames of some seconds: [milliseconds, …].
const gapsOf = (page, seconds) => page.evaluate((ms) => new Promise((resolve) => {
  const gaps = [];
  let last = null, end = null;
  const frame = (now) => {
    if (last !== null) gaps.push(now - last);
    last = now;
    end ??= now + ms;
    if (now < end) requestAnimationFrame(frame);
    else resolve(gaps);
  };
  requestAnimationFrame(frame);
}), seconds * 1000);

function quantiles(t, what, gaps) {
  const sorted = [...gaps].sort((a, b) => a - b);
  const [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1].map((part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))].toFixed(1));
  t.diagnostic(`${what}: frames every ${p50} ms (p50), ${p95} (p95), ${p99} (p99), at most ${max}`);
  return { p50: Number(p50), p95: Number(p95) };
}

const sources = (count) => Array.from({ length: count }, (_, i) => ({
  id: `p${i}`, type: 'testPattern', position: { x: (i % 4) * 250, y: Math.floor(i / 4) * 200 }, data: { width: 1280, height: 720, fps: 10 },
}));

test('the page is usable within a second', { timeout: 90000 }, async (t) => {
  const server = await serve(t, workflowOf(sources(8)));
  const browser = await launch(t);
  const times = [];
  for (let i = 0; i < 5; i++) {
    const page = await openPage(browser, `${server.url}/?workflow=w`, {
      viewport, waitUntil: 'commit',
      init: () => {
        const look = () => {
          const nodes = document.querySelectorAll('.react-flow__node');
          if (nodes.length === 8 && getComputedStyle(nodes[0]).visibility === 'visible') globalThis.shownAt = performance.now();
          else requestAnimationFrame(look);
        };
        look();
      },
    });
    times.push(await (await page.waitForFunction(() => globalThis.shownAt)).jsonValue());
    await page.context().close();
  }
  t.diagnostic(`navigation → nodes on the canvas: ${times.map((ms) => ms.toFixed(0)).join(', ')} ms`);
  assert.ok(Math.min(...times) < 1000, times.join());
});

test('sixteen live thumbnails do not jerk', { timeout: 90000 }, async (t) => {
  const server = await serve(t, workflowOf(sources(16)));
  assert.equal((await postJson(`${server.url}/api/workflow-builder/w/execute`, {})).status, 200);
  const page = await openPage(await launch(t), `${server.url}/?workflow=w`, { viewport });
  await page.waitForFunction(() => document.querySelectorAll('[data-testid=thumbnail]').length === 16);
  const { p50, p95 } = quantiles(t, 'sixteen thumbnails', await gapsOf(page, 8));
  assert.ok(p50 < 18 && p95 < 51, `${p50}, ${p95}`);
  // They are not still pictures.
  const look = () => page.evaluate(() => [...document.querySelectorAll('[data-testid=thumbnail]')].map((canvas) => canvas.toDataURL('image/png')));
  const before = await look();
  await eventually('all have changed', 15, async () => (await look()).every((picture, i) => picture !== before[i]));
});

test('forty nodes are dragged smoothly', { timeout: 90000 }, async (t) => {
  const kinds = ['testPattern', 'model', 'videoPreview', 'zone'];
  const nodes = Array.from({ length: 40 }, (_, i) => ({ id: `n${i}`, type: kinds[i % 4], position: { x: (i % 8) * 430, y: Math.floor(i / 8) * 360 }, data: {} }));
  const edges = Array.from({ length: 10 }, (_, i) => ({ id: `e${i}`, source: `n${4 * i}`, target: `n${4 * i + 1}` }));
  const server = await serve(t, workflowOf(nodes, edges));
  const page = await openPage(await launch(t), `${server.url}/?workflow=w`, { viewport });
  await page.waitForFunction(() => document.querySelectorAll('.react-flow__node').length === 40);
  const box = await page.locator('.node[data-id=n18] header').boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  const measured = gapsOf(page, 4);
  let done = false;
  void measured.then(() => { done = true; });
  for (let i = 0; !done; i++) {
    await page.mouse.move(x + 150 * Math.sin(i / 20), y + 100 * Math.cos(i / 20));
    await new Promise((resolve) => setTimeout(resolve, 12));
  }
  await page.mouse.up();
  const { p50, p95 } = quantiles(t, 'dragging one of forty', await measured);
  assert.ok(p50 < 18 && p95 < 51, `${p50}, ${p95}`);
});
