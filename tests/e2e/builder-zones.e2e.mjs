// Drawing zones on the live picture: with the mouse, by the keyboard, and what the server makes of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually, postJson } from '../integ/server.mjs';
import { node, open, running } from './builder.mjs';

const near = (actual, wanted, within = 0.012) => {
  assert.equal(actual.length, wanted.length, JSON.stringify(actual));
  for (const [i, point] of actual.entries()) for (const axis of [0, 1]) assert.ok(Math.abs(point[axis] - wanted[i][axis]) < within, `point ${i} of ${JSON.stringify(actual)}, wanted ${JSON.stringify(wanted)}`);
};

// The street with a zone of this kind, running, and the drawing open.
async function drawing(t, data) {
  const { page, server } = await open(t);
  const workflow = {
    id: 'street', name: 'Street', version: '1.0',
    nodes: [
      { id: 'video', type: 'videoInput', position: { x: 0, y: 0 }, data: { videoPath: 'vtest.avi' } },
      { id: 'seen', type: 'model', position: { x: 280, y: 0 }, data: { confidence: 0.4 } },
      { id: 'zone', type: 'zone', position: { x: 280, y: 300 }, data },
      { id: 'view', type: 'videoPreview', position: { x: 600, y: 0 }, data: {} },
    ],
    edges: [['video', 'seen'], ['seen', 'zone'], ['zone', 'view']].map(([source, target]) => ({ id: source, source, target })),
  };
  assert.equal((await postJson(`${server.url}/api/workflow-builder`, workflow)).status, 201);
  assert.equal((await postJson(`${server.url}/api/workflow-builder/street/execute`, {})).status, 200);
  await page.goto(`${server.url}/?workflow=street`);
  await running(page);
  await node(page, 'zone').locator('header').click();
  await page.click('[data-testid=edit-zone]');
  await page.waitForFunction(() => document.querySelector('.zone-picture canvas')?.width > 300); // the picture is there
  const box = await page.locator('[data-testid=zone-drawing]').boundingBox();
  const at = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
  const click = (point) => page.mouse.click(...at(point));
  const pull = async (from, to) => {
    await page.mouse.move(...at(from));
    await page.mouse.down();
    await page.mouse.move(...at(to), { steps: 4 });
    await page.mouse.up();
  };
  const kept = async () => (await (await fetch(`${server.url}/api/workflow-builder/street`)).json()).nodes.find(({ id }) => id === 'zone').data.polygon ?? [];
  const becomes = (wanted) => eventually(JSON.stringify(wanted), 10, async () => {
    const points = await kept();
    return points.length === wanted.length && points.every((point, i) => Math.hypot(point[0] - wanted[i][0], point[1] - wanted[i][1]) < 0.012);
  }).catch(async () => near(await kept(), wanted));
  return { page, click, pull, becomes, kept };
}

test('a polygon is drawn, pulled, given a corner and loses one', { timeout: 90000 }, async (t) => {
  const { page, click, pull, becomes } = await drawing(t, { zoneType: 'polygon' });
  for (const point of [[0.2, 0.2], [0.6, 0.2], [0.6, 0.7], [0.2, 0.7]]) await click(point);
  await becomes([[0.2, 0.2], [0.6, 0.2], [0.6, 0.7], [0.2, 0.7]]);
  await pull([0.6, 0.2], [0.8, 0.1]);
  await becomes([[0.2, 0.2], [0.8, 0.1], [0.6, 0.7], [0.2, 0.7]]);
  await pull([0.4, 0.4], [0.5, 0.5]); // the whole
  await becomes([[0.3, 0.3], [0.9, 0.2], [0.7, 0.8], [0.3, 0.8]]);
  await click([0.5, 0.9]); // beside the lower edge: between its ends
  await becomes([[0.3, 0.3], [0.9, 0.2], [0.7, 0.8], [0.5, 0.9], [0.3, 0.8]]);
  await page.keyboard.press('Control+z');
  await becomes([[0.3, 0.3], [0.9, 0.2], [0.7, 0.8], [0.3, 0.8]]);
  await click([0.9, 0.2]);
  await page.keyboard.press('Delete');
  await becomes([[0.3, 0.3], [0.7, 0.8], [0.3, 0.8]]);
});

test('the keyboard draws, too', { timeout: 90000 }, async (t) => {
  const { page, becomes } = await drawing(t, { zoneType: 'polygon' });
  for (let i = 0; i < 3; i++) {
    await page.locator('[data-testid=zone-add]').focus();
    await page.keyboard.press('Enter');
  }
  await becomes([[0.25, 0.25], [0.45, 0.45], [0.35, 0.35]]);
  await page.getByRole('button', { name: /^Point 3 of 3/ }).focus();
  await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('ArrowDown');
  await becomes([[0.25, 0.25], [0.45, 0.45], [0.3, 0.355]]);
  await page.keyboard.press('+');
  await becomes([[0.25, 0.25], [0.45, 0.45], [0.3, 0.355], [0.275, 0.3025]]);
  await page.keyboard.press('Delete');
  await becomes([[0.25, 0.25], [0.45, 0.45], [0.275, 0.3025]]);
  await page.keyboard.press('Escape');
  await page.locator('[data-testid=zone-dialog]').waitFor({ state: 'detached' });
});

test('a rectangle is pulled open and counts who is in it', { timeout: 90000 }, async (t) => {
  const { page, pull, becomes } = await drawing(t, { zoneType: 'rectangle' });
  await pull([0.02, 0.02], [0.5, 0.5]);
  await becomes([[0.02, 0.02], [0.5, 0.5]]);
  await pull([0.5, 0.5], [0.98, 0.98]);
  await pull([0.02, 0.98], [0.01, 0.99]); // a corner that is not one of the two
  await becomes([[0.01, 0.02], [0.98, 0.99]]);
  await page.keyboard.press('Escape');
  await eventually('somebody is inside', 20, async () => Number(await page.locator('[data-testid=zone-figures] dd').first().textContent()) > 0);
});

test('a line shows its direction, which can be turned round', { timeout: 90000 }, async (t) => {
  const { page, pull, becomes } = await drawing(t, { zoneType: 'line' });
  await pull([0.2, 0.5], [0.8, 0.5]);
  await becomes([[0.2, 0.5], [0.8, 0.5]]);
  const arrow = () => page.locator('[data-testid=zone-direction] line').evaluate((line) => line.y2.baseVal.value);
  assert.ok(await arrow() > 0, 'to the right of a line that runs to the right is below');
  await page.click('[data-testid=zone-turn]');
  await becomes([[0.8, 0.5], [0.2, 0.5]]);
  assert.ok(await arrow() < 0);
});
