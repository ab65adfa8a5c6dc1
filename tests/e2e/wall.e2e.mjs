// The list of views, and the player embedded in a page of somebody else.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { startServer, testPattern } from '../integ/server.mjs';
import { launch, openPage, playerState, showsPictures } from './browser.mjs';

test('the list shows each view with a live thumbnail and opens it', { timeout: 90000 }, async (t) => {
  const workflow = testPattern();
  workflow.nodes.push({ id: 'second', type: 'videoPreview', data: {} });
  workflow.edges.push({ id: 'e2', source: 'pattern', target: 'second' });
  const server = await startServer(workflow);
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/wall`);
  const cards = page.locator('[data-testid^=card-]');
  await cards.nth(1).waitFor();
  assert.equal(await cards.count(), 2);
  // The thumbnail is a picture that changes.
  const look = () => page.evaluate(() => {
    const canvas = document.querySelector('[data-testid^=card-] canvas');
    if (!canvas || !canvas.width) return null;
    const copy = Object.assign(document.createElement('canvas'), { width: 64, height: 36 });
    copy.getContext('2d').drawImage(canvas, 0, 0, 64, 36);
    return copy.toDataURL();
  });
  await page.waitForFunction(() => document.querySelector('[data-testid^=card-] canvas')?.width > 0);
  const before = await look();
  let after = before;
  for (let i = 0; i < 200 && after === before; i++) after = await look();
  assert.notEqual(after, before, 'the thumbnail moves');
  await page.locator('a[href="/view/view"]').first().click();
  await showsPictures(page);
  assert.equal(new URL(page.url()).pathname, '/view/view');
});

test('without a workflow the page says what to do', { timeout: 60000 }, async (t) => {
  const server = await startServer(null);
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/wall`);
  await page.getByText('overwatch run', { exact: false }).first().waitFor();
  assert.equal(await page.locator('[data-testid^=card-]').count(), 0);
});

// A dashboard of somebody else on another port: another origin to the browser.
async function dashboard(t, server) {
  const html = `<!doctype html><title>Dashboard</title><script src="${server.url}/overwatch-view.js"></script>
    <overwatch-view node="view" controls style="display:block;width:480px;height:270px"></overwatch-view>`;
  const other = createServer((_request, response) => response.end(html)).listen(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  return `http://127.0.0.1:${other.address().port}/`;
}

test('one script tag embeds a view in a page that the operator has named', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern(), ['--allowed-hosts', '127.0.0.1']);
  t.after(server.stop);
  const browser = await launch(t);
  const page = await openPage(browser, await dashboard(t, server));
  await showsPictures(page, 'webrtc');
  await page.evaluate(() => { document.querySelector('overwatch-view').transport = 'websocket'; });
  await showsPictures(page, 'websocket');
});

test('a page that nobody has named gets nothing', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPattern());
  t.after(server.stop);
  const page = await openPage(await launch(t), await dashboard(t, server));
  await page.waitForFunction(() => document.querySelector('overwatch-view')?.state === 'error');
  const { reason } = await playerState(page);
  assert.ok(reason.length > 5, 'the player says why');
  const { active_connections: viewers } = await (await fetch(`${server.url}/api/webrtc/stats`)).json();
  assert.equal(viewers, 0);
});
