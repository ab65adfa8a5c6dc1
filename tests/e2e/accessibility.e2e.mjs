// axe-core on every page, in both themes, with what can be opened on it; that no page does what its policy
// forbids; and the themes themselves.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { client } from '../integ/api_client.mjs';
import { eventually, root, startServer, testPattern, testPatterns } from '../integ/server.mjs';
import { launch, openPage, showsPictures } from './browser.mjs';

const axe = readFileSync(createRequire(new URL('../package.json', import.meta.url)).resolve('axe-core/axe.min.js'), 'utf8');
const THEMES = ['light', 'dark'];
const PHONE = { width: 390, height: 844 };

const fits = async (page) => assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than the page');

/** Fails when axe finds anything serious or critical on the page as it is now. */
async function assertAccessible(page, what) {
  await page.evaluate(`if (!window.axe) { ${axe} }`);
  const { violations, passes } = await page.evaluate(async () => {
    const { violations, passes } = await window.axe.run(document, { resultTypes: ['violations'] });
    return { violations: violations.map(({ id, impact, help, nodes }) => ({ id, impact, help, nodes: nodes.map((node) => `${node.html.slice(0, 160)}: ${node.failureSummary.split('\n').at(-1).trim()}`) })), passes: passes.length };
  });
  assert.ok(passes > 5, `${what}: axe has looked at nothing`);
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  assert.deepEqual(grave, [], what);
}

/* What Chromium says of a page that goes against its policy, or of a policy that it cannot read. */
const againstPolicy = /Content.Security.Policy|Permissions.Policy|Refused to/i;

const setTheme = (theme) => `localStorage.setItem('overwatch-theme', '${theme}')`;

async function inBoth(t, server, path, ready, { more = async () => {}, ...options } = {}) {
  const browser = await launch(t);
  for (const theme of THEMES) {
    const page = await openPage(browser, server.url + path, { ...options, init: setTheme(theme) });
    await ready(page);
    await assertAccessible(page, `${path}, ${theme}`);
    await more(page, (what) => assertAccessible(page, `${path}, ${theme}: ${what}`));
    assert.deepEqual(page.failures, []);
    assert.deepEqual(page.lines.filter((line) => againstPolicy.test(line)), [], path);
    await page.context().close();
  }
}

async function serve(t, ...start) {
  const server = await startServer(...start);
  t.after(server.stop);
  return server;
}

test('the wall, with one that fails and one large', { timeout: 120000 }, async (t) => {
  const workflow = testPatterns(3);
  workflow.nodes[0] = { id: 'pattern-1', type: 'videoInput', data: { videoPath: '/nowhere/missing.mp4' } };
  const server = await serve(t, workflow);
  await inBoth(t, server, '/wall', (page) => page.getByText('missing.mp4').waitFor(), {
    more: async (page, check) => {
      await page.getByRole('button', { name: 'Gate 3: show it large' }).click();
      await check('large');
    },
  });
});

test('the wall without views, on a phone', { timeout: 60000 }, async (t) => {
  await inBoth(t, await serve(t, null), '/wall', (page) => page.getByTestId('empty').waitFor(), { viewport: PHONE });
});

test('a view, with its details, and one that is not there', { timeout: 120000 }, async (t) => {
  const server = await serve(t, testPattern());
  await inBoth(t, server, '/view/view', (page) => showsPictures(page), {
    more: async (page, check) => {
      await page.keyboard.press('i');
      await page.getByTestId('stat-clock').waitFor();
      await check('details');
    },
  });
  await inBoth(t, server, '/view/nobody', (page) => page.waitForFunction(() => /nobody/.test(document.querySelector('overwatch-view')?.reason ?? '')), { viewport: PHONE });
});

