// What is saved when: changes during a save, undo, a running picture that follows.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually } from '../integ/server.mjs';
import { openPage } from './browser.mjs';
import { buildStreet, colouredPixels, node, open, running } from './builder.mjs';

const unsaved = (page) => page.locator('[data-testid=unsaved]').textContent();
const listed = async (server) => (await (await fetch(`${server.url}/api/workflow-builder`)).json()).workflows;
const kept = async (server, id) => (await fetch(`${server.url}/api/workflow-builder/${id}`)).json();

// Holds saves back on their way until release() is called.
async function holdSaves(page) {
  let release = () => {};
  const held = new Promise((resolve) => { release = resolve; });
  let seen = 0;
  await page.route('**/api/workflow-builder**', async (route) => {
    if (/POST|PUT/.test(route.request().method())) {
      seen += 1;
      await held;
    }
    await route.continue();
  });
  return { release, seen: () => seen };
}

test('what is changed while a save is under way is still to be saved', { timeout: 60000 }, async (t) => {
  const { page, server } = await open(t);
  await page.click('[data-testid=begin]');
  const saves = await holdSaves(page);
  await page.keyboard.press('Control+s');
  await eventually('the save is on its way', 10, saves.seen);
  await page.fill('[data-testid=workflow-name]', 'Changed meanwhile');
  await page.keyboard.press('Control+s'); // waits for its turn: no second workflow
  saves.release();
  await page.waitForFunction(() => document.querySelector('[data-testid=unsaved]')?.textContent === '');
  const rows = await eventually('the second save has arrived', 10, async () => {
    const list = await listed(server);
    return list[0]?.name === 'Changed meanwhile' && list;
  });
  assert.equal(rows.length, 1);
});

test('a change during a save stays marked', { timeout: 60000 }, async (t) => {
  const { page, server } = await open(t);
  await page.click('[data-testid=begin]');
  const saves = await holdSaves(page);
  await page.keyboard.press('Control+s');
  await eventually('the save is on its way', 10, saves.seen);
  await page.fill('[data-testid=workflow-name]', 'Changed meanwhile');
  saves.release();
  await eventually('it is saved', 10, async () => (await listed(server)).length === 1);
  await page.waitForFunction(() => new URLSearchParams(location.search).has('workflow'));
  assert.equal(await unsaved(page), 'not saved');
  assert.notEqual((await listed(server))[0].name, 'Changed meanwhile');
});

test('undo past the first save keeps the workflow', { timeout: 60000 }, async (t) => {
  const { page, server } = await open(t);
  await page.click('[data-testid=begin]');
  await page.keyboard.press('Control+s');
  await page.waitForFunction(() => document.querySelector('[data-testid=unsaved]')?.textContent === '');
  await page.click('[data-testid=undo]');
  assert.equal(await unsaved(page), 'not saved');
  await page.keyboard.press('Control+s');
  await page.waitForFunction(() => document.querySelector('[data-testid=unsaved]')?.textContent === '' || document.querySelector('[data-testid=report]') !== null);
  assert.equal((await listed(server)).length, 1);
});

test('a running picture follows undo and redo', { timeout: 90000 }, async (t) => {
  const { page, server } = await open(t);
  await buildStreet(page);
  await page.click('[data-testid=execute]');
  await running(page);
  await eventually('boxes', 40, async () => (await page.evaluate(() => document.querySelector('overwatch-view')?.stats.fps > 0)) && (await colouredPixels(page)) >= 150);
  await node(page, 'model').locator('[data-testid=xray-toggle]').uncheck();
  await eventually('no boxes', 20, async () => (await colouredPixels(page)) <= 40);
  await page.click('[data-testid=undo]');
  await eventually('boxes again', 20, async () => (await colouredPixels(page)) >= 150);
  await eventually('nothing to save', 5, async () => (await unsaved(page)) === '');
  const id = new URL(page.url()).searchParams.get('workflow');
  const model = async () => (await kept(server, id)).nodes.find(({ type }) => type === 'model').data;
  assert.notEqual((await model()).enableXRay, false);
  await page.click('[data-testid=redo]');
  await eventually('no boxes again', 20, async () => (await colouredPixels(page)) <= 40);
  await eventually('it is kept', 5, async () => (await model()).enableXRay === false);
});

test('what was changed elsewhere is not saved over unasked', { timeout: 60000 }, async (t) => {
  const { page, server } = await open(t);
  await page.click('[data-testid=begin]');
  await page.keyboard.press('Control+s');
  await page.waitForFunction(() => document.querySelector('[data-testid=unsaved]')?.textContent === '');
  const other = await openPage(page.context().browser(), page.url());
  await other.waitForSelector('[data-testid=node-model]');
  await other.fill('[data-testid=workflow-name]', 'Theirs');
  await other.keyboard.press('Control+s');
  await eventually('theirs is saved', 10, async () => (await listed(server))[0].name === 'Theirs');

  const asked = [];
  let answer = 'dismiss';
  page.on('dialog', (dialog) => { asked.push(dialog.message()); void dialog[answer](); });
  await page.fill('[data-testid=workflow-name]', 'Mine');
  await page.keyboard.press('Control+s');
  await eventually('it is asked', 10, () => asked.length === 1);
  assert.match(asked[0], /changed elsewhere/);
  assert.equal((await listed(server))[0].name, 'Theirs');
  assert.equal(await unsaved(page), 'not saved');
  answer = 'accept';
  await page.keyboard.press('Control+s');
  await eventually('mine is saved', 10, async () => (await listed(server))[0].name === 'Mine');
  await page.fill('[data-testid=workflow-name]', 'Mine again');
  await page.keyboard.press('Control+s');
  await eventually('without a question', 10, async () => (await listed(server))[0].name === 'Mine again');
  assert.equal(asked.length, 2);

  // What was deleted elsewhere is kept again.
  const id = new URL(page.url()).searchParams.get('workflow');
  assert.ok((await fetch(`${server.url}/api/workflow-builder/${id}`, { method: 'DELETE' })).ok);
  await page.fill('[data-testid=workflow-name]', 'Mine, kept again');
  await page.keyboard.press('Control+s');
  await eventually('it is there again', 10, async () => (await listed(server))[0]?.name === 'Mine, kept again');
  assert.equal((await listed(server))[0].id, id);
});
