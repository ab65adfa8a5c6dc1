#!/usr/bin/env node
// How many viewers one core serves: the server pinned to one core, a swarm of viewers to the other, a
// stream of 1 Mbit/s at 30 fps. Viewers are added until a frame in a hundred is late by more than 50 ms
// or lost, or the core is full. See docs/measuring.md.
//
//   node bench/fanout/run.mjs [--steps 1,100,500,…] [--max N] [--seconds 10] [--only NAME]… [--records N|each] [--json FILE]
//
//   core      CPU of the server's process, source and encoder included (not so Janus: it has none)
//   us/v·s    the same, per viewer and second
//   more      the same without the row of one viewer: what one more viewer costs
//   kbit/s    that a viewer gets, pkt/s likewise
//   p50…late  time from the fastest frame that any viewer ever got to the last packet of a frame, by the
//             kernel's stamps; frames over 50 ms
//   swarm     CPU of the viewers, which have the other core
//   rec/s     records of what the model sees that a viewer gets a second, with --records; there is no
//             model, so that they are empty ones
//   read/bad  packets that were decrypted; those that could not be, or were not of the stream
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';

import { cleanUp, contenders, end, installed, pinned } from './contenders.mjs';

const { values: options } = parseArgs({
  options: {
    steps: { type: 'string', default: '1,100,150,200,250,500,1000,1500,2000,2250,2500,3000,3500,4000,5000,6000' },
    max: { type: 'string', default: '8000' },
    seconds: { type: 'string', default: '10' },
    only: { type: 'string', multiple: true },
    records: { type: 'string', default: '0' },
    json: { type: 'string' },
    'server-core': { type: 'string', default: '0' },
    'swarm-core': { type: 'string', default: '1' },
    help: { type: 'boolean' },
  },
});
if (options.help) {
  console.log(`usage: run.mjs [--steps N,N,…] [--max N] [--seconds N] [--only ${Object.keys(contenders).join('|')}]…
              [--server-core N] [--swarm-core N] [--records N|each] [--json FILE]`);
  process.exit(0);
}

// As struct record_wish counts: in ten seconds.
const RECORDS = options.records === 'each' ? 0xffff : Math.round(Number(options.records) * 10);
const LATE_MS = 50;
const FEW = 0.01; // of the frames late, or of the packets lost
const FULL = 0.97; // of a core
const JOINING = 12; // viewers that are connecting at the same time
const TICKS_PER_S = 100; // of /proc/PID/stat

function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

process.on('exit', cleanUp);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

