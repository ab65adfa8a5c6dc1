// Real Chromium behind a link that becomes too slow for video: what the model sees goes on as a
// schematic, marked as such, and video returns by itself.
// Runs alone: it watches how soon things happen.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually, root, testPattern } from '../integ/server.mjs';
import { showsPictures } from './browser.mjs';
import { openInLab, skipLab as skip } from './lab.mjs';

const WIDE = 2e6, NARROW = 24e3, QUEUE_MS = 500;

const open = (t, workflow, view) => openInLab(t, workflow, view, { capacityBps: WIDE, queueMs: QUEUE_MS });

// What the page shows: a sample every 100 ms, kept in the page.
const watch = (page) => page.evaluate(() => {
  const player = document.querySelector('overwatch-view');
  const badge = player.shadowRoot.querySelector('.badge');
  window.records = [];
  window.samples = [];
  player.addEventListener('metadata', ({ detail }) => {
    if (detail.vector) window.records.push({ at: performance.now(), captureUs: detail.captureUs, objects: detail.objects.length, zones: detail.zones.map(({ name }) => name).join(), boxes: detail.objects.map(({ box }) => `${box.x},${box.y}`).join() });
  });
  setInterval(() => {
    const { tier, transport, latency } = player.stats;
    window.samples.push({ at: performance.now(), tier, transport, latency: latency.p50, badge: badge.hidden ? '' : badge.textContent.trim() });
  }, 100);
});

// Packets that do nothing but try whether video passes again; eight make a first try.
const TRY = 8;
const tried = async (lab) => (await lab.ask('/api/webrtc/stats'))?.connections[0]?.padding ?? null;

const recordsCome = (page, count) => page.waitForFunction((count) => window.records.length >= count, count, { timeout: 20000 });

const now = (page) => page.evaluate(() => performance.now());
const tierIs = (page, tier, timeout) => page.waitForFunction((tier) => document.querySelector('overwatch-view').stats.tier === tier, tier, { timeout, polling: 50 });

// How many different pictures the overlay draws in two seconds, and of how many that the page could have.
const motion = (page) => page.evaluate(async () => {
  const canvas = document.querySelector('overwatch-view').shadowRoot.querySelector('.overlay');
  const context = new OffscreenCanvas(320, 180).getContext('2d', { willReadFrequently: true });
  const seen = new Set();
  const end = performance.now() + 2000;
  let frames = 0;
  while (performance.now() < end) {
    await new Promise(requestAnimationFrame);
    frames++;
    context.drawImage(canvas, 0, 0, 320, 180);
    const { data } = context.getImageData(0, 0, 320, 180);
    let hash = 0;
    for (let i = 0; i < data.length; i += 4) hash = (hash * 31 + data[i]) | 0;
    seen.add(hash);
  }
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const corner = 4 * (4 * canvas.width + 4);
  let zone = 0; // pixels of its colour
  for (let i = 0; i < data.length; i += 4) zone += [0xff, 0xd1, 0x66].every((channel, k) => Math.abs(channel - data[i + k]) < 25) ? 1 : 0;
  return { pictures: seen.size, frames, ground: [...data.subarray(corner, corner + 4)], zone };
});

