// How the page's connection comes about where something is missing, and what the page says meanwhile.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually, startServer, testPattern } from '../integ/server.mjs';
import { launch, openPage, playerState, readClocks, showsPictures } from './browser.mjs';

const NO_UDP = '--webrtc-ip-handling-policy=disable_non_proxied_udp';

async function serve(t, extra = []) {
  const server = await startServer(testPattern(), extra);
  t.after(server.stop);
  return server;
}

/** Keeps the page's requests to the session: { method, body, status, text }. */
function watchSession(page) {
  const calls = [];
  page.on('response', async (response) => {
    const request = response.request();
    if (!/\/api\/webrtc\/sessions\//.test(request.url())) return;
    const call = { method: request.method(), body: request.postData() ?? '', status: response.status() };
    call.text = await response.text().catch(() => '');
    calls.push(call);
  });
  return calls;
}

// Until window.blocked is false, the candidates in the server's answer lead to nowhere (RFC 5737).
const blockAnswer = () => {
  window.blocked = true;
  const set = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function (answer) {
    const sdp = answer.sdp.replace(/^(a=candidate:\S+ 1 \S+ \d+ )\S+/gm, '$1198.51.100.1');
    return set.call(this, window.blocked ? { type: answer.type, sdp } : answer);
  };
};

// The same for all its candidates, as if a firewall ate the packets.
const blockMedia = `(${blockAnswer})();(${() => {
  const add = RTCPeerConnection.prototype.addIceCandidate;
  RTCPeerConnection.prototype.addIceCandidate = function (candidate) {
    return window.blocked ? Promise.resolve() : add.call(this, candidate);
  };
}})();`;

test('the page tells its candidates after the offer, without anybody waiting for them', { timeout: 60000 }, async (t) => {
  const server = await serve(t);
  const browser = await launch(t, ['--disable-features=WebRtcHideLocalIpsWithMdns']);
  const page = await openPage(browser, 'about:blank');
  const calls = watchSession(page);
  let offer = '';
  page.on('request', (request) => { if (/webrtc\/offer/.test(request.url())) offer = request.postData(); });
  await page.goto(`${server.url}/view/view`);
  await showsPictures(page, 'webrtc');
  const told = await eventually('candidates are told', 10, () => calls.find(({ method }) => method === 'PATCH'));
  assert.doesNotMatch(offer, /a=candidate/, 'the offer waited for candidates');
  assert.match(told.body, /^a=ice-ufrag:\S+\r\na=ice-pwd:\S+\r\nm=video .*\r\na=mid:0\r\na=candidate:\S+ 1 udp /);
  assert.equal(told.status, 204);
  assert.deepEqual(page.failures, []);
});

test('what the server tells after its answer is tried as well', { timeout: 60000 }, async (t) => {
  const server = await serve(t);
  const page = await openPage(await launch(t), `${server.url}/view/view?transport=webrtc`, { init: blockAnswer, waitUntil: 'commit' });
  const calls = watchSession(page);
  await showsPictures(page, 'webrtc');
  const told = JSON.parse(calls.find(({ method }) => method === 'GET').text);
  assert.ok(told.candidates.some((candidate) => candidate.includes(` 127.0.0.1 ${server.mediaPort} `)), told.candidates.join());
});

test('where UDP is blocked, WebRTC comes by TCP', { timeout: 60000 }, async (t) => {
  const server = await serve(t);
  const page = await openPage(await launch(t, [NO_UDP]), `${server.url}/view/view`);
  await showsPictures(page, 'webrtc');
  const clocks = await readClocks(page, 20);
  assert.ok(clocks.every(({ age, transport }) => transport === 'webrtc' && age < 500));
  await page.waitForFunction(() => document.querySelector('overwatch-view').stats.path === 'TCP');
});

test('where TCP is off as well, the WebSocket shows the picture and the page says why', { timeout: 60000 }, async (t) => {
  const server = await serve(t, ['--no-ice-tcp']);
  const page = await openPage(await launch(t, [NO_UDP]), `${server.url}/view/view`);
  await showsPictures(page, 'websocket');
  assert.equal((await readClocks(page, 10)).length, 10);
  await page.waitForFunction(() => /sends no UDP.*--no-ice-tcp/.test(document.querySelector('overwatch-view').reason), null, { timeout: 15000 });
});

test('an unreachable media port is named, with what to do, and the picture is shown', { timeout: 90000 }, async (t) => {
  const server = await serve(t);
  const page = await openPage(await launch(t), `${server.url}/view/view`, { init: blockMedia });
  await showsPictures(page, 'websocket', 8);
  await page.waitForFunction(() => /^No packet reached the server: .*Open port \d+ for UDP/.test(document.querySelector('overwatch-view').reason), null, { timeout: 20000 });
  const { state, reason, stats } = await playerState(page);
  assert.equal(state, 'connected');
  assert.ok(reason.includes(`port ${server.mediaPort} `), reason);
  assert.deepEqual(stats.steps.slice(0, 2).map(({ state: step }) => step), ['done', 'done']);
  assert.match(page.lines.join('\n'), /WebRTC failed at step "checks": No packet reached the server/);

  await page.keyboard.press('i');
  const way = page.getByTestId('steps').locator('[data-step=checks]');
  await way.waitFor({ state: 'visible' });
  assert.match(await way.textContent(), /Path.*m?s/);

  await page.evaluate(() => { window.blocked = false; });
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  await showsPictures(page, 'webrtc', 20);
  assert.equal((await playerState(page)).reason, '');
});

test('WebRTC alone that cannot come through is an error with its steps', { timeout: 60000 }, async (t) => {
  const server = await serve(t);
  const page = await openPage(await launch(t), `${server.url}/view/view?transport=webrtc`, { init: blockMedia, waitUntil: 'commit' });
  await page.waitForFunction(() => {
    const player = document.querySelector('overwatch-view');
    return player?.state === 'connecting' && /way through the network|has reached the server/.test(player.reason);
  });
  await page.waitForFunction(() => document.querySelector('overwatch-view').state === 'error', null, { timeout: 20000 });
  const steps = page.locator('overwatch-view').locator('.steps li');
  await eventually('the steps are shown', 10, async () => (await steps.allTextContents()).join() === 'Offer,Addresses,Path,Encryption,First packet,Picture');
});

test('when the network changes, ICE starts anew and the session stays', { timeout: 60000 }, async (t) => {
  const server = await serve(t);
  const page = await openPage(await launch(t), `${server.url}/view/view`);
  await showsPictures(page, 'webrtc');
  const calls = watchSession(page);
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  const restart = await eventually('ICE is started anew', 10, () => calls.find(({ method }) => method === 'PATCH'));
  assert.equal(restart.status, 200);
  assert.match(restart.text, /a=ice-ufrag:\S+/);
  assert.notEqual(/ice-ufrag:(\S+)/.exec(restart.text)[1], /ice-ufrag:(\S+)/.exec(restart.body)[1]);
  const clocks = await readClocks(page, 60);
  assert.ok(clocks.every(({ transport }) => transport === 'webrtc'), 'the picture never left WebRTC');
  const { active_connections: viewers } = await (await fetch(`${server.url}/api/webrtc/stats`)).json();
  assert.equal(viewers, 1, 'it is the same session');
  assert.ok(!page.lines.some((line) => /failed|closed/.test(line)), page.lines.join(' | '));
});

test('a browser without H.264 and VP8 is told so, and sees the WebSocket', { timeout: 60000 }, async (t) => {
  const server = await serve(t);
  const init = () => {
    const all = RTCRtpReceiver.getCapabilities.bind(RTCRtpReceiver);
    RTCRtpReceiver.getCapabilities = (kind) => {
      const { codecs, ...rest } = all(kind);
      return { ...rest, codecs: codecs.filter(({ mimeType }) => !/h264|vp8/i.test(mimeType)) };
    };
  };
  const page = await openPage(await launch(t), `${server.url}/view/view`, { init });
  await showsPictures(page, 'websocket');
  assert.match((await playerState(page)).reason, /neither H\.264 nor VP8/);
  assert.ok(!server.log().includes('Received WebRTC offer'), 'nothing was asked in vain');
});

// The browser's offer holds no H.264, as Firefox's without its download.
const hideH264 = () => {
  const all = RTCRtpReceiver.getCapabilities.bind(RTCRtpReceiver);
  RTCRtpReceiver.getCapabilities = (kind) => {
    const { codecs, ...rest } = all(kind);
    return { ...rest, codecs: codecs.filter(({ mimeType }) => !/h264/i.test(mimeType)) };
  };
};

test('a browser without H.264 is shown VP8', { timeout: 60000 }, async (t) => {
  const server = await serve(t);
  const page = await openPage(await launch(t), `${server.url}/view/view`, { init: hideH264 });
  await showsPictures(page, 'webrtc');
  assert.ok((await readClocks(page, 20)).every(({ age, transport }) => transport === 'webrtc' && age < 500));
  await page.waitForFunction(() => document.querySelector('overwatch-view').stats.codec === 'VP8');
  await page.keyboard.press('i');
  await eventually('the details name it', 10, async () => /VP8/.test(await page.getByTestId('stat-codec').textContent()));
});

test('with VP8 switched off it falls back to the WebSocket and says why', { timeout: 60000 }, async (t) => {
  const server = await serve(t, ['--codec', 'h264']);
  const page = await openPage(await launch(t), `${server.url}/view/view`, { init: hideH264 });
  await showsPictures(page, 'websocket');
  const { reason, state } = await playerState(page);
  assert.equal(state, 'connected');
  assert.match(reason, /^This browser offers no .*H\.264/);
});

test('the page learns STUN and TURN servers, and nobody the secret', { timeout: 60000 }, async (t) => {
  const server = await serve(t, ['--stun', 'stun:127.0.0.1:9', '--turn', 'turn:127.0.0.1:9', '--turn-secret', 'very-secret']);
  const init = () => {
    window.servers = [];
    const set = RTCPeerConnection.prototype.setConfiguration;
    RTCPeerConnection.prototype.setConfiguration = function (configuration) {
      window.servers.push(...configuration.iceServers);
      return set.call(this, configuration);
    };
  };
  const page = await openPage(await launch(t), `${server.url}/view/view`, { init });
  await showsPictures(page, 'webrtc');
  await page.waitForFunction(() => window.servers.length === 2);
  const [stun, turn] = await page.evaluate(() => window.servers);
  assert.deepEqual(stun.urls, ['stun:127.0.0.1:9']);
  assert.deepEqual(turn.urls, ['turn:127.0.0.1:9']);
  assert.ok(Number(turn.username.split(':')[0]) > Date.now() / 1000, 'the name ends in time to come');
  assert.ok(turn.credential.length > 20);
  assert.ok(!JSON.stringify(turn).includes('very-secret') && !server.log().includes('very-secret'));
});
