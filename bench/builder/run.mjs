#!/usr/bin/env node
// What people wait for in the builder, in real Chromium. See docs/measuring.md.
//
//   node bench/builder/run.mjs [--runs 5] [--json FILE]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { FLAGS, chromium, readClocks } from '../../tests/e2e/browser.mjs';
import { postJson, startServer } from '../../tests/integ/server.mjs';

const { values: options } = parseArgs({ options: { runs: { type: 'string', default: '5' }, json: { type: 'string' } } });
const RUNS = Number(options.runs);
const samples = {};
const note = (name, value) => (samples[name] ??= []).push(value);

const node = (id, type, x, data = {}) => ({ id, type, position: { x, y: 0 }, data });
const edge = (source, target) => ({ id: `${source}-${target}`, source, target });
const street = {
  id: 'street', name: 'Street',
  nodes: [node('video', 'videoInput', 0, { videoPath: 'vtest.avi' }), node('model', 'model', 260, { modelId: 'nanodet', confidence: 0.4 }),
    node('view', 'videoPreviewWebRTC', 560, { bitratePreset: 'high' })],
  edges: [edge('video', 'model'), edge('model', 'view')],
};
// Has the model loaded and lets it rest: nobody watches.
const holder = {
  id: 'holder', name: 'Holder',
  nodes: [node('pattern', 'testPattern', 0, { fps: 1 }), node('same', 'model', 260, { modelId: 'nanodet' }), node('unwatched', 'videoPreview', 560)],
  edges: [edge('pattern', 'same'), edge('same', 'unwatched')],
};

// A picture that tells its own age; 29 a second drift through all phases of the display's 60.
const clock = {
  id: 'clock', name: 'Clock',
  nodes: [node('clocked', 'testPattern', 0, { fps: 29, clock: true }), node('shown', 'videoPreviewWebRTC', 260)],
  edges: [edge('clocked', 'shown')],
};

// Sixteen sources that show what they see, and forty nodes of all kinds.
const sixteen = {
  id: 'sixteen', name: 'Sixteen', edges: [],
  nodes: Array.from({ length: 16 }, (_, i) => ({
    id: `p${i}`, type: 'testPattern', position: { x: (i % 4) * 250, y: Math.floor(i / 4) * 200 }, data: { width: 640, height: 360, fps: 5 },
  })),
};
const KINDS = ['testPattern', 'model', 'videoPreview', 'zone'];
const forty = {
  id: 'forty', name: 'Forty',
  nodes: Array.from({ length: 40 }, (_, i) => ({ id: `n${i}`, type: KINDS[i % 4], position: { x: (i % 8) * 430, y: Math.floor(i / 8) * 360 }, data: {} })),
  edges: Array.from({ length: 10 }, (_, i) => edge(`n${4 * i}`, `n${4 * i + 1}`)),
};

// Notes the time from each rendering step to the next for some seconds; `meanwhile` runs until then.
async function noteSteps(name, page, seconds, meanwhile = () => {}) {
  const measured = page.evaluate((ms) => new Promise((resolve) => {
    const gaps = [], begin = performance.now();
    let last = begin;
    const step = (now) => {
      gaps.push(now - last);
      last = now;
      if (now - begin < ms) requestAnimationFrame(step);
      else resolve(gaps.slice(1));
    };
    requestAnimationFrame(step);
  }), seconds * 1000);
  let over = false;
  void measured.then(() => { over = true; });
  await meanwhile(() => over);
  for (const gap of await measured) note(name, gap);
}

async function dragOne(page, over) {
  const box = await page.locator('.node[data-id=n18] header').boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  for (let i = 0; !over(); i++) {
    await page.mouse.move(x + 150 * Math.sin(i / 20), y + 100 * Math.cos(i / 20));
    await page.waitForTimeout(12);
  }
  await page.mouse.up();
}

// In the page: from the click until the picture has (or has not) so many pixels of the blue that boxes
// of persons have and the street has not, looked at in every rendering step.
const untilBoxes = (page, selector, boxes) => page.evaluate(async ({ selector, boxes }) => {
  const canvas = new OffscreenCanvas(384, 288);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const coloured = (surface) => {
    context.drawImage(surface, 0, 0, 384, 288);
    const { data } = context.getImageData(0, 0, 384, 288);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) count += data[i + 2] > 170 && data[i] < 90 && data[i + 1] > 110;
    return count;
  };
  const begin = performance.now();
  document.querySelector(selector).click();
  let first = 0;
  for (;;) {
    await new Promise(requestAnimationFrame);
    const surface = document.querySelector('overwatch-view')?.surface;
    const width = surface?.videoWidth ?? surface?.width ?? 0;
    const now = performance.now();
    if (now - begin > 20000) throw new Error('no such picture within 20 s');
    if (!width) continue;
    const count = coloured(surface);
    first ||= now - begin;
    if (boxes ? count >= 100 : count < 40) return { first, done: now - begin };
  }
}, { selector, boxes });