async function startSwarm({ transportCc, role, records = 0 }) {
  const build = process.env.OVERWATCH_BUILD ?? fileURLToPath(new URL('../../build', import.meta.url));
  const child = pinned(options['swarm-core'], join(build, 'bench/swarm'), [transportCc, role, records].map(String),
    { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [first] = await once(lines, 'line');
  const swarm = { ...JSON.parse(first), records, child, last: { connected: 0, failed: 0, viewers: 0 } };
  lines.on('line', (line) => { swarm.last = JSON.parse(line); });
  swarm.next = async () => { await once(lines, 'line'); return swarm.last; };
  swarm.tell = (line) => child.stdin.write(`${line}\n`);
  return swarm;
}

// Brings the swarm to so many viewers, a few at a time. Returns false when they do not all connect.
async function grow(server, swarm, count) {
  let added = swarm.added ?? 0;
  let patience = 60;
  while (swarm.last.connected < count && patience > 0) {
    while (added < count && added - swarm.last.connected - swarm.last.failed < JOINING * 20) {
      const burst = Math.min(JOINING, count - added);
      const places = await Promise.all(Array.from({ length: burst }, () => server.join(swarm)));
      for (const place of places.filter(Boolean)) {
        swarm.tell(`add ${place.ufrag} ${place.pwd} ${place.ip} ${place.port}`);
        added++;
      }
      if (places.some((place) => !place)) await sleep(100);
    }
    const before = swarm.last.connected;
    await swarm.next();
    if (swarm.last.connected === before) patience--;
  }
  swarm.added = added;
  return swarm.last.connected >= count;
}

async function measure(server, swarm, viewers) {
  await sleep(2000);
  const { cpu: swarmBefore } = await swarm.next();
  swarm.tell('reset');
  const cpuBefore = cpuSeconds(server.pid), from = performance.now();
  await sleep(Number(options.seconds) * 1000);
  const figures = await swarm.next();
  const seconds = (performance.now() - from) / 1000;
  const cpu = (cpuSeconds(server.pid) - cpuBefore) / seconds;
  return {
    viewers, core: cpu, usPerViewerSecond: cpu * 1e6 / viewers,
    swarmCore: (figures.cpu - swarmBefore) / seconds,
    packets: figures.packets / figures.seconds / viewers,
    kbps: figures.bytes * 8 / 1000 / figures.seconds / viewers,
    fps: figures.frames / figures.seconds / viewers,
    loss: figures.lost / Math.max(1, figures.packets + figures.lost),
    p50: figures.p50, p99: figures.p99, p999: figures.p999, max: figures.max,
    late: figures.late / Math.max(1, figures.timed), timed: figures.timed / Math.max(1, figures.frames),
    records: figures.records / figures.seconds / viewers,
    decrypted: figures.decrypted, broken: figures.broken,
  };
}

const cells = (row) => [
  row.viewers, `${(row.core * 100).toFixed(0)} %`, row.usPerViewerSecond.toFixed(0), row.usMore?.toFixed(0) ?? '',
  row.kbps.toFixed(0), row.packets.toFixed(0), row.fps.toFixed(1), `${(row.loss * 100).toFixed(2)} %`, row.p50.toFixed(1), row.p99.toFixed(1), row.max.toFixed(0),
  `${(row.late * 100).toFixed(2)} %`,
  `${(row.swarmCore * 100).toFixed(0)} %`, row.records.toFixed(1), `${row.decrypted}/${row.broken}`,
].map((cell) => String(cell).padStart(9)).join('');

const isServed = (row) => row.late <= FEW && row.loss <= FEW && row.fps > 25 && row.timed > 0.99 && row.broken === 0;

async function contend(name) {
  console.log(`\n${name}`);
  console.log(['viewers', 'core', 'us/v·s', 'more', 'kbit/s', 'pkt/s', 'fps', 'loss', 'p50 ms', 'p99 ms', 'max ms', 'late', 'swarm',
    'rec/s', 'read/bad']
    .map((cell) => cell.padStart(9)).join(''));
  const server = await contenders[name](options['server-core'], options['swarm-core']);
  const rows = [];
  let swarm;
  try {
    swarm = await startSwarm({ ...server.swarm, records: name === 'overwatch' ? RECORDS : 0 });
    for (const count of options.steps.split(',').map(Number).filter((step) => step <= Number(options.max))) {
      if (!await grow(server, swarm, count)) {
        console.log(`   only ${swarm.last.connected} of ${count} viewers connect`);
        break;
      }
      const row = await measure(server, swarm, count);
      const lone = rows.find(({ viewers }) => viewers === 1);
      if (lone) row.usMore = (row.core - lone.core) * 1e6 / (count - 1);
      rows.push(row);
      console.log(cells(row));
      if (!isServed(row) || row.core > FULL) break;
    }
  } finally {
    await end(swarm?.child);
    await server.stop();
  }
  return rows;
}

// Of the last step that was served well. One viewer is none: that row is for what all viewers share.
function verdict(rows) {
  const good = rows.filter((row) => row.viewers > 1 && isServed(row)).at(-1);
  return good && { served: good.viewers, us: good.usPerViewerSecond, usMore: good.usMore, perCore: 1e6 / good.usPerViewerSecond };
}

const results = {};
const here = installed();
for (const name of options.only ?? Object.keys(contenders))
  if (here.includes(name)) results[name] = await contend(name);
  else console.log(`\n${name} is not installed and passed over`);
console.log('');
const verdicts = Object.fromEntries(Object.entries(results).map(([name, rows]) => [name, verdict(rows)]));
for (const [name, found] of Object.entries(verdicts))
  console.log(found
    ? `${name}: ${found.served} viewers served with 99 % of frames within ${LATE_MS} ms; ${found.us.toFixed(0)} CPU-us per viewer-second, ${found.perCore.toFixed(0)} viewers per core` +
      (found.usMore ? `; ${found.usMore.toFixed(0)} and ${(1e6 / found.usMore).toFixed(0)} without what one viewer costs` : '')
    : `${name}: no step was served well`);
if (verdicts.overwatch && verdicts.janus)
  console.log(`ratio: ${(verdicts.janus.us / verdicts.overwatch.us).toFixed(1)} by CPU, ${(verdicts.overwatch.served / verdicts.janus.served).toFixed(1)} by viewers served`);
if (options.json) writeFileSync(options.json, JSON.stringify({ verdicts, results }, null, 2));
process.exit(0);
