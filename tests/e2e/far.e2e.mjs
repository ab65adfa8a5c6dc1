// Real Chromium at the far end of a lossy path, 300 ms there and back: what is lost is restored from
// repair packets (FlexFEC) before it could be asked for.
// Runs alone: it measures how old pictures are.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { testPattern } from '../integ/server.mjs';
import { readClocks } from './browser.mjs';
import { openInLab, skipFar } from './lab.mjs';

const RTT_MS = 300, LOSS_PERCENT = 3;

function keepConnections() {
  window.connections = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) {
      super(...args);
      window.connections.push(this);
    }
  };
}

const inbound = (page) => page.evaluate(async () => {
  for (const connection of window.connections) {
    for (const report of (await connection.getStats()).values()) {
      if (report.type === 'inbound-rtp' && report.kind === 'video') return report;
    }
  }
  return null;
});

test('a far viewer gets lost packets back without asking', { skip: skipFar }, async (t) => {
  const workflow = testPattern({ width: 960, height: 540 });
  workflow.nodes[1].data = { bitratePreset: 'high' };
  const { lab, page } = await openInLab(t, workflow, 'view', { rttMs: RTT_MS, capacityBps: 8e6, queueMs: 300, init: keepConnections });
  assert.equal((await inbound(page)).fecPacketsReceived ?? 0, 0, 'nothing is repaired before anything is lost');
  lab.setLoss(LOSS_PERCENT);
  await page.waitForFunction(async () => {
    for (const connection of window.connections) {
      for (const report of (await connection.getStats()).values()) {
        if (report.type === 'inbound-rtp' && report.fecPacketsReceived > 50) return true;
      }
    }
    return false;
  }, null, { timeout: 30000, polling: 200 });
  // A question and its answer would take 300 ms more than the way of 150 ms.
  const clocks = await readClocks(page, 250, 60);
  const ages = clocks.map(({ age }) => age).sort((a, b) => a - b);
  const { packetsLost, nackCount } = await inbound(page);
  const p90 = ages[Math.floor(ages.length * 0.9)];
  t.diagnostic(`age p50 ${ages[125].toFixed(0)} ms, p90 ${p90.toFixed(0)} ms; ${packetsLost} packets lost, ${nackCount} asked for`);
  assert.ok(packetsLost > 10, `${packetsLost} packets were lost`);
  assert.ok(p90 < RTT_MS, `nine of ten pictures are younger than a round trip (${p90.toFixed(0)} ms)`);
});
