// The performance page: both transports side by side, the stages, the history.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startServer, testPatterns } from '../integ/server.mjs';
import { launch, openPage, showsPictures } from './browser.mjs';

const number = async (locator) => Number.parseFloat(await locator.textContent());

/** Waits until an element's text matches. */
const reads = (page, id, pattern) => page.waitForFunction(({ id, source }) =>
  new RegExp(source).test(document.querySelector(`[data-testid="${id}"]`)?.textContent ?? ''), { id, source: pattern.source }, { timeout: 30000 });

test('stages, transports and history are those of what runs', { timeout: 120000 }, async (t) => {
  const server = await startServer(testPatterns(3));
  const browser = await launch(t);
  const webrtc = await openPage(browser, `${server.url}/view/view-1?transport=webrtc`);
  await showsPictures(webrtc, 'webrtc');
  const websocket = await openPage(browser, `${server.url}/view/view-2?transport=websocket`);
  await showsPictures(websocket, 'websocket');

  const page = await openPage(browser, `${server.url}/performance`);
  for (const transport of ['webrtc', 'websocket']) {
    await reads(page, `${transport}-Viewers`, /^1$/);
    await reads(page, `${transport}-Pictures a second`, /^(1\d|2\d|30)$/);
    await reads(page, `${transport}-kB a second`, /^\d+$/);
    await reads(page, `${transport}-Capture to socket`, /^\d+(\.\d)? ms$/);
  }
  for (const stage of ['decode', 'h264_encoding', 'jpeg_encoding']) await page.getByTestId(`stage-${stage}`).waitFor();
  assert.equal(await page.getByTestId('stage-model_inference').count(), 0, 'there is no model');
  await reads(page, 'bottleneck', /takes longest|bottleneck/);
  await reads(page, 'process', /^Server: \d+ % of a core · \d+ MB$/);

  // By view: where the time goes, and that nothing is done for the third.
  await reads(page, 'times-view-1', /\d ms/);
  await reads(page, 'times-view-3', /nobody watches/);
  const parts = await page.evaluate(() => [...document.querySelectorAll('[data-testid=times-view-1] [data-part]')].map((part) => [part.dataset.part, part.getBoundingClientRect().width]));
  assert.deepEqual(parts.map(([name]) => name), ['decode', 'draw', 'encode']);
  assert.ok(parts.find(([name]) => name === 'encode')[1] > 0);
  await page.waitForFunction(() => [...document.querySelectorAll('.sparkline .line')].every((line) => /L/.test(line.getAttribute('d'))));

  const before = await number(page.locator('[data-testid=stage-decode] td').last());
  assert.ok(before > 0);
  await page.getByTestId('reset').click();
  await page.waitForFunction((before) => {
    const cells = document.querySelectorAll('[data-testid=stage-decode] td');
    return cells.length > 0 && Number(cells[cells.length - 1].textContent) < before;
  }, before);

  await server.stop();
  await reads(page, 'bottleneck', /server does not answer/);
  assert.deepEqual(page.failures, []);
});
