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

async function protectedServer(t) {
  const server = await startServer(testPattern({ width: 640, height: 360 }), ['--token', TOKEN, '--data-folder', 'none']);
  t.after(server.stop);
  return server;
}

async function logIn(page) {
  const field = page.locator('input[type=password]');
  await field.fill(TOKEN);
  await field.press('Enter');
}

const at = (page, path) => page.waitForURL((url) => url.pathname + url.search === path, { timeout: 30000 });
const atLogin = (page, next) => page.waitForURL((url) => url.pathname === '/login' && url.searchParams.get('next') === next, { timeout: 30000 });

test('too many tries: the wait is counted down, then the next one counts', { timeout: 120000 }, async (t) => {
  const server = await protectedServer(t);
  const page = await openPage(await launch(t), `${server.url}/wall?live=2`);
  await atLogin(page, '/wall?live=2');
  const field = page.locator('input[type=password]');
  const button = page.getByRole('button', { name: 'Log in' });
  const place = () => button.boundingBox();
  const before = await place();
  for (let i = 0; i < 8; i++) {
    await field.fill(`wrong ${i}`);
    const [answer] = await Promise.all([page.waitForResponse('**/api/login'), button.click()]);
    if (answer.status() === 429) break;
    assert.equal(answer.status(), 401);
    await page.getByText('The password or token is wrong.').waitFor();
    await page.waitForFunction(() => !document.querySelector('[type=submit]').disabled);
  }
  const left = async () => Number(/possible in (\d+) s/.exec(await page.locator('#trouble').innerText())[1]);
  await page.getByText('Too many tries').last().waitFor();
  const first = await left();
  assert.ok(first >= 1 && first <= 12, `${first} s`);
  assert.equal(await button.isDisabled(), true);
  assert.deepEqual(await place(), before, 'the button stays where it was');
  await page.waitForFunction((first) => {
    const found = /possible in (\d+) s/.exec(document.querySelector('#trouble').innerText);
    return found === null || Number(found[1]) < first;
  }, first);
  await page.waitForFunction(() => !document.querySelector('[type=submit]').disabled);
  assert.equal(await page.locator('#trouble').innerText(), '');
  await logIn(page);
  await at(page, '/wall?live=2');
  assert.deepEqual(page.failures, []);
});

test('a log-out closes the pages, here and in other tabs', { timeout: 120000 }, async (t) => {
  const server = await protectedServer(t);
  const page = await openPage(await launch(t), `${server.url}/view/view`);
  await logIn(page);
  await at(page, '/view/view');
  await showsPictures(page, 'webrtc');
  const other = await page.context().newPage();
  await other.goto(`${server.url}/performance`);
  await other.getByTestId('logout').waitFor();

  await page.goto(`${server.url}/wall`);
  await page.getByTestId('logout').click();
  await atLogin(page, '/wall');
  await atLogin(other, '/performance');
  for (const path of ['/', '/wall', '/performance', '/view/view']) {
    await page.goto(server.url + path);
    assert.equal(new URL(page.url()).pathname, '/login', path);
  }
  assert.equal((await page.request.get(`${server.url}/api/views`)).status(), 401);
  await logIn(other);
  await at(other, '/performance');
});

test('a page notices by itself that its session has ended', { timeout: 120000 }, async (t) => {
  const server = await protectedServer(t);
  const page = await openPage(await launch(t), `${server.url}/wall`);
  await logIn(page);
  await page.getByTestId('logout').waitFor();
  // As from another browser with the same cookie: this one is told nothing.
  await page.request.post(`${server.url}/api/logout`, { headers: { origin: server.url } });
  await atLogin(page, '/wall');
});

test('where everybody may do everything there is nothing to log out of', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/view/view`);
  await showsPictures(page);
  assert.equal(await page.getByTestId('logout').isVisible(), false);
  assert.equal(await page.getByTestId('theme').isVisible(), true);
});
