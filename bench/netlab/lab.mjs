// Two network namespaces, "server" and "viewer", joined by a link whose capacity, queue, delay and
// loss can be set while it is used; what runs in them; and the way in. Everything is gone after
// close(), also when the program is interrupted.
import { execFileSync, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

import { root } from '../footage.mjs';

export const SERVER_ADDRESS = '10.77.0.1', VIEWER_ADDRESS = '10.77.0.2';
const BURST_BYTES = 1600; // one datagram at a time passes the bucket

const ip = (...args) => execFileSync('ip', args.map(String), { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });

const openLabs = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    for (const lab of openLabs) lab.demolish();
    process.exit(130);
  });
}
process.on('exit', () => { for (const lab of openLabs) lab.demolish(); });

function endNamespace(name) {
  let pids = '';
  try { pids = ip('netns', 'pids', name); } catch { return; }
  for (const pid of pids.split('\n').filter(Boolean)) {
    try { process.kill(Number(pid), 'SIGKILL'); } catch { /* it ended by itself */ }
  }
  ip('netns', 'del', name);
}

// What a run that was killed could not take away itself.
function sweep() {
  for (const name of existsSync('/run/netns') ? readdirSync('/run/netns') : []) {
    const owner = name.match(/^netlab-(\d+)-/)?.[1];
    if (owner && !existsSync(`/proc/${owner}`)) endNamespace(name);
  }
}

/** Why no lab can be built here, or null. */
export function whyNoLab() {
  if (process.getuid() !== 0) return 'network namespaces need root';
  for (const tool of ['ip', 'tc']) {
    try { execFileSync(tool, ['-V'], { stdio: 'ignore' }); } catch { return `${tool} (Debian: iproute2) is missing`; }
  }
  try {
    ip('netns', 'add', `netlab-${process.pid}-try`);
    ip('netns', 'del', `netlab-${process.pid}-try`);
    return null;
  } catch (error) {
    return `no network namespace can be made: ${String(error.stderr ?? error.message).trim()}`;
  }
}

export class Lab {
  /** `logs`: folder for the output of what runs within. `rttMs` > 0 makes a link with delay. */
  static async open({ logs, rttMs = 0, seed = 1 }) {
    sweep();
    const lab = new Lab(logs);
    openLabs.add(lab);
    try {
      for (const name of Object.values(lab.names)) ip('netns', 'add', name);
      for (const name of Object.values(lab.names)) ip('-n', name, 'link', 'set', 'lo', 'up');
      if (rttMs > 0) await lab.layDelayLink((rttMs * 1000) / 2, seed);
      else lab.layVeth();
      lab.bring('server', `${SERVER_ADDRESS}/24`, VIEWER_ADDRESS);
      lab.bring('viewer', `${VIEWER_ADDRESS}/24`, SERVER_ADDRESS);
      lab.startShaper();
      return lab;
    } catch (error) {
      await lab.close();
      throw error;
    }
  }

  constructor(logs) {
    this.logs = logs;
    this.folder = mkdtempSync(join(tmpdir(), 'netlab-'));
    this.names = { server: `netlab-${process.pid}-server`, viewer: `netlab-${process.pid}-viewer` };
    this.children = new Set();
  }

  layVeth() {
    ip('link', 'add', 'lab0', 'netns', this.names.server, 'type', 'veth', 'peer', 'name', 'lab0', 'netns', this.names.viewer);
  }

  async layDelayLink(delayUs, seed) {
    const program = process.env.OVERWATCH_DELAY_LINK ?? join(root, 'build/bench/delay_link');
    this.link = this.start(program, [this.names.server, this.names.viewer, delayUs, seed], 'link');
    await this.said(this.link, 'ready');
  }

  bring(place, address, gateway) {
    const name = this.names[place];
    ip('-n', name, 'addr', 'add', address, 'dev', 'lab0');
    ip('-n', name, 'link', 'set', 'lab0', 'up');
    // Browsers find their own address by the way to the Internet.
    ip('-n', name, 'route', 'add', 'default', 'via', gateway);
  }

  // One tc(8) for all commands and questions: a new process ten times a second would be felt.
  startShaper() {
    ip('netns', 'exec', this.names.server, 'tc', 'qdisc', 'add', 'dev', 'lab0', 'root', 'handle', '1:',
      'tbf', 'rate', '1gbit', 'burst', '64k', 'latency', '300ms');
    this.shaper = this.start('stdbuf', ['-oL', 'tc', '-s', '-j', '-batch', '-'], 'tc', 'server', 'pipe');
    this.questions = [];
    createInterface({ input: this.shaper.stdout }).on('line', (line) => {
      if (line.startsWith('[')) this.questions.shift()?.(JSON.parse(line)[0]);
    });
  }

