#!/usr/bin/env node
// Takes the pictures of the pages that README.md and docs/ show: the demo in real Chromium.
//
//   node tools/screenshots.mjs        writes docs/images/*.jpg; ./test must have run once
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { launch, openPage, showsPictures } from '../tests/e2e/browser.mjs';
import { root, startServer } from '../tests/integ/server.mjs';

const endings = [];
const context = { after: (end) => endings.unshift(end) };
const demo = JSON.parse(readFileSync(join(root, 'workflows/demo.json'), 'utf8'));

async function picture(browser, url, name, { ready, act, ...options }) {
  const page = await openPage(browser, url, options);
  await ready(page);
  await act?.(page);
  await page.screenshot({ path: join(root, 'docs/images', `${name}.jpg`), type: 'jpeg', quality: 88 });
  await page.context().close();
}

// Pictures with objects and half a minute of latency curve behind them.
const watched = async (page) => {
  await showsPictures(page, 'webrtc');
  await page.waitForFunction(() => {
    const { detections, history } = document.querySelector('overwatch-view').stats;
    return detections > 5 && history.filter((value) => value !== null).length > 55;
  }, null, { timeout: 60000 });
};
const listed = (page) => page.waitForFunction(() => {
  const live = document.querySelectorAll('[data-picture=true][data-liveness=live]');
  return live.length === 2 && [...live].every((card) => !/–/.test(card.textContent));
});

const wired = async (page) => {
  await page.waitForFunction(() => document.querySelector('[data-testid=run-state]')?.dataset.state === 'connected');
  await page.waitForFunction(() => [...document.querySelectorAll('overwatch-view')].some((view) => view.stats?.detections > 5), null, { timeout: 30000 });
};

try {
  const server = await startServer(null, ['--example', join(root, 'workflows/demo.json')]);
  context.after(server.stop);
  const browser = await launch(context);
  const viewport = { width: 1280, height: 720 };
  await picture(browser, `${server.url}/`, 'builder', {
    viewport: { width: 1440, height: 810 }, colorScheme: 'dark', ready: wired,
  });
  await picture(browser, `${server.url}/view/live`, 'view', {
    viewport, colorScheme: 'dark', ready: watched, act: (page) => page.keyboard.press('i'),
  });
  await picture(browser, `${server.url}/view/live`, 'view-phone', {
    viewport: { width: 390, height: 844 }, colorScheme: 'dark', ready: watched,
  });
  await picture(browser, `${server.url}/wall`, 'list', { viewport, colorScheme: 'dark', ready: listed });
  await picture(browser, `${server.url}/wall`, 'list-light', { viewport, colorScheme: 'light', ready: listed });
} finally {
  for (const end of endings) await end();
}
