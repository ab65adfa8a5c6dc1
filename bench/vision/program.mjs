// The whole program against the bare session: node bench/vision/program.mjs [MODEL] [--threads N] [--rounds N]
// The program reads raw footage at a high rate, four nodes share the model (one makes at most 30
// results a second), each for somebody who reads the detections over HTTP, and results are counted;
// then it is halted, and the model's session alone runs as long. Prints results a second of both,
// and the median of the rounds' ratios.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { eventually, environment, startServer } from '../../tests/integ/server.mjs';
import { prepareFootage, root } from '../footage.mjs';

const FPS = 60, NODES = 4, MOST = 30; // MOST: of a node
const ROUND_MS = 2000;

const node = (id, type, data) => ({ id, type, position: { x: 0, y: 0 }, data });
const ids = Array.from({ length: NODES }, (_, i) => `model-${i}`);
const workflow = (pipe, model) => ({
  id: 'bench', name: 'Bench',
  nodes: [node('video', 'camera', { url: `pipe:${pipe}` }), ...ids.map((id) => node(id, 'model', { modelId: model, confidence: 0.4, fps: MOST }))],
  edges: ids.map((id) => ({ id: `e-${id}`, source: 'video', target: id })),
});

/** Counts the results that come from a node. */
async function listen(server, id, count) {
  const { hostname, port } = new URL(server.url);
  const open = request({ hostname, port, path: `/api/nodes/${id}/detections?fps=${MOST}`, agent: false }).end();
  const [response] = await once(open, 'response');
  if (response.statusCode !== 200) throw new Error(`the server answers ${response.statusCode}`);
  response.on('error', () => {}); // it ends by being destroyed
  response.on('data', (data) => { count.results += data.filter((byte) => byte === 10).length; });
  return response;
}

/** Runs the session alone when asked: for so many milliseconds, in runs a second. */
function bareSession(footage, file, threads) {
  const child = spawn(join(root, 'build/bench/nodes'), [footage, file, '--bare', threads], { stdio: ['pipe', 'pipe', 'inherit'], env: environment() });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    run: async (ms) => {
      child.stdin.write(`${ms}\n`);
      return Number((await lines.next()).value);
    },
    close: () => child.stdin.end(),
  };
}

async function programRound(count) {
  const before = count.results, start = performance.now();
  await sleep(ROUND_MS);
  return (1000 * (count.results - before)) / (performance.now() - start);
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

async function main() {
  const { values, positionals } = parseArgs({ options: { threads: { type: 'string', default: '2' }, rounds: { type: 'string', default: '9' } }, allowPositionals: true });
  const model = positionals[0] ?? 'nanodet';
  const footage = prepareFootage(960, 540, 300);
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-program-')), pipe = join(folder, 'video.y4m');
  execFileSync('mkfifo', [pipe]);
  const server = await startServer(workflow(pipe, model), ['--model-threads', values.threads]);
  const feeder = spawn(join(root, 'build/bench/feeder'), [footage, pipe, String(FPS)], { stdio: 'ignore' });
  const bare = bareSession(footage, join(root, `.cache/models/${model}.onnx`), values.threads);
  const rows = [];
  try {
    const count = { results: 0 };
    const readers = await Promise.all(ids.map((id) => listen(server, id, count)));
    await eventually('the model works', 20, () => count.results > 20);
    await bare.run(ROUND_MS / 4);
    for (let i = 0; i < Number(values.rounds); i += 1) {
      const whole = await programRound(count);
      server.child.kill('SIGSTOP');
      rows.push({ whole, bare: await bare.run(ROUND_MS) });
      server.child.kill('SIGCONT');
      await sleep(ROUND_MS / 10); // it takes up its work again
    }
    for (const reader of readers) reader.destroy();
  } finally {
    server.child.kill('SIGCONT');
    feeder.kill();
    bare.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const of = (pick) => median(rows.map(pick));
  console.log(`${model}, ${values.threads} threads: ${of((r) => r.whole).toFixed(1)} results/s of the program, ${of((r) => r.bare).toFixed(1)} of the bare session, ratio ${of((r) => r.whole / r.bare).toFixed(3)}`);
}

await main();
