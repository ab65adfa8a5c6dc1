// The wall of views, and the player embedded in a page of somebody else.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { eventually, postJson, startServer, testPattern, testPatterns } from '../integ/server.mjs';
import { launch, openPage, playerState, showsPictures } from './browser.mjs';

const tiles = (page) => page.locator('.tile');

/** Waits until this many tiles show a picture (of this kind) and no other tile is there. */
function shows(page, count, picture = '', seconds = 30) {
  return page.waitForFunction(({ count, picture }) => {
    const all = [...document.querySelectorAll('.tile')];
    return all.length === count && all.every(({ dataset }) => dataset.liveness === 'live' && (picture ? dataset.picture === picture : dataset.picture !== 'none'));
  }, { count, picture }, { timeout: seconds * 1000 });
}

/** Resolves when the pixels of every tile have changed. */
function allMove(page, seconds = 20) {
  return page.evaluate((seconds) => new Promise((resolve, reject) => {
    const copy = Object.assign(document.createElement('canvas'), { width: 64, height: 36 });
    const context = copy.getContext('2d', { willReadFrequently: true });
    const look = (tile) => {
      const surface = tile.dataset.picture === 'live' ? tile.querySelector('overwatch-view').surface : tile.querySelector('canvas');
      context.drawImage(surface, 0, 0, 64, 36);
      return context.getImageData(0, 0, 64, 36).data.join();
    };
    const first = new Map([...document.querySelectorAll('.tile')].map((tile) => [tile, look(tile)]));
    const end = performance.now() + seconds * 1000;
    const timer = setInterval(() => {
      for (const [tile, before] of first) if (look(tile) !== before) first.delete(tile);
      if (first.size > 0 && performance.now() < end) return;
      clearInterval(timer);
      if (first.size === 0) resolve();
      else reject(new Error(`still: ${[...first.keys()].map((tile) => tile.dataset.testid)}`));
    }, 100);
  }), seconds);
}

const places = (page) => page.evaluate(() => [...document.querySelectorAll('.tile')].map((tile) => {
  const { left, top, right, bottom } = tile.getBoundingClientRect();
  return { left, top, right, bottom };
}));

function assertFits(boxes, width, height) {
  for (const [i, a] of boxes.entries()) {
    assert.ok(a.left >= 0 && a.top >= 0 && a.right <= width && a.bottom <= height, `tile ${i} is outside: ${JSON.stringify(a)}`);
    for (const [j, b] of boxes.entries()) {
      if (i !== j) assert.ok(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top, `tiles ${i} and ${j} overlap`);
    }
  }
}

test('twelve views fit, move and come back with the server', { timeout: 180000 }, async (t) => {
  const server = await startServer(testPatterns(12));
  const page = await openPage(await launch(t), `${server.url}/wall`);
  await shows(page, 12, 'jpeg');
  await allMove(page);
  assertFits(await places(page), 1280, 720);
  assert.match(await page.getByTestId('summary').textContent(), /^12 views$/);
  await page.setViewportSize({ width: 700, height: 900 });
  await page.waitForFunction(() => [...document.querySelectorAll('.tile')].every((tile) => tile.getBoundingClientRect().right <= 700));
  assertFits(await places(page), 700, 900);

  await server.stop();
  await page.getByText('The server does not answer').waitFor();
  assert.equal(await tiles(page).count(), 12, 'what was there stays');
  const again = await startServer(testPatterns(12), ['--port', new URL(server.url).port]);
  t.after(again.stop);
  await page.getByText('Healthy').waitFor({ timeout: 30000 });
  await shows(page, 12, 'jpeg');
  await allMove(page);
  assert.deepEqual(page.failures, []);
});