  /** Capacity of the way to the viewer and the queue before it, in milliseconds at that capacity. */
  setCapacity(bps, queueMs) {
    this.shaper.stdin.write(
      `qdisc change dev lab0 root handle 1: tbf rate ${bps} burst ${BURST_BYTES} limit ${Math.round((bps / 8000) * queueMs) + BURST_BYTES}\n`);
  }

  /** Part of the packets to the viewer that is lost, in percent; only on a link with delay. */
  setLoss(percent) {
    this.link?.stdin.write(`loss ${percent}\n`);
  }

  /** Bytes that passed to the viewer, bytes waiting, packets dropped by the queue. */
  queue() {
    return new Promise((resolve) => {
      this.questions.push(({ bytes, backlog, drops, packets }) => resolve({ bytes, backlog, drops, packets }));
      this.shaper.stdin.write('qdisc show dev lab0\n');
    });
  }

  /** Runs a program, in a place if one is given; its output goes to a log. */
  start(command, args, log, place, input = 'pipe') {
    const library = join(root, '.cache/onnxruntime/lib/libonnxruntime.so.1');
    const env = existsSync(library) ? { OVERWATCH_ONNXRUNTIME: library, ...process.env } : process.env;
    const words = place ? ['ip', 'netns', 'exec', this.names[place], command, ...args] : [command, ...args];
    const child = spawn(words[0], words.slice(1).map(String), { env, stdio: [input, 'pipe', 'pipe'] });
    const file = createWriteStream(join(this.logs, `${log}.log`));
    child.text = '';
    child.stdout.on('data', (data) => { child.text = (child.text + data).slice(-10000); });
    child.stderr.on('data', (data) => file.write(data));
    child.stdin?.on('error', () => {});
    child.on('error', (error) => { child.failure = error; });
    child.ended = once(child, 'close').catch(() => {}).finally(() => {
      file.end();
      this.children.delete(child);
    });
    child.log = `${join(this.logs, log)}.log`;
    this.children.add(child);
    return child;
  }

  async stop(child) {
    child.kill('SIGTERM');
    const forced = setTimeout(() => child.kill('SIGKILL'), 3000);
    await child.ended;
    clearTimeout(forced);
  }

  async said(child, word, seconds = 10) {
    const end = Date.now() + seconds * 1000;
    while (!child.text.includes(word)) {
      if (child.failure || child.exitCode !== null) throw new Error(`${child.spawnfile} ended, see ${child.log}`);
      if (Date.now() > end) throw new Error(`${child.spawnfile} did not say "${word}", see ${child.log}`);
      await sleep(20);
    }
  }

  /** Lets the viewer reach a port of the server's loopback as its own, past the link. */
  async openDoor(port) {
    this.door = join(this.folder, 'door');
    const doors = [['server', [this.door, port]], ['viewer', [port, this.door]]].map(([place, ends]) =>
      this.start(process.execPath, [join(root, 'tests/integ/door.mjs'), ...ends], `door-${place}`, place));
    for (const door of doors) await this.said(door, 'ready');
  }

  /** GET of the server, past the link: the body as JSON, or null. */
  ask(path) {
    return new Promise((resolve) => {
      const asked = request({ socketPath: this.door, path, headers: { host: 'localhost' } }, (response) => {
        let body = '';
        response.on('data', (part) => (body += part));
        response.on('end', () => {
          try { resolve(response.statusCode === 200 ? JSON.parse(body) : null); } catch { resolve(null); }
        });
      });
      asked.setTimeout(2000, () => asked.destroy());
      asked.on('error', () => resolve(null));
      asked.end();
    });
  }

  /** Whether a GET is answered with 200. */
  answers(path) {
    return new Promise((resolve) => {
      const asked = request({ socketPath: this.door, path, headers: { host: 'localhost' } }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      asked.on('error', () => resolve(false));
      asked.end();
    });
  }

  /** A command line that starts a program in a place, as a file to be executed. */
  wrapper(program, place) {
    const file = join(this.folder, `run-in-${place}`);
    writeFileSync(file, `#!/bin/sh\nexec ip netns exec ${this.names[place]} ${program} "$@"\n`, { mode: 0o755 });
    return file;
  }

  /** Counters of lab0 as a program in the namespace sees them. */
  counters(pid) {
    const line = readFileSync(`/proc/${pid}/net/dev`, 'utf8').split('\n').find((text) => text.trim().startsWith('lab0:'));
    const fields = line.trim().split(/[:\s]+/).slice(1).map(Number);
    return { receivedBytes: fields[0], receivedPackets: fields[1], sentBytes: fields[8], sentPackets: fields[9] };
  }

  async close() {
    for (const child of [...this.children]) await this.stop(child);
    this.demolish();
  }

  // Also called when the program is about to end: nothing in here may wait.
  demolish() {
    if (!openLabs.delete(this)) return;
    for (const child of this.children) child.kill('SIGKILL');
    for (const name of Object.values(this.names)) endNamespace(name);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
