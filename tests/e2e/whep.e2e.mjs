// A WHEP player that knows nothing of this server: npm's @eyevinn/webrtc-player, in Chromium, in a page
// of another site, as players are.
// Runs alone: it measures how old pictures are.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';

import { eventually, root, startServer, testPattern } from '../integ/server.mjs';
import { launch, openPage } from './browser.mjs';

const esbuild = createRequire(join(root, 'workflow-builder/package.json'))('esbuild');
const SITE = 'player.test';

// The site of the player: a page with its script and the reader of the clock code.
async function startSite(t, server) {
  const { outputFiles } = await esbuild.build({
    stdin: { contents: 'window.WebRTCPlayer = require("@eyevinn/webrtc-player").WebRTCPlayer;', resolveDir: join(root, 'tests') },
    bundle: true, write: false, logLevel: 'error',
  });
  const clockCode = await (await fetch(`${server.url}/clock-code.js`)).text();
  const files = {
    '/': ['text/html', '<!doctype html><title>player</title><video muted autoplay playsinline></video><script src="/player.js"></script>'],
    '/player.js': ['text/javascript', outputFiles[0].text],
    '/clock-code.js': ['text/javascript', clockCode],
  };
  const site = createServer((request, response) => {
    const [type, text] = files[request.url] ?? ['text/plain', ''];
    response.writeHead(files[request.url] ? 200 : 404, { 'content-type': type }).end(text);
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  t.after(() => site.close());
  return `http://${SITE}:${site.address().port}/`;
}

async function open(t, options) {
  const server = await startServer(testPattern(), options);
  t.after(server.stop);
  const address = await startSite(t, server);
  const browser = await launch(t, [`--host-resolver-rules=MAP ${SITE} 127.0.0.1`]);
  const page = await openPage(browser, address);
  await page.evaluate((url) => {
    window.player = new window.WebRTCPlayer({ video: document.querySelector('video'), type: 'whep', iceServers: [] });
    return window.player.load(new URL(url));
  }, `${server.url}/whep/view`);
  return { server, page };
}

// The ages of `count` pictures, as the machine-readable clock in them tells.
function readAges(page, count) {
  return page.evaluate(async (wanted) => {
    const { ClockCodeReader, clockCodeAgeUs, wallNowUs } = await import('/clock-code.js');
    const reader = new ClockCodeReader(), video = document.querySelector('video'), ages = [];
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${ages.length} clocks read`)), 20000);
      video.requestVideoFrameCallback(function shown() {
        const code = reader.read(video, video.videoHeight);
        if (code !== null) ages.push(clockCodeAgeUs(code, wallNowUs()) / 1000);
        if (ages.length < wanted) {
          video.requestVideoFrameCallback(shown);
        } else {
          clearTimeout(late);
          resolve(ages);
        }
      });
    });
  }, count);
}

const viewers = async (server) => (await (await fetch(`${server.url}/api/webrtc/stats`)).json()).active_connections;

test('a WHEP player of another site shows the picture and ends its session', { timeout: 90000 }, async (t) => {
  const { server, page } = await open(t, ['--allowed-hosts', SITE]);
  const ages = (await readAges(page, 40)).sort((a, b) => a - b);
  t.diagnostic(`age of shown pictures: median ${ages[20].toFixed(1)} ms`);
  assert.ok(ages[0] > 0 && ages[20] < 500, `ages ${ages[0]}…${ages[39]} ms`);
  assert.equal(await viewers(server), 1);
  await page.evaluate(() => window.player.unload());
  await eventually('the session was ended by DELETE', 5, async () => (await viewers(server)) === 0);
  assert.match(server.log(), /WebRTC connection state: closed/);
});

test('a site that the operator has not allowed gets nothing', { timeout: 60000 }, async (t) => {
  const { server, page } = await open(t, []);
  await eventually('the browser kept the answer from the player', 20, () => page.failures.some((text) => /fetch/i.test(text)));
  assert.equal(await viewers(server), 0);
});
