// What the latency benches share: a feeder, a server and a browser, and what is read from them.
import { execFileSync, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { prepareFootage, root } from '../footage.mjs';
import { contenders } from './contenders.mjs';
import { ageMs } from './timing.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(join(root, 'tests/package.json'));
const { chromium } = require('playwright-core');

export const WIDTH = 960, HEIGHT = 540;
const FOOTAGE_FRAMES = 300;

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
export async function load(browser, url) {
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

export async function observe(page, server, seconds) {
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

// Milliseconds from writing to showing of each frame, at its first showing. `skew` is what calibrate()
// found; `ages` maps the frames' clock codes and may be given again.
export function agesOf(samples, skew, ages = new Map()) {
  for (const [code, at] of samples) {
    if (!ages.has(code)) ages.set(code, ageMs(code, at + skew));
  }
  return ages;
}

// Starts a contender, its feeder and a browser, and calls use({ browser, server, url, origin }); ends
// all whatever happens. Returns what `use` does, with the feeder's counts.
export async function contend(name, fps, use) {
  const contender = contenders[name];
  const footage = prepareFootage(WIDTH, HEIGHT, FOOTAGE_FRAMES);
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
    const feeder = start(process.env.OVERWATCH_FEEDER ?? join(root, 'build/bench/feeder'), [footage, pipe, fps], log('feeder'));
    children.push(feeder);
    await until(`${name} answers`, 20, () => {
      if (server.failure || server.exitCode !== null) throw new Error(`the server ended, see ${log('server')}`);
      return answers(`http://127.0.0.1:${port}/healthz`);
    });
    browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required'],
    });
    const origin = `http://127.0.0.1:${port}`;
    const result = await use({ browser, server, origin, url: `${origin}${contender.page}` });
    await browser.close();
    browser = undefined;
    await stop(feeder);
    return { ...result, feeder: JSON.parse(feeder.text || '{}') };
  } finally {
    await browser?.close();
    for (const child of children) await stop(child);
    rmSync(folder, { recursive: true, force: true });
  }
}