test('a few views are live; one is made large and small again', { timeout: 120000 }, async (t) => {
  const server = await startServer(testPatterns(3));
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/wall`);
  await shows(page, 3, 'live');
  await allMove(page);
  const before = await places(page);
  assertFits(before, 1280, 720);

  await page.getByRole('button', { name: 'Gate 2: show it large' }).focus();
  await page.keyboard.press('Enter');
  const large = page.getByTestId('tile-view-2');
  await page.waitForFunction(() => document.querySelector('[data-testid=tile-view-2]').getBoundingClientRect().width > 1200);
  assert.equal(await page.getByTestId('tile-view-1').isVisible(), false);
  await page.keyboard.press('ArrowRight');
  await page.getByTestId('tile-view-3').waitFor({ state: 'visible' });
  assert.equal(await large.isVisible(), false);
  await page.keyboard.press('Escape');
  await page.getByTestId('tile-view-1').waitFor({ state: 'visible' });
  assert.deepEqual(await places(page), before);

  await page.getByTestId('tile-view-1').click();
  await page.getByRole('link', { name: 'Figures and settings of this view' }).locator('visible=true').click();
  await showsPictures(page);
  assert.equal(new URL(page.url()).pathname, '/view/view-1');
});

test('a large view is live although the others are not', { timeout: 120000 }, async (t) => {
  const server = await startServer(testPatterns(3));
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/wall?live=0#view-3`);
  await page.waitForFunction(() => document.querySelector('[data-testid=tile-view-3]')?.dataset.picture === 'live');
  const viewers = async () => (await (await fetch(`${server.url}/api/webrtc/stats`)).json()).connection_ids;
  assert.deepEqual(await viewers(), ['view-3']);
  await page.keyboard.press('Escape');
  await shows(page, 3, 'jpeg');
  await allMove(page);
  await eventually('its session is closed', 10, async () => (await viewers()).length === 0);
});

test('a view that is stopped goes, and comes when it is started again', { timeout: 120000 }, async (t) => {
  const server = await startServer(null);
  t.after(server.stop);
  const call = async (path, body) => {
    const { status } = await postJson(`${server.url}/api/workflow-builder${path}`, body);
    assert.ok(status < 300, `${path}: ${status}`);
  };
  await call('', testPatterns(2));
  await call('/many/execute', {});
  const page = await openPage(await launch(t), `${server.url}/wall`);
  await shows(page, 2, 'live');
  await call('/many/stop', {});
  await page.locator('.tile[data-liveness=stopped]').nth(1).waitFor();
  await page.getByText('No view is running').waitFor();
  await call('/many/execute', {});
  await shows(page, 2, 'live');
  await allMove(page);
});

test('a view that fails says why in its tile', { timeout: 60000 }, async (t) => {
  const workflow = testPatterns(2);
  workflow.nodes[0] = { id: 'pattern-1', type: 'videoInput', data: { videoPath: '/nowhere/missing.mp4' } };
  const server = await startServer(workflow);
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/wall`);
  await page.getByTestId('tile-view-1').getByText('missing.mp4').waitFor();
  assert.equal(await page.getByTestId('tile-view-1').getAttribute('data-liveness'), 'no-signal');
  assert.equal(await page.getByTestId('summary').textContent(), '2 views, 1 without a picture');
});

test('a phone scrolls two columns; what is not seen is not sent', { timeout: 120000 }, async (t) => {
  const server = await startServer(testPatterns(24));
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/wall`, { viewport: { width: 390, height: 844 } });
  await page.waitForFunction(() => document.querySelectorAll('.tile[data-picture=jpeg]').length >= 12);
  const boxes = await places(page);
  assert.equal(new Set(boxes.map(({ left }) => left)).size, 2);
  assert.ok(boxes.at(-1).top > 844);
  assert.equal(await page.getByTestId('tile-view-24').getAttribute('data-picture'), 'none');
  await page.getByTestId('tile-view-24').scrollIntoViewIfNeeded();
  await page.waitForFunction(() => document.querySelector('[data-testid=tile-view-24]').dataset.picture === 'jpeg');
});

test('the bar hides, and is there at the upper edge and while the server is away', { timeout: 60000 }, async (t) => {
  const server = await startServer(testPatterns(1));
  const page = await openPage(await launch(t), `${server.url}/wall`);
  await shows(page, 1);
  const { bottom: small } = (await places(page))[0];
  await page.mouse.move(600, 400);
  await page.keyboard.press('h');
  const opacity = (value) => page.waitForFunction((wanted) => getComputedStyle(document.querySelector('.bar')).opacity === wanted, value);
  await opacity('0');
  assert.ok((await places(page))[0].bottom >= small);
  await page.mouse.move(600, 2);
  await opacity('1');
  await page.mouse.move(600, 400);
  await opacity('0');
  await page.reload();
  await shows(page, 1);
  await opacity('0');
  await server.stop();
  await opacity('1');
});

test('without a workflow the page says what to do', { timeout: 60000 }, async (t) => {
  const server = await startServer(null);
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/wall`);
  await page.getByText('overwatch run', { exact: false }).first().waitFor();
  assert.equal(await tiles(page).count(), 0);
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