test('a link too slow for video shows a schematic, then video again', { skip, timeout: 150000 }, async (t) => {
  const workflow = JSON.parse(readFileSync(`${root}/workflows/demo.json`));
  workflow.nodes.push({ id: 'zone', type: 'zone', position: { x: 400, y: 0 }, data: { label: 'Square', zoneType: 'rectangle', polygon: [[0.2, 0.3], [0.8, 0.9]] } });
  workflow.edges.push({ id: 'detector-zone', source: 'detector', target: 'zone' }); // beside the view
  const { lab, page } = await open(t, workflow, 'live');
  await watch(page);
  await page.waitForFunction(() => document.querySelector('overwatch-view').metadata?.objects.length > 2, null, { timeout: 20000 });
  const narrowed = await now(page);
  lab.setCapacity(NARROW, QUEUE_MS);
  await tierIs(page, 'vector', 12000);
  const began = await now(page);
  const triedBefore = await tried(lab);
  assert.notEqual(triedBefore, null);
  await recordsCome(page, 6); // that motion can be drawn between
  const passed = (await lab.queue()).bytes;
  const from = await now(page);
  const { pictures, frames, ground, zone } = await motion(page);
  if (process.env.OVERWATCH_SHOTS) await page.screenshot({ path: join(process.env.OVERWATCH_SHOTS, 'vector.png') });
  // Video is tried for once, and what came of it is known within a second.
  await eventually('a try for video', 20, async () => await tried(lab) >= triedBefore + TRY);
  await recordsCome(page, await page.evaluate(() => window.records.length) + 10);
  const until = await now(page);
  const kbps = ((await lab.queue()).bytes - passed) * 8 / (until - from);
  assert.equal(await page.evaluate(() => document.querySelector('overwatch-view').stats.tier), 'vector', 'it stays while the link is slow');
  lab.setCapacity(WIDE, QUEUE_MS);
  await tierIs(page, 'video', 15000);
  const returned = await now(page);
  await showsPictures(page, 'webrtc');
  await page.waitForFunction(() => window.samples.at(-1).badge === '', null, { timeout: 10000 });
  const { records, samples } = await page.evaluate(() => ({ records: window.records, samples: window.samples }));
  const steady = records.filter(({ at }) => at > from && at < until);
  const gaps = steady.slice(1).map(({ at }, i) => at - steady[i].at).sort((a, b) => a - b);
  const shown = samples.filter(({ at }) => at > from && at < until);
  const latencies = shown.map(({ latency }) => latency).filter((value) => value !== null).sort((a, b) => a - b);
  const latency = latencies[latencies.length >> 1];
  t.diagnostic(`schematic after ${((began - narrowed) / 1000).toFixed(1)} s, video after ${((returned - until) / 1000).toFixed(1)} s; meanwhile ${kbps.toFixed(1)} kbit/s on the link, ${(steady.length * 1000 / (until - from)).toFixed(1)} records a second, gaps p50 ${gaps[gaps.length >> 1]?.toFixed(0)} p95 ${gaps[Math.floor(gaps.length * 0.95)]?.toFixed(0)} ms, latency p50 ${latency?.toFixed(0)} ms, ${pictures} different pictures in ${frames} frames`);
  assert.ok(began - narrowed < 8000, 'the schematic is there within seconds');
  assert.ok(returned - until < 12000, 'so is video');
  assert.ok(steady.length > 3 * (until - from) / 1000, `${steady.length} records`);
  const places = new Set(steady.map(({ boxes }) => boxes)).size;
  assert.ok(places > (until - from) / 1000, `objects move: they are at ${places} different places in ${steady.length} records, ${steady.map(({ objects }) => objects).join(' ')} of them`);
  assert.ok(pictures > frames / 3, `motion between records: ${pictures} different pictures in ${frames} frames`);
  assert.deepEqual(ground, [15, 19, 25, 255], 'a schematic ground lies over the last picture');
  assert.ok(zone > 100, `${zone} pixels of the zone`);
  assert.ok(steady.every(({ zones }) => zones === 'Square'), 'the zone is told with each record');
  assert.ok(latency < 1500, `latency is told, ${latency} ms`);
  assert.ok(shown.every(({ badge }) => /^Vector: link too slow for video, \d+ kbit\/s$/.test(badge)), shown[0]?.badge);
  assert.ok(shown.every(({ transport }) => transport === 'webrtc'), 'no other transport is fallen back to');
  assert.ok(kbps < NARROW / 1000, 'the link is not filled');
  assert.deepEqual(page.failures, []);
});

test('without a model there is no schematic, and the page says so', { skip, timeout: 180000 }, async (t) => {
  const { lab, page } = await open(t, testPattern({ width: 640, height: 360 }), 'view');
  lab.setCapacity(50e3, QUEUE_MS);
  await page.waitForFunction(() => {
    const badge = document.querySelector('overwatch-view').shadowRoot.querySelector('.badge');
    return !badge.hidden && /^Slow link: \d+ kbit\/s; without a model/.test(badge.textContent.trim());
  }, null, { timeout: 45000 });
  assert.equal(await page.evaluate(() => document.querySelector('overwatch-view').stats.tier), 'video');
  lab.setCapacity(WIDE, QUEUE_MS);
  await page.waitForFunction(() => document.querySelector('overwatch-view').shadowRoot.querySelector('.badge').hidden, null, { timeout: 60000 });
});
