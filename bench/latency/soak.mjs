// Whether latency or memory grow with time: one server, one WebRTC view with the default model
// (predict), one browser that stays. See docs/measuring.md.
//
//   node bench/latency/soak.mjs [--minutes 60] [--row-minutes 5] [--fps 29] [--json FILE]
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { HEIGHT, WIDTH, agesOf, contend, load, observe } from './harness.mjs';
import { calibrate, quantile } from './timing.mjs';

const CONTENDER = 'overwatch webrtc predict', NODE = 'bench', WARM_UP_SECONDS = 4;
// The page's clock drifts from the machine's: it is compared again this often.
const SLICE_SECONDS = 20;

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    'row-minutes': { type: 'string' },
    fps: { type: 'string', default: '29' },
    json: { type: 'string' },
  },
});
const minutes = Number(options.minutes);
// At least two rows, so that there is a first and a last.
const rowMinutes = Number(options['row-minutes'] ?? Math.min(5, minutes / 2));
if (!(rowMinutes > 0 && minutes >= 2 * rowMinutes)) {
  console.error('usage: soak.mjs [--minutes N] [--row-minutes N] [--fps N] [--json FILE], two rows at least');
  process.exit(2);
}

// Frames that the server passed over since it started, waiting for the view's thread.
async function droppedFrames(origin) {
  const { views } = await (await fetch(`${origin}/api/views`)).json();
  return views.find((view) => view.node_id === NODE).dropped;
}

async function measureRow(page, server, origin, seconds) {
  const ages = new Map(), dropped = await droppedFrames(origin);
  let elapsed = 0, rss = 0, before = await calibrate(page);
  for (let slices = Math.max(1, Math.round(seconds / SLICE_SECONDS)), i = 0; i < slices; i++) {
    const slice = await observe(page, server, seconds / slices);
    const after = await calibrate(page);
    agesOf(slice.samples, (before.offsetMs + after.offsetMs) / 2, ages);
    elapsed += slice.elapsed;
    rss = slice.rss;
    before = after;
  }
  const sorted = [...ages.values()].sort((a, b) => a - b);
  if (sorted.length < 10) throw new Error(`only ${sorted.length} frames with a readable clock`);
  return {
    p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), fps: sorted.length / elapsed, rss,
    dropped: (await droppedFrames(origin)) - dropped,
  };
}

const COLUMNS = [['p50', 'p50'], ['p95', 'p95'], ['fps', 'fps'], ['rss', 'RSS MB']];
function printRow(name, cells) {
  console.log(name.padEnd(12) + cells.map((cell) => cell.padStart(9)).join(''));
}

async function soak({ browser, server, origin, url }) {
  const { page } = await load(browser, url);
  await sleep(WARM_UP_SECONDS * 1000);
  const rows = [];
  for (let i = 1; i * rowMinutes <= minutes; i++) {
    const row = await measureRow(page, server, origin, rowMinutes * 60);
    rows.push(row);
    printRow(`${i * rowMinutes} min`, [...COLUMNS.map(([key]) => row[key].toFixed(1)), String(row.dropped)]);
  }
  return { rows };
}

console.log(`Milliseconds from writing a frame into the pipe to its rendering step; ${WIDTH}x${HEIGHT}, ${options.fps} fps source.`);
printRow('', [...COLUMNS.map(([, title]) => title), 'dropped']);
const result = await contend(CONTENDER, options.fps, soak);
const first = result.rows[0], last = result.rows.at(-1);
printRow('last/first', COLUMNS.map(([key]) => (last[key] / first[key]).toFixed(2)));
if (options.json) writeFileSync(options.json, `${JSON.stringify({ options, ...result }, null, 2)}\n`);
