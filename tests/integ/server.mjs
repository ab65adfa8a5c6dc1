// Starts Overwatch for a test, on ports that the system chooses, and ends it whatever happens.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
const binary = process.env.OVERWATCH_BINARY ?? join(root, 'build/src/app/overwatch');

// The test pattern, with the machine-readable clock, shown over WebRTC as node "view".
export function testPattern(settings = {}) {
  return {
    id: 'test', name: 'Test', version: '1.0',
    nodes: [
      { id: 'pattern', type: 'testPattern', position: { x: 0, y: 0 }, data: { clock: true, ...settings } },
      { id: 'view', type: 'videoPreviewWebRTC', position: { x: 300, y: 0 }, data: {} },
    ],
    edges: [{ id: 'e', source: 'pattern', target: 'view' }],
  };
}

// Several of them: "view-1" to "view-N", of up to eight sources that differ in their objects.
export function testPatterns(count, settings = {}) {
  const numbers = Array.from({ length: count }, (_, i) => i + 1);
  return {
    id: 'many', name: 'Many', version: '1.0',
    nodes: numbers.flatMap((i) => [
      { id: `pattern-${i}`, type: 'testPattern', position: { x: 0, y: 200 * i }, data: { width: 640, height: 360, objects: 1 + (i % 8), ...settings } },
      { id: `view-${i}`, type: 'videoPreviewWebRTC', position: { x: 300, y: 200 * i }, data: { label: `Gate ${i}` } },
    ]),
    edges: numbers.map((i) => ({ id: `e${i}`, source: `pattern-${i}`, target: `view-${i}` })),
  };
}

export function environment() {
  const library = join(root, '.cache/onnxruntime/lib/libonnxruntime.so.1');
  return {
    OVERWATCH_WEB_FOLDER: join(root, 'workflow-builder/dist'),
    OVERWATCH_MODEL_FOLDER: join(root, '.cache/models'),
    OVERWATCH_MEDIA_FOLDER: join(root, '.cache/media'),
    ...(existsSync(library) ? { OVERWATCH_ONNXRUNTIME: library } : {}),
    ...process.env,
  };
}

/**
 * Runs the server with a workflow (or none) and waits until it says that it is ready. `stdin` is what
 * its standard input is, as spawn() takes it; `prefix` are words before the command, for example to run
 * it in a network namespace.
 * Returns { url, mediaPort, log(), child, exited, stop() }; stop() fails when the server ends badly.
 */
export async function startServer(workflow, extra = [], stdin = 'ignore', prefix = []) {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-test-'));
  const args = ['run'];
  if (workflow) {
    writeFileSync(join(folder, 'workflow.json'), JSON.stringify(workflow));
    args.push(join(folder, 'workflow.json'));
  }
  args.push('--port', '0', '--media-port', '0', '--log-file', 'none', ...(extra.includes('--data-folder') ? [] : ['--data-folder', 'none']), ...extra);
  const [command, ...words] = [...prefix, binary, ...args];
  const child = spawn(command, words, { stdio: [stdin, 'ignore', 'pipe'], env: environment() });
  let log = '', look = () => {};
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text) => { log += text; look(); });
  const exited = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  // Every test ends with this: a server that crashed or hangs at its end fails the test, and so does
  // one that a sanitizer has found fault with.
  const stop = async () => {
    child.kill('SIGTERM');
    const forced = setTimeout(() => child.kill('SIGKILL'), 5000);
    const { code, signal } = await exited;
    clearTimeout(forced);
    rmSync(folder, { recursive: true, force: true });
    if (code !== 0) throw new Error(`overwatch ended badly (${code ?? signal}):\n${log.slice(-4000)}`);
  };
  const ready = new Promise((resolve, reject) => {
    look = () => {
      const match = log.match(/is ready: (https?:\/\/\S+?)\/ \(media on UDP port (\d+)\)/);
      if (match) resolve({ url: match[1], mediaPort: Number(match[2]) });
    };
    child.once('error', reject);
    exited.then(({ code, signal }) => reject(new Error(`overwatch ended (${code ?? signal}):\n${log}`)));
  });
  const late = setTimeout(() => child.kill('SIGKILL'), 20000);
  try {
    return { ...(await ready), log: () => log, child, exited, stop };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  } finally {
    clearTimeout(late);
  }
}

/** Runs a receiver written in Python, until `signal` is aborted; resolves with the JSON it prints last. */
export function runPython(script, args, seconds = 60, signal = undefined) {
  return new Promise((resolve, reject) => {
    const child = spawn('/usr/bin/python3', [join(root, 'tests/integ', script), ...args.map(String)],
      { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '', err = '';
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (err += data));
    const late = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
    signal?.addEventListener('abort', () => child.kill('SIGKILL'));
    child.once('error', reject);
    child.once('close', (code, killed) => {
      clearTimeout(late);
      if (code === 0) resolve(JSON.parse(out.trim().split('\n').at(-1)));
      else reject(new Error(`${script} ended (${code ?? killed}):\n${err.slice(-3000)}`));
    });
  });
}

/** Asks again until `condition` gives something true; fails after `seconds`. */
export async function eventually(what, seconds, condition) {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function postJson(url, body) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

/** Resident memory of a process in MB. */
export function residentMb(pid) {
  return Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;
}
