// Settings, the list of workflows, files, and wiring without a mouse.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { eventually, postJson } from '../integ/server.mjs';
import { buildStreet, drag, edges, node, open, running } from './builder.mjs';

const listed = async (server) => (await (await fetch(`${server.url}/api/workflow-builder`)).json()).workflows;
const modelOf = async (server) => {
  const [{ id }] = await listed(server);
  return (await (await fetch(`${server.url}/api/workflow-builder/${id}`)).json()).nodes.find(({ type }) => type === 'model').data;
};

test('classes are chosen by name, and the running model follows', { timeout: 90000 }, async (t) => {
  const { page, server } = await open(t);
  await buildStreet(page);
  await page.click('[data-testid=execute]');
  await running(page);
  const counts = () => node(page, 'model').locator('[data-testid=counts]').textContent();
  await eventually('persons', 30, async () => /person/.test(await counts()));
  await node(page, 'model').locator('header').click();
  await page.click('[data-testid=classes-none]');
  await page.fill('[data-testid=search-classes]', 'car');
  await page.click('[data-testid=class-car]');
  await eventually('it is kept', 10, async () => (await modelOf(server)).classes?.join() === 'car');
  await eventually('cars only', 20, async () => /^\d+ car$/.test((await counts()).trim()));
  await page.click('[data-testid=classes-all]');
  await eventually('all again', 10, async () => (await modelOf(server)).classes.length === 0);
  await eventually('persons again', 20, async () => /person/.test(await counts()));
  // One of all taken away leaves the others.
  await page.fill('[data-testid=search-classes]', 'person');
  await page.click('[data-testid=class-person]');
  await eventually('79 others', 10, async () => (await modelOf(server)).classes.length === 79);
  await eventually('no persons', 20, async () => !/person/.test(await counts()));
});

test('every setting of the server has a field, and takes a value', { timeout: 60000 }, async (t) => {
  const { page, server } = await open(t);
  await drag(page, 'model nanodet', 300, 100);
  const { node_types: types } = await (await fetch(`${server.url}/api/workflow-components/node-types`)).json();
  const { settings } = types.find(({ type }) => type === 'model');
  const inspector = page.locator('[data-testid=inspector]');
  for (const { name } of settings) assert.ok(await inspector.locator(`[data-testid=setting-${name}], [data-testid=pick-${name}], fieldset.classes`).count() > 0, name);
  const colours = settings.find(({ type }) => type === 'colors');
  if (colours !== undefined) {
    const field = inspector.locator(`[data-testid=setting-${colours.name}]`);
    await field.getByLabel('Class to add a colour for').fill('person');
    await page.keyboard.press('Enter');
    await field.getByLabel('Colour of person', { exact: true }).fill('#00ff88');
  }
  await inspector.locator('[data-testid=setting-fps]').fill('7');
  await page.keyboard.press('Control+s');
  await page.waitForSelector('[data-testid=report]'); // a model without a source
  await page.click('[data-testid=save-draft]');
  await eventually('it is kept', 10, async () => (await listed(server)).length === 1 && (await modelOf(server)).fps === 7);
  if (colours !== undefined) assert.deepEqual((await modelOf(server))[colours.name], { person: '#00ff88' });
});

test('nodes are added, wired and saved without a mouse', { timeout: 60000 }, async (t) => {
  const { page, server } = await open(t);
  for (const entry of ['testPattern', 'videoPreview']) {
    await page.locator(`[data-testid="entry-${entry}"]`).focus();
    await page.keyboard.press('Enter');
  }
  await page.locator('[data-testid=input-from]').selectOption({ label: 'Test Pattern' });
  assert.equal(await edges(page), 1);
  await page.keyboard.press('Control+Enter');
  await running(page);
  assert.equal((await listed(server))[0].running, true);
  await page.locator('[data-testid=input-from]').selectOption({ label: 'nothing' });
  assert.equal(await edges(page), 0);
});

test('workflows are renamed, duplicated, exported, imported and deleted', { timeout: 60000 }, async (t) => {
  const { page, server } = await open(t);
  page.on('dialog', (dialog) => void dialog.accept());
  await page.click('[data-testid=begin]');
  await page.keyboard.press('Control+s');
  await eventually('it is kept', 10, async () => (await listed(server)).length === 1);
  const menu = page.locator('[data-testid=workflow-menu]');
  const names = async () => (await listed(server)).map(({ name }) => name).sort();

  await page.click('[data-testid=workflows]');
  await menu.getByRole('button', { name: /^Rename/ }).click();
  await page.fill('[data-testid=rename-field]', 'Gate');
  await page.keyboard.press('Enter');
  await eventually('renamed', 10, async () => (await names()).join() === 'Gate');
  await eventually('the page shows it', 10, async () => (await page.inputValue('[data-testid=workflow-name]')) === 'Gate');
  assert.equal(await page.locator('[data-testid=unsaved]').textContent(), '');

  const download = page.waitForEvent('download');
  await menu.getByRole('link', { name: 'Export Gate' }).click();
  const file = await (await download).path();
  assert.equal(JSON.parse(readFileSync(file, 'utf8')).nodes.length, 3);

  await menu.getByRole('button', { name: 'Duplicate Gate' }).click();
  await eventually('the copy is shown', 10, async () => (await page.inputValue('[data-testid=workflow-name]')) === 'Gate (copy)');
  await page.keyboard.press('Control+s');
  await eventually('two', 10, async () => (await names()).join() === 'Gate,Gate (copy)');

  await page.click('[data-testid=workflows]');
  const chooser = page.waitForEvent('filechooser');
  await menu.getByRole('button', { name: 'Import…' }).click();
  await (await chooser).setFiles({ name: 'Yard.json', mimeType: 'application/json', buffer: readFileSync(file) });
  await eventually('three', 10, async () => (await listed(server)).length === 3);
  await page.waitForFunction(() => document.querySelectorAll('.react-flow__node').length === 3);

  await page.click('[data-testid=workflows]');
  await menu.getByRole('button', { name: 'Delete Gate (copy)' }).click();
  await eventually('two again', 10, async () => (await listed(server)).length === 2 && !(await names()).includes('Gate (copy)'));
});

test('whoever leaves with changes is asked', { timeout: 60000 }, async (t) => {
  const { page, server } = await open(t);
  assert.equal((await postJson(`${server.url}/api/workflow-builder?draft=true`, { id: 'other', name: 'Other', version: '1.0', nodes: [], edges: [] })).status, 201);
  await drag(page, 'testPattern', 200, 100);
  const asked = [];
  page.on('dialog', (dialog) => { asked.push(dialog.type()); void dialog.dismiss(); });
  await page.click('[data-testid=workflows]');
  await page.locator('[data-testid=workflow-menu]').getByRole('button', { name: /Other 0 nodes/ }).click();
  await eventually('asked', 5, () => asked.length === 1);
  assert.equal(await page.locator('.react-flow__node').count(), 1);
  await page.close({ runBeforeUnload: true });
  await eventually('asked again', 5, () => asked.includes('beforeunload'));
});