test('the recordings, one of them played, on a phone, and none', { timeout: 120000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'overwatch-recordings-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const server = await serve(t, testPattern({ width: 320, height: 180 }), ['--data-folder', folder]);
  await inBoth(t, server, '/recordings', (page) => page.getByTestId('empty').waitFor(), { viewport: PHONE });
  const call = client(server);
  await call('PUT /api/views/{node_id}/recording', 200, { params: { node_id: 'view' }, body: { recording: true } });
  await eventually('a second is written', 20, async () => (await call('GET /api/recordings', 200)).recordings[0]?.seconds > 1);
  await inBoth(t, server, '/recordings', (page) => page.locator('[data-testid=recording][data-live=true]').waitFor(), {
    more: async (page, check) => {
      await page.getByTestId('recording').getByRole('button', { name: /^Play/ }).click();
      await page.getByTestId('player').waitFor();
      await check('played');
      await page.setViewportSize(PHONE);
      await check('played on a phone');
      await fits(page);
    },
  });
});

test('the performance page', { timeout: 120000 }, async (t) => {
  const server = await serve(t, testPattern());
  const watcher = await openPage(await launch(t), `${server.url}/view/view`);
  await showsPictures(watcher);
  await inBoth(t, server, '/performance', (page) => page.locator('[data-testid=times-view] [data-part]').first().waitFor({ state: 'attached' }), {
    more: async (page, check) => {
      await page.setViewportSize(PHONE);
      await check('on a phone');
    },
  });
});

test('the log-in page, after a wrong password', { timeout: 60000 }, async (t) => {
  const server = await serve(t, testPattern(), ['--token', 'a-token-to-log-in-with-0123', '--data-folder', 'none']);
  await inBoth(t, server, '/login', async (page) => {
    await page.locator('input[type=password]').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText(/is wrong|Too many tries/).last().waitFor();
  });
});

test('the builder, with a workflow and its dialogs', { timeout: 240000 }, async (t) => {
  const server = await serve(t, null, ['--example', join(root, 'workflows/demo.json')]);
  const open = async (page) => page.waitForFunction(() => document.querySelectorAll('.react-flow__node').length > 3);
  await inBoth(t, server, '/', open, {
    viewport: { width: 1440, height: 810 },
    more: async (page, check) => {
      const shown = async (what, show, id) => {
        await show();
        await page.getByTestId(id).waitFor();
        await check(what);
        await page.keyboard.press('Escape');
        await page.getByTestId(id).waitFor({ state: 'hidden' });
      };
      await shown('workflows', () => page.getByTestId('workflows').click(), 'workflow-menu');
      await shown('cameras', () => page.getByTestId('cameras').click(), 'cameras-dialog');
      await page.getByRole('button', { name: 'Keyboard (?)' }).click();
      await page.locator('dialog[open]').waitFor();
      await check('keyboard');
      await page.keyboard.press('Escape');
      await page.getByTestId('node-model').click({ position: { x: 60, y: 12 } });
      await page.getByTestId('inspector').waitFor();
      await check('a model’s settings');
    },
  });
});

test('the builder: the settings of every type of node, a zone, and what is wrong', { timeout: 240000 }, async (t) => {
  const server = await serve(t, null);
  await inBoth(t, server, '/', (page) => page.getByTestId('entry-zone').waitFor(), {
    viewport: { width: 1440, height: 810 },
    more: async (page, check) => {
      const types = ['videoInput', 'camera', 'testPattern', 'model', 'detectionFilter', 'zone', 'videoPreviewWebRTC', 'videoPreview', 'dataPreview', 'debug'];
      for (const type of types) {
        await page.getByTestId(`entry-${type}`).press('Enter');
        await page.getByTestId(`node-${type}`).waitFor();
        await page.getByTestId('inspector').waitFor();
        await check(`settings of ${type}`);
        if (type !== 'zone') continue;
        await page.getByTestId('edit-zone').click();
        await page.getByTestId('zone-dialog').waitFor();
        await check('a zone');
        await page.keyboard.press('Escape');
      }
      await page.getByTestId('validate').click();
      await page.getByTestId('report').waitFor();
      await check('what is wrong');
    },
  });
});

