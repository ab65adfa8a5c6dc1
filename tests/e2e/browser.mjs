// Real Chromium for the end-to-end tests, and the questions they ask a page.
import { createRequire } from 'node:module';
import { after } from 'node:test';

export const { chromium } = createRequire(new URL('../package.json', import.meta.url))('playwright-core');

export const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-component-update',
  '--disable-background-networking', '--disable-sync', '--autoplay-policy=no-user-gesture-required',
];

const usual = () => process.env.OVERWATCH_CHROMIUM ?? '/usr/bin/chromium';
const start = (executablePath, extra) => chromium.launch({ executablePath, args: [...FLAGS, ...extra] });

// The tests of a file share a Chromium for each set of flags: each has contexts of its own in it, so
// that no cookie, no storage and no page of one is there for another.
const plain = usual();
const shared = new Map(); // flags: browser
const tests = process.env.NODE_TEST_CONTEXT !== undefined; // and no bench or tool
if (tests) {
  after(async () => {
    for (const browser of shared.values()) await browser.close();
  });
}

/**
 * A Chromium to open contexts in; what a test opens ends with the test. Where a test has put another
 * command in OVERWATCH_CHROMIUM, for example one in a network namespace, the browser is its own.
 */
export async function launch(t, extra = []) {
  if (!tests || usual() !== plain) {
    const own = await start(usual(), extra);
    t.after(() => own.close());
    return own;
  }
  const flags = extra.join(' ');
  if (!shared.get(flags)?.isConnected()) shared.set(flags, await start(plain, extra));
  const browser = shared.get(flags);
  const contexts = [];
  t.after(() => Promise.all(contexts.map((context) => context.close())));
  return {
    newContext: async (options) => {
      const context = await browser.newContext(options);
      contexts.push(context);
      return context;
    },
  };
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

/** Waits until the player has shown so many more pictures. */
export function nextPictures(page, count) {
  return page.evaluate((count) => new Promise((resolve) => {
    const player = document.querySelector('overwatch-view');
    let left = count;
    player.addEventListener('frame', function shown() {
      if (--left > 0) return;
      player.removeEventListener('frame', shown);
      resolve();
    });
  }), count);
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

/** Of an image URL of the server, or without one of the player's surface: { width, height, data (RGBA) }. */
export async function grabPicture(page, { url = null, scale = 1 } = {}) {
  const { width, height, base64 } = await page.evaluate(async ({ url, scale }) => {
    const source = url === null ? document.querySelector('overwatch-view').surface
      : await createImageBitmap(await (await fetch(url)).blob());
    const width = Math.round((source.videoWidth ?? source.width) * scale);
    const height = Math.round((source.videoHeight ?? source.height) * scale);
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d');
    context.drawImage(source, 0, 0, width, height);
    // As one text: millions of numbers would take seconds.
    const read = new FileReader();
    read.readAsDataURL(new Blob([context.getImageData(0, 0, width, height).data]));
    await new Promise((resolve) => read.addEventListener('load', resolve));
    return { width, height, base64: read.result.slice(read.result.indexOf(',') + 1) };
  }, { url, scale });
  return { width, height, data: Buffer.from(base64, 'base64') };
}
