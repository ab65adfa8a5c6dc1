// Real Chromium for the end-to-end tests, and the questions they ask a page.
import { createRequire } from 'node:module';

export const { chromium } = createRequire(new URL('../package.json', import.meta.url))('playwright-core');

export const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-component-update',
  '--disable-background-networking', '--disable-sync', '--autoplay-policy=no-user-gesture-required',
];

/** Starts Chromium; it ends with the test. */
export async function launch(t, extra = []) {
  const browser = await chromium.launch({
    executablePath: process.env.OVERWATCH_CHROMIUM ?? '/usr/bin/chromium', args: [...FLAGS, ...extra],
  });
  t.after(() => browser.close());
  return browser;
}

/** A page that keeps its console lines in `page.lines` and its errors in `page.failures`. */
export async function openPage(browser, url, { viewport = { width: 1280, height: 720 }, colorScheme, init, waitUntil } = {}) {
  const context = await browser.newContext({ viewport, colorScheme });
  const page = await context.newPage();
  page.lines = [];
  page.failures = [];
  page.on('console', (message) => page.lines.push(message.text()));
  page.on('pageerror', (error) => page.failures.push(error.message));
  if (init) await page.addInitScript(init);
  await page.goto(url, { waitUntil });
  return page;
}

/** Waits until the player shows moving pictures over this transport (null: any). */
export function showsPictures(page, transport = null, seconds = 30) {
  return page.waitForFunction((wanted) => {
    const player = document.querySelector('overwatch-view');
    if (!player || player.state !== 'connected') return false;
    return (!wanted || player.activeTransport === wanted) && player.stats.fps > 0;
  }, transport, { timeout: seconds * 1000, polling: 50 });
}

export function playerState(page) {
  return page.evaluate(() => {
    const { state, reason, activeTransport, stats } = document.querySelector('overwatch-view');
    return { state, reason, activeTransport, stats: { ...stats } };
  });
}

/** Reads the clock of `count` shown pictures: [{ age (ms), transport }]. */
export function readClocks(page, count, seconds = 30) {
  return page.evaluate(async ({ count, seconds }) => {
    const { ClockCodeReader, clockCodeAgeUs, wallNowUs } = await import('/clock-code.js');
    const player = document.querySelector('overwatch-view');
    const reader = new ClockCodeReader();
    const clocks = [];
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${clocks.length} clocks read`)), seconds * 1000);
      player.addEventListener('frame', function read(event) {
        const surface = player.surface;
        const height = surface.videoHeight ?? surface.height;
        const code = reader.read(surface, height);
        if (code === null) return;
        clocks.push({ age: clockCodeAgeUs(code, wallNowUs()) / 1000, transport: event.detail.transport });
        if (clocks.length < count) return;
        player.removeEventListener('frame', read);
        clearTimeout(late);
        resolve(clocks);
      });
    });
  }, { count, seconds });
}

/** The shown picture as RGBA rows, taken from the player's surface. */
export function grabPicture(page) {
  return page.evaluate(() => {
    const surface = document.querySelector('overwatch-view').surface;
    const width = surface.videoWidth ?? surface.width, height = surface.videoHeight ?? surface.height;
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d');
    context.drawImage(surface, 0, 0);
    return { width, height, data: Array.from(context.getImageData(0, 0, width, height).data) };
  });
}
