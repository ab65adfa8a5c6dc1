// A view in Chromium behind a link whose capacity, delay and loss are set while it is watched.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Lab, SERVER_ADDRESS, whyNoLab } from '../../bench/netlab/lab.mjs';
import { root, startServer } from '../integ/server.mjs';
import { launch, openPage, showsPictures } from './browser.mjs';

const noLab = whyNoLab();
/** For a test's options: why it cannot run here. A link with delay and loss needs a program of bench/. */
export const skipLab = noLab ?? false;
export const skipFar = noLab ?? (existsSync(join(root, 'build/bench/delay_link')) ? false : 'build/ has no bench programs');

const chromium = process.env.OVERWATCH_CHROMIUM ?? '/usr/bin/chromium';

/** Resolves with { lab, page } when the page of the view shows pictures over WebRTC; all ends with the test. */
export async function openInLab(t, workflow, view, { rttMs = 0, capacityBps, queueMs, init } = {}) {
  const logs = mkdtempSync(join(tmpdir(), 'overwatch-lab-'));
  const lab = await Lab.open({ logs, rttMs });
  let server;
  t.after(async () => {
    await server?.stop().finally(() => lab.close());
    rmSync(logs, { recursive: true, force: true });
  });
  lab.setCapacity(capacityBps, queueMs);
  server = await startServer(workflow, ['--public-address', SERVER_ADDRESS], 'ignore', ['ip', 'netns', 'exec', lab.names.server]);
  await lab.openDoor(new URL(server.url).port);
  process.env.OVERWATCH_CHROMIUM = lab.wrapper(chromium, 'viewer');
  const browser = await launch(t, ['--disable-features=WebRtcHideLocalIpsWithMdns']);
  process.env.OVERWATCH_CHROMIUM = chromium;
  const page = await openPage(browser, `${server.url}/view/${view}`, { init });
  await showsPictures(page, 'webrtc');
  return { lab, page };
}
