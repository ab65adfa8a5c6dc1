#!/usr/bin/env node
// The sender on simulated networks: the table of all cases, and a report with plots. See docs/measuring.md.
//
//   node bench/cc/run.mjs [--only NAME]… [--out FILE] [--json FILE]
//
// SIM_SEED=n runs everything with another seed; CC_CASES names a program that is built already.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { report } from './report.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const cache = join(root, '.cache/bench/cc');

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    out: { type: 'string', default: join(cache, 'report.html') },
    json: { type: 'string' },
    help: { type: 'boolean' },
  },
});

function run(command, args) {
  const { status, error, stdout } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28 });
  if (!error && status === 0) return stdout;
  console.error(`${command} ${args.slice(0, 3).join(' ')}: ${error?.message ?? `exit ${status}\n${stdout.slice(-2000)}`}`);
  process.exit(1);
}

// The product's own build has no tests, and the simulation is one of them: it gets a folder of its own.
function build() {
  const folder = join(cache, 'build');
  if (!existsSync(join(folder, 'build.ninja'))) {
    const headers = join(root, '.cache/onnxruntime/include');
    run('meson', ['setup', folder, root, '-Dtests=true', ...(existsSync(headers) ? [`-Donnxruntime_include=${headers}`] : [])]);
  }
  run('ninja', ['-C', folder, 'bench/cc_cases']);
  return join(folder, 'bench/cc_cases');
}

const program = process.env.CC_CASES ?? build();
if (options.help) {
  console.log('usage: run.mjs [--only NAME]… [--out FILE] [--json FILE]\ncases:');
  spawnSync(program, ['--list'], { stdio: 'inherit' });
  process.exit(0);
}

// RFC 8868: one-way delays in ms, random loss in percent.
const GRID = { delays: [0, 50, 150, 300], losses: [0, 1, 5, 10, 20] };

const runCases = (names) => run(program, ['--json', ...names]).trim().split('\n').map(JSON.parse);

const percent = (part, digits = 0) => (100 * part).toFixed(digits);

// One row for each flow.
function rows(cases) {
  return cases.flatMap((one) =>
    one.flows.map((flow, i) => ({
      case: one.flows.length > 1 ? `${one.name} #${i + 1}` : one.name,
      'util %': percent(flow.utilisation),
      'sent/good kbit/s': `${flow.sent_kbps.toFixed(0)} / ${flow.goodput_kbps.toFixed(0)}`,
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

const gridText = (flow) =>
  `${percent(flow.utilisation)}, ${flow.queue_p95_ms.toFixed(0)}, ${flow.latency_p50_ms.toFixed(0)}, ${percent(flow.shown)}`;

function printTable(table) {
  const heads = Object.keys(table[0]);
  const widths = heads.map((head) => Math.max(head.length, ...table.map((row) => row[head].length)));
  const line = (cells) => cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  console.log(line(heads));
  for (const row of table) console.log(line(Object.values(row)));
}

const started = Date.now();
const cases = runCases(options.only ?? []);
printTable(rows(cases));
let grid;
if (!options.only) {
  const cells = runCases(GRID.delays.flatMap((delay) => GRID.losses.map((loss) => `grid-${delay}-${loss}`)));
  grid = { ...GRID, cells: cells.map(({ flows: [flow] }) => flow) };
  console.log('\nRFC 8868 grid over 2 Mbit/s: utilisation %, queue p95 ms, frame p50 ms, shown %');
  printTable(GRID.delays.map((delay, row) => Object.fromEntries([
    ['one way', `${delay} ms`],
    ...GRID.losses.map((loss, column) => [`${loss} % loss`, gridText(grid.cells[row * GRID.losses.length + column])]),
  ])));
}
mkdirSync(dirname(options.out), { recursive: true });
writeFileSync(options.out, report(cases, grid));
if (options.json) writeFileSync(options.json, JSON.stringify(cases));
console.log(`\n${cases.length} cases in ${((Date.now() - started) / 1000).toFixed(1)} s; plots: ${options.out}`);
