// Real Chromium at the far end of a lossy path, 300 ms there and back: what is lost is restored from
// repair packets (FlexFEC) before it could be asked for.
// Runs alone: it measures how old pictures are.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { Lab, SERVER_ADDRESS, whyNoLab } from '../../bench/netlab/lab.mjs';
import { root, startServer, testPattern } from '../integ/server.mjs';
import { launch, openPage, readClocks, showsPictures } from './browser.mjs';

const RTT_MS = 300, LOSS_PERCENT = 3;
const skip = whyNoLab() ?? (existsSync(join(root, 'build/bench/delay_link')) ? false : 'build/ has no bench programs');

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

async function open(t) {
  const logs = mkdtempSync(join(tmpdir(), 'overwatch-far-'));
  const lab = await Lab.open({ logs, rttMs: RTT_MS });
  let server;
  t.after(async () => {
    await server?.stop().finally(() => lab.close());
    rmSync(logs, { recursive: true, force: true });
  });
  lab.setCapacity(8e6, 300);
  const workflow = testPattern({ width: 960, height: 540 });
  workflow.nodes[1].data = { bitratePreset: 'high' };
  server = await startServer(workflow, ['--public-address', SERVER_ADDRESS], 'ignore', ['ip', 'netns', 'exec', lab.names.server]);
  await lab.openDoor(new URL(server.url).port);
  process.env.OVERWATCH_CHROMIUM = lab.wrapper(process.env.OVERWATCH_CHROMIUM ?? '/usr/bin/chromium', 'viewer');
  const browser = await launch(t, ['--disable-features=WebRtcHideLocalIpsWithMdns']);
  const page = await openPage(browser, `${server.url}/view/view`, { init: keepConnections });
  await showsPictures(page, 'webrtc');
  return { lab, page };
}

test('a far viewer gets lost packets back without asking', { skip }, async (t) => {
  const { lab, page } = await open(t);
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
