// Real Chromium on another machine of a network: it is shown the log-in, and after it the picture comes
// by the address of the server.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { Internet, PUBLIC, whyNoInternet } from '../integ/internet.mjs';
import { startServer, testPattern } from '../integ/server.mjs';
import { certificate } from '../integ/certificate.mjs';
import { launch, openPage, showsPictures } from './browser.mjs';

const TOKEN = 'a-token-to-log-in-with-0123';

async function launchIn(t, internet, place) {
  const usual = process.env.OVERWATCH_CHROMIUM;
  process.env.OVERWATCH_CHROMIUM = internet.wrapper(place, usual ?? '/usr/bin/chromium');
  try {
    return await launch(t);
  } finally {
    if (usual === undefined) delete process.env.OVERWATCH_CHROMIUM;
    else process.env.OVERWATCH_CHROMIUM = usual;
  }
}

test('a browser logs in and sees the view', { skip: whyNoInternet(), timeout: 120000 }, async (t) => {
  const internet = new Internet(t);
  const address = internet.addPublic('server', 20);
  internet.addPublic('viewer', 10);
  const server = await startServer(testPattern({ width: 640, height: 360 }),
    ['--bind', address, '--token', TOKEN, '--data-folder', join(internet.folder, 'data')], 'ignore', internet.prefix('server'));
  internet.endsWith(server.stop);
  const browser = await launchIn(t, internet, 'viewer');
  const page = await openPage(browser, `${server.url}/view/view`);
  assert.equal(new URL(page.url()).pathname, '/login');
  const field = page.locator('input[type=password]');
  await field.fill('not the token');
  await field.press('Enter');
  await page.getByText('The password or token is wrong.').waitFor();
  await field.fill(TOKEN);
  await field.press('Enter');
  await page.waitForURL(`${server.url}/view/view`);
  await showsPictures(page, 'webrtc');
  const stats = await page.evaluate(async () => (await fetch('/api/webrtc/stats')).json());
  assert.equal(stats.connections[0].selected_pair.split(':')[0], `${PUBLIC}.10`);
  assert.equal(stats.connections[0].transport, 'udp');
});

test('over TLS the page, the WebSocket and WebRTC work the same', { timeout: 120000 }, async (t) => {
  const { cert, key } = certificate(t);
  const server = await startServer(testPattern({ width: 640, height: 360 }),
    ['--bind', '127.0.0.2', '--token', TOKEN, '--data-folder', 'none', '--tls-cert', cert, '--tls-key', key]);
  t.after(server.stop);
  const browser = await launch(t, ['--ignore-certificate-errors']);
  const page = await openPage(browser, `${server.url}/view/view`);
  const field = page.locator('input[type=password]');
  await field.fill(TOKEN);
  await field.press('Enter');
  await page.waitForURL(`${server.url}/view/view`);
  await showsPictures(page, 'webrtc');
  assert.ok((await page.context().cookies()).every(({ secure, httpOnly, sameSite }) => secure && httpOnly && sameSite === 'Strict'));
  await page.evaluate(() => { document.querySelector('overwatch-view').transport = 'websocket'; });
  await showsPictures(page, 'websocket');
  assert.deepEqual(page.failures, []);
});
