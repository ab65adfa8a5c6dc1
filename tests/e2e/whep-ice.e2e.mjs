// WHEP by hand in Chromium, from a page of an allowed origin: how candidates and restarts of ICE go.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { eventually, startServer, testPattern } from '../integ/server.mjs';
import { launch, openPage } from './browser.mjs';

/** An empty page of another origin; resolves with its address. */
async function otherOrigin(t) {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>player</title><video autoplay muted playsinline></video>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}/`;
}

async function serve(t, extra = []) {
  const server = await startServer(testPattern(), extra);
  t.after(server.stop);
  return server;
}

const viewers = async (server) => (await (await fetch(`${server.url}/api/webrtc/stats`)).json()).active_connections;

/** Waits until `count` pictures were shown; resolves with the size of the last. */
const pictures = (page, count) => page.evaluate((wanted) => new Promise((resolve) => {
  const video = document.querySelector('video');
  let seen = 0;
  const shown = (_now, { width, height }) => {
    seen += 1;
    if (seen >= wanted) resolve({ width, height });
    else video.requestVideoFrameCallback(shown);
  };
  video.requestVideoFrameCallback(shown);
}), count);

test('candidates, a restart of ICE and the end go by the entity tag', { timeout: 60000 }, async (t) => {
  const server = await serve(t, ['--allowed-hosts', '127.0.0.1']);
  const browser = await launch(t, ['--disable-features=WebRtcHideLocalIpsWithMdns']);
  const page = await openPage(browser, await otherOrigin(t));
  const opened = await page.evaluate(async (url) => {
    const pc = new RTCPeerConnection();
    const session = window.session = { pc };
    const candidates = [];
    pc.onicecandidate = ({ candidate }) => { if (candidate?.candidate) candidates.push(candidate.candidate); };
    document.querySelector('video').srcObject = new MediaStream([pc.addTransceiver('video', { direction: 'recvonly' }).receiver.track]);
    const value = (text, name) => new RegExp(`a=${name}:(\\S+)`).exec(text)[1];
    session.fragment = (lines) => [
      `a=ice-ufrag:${value(pc.localDescription.sdp, 'ice-ufrag')}`, `a=ice-pwd:${value(pc.localDescription.sdp, 'ice-pwd')}`,
      /m=video.*/.exec(pc.localDescription.sdp)[0].trim(), 'a=mid:0', ...lines.map((line) => `a=${line}`), ''].join('\r\n');
    session.patch = async (lines, ifMatch) => {
      const answer = await fetch(session.place, { method: 'PATCH', headers: { 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': ifMatch }, body: session.fragment(lines) });
      return { status: answer.status, etag: answer.headers.get('etag'), text: await answer.text() };
    };
    await pc.setLocalDescription();
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/sdp' }, body: pc.localDescription.sdp });
    session.place = new URL(answer.headers.get('location'), url).href;
    session.etag = answer.headers.get('etag');
    session.answer = await answer.text();
    await pc.setRemoteDescription({ type: 'answer', sdp: session.answer });
    while (candidates.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    return { status: answer.status, etag: session.etag, trickled: await session.patch(candidates, session.etag), stale: await session.patch(candidates, '"other"') };
  }, `${server.url}/whep/view`);
  assert.equal(opened.status, 201);
  assert.equal(opened.trickled.status, 204);
  assert.equal(opened.stale.status, 412);
  await pictures(page, 10);

  const restarted = await page.evaluate(async () => {
    const { pc, patch, answer } = window.session;
    await pc.setLocalDescription(await pc.createOffer({ iceRestart: true }));
    const result = await patch([], '*');
    const value = (name) => new RegExp(`a=${name}:\\S+`).exec(result.text)[0];
    await pc.setRemoteDescription({ type: 'answer', sdp: answer.replace(/a=ice-ufrag:\S+/, value('ice-ufrag')).replace(/a=ice-pwd:\S+/, value('ice-pwd')) });
    return result;
  });
  assert.equal(restarted.status, 200);
  assert.ok(restarted.etag && restarted.etag !== opened.etag, `${opened.etag} then ${restarted.etag}`);
  await page.waitForFunction(() => window.session.pc.connectionState === 'connected' && window.session.pc.iceConnectionState !== 'checking');
  await pictures(page, 30);
  const used = await eventually('a pair of the new ICE session is in use', 10, async () => {
    const reports = await page.evaluate(async () => [...(await window.session.pc.getStats()).values()]);
    const transport = reports.find(({ type }) => type === 'transport');
    const pair = reports.find(({ id }) => id === transport.selectedCandidatePairId);
    const remote = reports.find(({ id }) => id === pair?.remoteCandidateId);
    return remote?.usernameFragment && restarted.text.includes(`a=ice-ufrag:${remote.usernameFragment}`) ? remote : null;
  });
  assert.equal(used.address, '127.0.0.1');

  const deleted = await page.evaluate(async () => {
    const { place } = window.session;
    return [(await fetch(place, { method: 'DELETE' })).status, (await fetch(place, { method: 'DELETE' })).status];
  });
  assert.deepEqual(deleted, [200, 404]);
  assert.equal(await viewers(server), 0);
});
