#!/usr/bin/env node
// Takes the pictures of the pages that README.md and docs/ show, from the running program: real
// footage, the real model, real Chromium.
//
//   node tools/screenshots.mjs [NAME]…     writes docs/images/NAME.jpg (all of them); ./test must have run once
import { join } from 'node:path';

import { launch, openPage, showsPictures } from '../tests/e2e/browser.mjs';
import { postJson, root, startServer } from '../tests/integ/server.mjs';

const DESKTOP = { width: 1280, height: 720 };
const PHONE = { width: 390, height: 844 };
const QUALITY = 84;

// Five views of the footage, each at a speed of its own so that they differ, and a camera that is off.
function street() {
  const places = [['Gate', 1], ['Yard', 0.8], ['Crossing', 1.25], ['Path', 0.65], ['Lawn', 1.5]];
  const node = (id, type, data) => ({ id, type, position: { x: 0, y: 0 }, data });
  const edge = (source, target) => ({ id: `${source}-${target}`, source, target });
  return {
    id: 'street', name: 'Street', version: '1.0',
    nodes: [
      ...places.flatMap(([name, playbackSpeed], i) => [
        node(`film-${i}`, 'videoInput', { videoPath: 'vtest.avi', playbackSpeed }),
        node(`model-${i}`, 'model', { confidence: 0.4, fps: 5 }),
        node(`view-${i}`, 'videoPreviewWebRTC', { label: name, bitratePreset: 'high' }),
      ]),
      node('camera', 'camera', { url: 'rtsp://127.0.0.1:9/stream1' }),
      node('view-off', 'videoPreviewWebRTC', { label: 'Rear door' }),
    ],
    edges: [...places.flatMap((_, i) => [edge(`film-${i}`, `model-${i}`), edge(`model-${i}`, `view-${i}`)]), edge('camera', 'view-off')],
  };
}

// Pictures with objects and half a minute of latency curve behind them.
const watched = async (page) => {
  await showsPictures(page, 'webrtc');
  await page.waitForFunction(() => {
    const { detections, history } = document.querySelector('overwatch-view').stats;
    return detections > 5 && history.filter((value) => value !== null).length > 55;
  }, null, { timeout: 90000 });
};

const openDetails = async (page) => {
  await page.keyboard.press('i');
  await page.waitForFunction(() => /b\/s/.test(document.querySelector('[data-testid=stat-sent]').textContent));
};

// Until the figures of the first second, and what the encoder made of the first pictures, are past.
const settle = (page) => page.waitForTimeout(8000);

const wired = async (page) => {
  await page.waitForFunction(() => document.querySelector('[data-testid=run-state]')?.dataset.state === 'connected');
  await page.waitForFunction(() => [...document.querySelectorAll('overwatch-view')].some((view) => view.stats?.detections > 5), null, { timeout: 30000 });
  await settle(page);
};

const full = async (page) => {
  await page.waitForFunction(() => {
    const live = [...document.querySelectorAll('.tile[data-picture=live][data-liveness=live]')];
    return live.length === 5 && live.every((tile) => /[2-9]\d* objects/.test(tile.textContent)) && document.querySelector('.tile[data-liveness=no-signal][data-picture=live]');
  }, null, { timeout: 90000 });
  await settle(page);
};

// A minute of both transports, measured.
const measured = (page) => page.waitForFunction(() => {
  const lines = [...document.querySelectorAll('.sparkline .line')];
  return lines.every((line) => (line.getAttribute('d').match(/[ML]/g) ?? []).length > 60);
}, null, { timeout: 150000 });

const asked = (page) => page.locator('input[type=password]').waitFor();

async function demoServer() {
  return startServer(null, ['--example', join(root, 'workflows/demo.json')]);
}

async function wallServer() {
  const server = await startServer(null);
  const { status, body } = await postJson(`${server.url}/api/workflow-builder/execute`, street());
  if (status >= 300) throw new Error(`the wall's workflow: ${JSON.stringify(body)}`);
  return server;
}

async function protectedServer() {
  return startServer(null, ['--token', 'shown-in-no-picture-0123', '--data-folder', 'none']);
}

/* name: [server, path, size, theme, when it is ready, what is done then] */
const PICTURES = {
  builder: [demoServer, '/', { width: 1440, height: 810 }, 'dark', wired],
  view: [demoServer, '/view/live', DESKTOP, 'dark', watched, openDetails],
  'view-phone': [demoServer, '/view/live', PHONE, 'dark', watched],
  wall: [wallServer, '/wall', DESKTOP, 'dark', full],
  'wall-phone': [wallServer, '/wall', PHONE, 'light', full],
  performance: [demoServer, '/performance', DESKTOP, 'light', measured],
  login: [protectedServer, '/login', { width: 720, height: 405 }, 'light', asked],
};

/* The performance page measures what somebody watches. */
async function watchBoth(browser, url) {
  for (const path of ['/view/live?transport=webrtc', '/view/pictures?transport=websocket']) await showsPictures(await openPage(browser, url + path));
}

async function take(name, [serve, path, viewport, colorScheme, ready, act]) {
  const endings = [];
  try {
    const server = await serve();
    endings.unshift(server.stop);
    const browser = await launch({ after: (end) => endings.unshift(end) });
    if (name === 'performance') await watchBoth(browser, server.url);
    const page = await openPage(browser, server.url + path, { viewport, colorScheme });
    await ready(page);
    await act?.(page);
    await page.screenshot({ path: join(root, 'docs/images', `${name}.jpg`), type: 'jpeg', quality: QUALITY });
  } finally {
    for (const end of endings) await end();
  }
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(PICTURES);
for (const name of names) {
  if (!PICTURES[name]) throw new Error(`there is no picture "${name}": ${Object.keys(PICTURES).join(', ')}`);
  await take(name, PICTURES[name]);
}
