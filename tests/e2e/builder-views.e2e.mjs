// Views in the builder: two kinds on one model, transports, layouts, several browsers, a filter before.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { eventually } from '../integ/server.mjs';
import { openPage } from './browser.mjs';
import { buildStreet, colouredPixels, connect, drag, edges, node, open, running } from './builder.mjs';

const figures = (page, type) => node(page, type).locator('[data-testid=view-figures]').textContent();
const shows = (page, type, pattern) => eventually(`${type} shows ${pattern}`, 30, async () => pattern.test(await figures(page, type)));

async function street(t) {
  const at = await open(t);
  await buildStreet(at.page);
  return at;
}

async function execute(page) {
  await page.click('[data-testid=execute]');
  await running(page);
}

test('both kinds of view watch one model, each over its own transport', { timeout: 90000 }, async (t) => {
  const { page, server } = await street(t);
  await drag(page, 'videoPreview', 720, 450);
  await connect(page, node(page, 'model'), node(page, 'videoPreview'));
  await execute(page);
  await shows(page, 'videoPreviewWebRTC', /^WebRTC · [1-9]\d* fps · \d+ ms · \d+ kbit\/s · \d+ seen$/);
  await shows(page, 'videoPreview', /^WebSocket · [1-9]\d* fps · \d+ ms · \d+ kbit\/s · \d+ seen$/);
  // One model works for both.
  const { workflows } = await (await fetch(`${server.url}/api/workflow-builder`)).json();
  const { nodes } = await (await fetch(`${server.url}/api/workflow-builder/${workflows[0].id}/status`)).json();
  assert.equal(Object.values(nodes).filter(({ type }) => type === 'model').length, 1);
});

const keptChoice = (page) => page.evaluate(() => localStorage.getItem('overwatch-transport'));

test('a transport can be forced, which is kept, and left to the page again', { timeout: 90000 }, async (t) => {
  const { page } = await street(t);
  await execute(page);
  const tools = await page.evaluate(() => [...document.querySelector('.view-tools').children].map((tool) => { const { top, bottom } = tool.getBoundingClientRect(); return Math.round(top + bottom) / 2; }));
  assert.ok(tools.length === 3 && Math.max(...tools) - Math.min(...tools) <= 2, `the tools of a view are in one row: ${tools}`);
  const choose = (value) => node(page, 'videoPreviewWebRTC').locator('[data-testid=transport]').selectOption(value);
  await shows(page, 'videoPreviewWebRTC', /^WebRTC · [1-9]/);
  assert.equal(await keptChoice(page), null);
  await choose('websocket');
  await shows(page, 'videoPreviewWebRTC', /^WebSocket · [1-9]/);
  await page.reload();
  await shows(page, 'videoPreviewWebRTC', /^WebSocket · [1-9]/);
  const link = node(page, 'videoPreviewWebRTC').getByRole('link', { name: 'Open in a page of its own' });
  const [own] = await Promise.all([page.waitForEvent('popup'), link.click()]);
  await own.waitForFunction(() => document.querySelector('overwatch-view')?.transport === 'websocket');
  await own.getByTestId('transport-auto').click();
  await own.reload();
  await own.waitForFunction(() => document.querySelector('overwatch-view')?.transport === 'auto');
  await own.close();
  await choose('auto');
  await shows(page, 'videoPreviewWebRTC', /^WebRTC · [1-9]/);
  assert.equal(await node(page, 'videoPreviewWebRTC').locator('[data-testid=view-state]').textContent(), 'Connected');
});

test('where WebRTC does not come about the picture comes over the WebSocket, and the reason is told', { timeout: 120000 }, async (t) => {
  const { page } = await street(t);
  const offers = '**/api/webrtc/offer';
  await page.route(offers, (route) => route.fulfill({ status: 503, contentType: 'application/json', body: JSON.stringify({ detail: 'No WebRTC today.' }) }));
  await execute(page);
  await shows(page, 'videoPreviewWebRTC', /^WebSocket · [1-9]/);
  await eventually('the reason', 20, async () => /No WebRTC today/.test(await node(page, 'videoPreviewWebRTC').locator('[data-testid=view-reason]').textContent()));
  assert.equal(await node(page, 'videoPreviewWebRTC').locator('[data-testid=view-state]').textContent(), 'Connected');
  assert.equal(await keptChoice(page), null, 'nobody has chosen it');
  await page.unroute(offers);
  await eventually('WebRTC is back', 60, async () => /^WebRTC · [1-9]/.test(await figures(page, 'videoPreviewWebRTC')));
  await eventually('nothing more to tell', 10, async () => (await page.locator('[data-testid=view-reason]').count()) === 0);
});

test('a view is paused, goes on, is saved as a picture and fills the screen', { timeout: 90000 }, async (t) => {
  const { page } = await street(t);
  await execute(page);
  const view = node(page, 'videoPreviewWebRTC');
  const state = (text) => eventually(text, 20, async () => (await view.locator('[data-testid=view-state]').textContent()) === text);
  await shows(page, 'videoPreviewWebRTC', /^WebRTC · [1-9]/);
  await view.getByRole('button', { name: 'Pause' }).click();
  await state('Paused');
  await view.getByRole('button', { name: 'Play' }).click();
  await state('Connected');
  await shows(page, 'videoPreviewWebRTC', /^WebRTC · [1-9]/);
  const download = page.waitForEvent('download');
  await view.getByRole('button', { name: 'Save a snapshot' }).click();
  const file = readFileSync(await (await download).path());
  assert.equal(file.subarray(1, 4).toString(), 'PNG');
  assert.deepEqual([file.readUInt32BE(16), file.readUInt32BE(20)], [768, 576]);
  await view.getByRole('button', { name: 'Full screen' }).click();
  await page.waitForFunction(() => document.fullscreenElement?.tagName === 'OVERWATCH-VIEW');
  await page.evaluate(() => document.exitFullscreen());
});

