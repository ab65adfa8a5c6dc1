#!/usr/bin/env node
// What the wall page costs with many views, live over WebRTC and as JPEGs: docs/measuring.md.
//
//   node bench/wall/run.mjs [--views 1,2,4,8,16] [--seconds 10]
import { readdirSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { launch, openPage } from '../../tests/e2e/browser.mjs';
import { startServer } from '../../tests/integ/server.mjs';

const { values: options } = parseArgs({
  options: { views: { type: 'string', default: '1,2,4,6,8,12,16' }, seconds: { type: 'string', default: '10' } },
});
const seconds = Number(options.seconds);
const TICKS = 100; // of a second, in /proc

// One source, so that what is measured is the views.
function workflow(count) {
  const ids = Array.from({ length: count }, (_, i) => `view-${i + 1}`);
  return {
    id: 'wall', name: 'Wall', version: '1.0',
    nodes: [
      { id: 'source', type: 'testPattern', position: { x: 0, y: 0 }, data: { width: 960, height: 540, fps: 25 } },
      ...ids.map((id) => ({ id, type: 'videoPreviewWebRTC', position: { x: 300, y: 0 }, data: {} })),
    ],
    edges: ids.map((id) => ({ id: `to-${id}`, source: 'source', target: id })),
  };
}

function processes() {
  const all = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
      all.set(Number(pid), { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) });
    } catch {
      /* it has ended meanwhile */
    }
  }
  return all;
}

// CPU seconds of a process, and of all that it started.
function cpuOf(pid) {
  const all = processes();
  let ticks = 0;
  for (const [id, { ticks: own }] of all) {
    let at = id;
    while (at > 1 && at !== pid) at = all.get(at)?.parent ?? 0;
    if (at === pid) ticks += own;
  }
  return ticks / TICKS;
}

// Pictures that were shown, and how evenly the page is rendered.
const count = (page, ms) => page.evaluate((ms) => new Promise((resolve) => {
  const tiles = [...document.querySelectorAll('.tile')];
  let pictures = 0;
  const steps = [];
  const draw = CanvasRenderingContext2D.prototype.drawImage;
  CanvasRenderingContext2D.prototype.drawImage = function (...all) { pictures += 1; return draw.apply(this, all); };
  const players = [...document.querySelectorAll('overwatch-view')];
  for (const player of players) player.addEventListener('frame', () => (pictures += 1));
  let last = performance.now();
  const end = last + ms;
  requestAnimationFrame(function step(now) {
    steps.push(now - last);
    last = now;
    if (now < end) return requestAnimationFrame(step);
    steps.sort((a, b) => a - b);
    const latencies = players.map(({ stats }) => stats.latency.p50).filter((value) => value !== null).sort((a, b) => a - b);
    resolve({ fps: pictures / tiles.length / (ms / 1000), step95: steps[Math.floor(steps.length * 0.95)], latency: latencies[latencies.length >> 1] ?? null });
  });
}), ms);

async function measure(views, live) {
  const endings = [];
  try {
    const server = await startServer(workflow(views));
    endings.unshift(server.stop);
    const browser = await launch({ after: (end) => endings.unshift(end) });
    const mine = [...processes()].filter(([, { parent }]) => parent === process.pid).map(([pid]) => pid).filter((pid) => pid !== server.child.pid);
    const page = await openPage(browser, `${server.url}/wall?live=${live ? 64 : 0}`, { viewport: { width: 1920, height: 1080 } });
    await page.waitForFunction((wanted) => document.querySelectorAll(`.tile[data-picture=${wanted.picture}]`).length === wanted.views, { views, picture: live ? 'live' : 'jpeg' }, { timeout: 60000 });
    await page.waitForTimeout(2000);
    const cpu = () => ({ server: cpuOf(server.child.pid), browser: mine.reduce((sum, pid) => sum + cpuOf(pid), 0) });
    const before = cpu();
    const shown = await count(page, seconds * 1000);
    const after = cpu();
    const percent = (name) => ((100 * (after[name] - before[name])) / seconds).toFixed(0);
    const ms = (value) => (value === null ? '–' : value.toFixed(1));
    console.log(`| ${views} | ${live ? 'live' : 'JPEG'} | ${shown.fps.toFixed(1)} | ${ms(shown.latency)} | ${ms(shown.step95)} | ${percent('server')} | ${percent('browser')} |`);
  } finally {
    for (const end of endings) await end();
  }
}

console.log('| views | how | fps each | p50 ms | step p95 ms | server CPU % | browser CPU % |\n|---|---|---|---|---|---|---|');
for (const views of options.views.split(',').map(Number)) {
  for (const live of [true, false]) {
    await measure(views, live).catch((error) => {
      if (error.name !== 'TimeoutError') throw error;
      console.log(`| ${views} | ${live ? 'live' : 'JPEG'} | not all came within a minute | | | | |`);
    });
  }
}
