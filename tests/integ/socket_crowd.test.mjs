// The WebSocket belongs to all alike: a client that does not read holds up nobody.
// Runs alone: it measures how long pictures and pings take.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually, residentMb } from './server.mjs';
import { metric, open, sleeper, start, workflow } from './socket.mjs';

test('clients that do not read hold up nobody and cost no more memory with time', { timeout: 120000 }, async (t) => {
  const server = await start(t, workflow('w', ['one', 'two', 'three', 'four'], { width: 1280, height: 720, fps: 30 }));
  const { ask, all } = await open(server, t);
  await ask({ type: 'subscribe', topics: ['xray_frame'], filters: { node_id: 'one' }, binary: true }, 'subscribed');
  const frames = () => all.filter(({ type }) => type === 'xray_frame');
  /** The worst and median way from encoder to socket of the next pictures, ms, and the time a ping takes. */
  const measure = async (count) => {
    const from = frames().length;
    const pings = [];
    await eventually(`${count} pictures`, 30, async () => {
      const asked = performance.now();
      await ask({ type: 'ping' }, 'pong');
      pings.push(performance.now() - asked);
      return frames().length >= from + count;
    });
    const ways = frames().slice(from).map((one) => (one.sent_us - one.capture_us) / 1000).sort((a, b) => a - b);
    pings.sort((a, b) => a - b);
    return { picture: ways[Math.floor(ways.length / 2)], ping: pings[Math.floor(pings.length / 2)] };
  };
  const before = await measure(45);
  const sleepers = await Promise.all(Array.from({ length: 10 }, () => sleeper(server)));
  t.after(() => sleepers.forEach((socket) => socket.destroy()));
  // They are behind when pictures for them are replaced by newer ones.
  await eventually('they are behind', 30, async () => await metric(server, 'overwatch_websocket_replaced_frames_total') > 200);
  const early = residentMb(server.child.pid);
  const during = await measure(90);
  const late = residentMb(server.child.pid);
  t.diagnostic(`capture to socket ${before.picture.toFixed(1)} → ${during.picture.toFixed(1)} ms, ping ${before.ping.toFixed(1)} → ${during.ping.toFixed(1)} ms, resident ${early.toFixed(1)} → ${late.toFixed(1)} MB`);
  assert.ok(during.picture < before.picture + 30, `capture to socket ${before.picture} → ${during.picture} ms`);
  assert.ok(during.ping < before.ping + 30, `ping ${before.ping} → ${during.ping} ms`);
  assert.ok(late < early + 5, `resident ${early} → ${late} MB`);
  assert.equal((await ask({ type: 'ping', t: 1 }, 'pong')).t, 1);
});
