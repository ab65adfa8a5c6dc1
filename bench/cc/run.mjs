#!/usr/bin/env node
// The sender on simulated networks: the table of all cases, and a report with plots. See docs/measuring.md.
//
//   node bench/cc/run.mjs [--only NAME]… [--out FILE] [--json FILE]
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { report } from './report.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const program = process.env.CC_CASES ?? join(root, 'build/bench/cc_cases');

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    out: { type: 'string', default: join(root, '.cache/bench/cc/report.html') },
    json: { type: 'string' },
    help: { type: 'boolean' },
  },
});
if (options.help) {
  console.log('usage: run.mjs [--only NAME]… [--out FILE] [--json FILE]\ncases:');
  spawnSync(program, ['--list'], { stdio: 'inherit' });
  process.exit(0);
}

function runCases() {
  const { status, stdout, error } = spawnSync(program, ['--json', ...(options.only ?? [])], {
    maxBuffer: 1 << 28,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (error || status !== 0) {
    console.error(error?.code === 'ENOENT' ? `${program} is not built: meson compile -C build cc_cases` : `${program} failed`);
    process.exit(1);
  }
  return stdout.trim().split('\n').map(JSON.parse);
}

const percent = (part, digits = 0) => (100 * part).toFixed(digits);

// One row for each flow.
export function rows(cases) {
  return cases.flatMap((one) =>
    one.flows.map((flow, i) => ({
      case: one.flows.length > 1 ? `${one.name} #${i + 1}` : one.name,
      'util %': percent(flow.utilisation),
      'kbit/s': flow.sent_kbps.toFixed(0),
      'queue p50/p95 ms': `${flow.queue_p50_ms.toFixed(0)} / ${flow.queue_p95_ms.toFixed(0)}`,
      'frame p50/p95 ms': `${flow.latency_p50_ms.toFixed(0)} / ${flow.latency_p95_ms.toFixed(0)}`,
      'worst s': flow.worst_second_ms.toFixed(0),
      'loss %': percent(flow.loss, 1),
      freezes: String(flow.freezes),
      'shown %': percent(flow.shown, 1),
      settled: i === 0 ? one.steps.map((step) => (step.never ? '–' : (step.settled_ms / 1000).toFixed(1))).join(' ') : '',
      fair: one.flows.length > 1 && i === 0 ? one.fairness.toFixed(2) : '',
    })),
  );
}

function printTable(table) {
  const heads = Object.keys(table[0]);
  const widths = heads.map((head) => Math.max(head.length, ...table.map((row) => row[head].length)));
  const line = (cells) => cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  console.log(line(heads));
  for (const row of table) console.log(line(Object.values(row)));
}

const started = Date.now();
const cases = runCases();
printTable(rows(cases));
mkdirSync(dirname(options.out), { recursive: true });
writeFileSync(options.out, report(cases));
if (options.json) writeFileSync(options.json, JSON.stringify(cases));
console.log(`\n${cases.length} cases in ${((Date.now() - started) / 1000).toFixed(1)} s; plots: ${options.out}`);
