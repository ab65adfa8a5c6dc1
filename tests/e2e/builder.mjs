// What the tests of the builder do on its page.
import assert from 'node:assert/strict';

import { startServer } from '../integ/server.mjs';
import { launch, openPage } from './browser.mjs';

export async function open(t, options = [], viewport = { width: 1500, height: 900 }) {
  const server = await startServer(null, options);
  t.after(server.stop);
  const page = await openPage(await launch(t), `${server.url}/`, { viewport });
  await page.waitForSelector('[data-testid=canvas]');
  t.after(() => assert.deepEqual(page.failures, []));
  return { server, page };
}

export const node = (page, type) => page.locator(`[data-testid="node-${type}"]`);

// Drags an entry of the sidebar to a place of the canvas.
export async function drag(page, entry, x, y) {
  const canvas = await page.locator('[data-testid=canvas]').boundingBox();
  await page.locator(`[data-testid="entry-${entry}"]`).dragTo(page.locator('[data-testid=canvas]'), { targetPosition: { x, y } });
  return canvas;
}

// Draws a connection with the mouse, from the right edge of one node to the left edge of another.
export async function connect(page, from, to) {
  const a = await from.locator('.react-flow__handle-right').boundingBox();
  const b = await to.locator('.react-flow__handle-left').boundingBox();
  await page.mouse.move(a.x + a.width / 2, a.y + a.height / 2);
  await page.mouse.down();
  await page.mouse.move((a.x + b.x) / 2, (a.y + b.y) / 2, { steps: 5 });
  await page.mouse.move(b.x + b.width / 2, b.y + b.height / 2, { steps: 5 });
  await page.mouse.up();
}

export const edges = (page) => page.locator('.react-flow__edge').count();

export const figures = (page) => page.locator('[data-testid=view-figures]').first().textContent();

export async function buildStreet(page) {
  await drag(page, 'video vtest.avi', 120, 120);
  await drag(page, 'model nanodet', 420, 120);
  await drag(page, 'videoPreviewWebRTC', 720, 60);
  await connect(page, node(page, 'videoInput'), node(page, 'model'));
  await connect(page, node(page, 'model'), node(page, 'videoPreviewWebRTC'));
  assert.equal(await edges(page), 2);
}

export const running = (page) => page.waitForFunction(() => document.querySelector('[data-testid=run-state]')?.dataset.state === 'connected', null, { timeout: 20000 });

// Pixels of the picture that are of the bright colours that boxes have and a street has not.
export const colouredPixels = (page) => page.evaluate(() => {
  const player = document.querySelector('overwatch-view');
  const canvas = new OffscreenCanvas(480, 360);
  const context = canvas.getContext('2d');
  context.drawImage(player.surface, 0, 0, 480, 360);
  const { data } = context.getImageData(0, 0, 480, 360);
  let count = 0;
  for (let i = 0; i < data.length; i += 4) {
    const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
    if (b > 170 && r < 90 && g > 110) count += 1; // the blue of persons
  }
  return count;
});
