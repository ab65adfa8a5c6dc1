// Where the milliseconds of a picture go: stages that add up to its latency, for the very picture on the
// screen, over both transports.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { root, startServer, testPattern } from '../integ/server.mjs';
import { launch, openPage, showsPictures } from './browser.mjs';

async function open(t, workflow, transport) {
  const server = await startServer(workflow);
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/view/${workflow.nodes.at(-1).id}?transport=${transport}`);
  await showsPictures(page, transport);
  await page.waitForFunction(() => document.querySelector('overwatch-view').stats.budget !== null, null, { timeout: 30000 });
  return page;
}

/** What the strip says: { whose, total, stages: { capture: 1.2, … }, widths (of the segments, px), boxes }. */
const readStrip = (page) => page.evaluate(() => {
  const strip = document.querySelector('[data-testid=budget]');
  const number = (element) => Number.parseFloat(element.textContent);
  const shown = [...strip.querySelectorAll('.way-bar i')].filter((segment) => !segment.hidden);
  const boxes = strip.querySelector('[data-testid=budget-boxes]');
  return {
    whose: strip.querySelector('.total dt').textContent,
    total: number(strip.querySelector('[data-testid=budget-total]')),
    stages: Object.fromEntries(shown.map(({ dataset: { stage } }) => [stage, number(strip.querySelector(`[data-testid=budget-${stage}]`))])),
    latency: document.querySelector('overwatch-view').stats.latency.p50,
    boxes: boxes.offsetParent === null ? null : boxes.textContent,
  };
});

const sum = (values) => values.reduce((total, value) => total + value, 0);

/** Of `count` pictures (that passed this stage), in the moment in which each is shown: [{ latencyMs, budget }]. */
const watch = (page, count, passed = null) => page.evaluate(({ count, passed }) => new Promise((resolve) => {
  const player = document.querySelector('overwatch-view');
  const seen = [];
  player.addEventListener('frame', function shown({ detail: { latencyMs } }) {
    const { budget } = player; // null where the record is yet to come
    if (budget === null || latencyMs === null) return;
    if (passed !== null && !budget.segments.some(({ stage }) => stage === passed)) return;
    seen.push({ latencyMs, budget });
    if (seen.length < count) return;
    player.removeEventListener('frame', shown);
    resolve(seen);
  });
}), { count, passed });

const SERVER = ['capture', 'draw', 'encode', 'send'];

for (const transport of ['webrtc', 'websocket']) {
  test(`the stages of each picture add up to its latency (${transport})`, { timeout: 90000 }, async (t) => {
    const page = await open(t, testPattern({ width: 640, height: 360 }), transport);
    for (const { latencyMs, budget } of await watch(page, 30)) {
      // RTP counts in 1/90 ms.
      assert.ok(Math.abs(budget.totalMs - latencyMs) < 0.02, `${budget.totalMs}, ${latencyMs} ms`);
      assert.ok(Math.abs(sum(budget.segments.map(({ ms }) => ms)) - budget.totalMs) < 0.01);
      assert.ok(budget.segments.every(({ ms }) => ms >= 0));
      assert.deepEqual(budget.segments.map(({ stage }) => stage), [...SERVER, 'network', 'decode', 'screen']);
    }
    const strip = await readStrip(page);
    assert.equal(strip.whose, 'Median picture');
    assert.ok(Math.abs(sum(Object.values(strip.stages)) - strip.total) < 2, JSON.stringify(strip));
    assert.ok(Math.abs(strip.total - strip.latency) < 2, JSON.stringify(strip));
    assert.equal(strip.boxes, null, 'there is no model');
    // Under the pointer and in focus: the picture on the screen.
    await page.getByTestId('budget').focus();
    await page.waitForFunction(() => document.querySelector('.budget .total dt').textContent === 'This picture');
    const live = await readStrip(page);
    assert.ok(Math.abs(sum(Object.values(live.stages)) - live.total) < 2, JSON.stringify(live));
    assert.deepEqual(page.failures, []);
  });
}

for (const [boxTiming, transport] of [['sync', 'webrtc'], ['sync', 'websocket'], ['predict', 'webrtc'], ['predict', 'websocket']]) {
  test(`the model is on the picture's way, or beside it (${boxTiming}, ${transport})`, { timeout: 90000 }, async (t) => {
    const workflow = JSON.parse(readFileSync(`${root}/workflows/demo.json`));
    Object.assign(workflow.nodes.find(({ id }) => id === 'live').data, { boxTiming });
    workflow.nodes.sort((a, b) => (a.id === 'live') - (b.id === 'live'));
    const page = await open(t, workflow, transport);
    if (boxTiming === 'sync') {
      const seen = await watch(page, 5, 'model'); // a busy model leaves pictures to go without it
      for (const { budget } of seen) {
        assert.ok(budget.segments.find(({ stage }) => stage === 'model').ms > 1, JSON.stringify(budget));
        assert.equal(budget.boxesAgeMs, null);
      }
      await page.waitForFunction(() => document.querySelector('.budget .way-bar [data-stage=model]').getBoundingClientRect().width > 0);
      assert.equal((await readStrip(page)).boxes, null);
    } else {
      await page.waitForFunction(() => /\d ms older$/.test(document.querySelector('[data-testid=budget-boxes]').textContent) && document.querySelector('[data-testid=budget-boxes]').offsetParent !== null);
      const seen = await watch(page, 20);
      assert.ok(seen.every(({ budget }) => budget.segments.every(({ stage }) => stage !== 'model' && stage !== 'wait')));
      const ages = seen.map(({ budget }) => budget.boxesAgeMs).sort((a, b) => a - b);
      t.diagnostic(`boxes seen in frames that are ${ages[0]} to ${ages.at(-1)} ms older`);
      assert.ok(ages[0] > -200 && ages[10] > 0 && ages.at(-1) < 5000, `${ages}`);
    }
  });
}
