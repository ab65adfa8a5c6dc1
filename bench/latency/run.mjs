#!/usr/bin/env node
// Glass-to-glass latency in a real browser, ours beside others in the same run. See docs/measuring.md.
//
//   node bench/latency/run.mjs [--seconds 20] [--only NAME]… [--fps 29] [--loads 5] [--json FILE]
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { contenders } from './contenders.mjs';
import { HEIGHT, WIDTH, agesOf, contend, load, observe } from './harness.mjs';
import { calibrate, quantile } from './timing.mjs';

const WARM_UP_SECONDS = 4;

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    fps: { type: 'string', default: '29' },
    loads: { type: 'string', default: '5' },
    only: { type: 'string', multiple: true },
    json: { type: 'string' },
    help: { type: 'boolean' },
  },
});
if (options.help) {
  console.log(`usage: run.mjs [--seconds N] [--fps N] [--loads N] [--json FILE] [--only NAME]…
contenders: ${Object.keys(contenders).join(', ')}`);
  process.exit(0);
}

// What the model itself takes for a frame, all its steps, median; undefined where there is none.
async function modelTime(url) {
  const response = await fetch(new URL('/api/workflow-builder/performance', url)).catch(() => null);
  // The other contenders have no such figures, and some answer every path with their page.
  if (!response?.ok || !/json/.test(response.headers.get('content-type'))) return undefined;
  const { operations } = await response.json();
  const steps = ['preprocess', 'model_inference', 'postprocess'].map((name) => operations[name]);
  return steps[1].count > 0 ? steps.reduce((sum, step) => sum + step.p50_ms, 0) : undefined;
}

async function measure({ browser, server, url }) {
  const firsts = [];
  for (let i = 1; i < Number(options.loads); i++) {
    const { context, first } = await load(browser, url);
    firsts.push(first);
    await context.close();
  }
  const { context, page, first } = await load(browser, url);
  firsts.push(first);
  await sleep(WARM_UP_SECONDS * 1000);
  const skewBefore = await calibrate(page);
  const result = await observe(page, server, Number(options.seconds));
  const skewAfter = await calibrate(page);
  const modelMs = await modelTime(url);
  await context.close();

  const skew = (skewBefore.offsetMs + skewAfter.offsetMs) / 2;
  const ages = agesOf(result.samples, skew);
  const sorted = [...ages.values()].sort((a, b) => a - b);
  if (sorted.length < 10) throw new Error(`only ${sorted.length} frames with a readable clock (${result.unread} without)`);
  const { samples, ...rest } = result;
  return {
    ...rest,
    frames: sorted.length,
    fps: sorted.length / result.elapsed,
    p5: quantile(sorted, 0.05), p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), p99: quantile(sorted, 0.99),
    firstMs: quantile(firsts.sort((a, b) => a - b), 0.5),
    modelMs,
    skewMs: skew, skewDriftMs: skewAfter.offsetMs - skewBefore.offsetMs, skewErrorMs: skewAfter.errorMs,
  };
}

const COLUMNS = [
  ['p5', 'p5'], ['p50', 'p50'], ['p95', 'p95'], ['p99', 'p99'], ['fps', 'fps'], ['kBps', 'kB/s'],
  ['cpu', 'CPU %'], ['firstMs', 'first ms'], ['rss', 'RSS MB'],
  ['modelMs', 'model ms'],
];
const cell = (value, digits) => (value === undefined || Number.isNaN(value) ? '–' : value.toFixed(digits));
function printRow(cells) {
  console.log(cells[0].padEnd(26) + cells.slice(1).map((cell) => cell.padStart(9)).join(''));
}
function print(results) {
  console.log(`\nMilliseconds from writing a frame into the pipe to its rendering step; ${WIDTH}x${HEIGHT}, ${options.fps} fps source.`);
  printRow(['', ...COLUMNS.map(([, title]) => title), 'codec']);
  for (const result of results) {
    if (result.error) console.log(`${result.name.padEnd(26)}  ${result.error}`);
    else printRow([result.name, ...COLUMNS.map(([key]) => cell(result[key], 1)), (result.codec ?? 'jpeg').replace('video/', '')]);
  }
  const good = Object.fromEntries(results.filter((result) => !result.error).map((result) => [result.name, result]));
  const compared = Object.values(good).filter(({ name }) => good[contenders[name].against]);
  if (compared.length === 0) return;
  console.log('\nAs a share of the old stack\'s shape in this run (less is better, but for fps):');
  for (const result of compared) {
    const old = good[contenders[result.name].against];
    printRow([result.name, ...COLUMNS.map(([key]) => cell(result[key] / old[key], 2)), `of ${old.name}`]);
  }
}

const unknown = (options.only ?? []).filter((name) => !contenders[name]);
if (unknown.length > 0) {
  console.error(`no contender "${unknown[0]}"; there are: ${Object.keys(contenders).join(', ')}`);
  process.exit(2);
}
const results = [];
for (const name of options.only ?? Object.keys(contenders)) {
  console.error(`measuring ${name} …`);
  try {
    results.push({ name, ...(await contend(name, options.fps, measure)) });
  } catch (error) {
    results.push({ name, error: error.message.split('\n')[0] });
  }
}
print(results);
if (options.json) writeFileSync(options.json, `${JSON.stringify({ options, results }, null, 2)}\n`);
process.exitCode = results.some((result) => result.error) ? 1 : 0;
