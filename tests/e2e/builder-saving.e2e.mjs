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

test('what was changed elsewhere is not saved over unasked, and nothing of it is lost', { timeout: 60000 }, async (t) => {
  const { page, server } = await open(t);
  const name = (of) => of.inputValue('[data-testid=workflow-name]');
  const rename = async (of, text) => {
    await of.fill('[data-testid=workflow-name]', text);
    await of.keyboard.press('Control+s');
  };
  const names = async () => (await listed(server)).map((row) => row.name);
  const isSaved = (text) => eventually(`${text} is saved`, 10, async () => (await names())[0] === text);
  const asked = page.locator('[data-testid=conflict]');
  await page.click('[data-testid=begin]');
  await page.keyboard.press('Control+s');
  await page.waitForFunction(() => document.querySelector('[data-testid=unsaved]')?.textContent === '');
  const other = await openPage(page.context().browser(), page.url());
  await other.waitForSelector('[data-testid=node-model]');
  await rename(other, 'Theirs');
  await isSaved('Theirs');

  // Neither.
  await rename(page, 'Mine');
  await asked.waitFor();
  assert.deepEqual(await names(), ['Theirs']);
  await page.keyboard.press('Escape');
  await asked.waitFor({ state: 'detached' });
  assert.deepEqual([await name(page), await unsaved(page)], ['Mine', 'not saved']);

  // Mine.
  await page.keyboard.press('Control+s');
  await page.click('[data-testid=conflict-mine]');
  await isSaved('Mine');
  await rename(page, 'Mine again');
  await isSaved('Mine again'); // without a question

  // Theirs, from which undo leads back.
  await rename(other, 'Theirs again');
  await other.click('[data-testid=conflict-theirs]');
  await other.waitForFunction(() => document.querySelector('[data-testid=workflow-name]').value === 'Mine again');
  assert.equal(await unsaved(other), '');
  await other.click('[data-testid=undo]');
  assert.deepEqual([await name(other), await unsaved(other)], ['Theirs again', 'not saved']);
  await other.keyboard.press('Control+s');
  await isSaved('Theirs again');

  // Both.
  const id = new URL(page.url()).searchParams.get('workflow');
  await rename(page, 'Mine, too');
  await page.click('[data-testid=conflict-copy]');
  await isSaved('Mine, too (copy)');
  assert.deepEqual(await names(), ['Mine, too (copy)', 'Theirs again']);
  assert.equal(await name(page), 'Mine, too (copy)');
  assert.notEqual(new URL(page.url()).searchParams.get('workflow'), id);

  // What was deleted elsewhere is kept again.
  assert.ok((await fetch(`${server.url}/api/workflow-builder/${id}`, { method: 'DELETE' })).ok);
  await rename(other, 'Kept again');
  await isSaved('Kept again');
  assert.equal((await listed(server))[0].id, id);
});
