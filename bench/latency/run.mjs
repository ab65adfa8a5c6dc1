#!/usr/bin/env node
// Glass-to-glass latency in a real browser, ours beside others in the same run. See docs/measuring.md.
//
//   node bench/latency/run.mjs [--seconds 20] [--only NAME]… [--fps 29] [--loads 5] [--json FILE]
import { execFileSync, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { prepareFootage, root } from '../footage.mjs';
import { contenders } from './contenders.mjs';
import { ageMs, calibrate, quantile } from './timing.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(join(root, 'tests/package.json'));
const { chromium } = require('playwright-core');

const WIDTH = 960, HEIGHT = 540, FOOTAGE_FRAMES = 300, WARM_UP_SECONDS = 4;

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

async function freePort(kind) {
  const server = kind === 'udp' ? createSocket('udp4') : createServer();
  kind === 'udp' ? server.bind(0, '127.0.0.1') : server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function start(command, args, log) {
  const library = join(root, '.cache/onnxruntime/lib/libonnxruntime.so.1');
  const env = existsSync(library) ? { OVERWATCH_ONNXRUNTIME: library, ...process.env } : process.env;
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const file = createWriteStream(log);
  child.text = '';
  child.stdout.on('data', (data) => { child.text += data; file.write(data); });
  child.stderr.on('data', (data) => file.write(data));
  child.ended = once(child, 'close').then(() => file.end());
  child.on('error', (error) => { child.failure = error; });
  return child;
}

async function stop(child) {
  if (child.exitCode === null && child.signalCode === null && child.pid) {
    child.kill('SIGTERM');
    const forced = setTimeout(() => child.kill('SIGKILL'), 3000);
    await child.ended;
    clearTimeout(forced);
  }
}

async function until(what, seconds, condition) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(50);
  }
}

async function answers(url) {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

// Processor time in seconds and resident memory in MB of a process.
const TICKS = Number(execFileSync('getconf', ['CLK_TCK']));
function usage(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const resident = readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/);
  return { seconds: (Number(fields[11]) + Number(fields[12])) / TICKS, mb: Number(resident[1]) / 1024 };
}

// Opens the page and waits for its first picture; returns the page and how long that took from the
// offer (or from opening the WebSocket).
async function load(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`  page: ${error.message}`));
  await page.addInitScript({ path: join(here, 'probe.js') });
  await page.goto(url);
  await page.waitForFunction(() => window.__bench.firstAt > 0, null, { timeout: 20000 });
  const first = await page.evaluate(() => {
    const { firstAt, offerAt, socketAt } = window.__bench;
    return firstAt - (offerAt || socketAt);
  });
  return { context, page, first };
}

async function observe(page, server, seconds) {
  const before = { ...usage(server.pid), at: performance.now(), ...(await page.evaluate(() => window.__bench.traffic())) };
  await page.evaluate(() => { window.__bench.samples.length = 0; window.__bench.unread = 0; });
  await sleep(seconds * 1000);
  const { samples, unread } = await page.evaluate(() => ({ samples: window.__bench.samples, unread: window.__bench.unread }));
  const after = { ...usage(server.pid), at: performance.now(), ...(await page.evaluate(() => window.__bench.traffic())) };
  const elapsed = (after.at - before.at) / 1000;
  return {
    samples, unread, elapsed,
    kBps: (after.bytes - before.bytes) / 1000 / elapsed,
    cpu: (100 * (after.seconds - before.seconds)) / elapsed,
    rss: after.mb, codec: after.codec, lost: after.lost, jitterBufferMs: after.jitterBufferMs,
  };
}

async function measure(browser, server, url) {
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
  await context.close();

  const skew = (skewBefore.offsetMs + skewAfter.offsetMs) / 2;
  const ages = new Map(); // the first showing of each frame
  for (const [code, at] of result.samples) {
    if (!ages.has(code)) ages.set(code, ageMs(code, at + skew));
  }
  const sorted = [...ages.values()].sort((a, b) => a - b);
  if (sorted.length < 10) throw new Error(`only ${sorted.length} frames with a readable clock (${result.unread} without)`);
  const { samples, ...rest } = result;
  return {
    ...rest,
    frames: sorted.length,
    fps: sorted.length / result.elapsed,
    p5: quantile(sorted, 0.05), p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), p99: quantile(sorted, 0.99),
    firstMs: quantile(firsts.sort((a, b) => a - b), 0.5),
    skewMs: skew, skewDriftMs: skewAfter.offsetMs - skewBefore.offsetMs, skewErrorMs: skewAfter.errorMs,
  };
}