test('the builder, empty, on a phone', { timeout: 60000 }, async (t) => {
  await inBoth(t, await serve(t, null), '/', (page) => page.getByText('Wire what you want to see').waitFor(), { viewport: PHONE, more: fits });
});

test('a script that was slipped into a page does not run', { timeout: 60000 }, async (t) => {
  const server = await serve(t, null);
  const page = await openPage(await launch(t), `${server.url}/wall`);
  await page.getByTestId('empty').waitFor();
  const slipped = await page.evaluate(async () => {
    const refused = new Promise((resolve) => document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => resolve(effectiveDirective), { once: true }));
    document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="window.slipped = true">');
    return { directive: await refused, ran: window.slipped === true };
  });
  assert.deepEqual(slipped, { directive: 'script-src-attr', ran: false });
  assert.ok(page.lines.some((line) => againstPolicy.test(line)), 'the other tests would see it');
});

test('a page is shown in frames of pages that may call the server, and in no others', { timeout: 60000 }, async (t) => {
  const server = await serve(t, null, ['--allowed-hosts', 'localhost']), other = await serve(t, null);
  const browser = await launch(t);
  const framing = async (host) => { // /healthz is no page and has no policy: it may frame what it likes
    const page = await openPage(browser, `${other.url.replace('127.0.0.1', host)}/healthz`);
    const told = page.waitForEvent('console', { predicate: (message) => /frame-ancestors/.test(message.text()) }).catch(() => null);
    await page.evaluate((src) => document.body.append(Object.assign(document.createElement('iframe'), { src })), `${server.url}/wall`);
    return { page, told };
  };
  await (await framing('localhost')).page.frameLocator('iframe').getByTestId('empty').waitFor();
  assert.ok(await (await framing('127.0.0.1')).told, 'a page of 127.0.0.1 on another port frames it');
});

test('the plain pages obey the policy, too', { timeout: 60000 }, async (t) => {
  const server = await serve(t, testPattern(), ['--token', 'a-token-to-log-in-with-0123', '--data-folder', 'none', '--web-folder', '/nowhere']);
  const page = await openPage(await launch(t), `${server.url}/login`);
  await page.locator('input[type=password]').fill('a-token-to-log-in-with-0123');
  await page.keyboard.press('Enter');
  await page.getByText('The web page is not built').waitFor();
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).maxWidth), '640px');
  assert.deepEqual(page.lines.filter((line) => againstPolicy.test(line)), []);
});

const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);

test('a theme is chosen, kept, the same in every tab, and there with the first paint', { timeout: 60000 }, async (t) => {
  const server = await serve(t, null);
  // What the body looks like in the first frame that is drawn.
  const init = () => requestAnimationFrame(function look() {
    if (document.body === null) return requestAnimationFrame(look);
    window.first = getComputedStyle(document.body).backgroundColor;
  });
  const page = await openPage(await launch(t), `${server.url}/wall`, { colorScheme: 'dark', init });
  const dark = await ground(page);
  const button = page.getByTestId('theme');
  assert.match(await button.getAttribute('aria-label'), /as the system has it/);
  const other = await page.context().newPage();
  await other.goto(`${server.url}/performance`);

  await button.click();
  const light = await ground(page);
  assert.notEqual(light, dark);
  await other.waitForFunction((wanted) => getComputedStyle(document.body).backgroundColor === wanted, light);
  await page.goto(`${server.url}/performance`);
  assert.equal(await (await page.waitForFunction(() => window.first)).jsonValue(), light);
  assert.equal(await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches), true, 'against the system');

  await page.getByTestId('theme').click();
  assert.equal(await ground(page), dark);
  await page.emulateMedia({ colorScheme: 'light' });
  assert.equal(await ground(page), dark);
  await page.getByTestId('theme').click();
  assert.equal(await ground(page), light, 'as the system has it again');
});
