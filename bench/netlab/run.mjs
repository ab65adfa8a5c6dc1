#!/usr/bin/env node
// Our sender and Google's on a real link whose capacity changes. See docs/measuring.md.
//
//   node bench/netlab/run.mjs [--only NAME]… [--steps KBPS:SECONDS,…] [--queue MS] [--trace FILE]
//   node bench/netlab/run.mjs --loss 5 --rtt 50
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { prepareFootage, root } from '../footage.mjs';
import { contenders } from '../latency/contenders.mjs';
import { ageMs, calibrate } from '../latency/timing.mjs';
import { Lab, SERVER_ADDRESS, whyNoLab } from './lab.mjs';
import { printBusyness, printLosses, printSeconds, printSteps, writeReport } from './report.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const { chromium } = createRequire(join(root, 'tests/package.json'))('playwright-core');

const WIDTH = 960, HEIGHT = 540, FOOTAGE_FRAMES = 300, FPS = 29;
const PORT = 8000, MEDIA_PORT = 8189; // the namespaces are ours alone
const TICK_MS = 100;
const OURS = 'overwatch webrtc high', GOOGLES = 'libwebrtc';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    steps: { type: 'string', default: '2000:15,1000:20,400:20,2000:20' },
    queue: { type: 'string', default: '300' },
    rtt: { type: 'string', default: '0' },
    loss: { type: 'string', default: '0' },
    capacity: { type: 'string', default: '4000' },
    seconds: { type: 'string', default: '60' },
    warmup: { type: 'string', default: '5' },
    trace: { type: 'string' },
    name: { type: 'string', default: 'report' },
    quiet: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});
if (options.help) {
  console.log(`usage: run.mjs [--only NAME]… [--steps KBPS:SECONDS,…] [--queue MS] [--rtt MS]
               [--loss PERCENT [--capacity KBPS] [--seconds N]] [--trace FILE] [--name NAME] [--quiet]
contenders: ${OURS}, ${GOOGLES} (these two unless --only), ${Object.keys(contenders).join(', ')}`);
  process.exit(0);
}

// Loss: a while without, then a while with it, so that both are seen in one run.
function plan() {
  const loss = Number(options.loss);
  if (loss > 0) {
    const capacityBps = Number(options.capacity) * 1000;
    return [{ seconds: 20, capacityBps, loss: 0 }, { seconds: Number(options.seconds), capacityBps, loss }];
  }
  return options.steps.split(',').map((step) => {
    const [kbps, seconds] = step.split(':').map(Number);
    if (!(kbps > 0 && seconds >= 2)) throw new Error(`--steps: "${step}" is not KBPS:SECONDS`);
    return { seconds, capacityBps: kbps * 1000, loss: 0 };
  });
}

// Every 100 ms: the link's counters, its queue, and what the sender says of itself.
async function record(lab, viewerPid, startMs, ended) {
  const ticks = [];
  for (let turn = 0; !ended(); turn++) {
    const [queue, sender] = await Promise.all([lab.queue(), lab.ask('/api/webrtc/stats')]);
    const { receivedBytes } = lab.counters(viewerPid);
    const previous = ticks.at(-1);
    const newDrops = previous ? queue.drops - previous.droppedPackets : 0;
    const carried = previous ? queue.bytes - previous.passedBytes + queue.backlog - previous.waitingBytes : 0;
    ticks.push({
      at: (performance.now() - startMs) / 1000,
      receivedBytes, passedBytes: queue.bytes, waitingBytes: queue.backlog, droppedPackets: queue.drops,
      // What the sender handed over: passed on, waiting, or dropped (whose sizes nobody counts).
      offeredBytes: (previous?.offeredBytes ?? 0) + carried + newDrops * 1200,
      sender: sender?.connections?.[0],
    });
    await sleep(Math.max(0, startMs + (turn + 1) * TICK_MS - performance.now()));
  }
  return ticks;
}

async function runPhases(lab, startMs) {
  const phases = [];
  for (const phase of plan()) {
    lab.setCapacity(phase.capacityBps, Number(options.queue));
    lab.setLoss(phase.loss);
    const at = (performance.now() - startMs) / 1000;
    phases.push({ at, ...phase });
    await sleep(phase.seconds * 1000);
  }
  return phases;
}

// The pictures at their first showing, with their age.
function framesOf(samples, skewMs, startWallMs) {
  const seen = new Set(), frames = [];
  for (const [code, at, width, height] of samples) {
    if (code === null || seen.has(code)) continue;
    seen.add(code);
    frames.push({ at: (at + skewMs - startWallMs) / 1000, ageMs: ageMs(code, at + skewMs), width, height });
  }
  return frames;
}