test('original, X-RAY or both', { timeout: 90000 }, async (t) => {
  const { page } = await street(t);
  await execute(page);
  await shows(page, 'videoPreviewWebRTC', /^WebRTC · [1-9]/);
  await eventually('boxes', 30, async () => (await colouredPixels(page)) >= 150);
  await page.click('[data-testid=layout-original]');
  await eventually('no boxes', 20, async () => (await colouredPixels(page)) <= 40);
  const wide = () => page.evaluate(() => {
    const { width, height } = document.querySelector('overwatch-view').stats;
    return width / height;
  });
  await page.click('[data-testid=layout-side-by-side]');
  await eventually('twice as wide', 20, async () => (await wide()) > 2.5);
  await page.click('[data-testid=layout-xray]');
  await eventually('boxes again', 20, async () => (await wide()) < 1.5 && (await colouredPixels(page)) >= 150);
});

test('a view may stand behind a filter', { timeout: 90000 }, async (t) => {
  const { page } = await open(t);
  await drag(page, 'video vtest.avi', 60, 60);
  await drag(page, 'model nanodet', 340, 60);
  await drag(page, 'detectionFilter', 60, 380);
  await drag(page, 'videoPreviewWebRTC', 720, 60);
  await connect(page, node(page, 'videoInput'), node(page, 'model'));
  await connect(page, node(page, 'model'), node(page, 'detectionFilter'));
  await connect(page, node(page, 'detectionFilter'), node(page, 'videoPreviewWebRTC'));
  assert.equal(await edges(page), 3);
  await execute(page);
  await shows(page, 'videoPreviewWebRTC', /^WebRTC · [1-9]/);
  await eventually('boxes', 30, async () => (await colouredPixels(page)) >= 150);
  await eventually('it tells what passed', 10, async () => /[1-9]\d* passed/.test(await node(page, 'detectionFilter').textContent()));
});

test('a view out of sight has no viewer', { timeout: 90000 }, async (t) => {
  const { page, server } = await street(t);
  await execute(page);
  await shows(page, 'videoPreviewWebRTC', /^WebRTC · [1-9]/);
  const viewers = async () => (await (await fetch(`${server.url}/api/webrtc/stats`)).json()).active_connections;
  assert.equal(await viewers(), 1);
  const canvas = await page.locator('[data-testid=canvas]').boundingBox();
  const [x, y] = [canvas.x + 300, canvas.y + 600];
  const pull = async (dx) => {
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + dx, y, { steps: 4 });
    await page.mouse.up();
  };
  await pull(1100);
  await eventually('nobody watches', 15, async () => (await viewers()) === 0);
  await pull(-290);
  await pull(-290);
  await pull(-290);
  await pull(-230);
  await eventually('it is watched again', 15, async () => (await viewers()) === 1);
  await shows(page, 'videoPreviewWebRTC', /^WebRTC · [1-9]/);
});

test('a view is made larger, and stays so', { timeout: 60000 }, async (t) => {
  const { page } = await open(t);
  await drag(page, 'videoPreview', 200, 100);
  const corner = await page.locator('.react-flow__resize-control.bottom.right.handle').boundingBox();
  const before = await node(page, 'videoPreview').boundingBox();
  await page.mouse.move(corner.x + 4, corner.y + 4);
  await page.mouse.down();
  await page.mouse.move(corner.x + 104, corner.y + 64, { steps: 5 });
  await page.mouse.up();
  await page.keyboard.press('Control+s');
  await page.click('[data-testid=save-draft]');
  await page.waitForFunction(() => document.querySelector('[data-testid=unsaved]')?.textContent === '');
  await page.reload();
  await node(page, 'videoPreview').waitFor();
  const after = await node(page, 'videoPreview').boundingBox();
  assert.ok(Math.abs(after.width - before.width - 100) < 12 && Math.abs(after.height - before.height - 60) < 12, `${after.width}x${after.height}`);
});

test('two browsers see one view, and a change of one is seen by both', { timeout: 90000 }, async (t) => {
  const { page, server } = await street(t);
  await execute(page);
  await shows(page, 'videoPreviewWebRTC', /^WebRTC · [1-9]/);
  const other = await openPage(page.context().browser(), page.url(), { viewport: { width: 1280, height: 720 } });
  await shows(other, 'videoPreviewWebRTC', /^WebRTC · [1-9]/);
  for (const one of [page, other]) await eventually('boxes', 30, async () => (await colouredPixels(one)) >= 150);
  await node(page, 'model').locator('[data-testid=xray-toggle]').uncheck();
  for (const one of [page, other]) await eventually('no boxes', 20, async () => (await colouredPixels(one)) <= 40);
  const { connections } = await (await fetch(`${server.url}/api/webrtc/stats`)).json();
  assert.equal(connections.length, 2);
  assert.deepEqual(other.failures, []);
});