async function contend(name, footage) {
  const contender = contenders[name];
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-bench-'));
  const pipe = join(folder, 'frames.y4m');
  execFileSync('mkfifo', [pipe]);
  const logs = join(root, '.cache/bench/log');
  mkdirSync(logs, { recursive: true });
  const log = (what) => join(logs, `${name.replaceAll(' ', '-')}-${what}.log`);
  const port = await freePort('tcp'), mediaPort = await freePort('udp');
  const children = [];
  let browser;
  try {
    const { command, args } = contender.start({ root, here, folder, pipe, port, mediaPort, width: WIDTH, height: HEIGHT });
    const server = start(command, args, log('server'));
    children.push(server);
    const feeder = start(process.env.OVERWATCH_FEEDER ?? join(root, 'build/bench/feeder'), [footage, pipe, options.fps], log('feeder'));
    children.push(feeder);
    await until(`${name} answers`, 20, () => {
      if (server.failure || server.exitCode !== null) throw new Error(`the server ended, see ${log('server')}`);
      return answers(`http://127.0.0.1:${port}/healthz`);
    });
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
    });
    const result = await measure(browser, server, `http://127.0.0.1:${port}${contender.page}`);
    await browser.close();
    browser = undefined;
    await stop(feeder);
    return { name, ...result, feeder: JSON.parse(feeder.text || '{}') };
  } catch (error) {
    return { name, error: error.message.split('\n')[0] };
  } finally {
    await browser?.close();
    for (const child of children) await stop(child);
    rmSync(folder, { recursive: true, force: true });
  }
}

const COLUMNS = [
  ['p5', 'p5'], ['p50', 'p50'], ['p95', 'p95'], ['p99', 'p99'], ['fps', 'fps'], ['kBps', 'kB/s'],
  ['cpu', 'CPU %'], ['firstMs', 'first ms'], ['rss', 'RSS MB'],
];
function printRow(cells) {
  console.log(cells[0].padEnd(26) + cells.slice(1).map((cell) => cell.padStart(9)).join(''));
}
function print(results) {
  console.log(`\nMilliseconds from writing a frame into the pipe to its rendering step; ${WIDTH}x${HEIGHT}, ${options.fps} fps source.`);
  printRow(['', ...COLUMNS.map(([, title]) => title), 'codec']);
  for (const result of results) {
    if (result.error) console.log(`${result.name.padEnd(26)}  ${result.error}`);
    else printRow([result.name, ...COLUMNS.map(([key]) => result[key].toFixed(1)), (result.codec ?? 'jpeg').replace('video/', '')]);
  }
  const good = Object.fromEntries(results.filter((result) => !result.error).map((result) => [result.name, result]));
  const compared = Object.values(good).filter(({ name }) => good[contenders[name].against]);
  if (compared.length === 0) return;
  console.log('\nAs a share of the old stack\'s shape in this run (less is better, but for fps):');
  for (const result of compared) {
    const old = good[contenders[result.name].against];
    printRow([result.name, ...COLUMNS.map(([key]) => (result[key] / old[key]).toFixed(2)), `of ${old.name}`]);
  }
}

const unknown = (options.only ?? []).filter((name) => !contenders[name]);
if (unknown.length > 0) {
  console.error(`no contender "${unknown[0]}"; there are: ${Object.keys(contenders).join(', ')}`);
  process.exit(2);
}
const footage = prepareFootage(WIDTH, HEIGHT, FOOTAGE_FRAMES);
const results = [];
for (const name of options.only ?? Object.keys(contenders)) {
  console.error(`measuring ${name} …`);
  results.push(await contend(name, footage));
}
print(results);
if (options.json) writeFileSync(options.json, `${JSON.stringify({ options, results }, null, 2)}\n`);
process.exitCode = results.some((result) => result.error) ? 1 : 0;
