#!/usr/bin/env node
// What the milliseconds of a picture are spent on, with and without a model or a recording beside it:
// the stages that the player tells of each picture (docs/api.md, "The record"), their medians, and what
// all but the last add up to: the wait for the screen's next step is a matter of chance, and the same
// for all. See docs/measuring.md.
//
//   node bench/latency/stages.mjs [--seconds 10] [--rounds 3] [--fps 29] [--only NAME]… [--json FILE]
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { contend, load } from './harness.mjs';
import { quantile } from './timing.mjs';

const NAMES = ['overwatch webrtc', 'overwatch webrtc predict', 'overwatch webrtc sync', 'overwatch webrtc recorded'];
const WARM_UP_SECONDS = 4;

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '3' },
    fps: { type: 'string', default: '29' },
    only: { type: 'string', multiple: true },
    json: { type: 'string' },
    help: { type: 'boolean' },
  },
});
if (options.help) {
  console.log(`usage: stages.mjs [--seconds N] [--rounds N] [--fps N] [--json FILE] [--only NAME]…
contenders: ${NAMES.join(', ')}`);
  process.exit(0);
}

/** The budgets of the pictures that are shown in so many seconds: [{ stage: ms, … }]. */
const watch = (page, seconds) => page.evaluate((seconds) => new Promise((resolve) => {
  const player = document.querySelector('overwatch-view');
  const budgets = [];
  player.addEventListener('metadata', () => {}); // who listens is sent each picture's record
  player.addEventListener('frame', () => {
    if (player.budget !== null) budgets.push(Object.fromEntries(player.budget.segments.map(({ stage, ms }) => [stage, ms])));
  });
  setTimeout(() => resolve(budgets), seconds * 1000);
}), seconds);

const found = new Map((options.only ?? NAMES).map((name) => [name, []]));
for (let round = 0; round < Number(options.rounds); round++) {
  for (const [name, budgets] of found) {
    await contend(name, Number(options.fps), async ({ browser, url, origin }) => {
      const { page } = await load(browser, url);
      await sleep(WARM_UP_SECONDS * 1000);
      budgets.push(...await watch(page, Number(options.seconds)));
      const { recordings } = await (await fetch(`${origin}/api/recordings`)).json();
      if (recordings.some(({ recording }) => recording) !== /recorded/.test(name)) throw new Error(`${name}: recorded or not?`);
    });
  }
}

const stages = ['capture', 'wait', 'model', 'draw', 'encode', 'send', 'network', 'decode', 'screen'];
const median = (values) => quantile([...values].sort((a, b) => a - b), 0.5);
const untilDecoded = (budget) => stages.slice(0, -1).reduce((sum, stage) => sum + (budget[stage] ?? 0), 0);
const rows = [...found].map(([name, budgets]) => {
  const passed = stages.filter((stage) => budgets.some((budget) => stage in budget));
  return {
    name, pictures: budgets.length, ready: median(budgets.map(untilDecoded)),
    stages: Object.fromEntries(passed.map((stage) => [stage, median(budgets.filter((budget) => stage in budget).map((budget) => budget[stage]))])),
  };
});

console.log(`Medians in ms of the stages of a picture, ${options.fps} fps, ${options.rounds} rounds of ${options.seconds} s.`);
console.log(['', ...stages, 'until it could be shown', 'more', 'pictures'].map((cell, i) => (i ? cell.padStart(Math.max(9, cell.length + 2)) : cell.padEnd(28))).join(''));
for (const { name, pictures, ready, stages: medians } of rows) {
  const more = name === rows[0].name ? '' : (ready - rows[0].ready).toFixed(2);
  const cells = [...stages.map((stage) => medians[stage]?.toFixed(2) ?? '–')].map((cell) => cell.padStart(9));
  console.log(name.padEnd(28) + cells.join('') + ready.toFixed(2).padStart(25) + more.padStart(9) + String(pictures).padStart(10));
}
if (options.json) writeFileSync(options.json, JSON.stringify(rows, null, 2));
process.exit(0);