// Opens the builder and waits until the nodes of the workflow stand on the canvas; how long that took
// from the start of the navigation.
async function open(browser, server, workflow = 'street') {
  const page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await page.addInitScript(() => {
    const look = () => {
      const shown = document.querySelector('.react-flow__node');
      if (shown && getComputedStyle(shown).visibility === 'visible') globalThis.usableAt = performance.now();
      else requestAnimationFrame(look);
    };
    look();
  });
  await page.goto(`${server.url}/?workflow=${workflow}`, { waitUntil: 'commit' });
  note('page opened → workflow on the canvas', await (await page.waitForFunction(() => globalThis.usableAt)).jsonValue());
  await page.waitForSelector('[data-testid=execute]:enabled');
  return page;
}

async function withServer(workflows, use) {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-bench-'));
  const server = await startServer(null, ['--data-folder', folder]);
  try {
    for (const workflow of workflows) {
      const { status, body } = await postJson(`${server.url}/api/workflow-builder?draft=true`, workflow);
      if (status !== 201) throw new Error(body.detail);
    }
    await use(server);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
try {
  for (let run = 0; run < RUNS; run++) {
    await withServer([street], async (server) => {
      try {
        writeFileSync('/proc/sys/vm/drop_caches', '1'); // the model's file, too, is read anew
      } catch { /* not root: it is warm in memory */ }
      const page = await open(browser, server);
      const { first, done } = await untilBoxes(page, '[data-testid=execute]', true);
      note('Execute → first picture, cold', first);
      note('Execute → first X-RAY picture, cold', done);
      await page.close();
    });
    await withServer([holder, street], async (server) => {
      await postJson(`${server.url}/api/workflow-builder/holder/execute`, '');
      const page = await open(browser, server);
      await page.waitForTimeout(1500);
      const { first, done } = await untilBoxes(page, '[data-testid=execute]', true);
      note('Execute → first picture, model loaded', first);
      note('Execute → first X-RAY picture, model loaded', done);
      await page.waitForTimeout(2000);
      for (let i = 0; i < 5; i++) {
        note('edit → picture without boxes', (await untilBoxes(page, '[data-testid=xray-toggle]', false)).done);
        await page.waitForTimeout(300);
        note('edit → picture with boxes', (await untilBoxes(page, '[data-testid=xray-toggle]', true)).done);
        await page.waitForTimeout(300);
      }
      await page.close();
    });
    await withServer([sixteen, forty], async (server) => {
      await postJson(`${server.url}/api/workflow-builder/sixteen/execute`, '');
      const live = await open(browser, server, 'sixteen');
      await live.waitForFunction(() => document.querySelectorAll('[data-testid=thumbnail]').length === 16);
      await noteSteps('rendering step, sixteen live thumbnails', live, 8);
      await live.close();
      await postJson(`${server.url}/api/workflow-builder/sixteen/stop`, '');
      const full = await open(browser, server, 'forty');
      await noteSteps('rendering step, one of forty nodes dragged', full, 4, (over) => dragOne(full, over));
      await full.close();
    });
    await withServer([clock], async (server) => {
      const page = await open(browser, server, 'clock');
      await page.click('[data-testid=execute]');
      const viewPage = async () => {
        const shown = await browser.newPage({ viewport: { width: 1280, height: 720 } });
        await shown.goto(`${server.url}/view/shown`);
        return shown;
      };
      // The first time for the builder, then for the page of the view alone, on the same server.
      for (const [name, shown] of [['picture → shown in a node of the builder', page], ['picture → shown on /view', null]]) {
        const watching = shown ?? await viewPage();
        await watching.waitForFunction(() => document.querySelector('overwatch-view')?.stats.fps > 20, null, { timeout: 20000 });
        await watching.waitForTimeout(3000);
        for (const { age } of await readClocks(watching, 200)) note(name, age);
        await watching.close();
      }
    });
  }
} finally {
  await browser.close();
}

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
console.log('| ms, in Chromium | p50 | p95 | least | most | of |\n|---|---|---|---|---|---|');
for (const [name, values] of Object.entries(samples)) {
  const sorted = values.toSorted((a, b) => a - b);
  console.log(`| ${name} | ${quantile(sorted, 0.5).toFixed(1)} | ${quantile(sorted, 0.95).toFixed(1)} | ${sorted[0].toFixed(1)} | ${sorted.at(-1).toFixed(1)} | ${sorted.length} |`);
}
if (options.json) {
  mkdirSync(join(options.json, '..'), { recursive: true });
  writeFileSync(options.json, JSON.stringify(samples, null, 1));
}
