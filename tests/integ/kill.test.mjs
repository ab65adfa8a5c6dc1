// Killed at any moment, while several clients save: what was acknowledged is there after the next start,
// and what ran runs. (tests/unit/store/test_store_kill.c does the same to the store alone.)
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually, startServer } from './server.mjs';

const SECONDS = 10, CLIENTS = 4, IDS_EACH = 3;

/** Reproducible numbers (mulberry32). */
function seeded(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const workflow = (id, number) => ({
  id, name: id, number, filling: 'x'.repeat(1000 + (number * 377) % 4000),
  nodes: [{ id: `${id}-source`, type: 'testPattern', data: { fps: 1, width: 64, height: 64 } }, { id: `${id}-view`, type: 'videoPreview', data: { label: `${number}` } }],
  edges: [{ id: 'e', source: `${id}-source`, target: `${id}-view` }],
});

const BASE = '/api/workflow-builder';
// Each: what it asks for, and what is kept when that was acknowledged. `number` is null when there is no
// such workflow; `label` is the setting that PATCH changes.
const doings = {
  save: ({ number }, id, next) => (number === null ? ['POST', BASE, workflow(id, next)] : ['PUT', `${BASE}/${id}`, workflow(id, next)]),
  deploy: (_, id, next) => ['POST', `${BASE}/${id}/deploy`, workflow(id, next)],
  patch: (kept, id, next) => kept.number !== null && ['PATCH', `${BASE}/${id}/nodes/${id}-view`, { data: { label: `${next}` } }],
  execute: (kept, id) => kept.number !== null && ['POST', `${BASE}/${id}/execute`],
  stop: (kept, id) => kept.running && ['POST', `${BASE}/${id}/stop`],
  remove: (kept, id, next) => kept.number !== null && next % 7 === 0 && ['DELETE', `${BASE}/${id}`],
};
const after = {
  save: (kept, next) => ({ ...kept, number: next, label: next }),
  deploy: (kept, next) => ({ number: next, label: next, running: true }),
  patch: (kept, next) => ({ ...kept, label: next }),
  execute: (kept) => ({ ...kept, running: true }),
  stop: (kept) => ({ ...kept, running: false }),
  remove: () => ({ number: null, label: null, running: false }),
};

/** Saves until the server is gone. `state`: { id: { kept, asked } }; asked is what was not acknowledged. */
async function save(server, ids, state, random, numbers) {
  let acknowledged = 0;
  for (;;) {
    const id = ids[Math.floor(random() * ids.length)], one = state[id];
    const names = Object.keys(doings), name = names[Math.floor(random() * names.length)];
    const next = numbers.next++;
    const request = doings[name](one.kept, id, next);
    if (!request) continue;
    const [method, path, body] = request;
    one.asked = after[name](one.kept, next);
    let answer;
    try {
      answer = await fetch(`${server.url}${path}`, { method, body: body && JSON.stringify(body) });
      await answer.text();
    } catch {
      return acknowledged; // killed
    }
    assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
    one.kept = one.asked;
    one.asked = null;
    acknowledged += 1;
  }
}

/** What the server has of each workflow, in the shape of `kept`. */
async function look(server, ids) {
  const running = new Set((await (await fetch(`${server.url}${BASE}/status`)).json()).workflow_ids);
  const found = {};
  for (const id of ids) {
    const answer = await fetch(`${server.url}${BASE}/${id}`), document = await answer.json();
    found[id] = answer.ok
      ? { number: document.number, label: Number(document.nodes[1].data.label), running: running.has(id) }
      : { number: null, label: null, running: running.has(id) };
  }
  return found;
}

/** Each member is as it was acknowledged, or as the last call, cut off, would have made it. */
const agrees = (found, { kept, asked }) => Object.keys(kept).every((name) => found[name] === kept[name] || (asked && found[name] === asked[name]));

test('a server killed during saves loses none of them, and runs what ran', { timeout: 60000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const seed = Date.now() % 1000000, random = seeded(seed), numbers = { next: 1 };
  const clients = Array.from({ length: CLIENTS }, (_, i) => Array.from({ length: IDS_EACH }, (__, k) => `w${i}-${k}`));
  const ids = clients.flat();
  const state = Object.fromEntries(ids.map((id) => [id, { kept: { number: null, label: null, running: false }, asked: null }]));
  const end = performance.now() + SECONDS * 1000;
  let kills = 0, acknowledged = 0, cutOff = 0;
  while (performance.now() < end) {
    const server = await startServer(null, ['--data-folder', folder]);
    let found;
    await eventually(`all is as it was acknowledged (seed ${seed}, after ${kills} kills)`, 10, async () => {
      found = await look(server, ids);
      return ids.every((id) => agrees(found[id], state[id]));
    }).catch((error) => { throw new Error(`${error.message}: ${JSON.stringify({ found, state })}\n${server.log()}`); });
    assert.doesNotMatch(server.log(), /could not be started again/);
    for (const id of ids) state[id] = { kept: found[id], asked: null };
    const saving = clients.map((own) => save(server, own, state, random, numbers));
    await new Promise((resolve) => setTimeout(resolve, 5 + random() * 400));
    server.child.kill('SIGKILL');
    for (const count of await Promise.all(saving)) acknowledged += count;
    await server.stop().catch(() => {}); // it has ended badly, as was intended
    cutOff += ids.filter((id) => state[id].asked).length;
    kills += 1;
  }
  t.diagnostic(`seed ${seed}: ${kills} kills, ${acknowledged} changes acknowledged, ${cutOff} cut off`);
  assert.ok(kills > 5 && acknowledged > 100 && cutOff > 0, `${kills} kills, ${acknowledged} acknowledged, ${cutOff} cut off`);
});