const pidOf = (lab, place) => Number(execFileSync('ip', ['netns', 'pids', lab.names[place]], { encoding: 'utf8' }).split('\n')[0]);

async function watch(lab, page) {
  await page.waitForFunction(() => window.__netlab.samples.length > 5, null, { timeout: 20000 });
  await sleep(Number(options.warmup) * 1000);
  const before = await calibrate(page);
  await page.evaluate(() => { window.__netlab.samples.length = 0; });
  let over = false;
  const startMs = performance.now(), startWallMs = performance.timeOrigin + startMs;
  const recording = record(lab, pidOf(lab, 'viewer'), startMs, () => over);
  recording.catch(() => {});
  const phases = await runPhases(lab, startMs);
  over = true;
  const ticks = await recording;
  const samples = await page.evaluate(() => window.__netlab.samples);
  const inbound = await page.evaluate(() => window.__netlab.inbound());
  const after = await calibrate(page);
  // The page's clock is brought to the wall clock, ours as well (timeOrigin drifts from it).
  const ours = await calibrate({ evaluate: (f) => f() }, 20);
  const frames = framesOf(samples, (before.offsetMs + after.offsetMs) / 2, startWallMs + ours.offsetMs);
  const unread = samples.filter(([code]) => code === null).length;
  if (frames.length < 10) throw new Error(`only ${frames.length} pictures with a readable clock (${unread} without)`);
  return { phases, ticks, frames, unread, inbound, skewErrorMs: after.errorMs };
}

async function contend(name) {
  const logs = join(root, '.cache/bench/netlab/log');
  mkdirSync(logs, { recursive: true });
  const lab = await Lab.open({ logs, rttMs: Number(options.rtt) });
  let browser;
  try {
    lab.setCapacity(plan()[0].capacityBps, Number(options.queue));
    const pipe = join(lab.folder, 'frames.y4m');
    execFileSync('mkfifo', [pipe]);
    const { command, args } = contenders[name].start({
      root, here: join(root, 'bench/latency'), folder: lab.folder, pipe, port: PORT, mediaPort: MEDIA_PORT, width: WIDTH, height: HEIGHT,
    });
    const more = name.startsWith('overwatch') ? ['--public-address', SERVER_ADDRESS] : [];
    const server = lab.start(command, [...args, ...more], 'server', 'server');
    await lab.openDoor(PORT);
    lab.start(process.env.OVERWATCH_FEEDER ?? join(root, 'build/bench/feeder'), [prepareFootage(WIDTH, HEIGHT, FOOTAGE_FRAMES), pipe, FPS], 'feeder');
    for (let turn = 0; !(await lab.answers('/healthz')); turn++) {
      if (turn > 200 || server.exitCode !== null) throw new Error(`the server does not answer, see ${server.log}`);
      await sleep(50);
    }
    browser = await chromium.launch({
      executablePath: lab.wrapper(process.env.CHROMIUM ?? '/usr/bin/chromium', 'viewer'),
      args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--disable-features=WebRtcHideLocalIpsWithMdns'],
    });
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.on('pageerror', (error) => console.error(`  page: ${error.message}`));
    await page.addInitScript({ path: join(here, 'probe.js') });
    await page.goto(`http://127.0.0.1:${PORT}${contenders[name].page}`);
    return { name, ...(await watch(lab, page)) };
  } finally {
    await browser?.close();
    await lab.close();
  }
}

const why = whyNoLab();
if (why) {
  console.error(`netlab: ${why}`);
  process.exit(1);
}
const names = options.only ?? [OURS, GOOGLES];
const unknown = names.find((name) => !contenders[name]);
if (unknown) {
  console.error(`no contender "${unknown}"; there are: ${Object.keys(contenders).join(', ')}`);
  process.exit(2);
}
if (Number(options.loss) > 0 && !(Number(options.rtt) > 0)) {
  console.error('--loss wants --rtt: loss is made on the link that has a delay');
  process.exit(2);
}

const recordings = [];
let failed = false;
for (const name of names) {
  console.error(`measuring ${name} …`);
  try {
    recordings.push(await contend(name));
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    failed = true;
  }
}
for (const recording of recordings) if (!options.quiet) printSeconds(recording);
for (const recording of recordings) printBusyness(recording);
if (Number(options.loss) > 0) printLosses(recordings, Number(options.rtt));
else printSteps(recordings);
if (recordings.length > 0) {
  const file = join(root, '.cache/bench/netlab', `${options.name}.html`);
  writeReport(file, recordings, options);
  console.log(`\nPlots: ${file}`);
  if (options.trace) writeFileSync(options.trace, `${JSON.stringify({ options, recordings })}\n`);
}
process.exit(failed ? 1 : 0);
