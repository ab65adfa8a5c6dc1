// Pictures that are saved, with what the page draws over them and without; and its legend.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually } from '../integ/server.mjs';
import { openDemo as open } from './demo.mjs';

// In a picture: how many of the people of a record have a box in their colour, of how many. A side may be
// hidden by a label.
const inPage = () => {
  const near = (data, at, colour) => [0, 1, 2].every((i) => Math.abs(data[at + i] - parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16)) < 60);
  window.coloured = ({ data, width, height }, record, colour) => {
    const people = record.objects.filter(({ className, box }) => className === 'person' && box.width > 0.01 && box.height > 0.01);
    const at = (x, y) => [-2, -1, 0, 1, 2].some((off) => near(data, 4 * (Math.round(y * height + off) * width + Math.round(x * width)), colour) || near(data, 4 * (Math.round(y * height) * width + Math.round(x * width) + off), colour));
    const hits = people.filter(({ box: { x, y, width: w, height: h } }) => [0.2, 0.5, 0.8].some((part) => at(x + part * w, y + h) || at(x, y + part * h) || at(x + w, y + part * h)));
    return { people: people.length, hits: hits.length };
  };
  window.pixelsOf = async (blob) => {
    const bitmap = await createImageBitmap(blob);
    const context = Object.assign(document.createElement('canvas'), { width: bitmap.width, height: bitmap.height }).getContext('2d');
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, bitmap.width, bitmap.height);
  };
};

/** Takes a snapshot and finds the record that fits it best, of those of its time. */
const snap = (page, options) => page.evaluate(async (options) => {
  const player = document.querySelector('overwatch-view');
  const people = () => player.metadata?.objects.some(({ className }) => className === 'person') ?? false;
  while (!people()) await new Promise((resolve) => player.addEventListener('metadata', resolve, { once: true }));
  const records = player.metadata === null ? [] : [player.metadata];
  const collect = ({ detail }) => records.push(detail);
  player.addEventListener('metadata', collect);
  const blob = await player.snapshot(options);
  player.removeEventListener('metadata', collect);
  const pixels = await window.pixelsOf(blob);
  const fits = records.map((record) => window.coloured(pixels, record, '#18b7f2')).filter(({ people }) => people > 0);
  fits.sort((a, b) => b.hits / b.people - a.hits / a.people);
  return { type: blob.type, width: pixels.width, height: pixels.height, ...fits[0] };
}, options);

for (const transport of ['webrtc', 'websocket']) {
  test(`a snapshot has the overlay of its picture, or none (${transport})`, { timeout: 90000 }, async (t) => {
    const page = await open(t, 'clean', {}, 3, transport);
    await page.evaluate(inPage);
    for (let i = 0; i < 5; i++) {
      const withIt = await snap(page, {});
      assert.deepEqual([withIt.type, withIt.width, withIt.height], ['image/png', 768, 576]);
      assert.ok(withIt.people > 0 && withIt.hits === withIt.people, JSON.stringify(withIt));
    }
    const without = await snap(page, { overlay: false });
    assert.deepEqual([without.type, without.width, without.height], ['image/png', 768, 576]);
    assert.equal(without.hits, 0, JSON.stringify(without));
  });
}

test('where the server draws, a snapshot without is the server\'s', { timeout: 90000 }, async (t) => {
  const page = await open(t, 'xray');
  await page.evaluate(inPage);
  const withIt = await snap(page, {});
  assert.ok(withIt.type === 'image/png' && withIt.hits > 0, JSON.stringify(withIt));
  const without = await snap(page, { overlay: false });
  assert.ok(without.type === 'image/jpeg' && without.width === 768, JSON.stringify(without));
  assert.equal(without.hits, 0, JSON.stringify(without));
  const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Shift+S')]);
  assert.match(download.suggestedFilename(), /^live-.*\.jpg$/);
});

test('a legend is drawn when it is asked for', { timeout: 90000 }, async (t) => {
  const page = await open(t, 'clean');
  // In some corner of the picture a swatch of people's colour, of 10 pixels, in the legend's column.
  const swatch = () => page.evaluate(() => {
    const canvas = document.querySelector('overwatch-view').shadowRoot.querySelector('.overlay');
    const { data, width, height } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const blue = (x, y) => { const at = 4 * (y * width + x); return data[at + 3] === 255 && data[at] === 0x18 && data[at + 1] === 0xb7 && data[at + 2] === 0xf2; };
    const ground = (x, y) => { const at = 4 * (y * width + x); return data[at + 3] > 180 && data[at + 3] < 200; };
    for (let y = 12; y < height - 12; y++) {
      for (let x = 12; x < width - 12; x++) {
        if (blue(x + 4, y) && blue(x + 4, y + 9) && blue(x, y + 4) && blue(x + 9, y + 4) && ground(x - 2, y + 4) && ground(x + 12, y + 4) && ground(x + 4, y - 2) && ground(x + 4, y + 12)) return true;
      }
    }
    return false;
  });
  assert.equal(await swatch(), false);
  const button = page.getByTestId('legend');
  await button.click();
  assert.equal(await button.getAttribute('aria-pressed'), 'true');
  await eventually('a legend', 10, swatch);
  await page.keyboard.press('l');
  await eventually('no legend', 10, async () => !(await swatch()));
  // By the element's own bar, as in a page that embeds it.
  await page.evaluate(() => document.querySelector('overwatch-view').setAttribute('controls', ''));
  await page.locator('overwatch-view [data-action=legend][aria-pressed=false]').click();
  await eventually('a legend by the bar', 10, swatch);
  await page.locator('overwatch-view [data-action=legend][aria-pressed=true]').click();
  // What is filtered out is not counted.
  await page.keyboard.press('l');
  await eventually('a legend again', 10, swatch);
  await page.evaluate(() => document.querySelector('overwatch-view').setAttribute('overlay-classes', 'car'));
  await eventually('people are forgotten', 10, async () => !(await swatch()));
});
