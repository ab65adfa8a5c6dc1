import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionMachine, type Transport } from '../src/player/session-machine';

function machine(webrtc = true): SessionMachine {
  const made = new SessionMachine(webrtc, 'front door');
  made.start(0);
  return made;
}

/** Frames of a transport each 33 ms in (from, to], with the player's ticks between. */
function stream(target: SessionMachine, transport: Transport, from: number, to: number): void {
  for (let now = from + 33; now <= to; now += 33) {
    target.frame(transport, now);
    target.tick(now);
  }
}

function tickThrough(target: SessionMachine, from: number, to: number): void {
  for (let now = from; now <= to; now += 50) target.tick(now);
}

test('starts with WebRTC alone and is connected at the first picture', () => {
  const player = machine();
  assert.deepEqual(player.view(0), { state: 'connecting', reason: '', shown: null, attempts: { webrtc: 1, websocket: 0 } });
  player.frame('webrtc', 80);
  assert.deepEqual(player.view(80), { state: 'connected', reason: '', shown: 'webrtc', attempts: { webrtc: 1, websocket: 0 } });
});

test('the WebSocket shows the picture after two seconds; four are a failure that says why', () => {
  const player = machine();
  player.describes('Looking for a way…', '');
  tickThrough(player, 0, 1950);
  assert.equal(player.view(1950).attempts.websocket, 0);
  assert.equal(player.view(1950).reason, 'Looking for a way…');
  player.tick(2000);
  assert.notEqual(player.view(2000).attempts.websocket, 0);
  assert.notEqual(player.view(2000).attempts.webrtc, 0, 'WebRTC goes on');
  assert.equal(player.view(2000).state, 'connecting');
  player.frame('websocket', 2100);
  assert.deepEqual([player.view(2100).state, player.view(2100).reason], ['connected', 'Looking for a way…']);
  stream(player, 'websocket', 2100, 4000);
  player.tick(4000);
  assert.equal(player.view(4000).attempts.webrtc, 0);
  player.frame('websocket', 4100);
  const view = player.view(4100);
  assert.equal(view.state, 'connected');
  assert.equal(view.shown, 'websocket');
  assert.match(view.reason, /UDP.*WebRTC again in 5 s/);
});

test('returns to WebRTC without leaving the WebSocket before its first picture', () => {
  const player = machine();
  player.failed('webrtc', 'media', 'no media.', 1000);
  stream(player, 'websocket', 1000, 6000);
  player.tick(6000);
  const retry = player.view(6000);
  assert.notEqual(retry.attempts.webrtc, 0);
  assert.notEqual(retry.attempts.websocket, 0);
  assert.equal(retry.shown, 'websocket');
  player.frame('webrtc', 6100);
  const back = player.view(6100);
  assert.equal(back.shown, 'webrtc');
  assert.equal(back.attempts.websocket, 0);
});

test('asks for WebRTC less and less often while it does not work', () => {
  const player = machine();
  const startedAt: number[] = [];
  let attempt = 0;
  for (let now = 0; now < 200_000; now += 100) {
    player.tick(now);
    const view = player.view(now);
    if (view.attempts.websocket !== 0) player.frame('websocket', now);
    if (view.attempts.webrtc !== 0 && view.attempts.webrtc !== attempt) {
      attempt = view.attempts.webrtc;
      startedAt.push(now);
    }
  }
  /* Each attempt takes its 4 s, then pauses of 5, 10, 20, 30, 30… s. */
  assert.deepEqual(startedAt, [0, 9000, 23000, 47000, 81000, 115000, 149000, 183000]);
});

test('a stall falls back after three seconds, and a proven link is tried again at once', () => {
  const player = machine();
  stream(player, 'webrtc', 0, 10_000);
  tickThrough(player, 10_000, 12_950);
  assert.equal(player.view(12_950).state, 'connected');
  tickThrough(player, 13_000, 13_050);
  const stalled = player.view(13_050);
  assert.equal(stalled.attempts.webrtc, 0);
  assert.notEqual(stalled.attempts.websocket, 0);
  assert.equal(stalled.state, 'connecting');
  assert.equal(stalled.shown, 'webrtc', 'the last picture stays');
  tickThrough(player, 13_050, 13_600);
  assert.notEqual(player.view(13_600).attempts.webrtc, 0);
});

test('where something still arrives, a slow path is given time to show less', () => {
  const player = machine();
  stream(player, 'webrtc', 0, 10_000);
  for (let now = 10_000; now <= 19_000; now += 500) {
    player.receives('webrtc', now);
    player.tick(now);
  }
  assert.notEqual(player.view(19_000).attempts.webrtc, 0);
  player.receives('webrtc', 20_500);
  player.tick(20_500);
  assert.equal(player.view(20_500).attempts.webrtc, 0, 'but not for ever');
  const silent = machine();
  stream(silent, 'webrtc', 0, 10_000);
  silent.receives('webrtc', 10_500);
  tickThrough(silent, 10_500, 13_050);
  assert.equal(silent.view(13_050).attempts.webrtc, 0);
});

test('a slow view is given three of its own intervals', () => {
  const player = machine();
  player.viewRuns(0.5, false, 0);
  player.frame('webrtc', 100);
  player.tick(6000);
  assert.equal(player.view(6000).state, 'connected');
  player.tick(6200);
  assert.equal(player.view(6200).attempts.webrtc, 0);
});

test('while the source is being opened nothing is blamed', () => {
  const player = machine();
  player.viewRuns(0, true, 100);
  player.tick(30_000);
  assert.equal(player.view(30_000).state, 'connecting');
  assert.match(player.view(30_000).reason, /source/);
  assert.equal(player.view(30_000).attempts.webrtc, 1);
  player.viewRuns(0, false, 31_000);
  player.tick(34_000);
  assert.equal(player.view(34_000).attempts.webrtc, 1, 'the four seconds start when the source plays');
});

test('a server that is gone is an error after a grace, and comes back by itself', () => {
  const player = machine();
  stream(player, 'webrtc', 0, 10_000);
  player.serverGone();
  tickThrough(player, 10_000, 11_100);
  assert.equal(player.view(11_100).state, 'connecting');
  for (let now = 11_100; now < 20_000; now += 50) {
    player.tick(now);
    const { attempts } = player.view(now);
    if (attempts.webrtc !== 0) player.failed('webrtc', 'server', 'The server does not answer.', now);
    if (attempts.websocket !== 0) player.failed('websocket', 'server', 'The server does not answer.', now);
  }
  assert.equal(player.view(20_000).state, 'error');
  assert.match(player.view(20_000).reason, /does not answer/);
  player.serverUp(20_010);
  assert.notEqual(player.view(20_010).attempts.webrtc, 0, 'no pause is waited for');
  player.frame('webrtc', 20_100);
  assert.equal(player.view(20_100).state, 'connected');
});

test('a quick restart of the server is noticed by the missing picture', () => {
  const player = machine();
  stream(player, 'webrtc', 0, 10_000);
  player.serverGone();
  player.serverUp(10_500);
  tickThrough(player, 10_500, 11_250);
  assert.notEqual(player.view(11_250).attempts.websocket, 0);
  tickThrough(player, 11_250, 11_800);
  assert.notEqual(player.view(11_800).attempts.webrtc, 0);
});

test('a refusal shows the server’s own sentence and is asked again', () => {
  const player = machine();
  player.failed('webrtc', 'refused', 'There is no view “x”.', 50);
  assert.equal(player.view(50).state, 'error');
  assert.equal(player.view(50).reason, 'There is no view “x”.');
  player.tick(550);
  assert.notEqual(player.view(550).attempts.webrtc, 0);
});

test('a view that does not run is disconnected, and starts at once when it does', () => {
  const player = machine();
  player.viewIsMissing();
  player.failed('webrtc', 'refused', 'There is no view.', 50);
  assert.equal(player.view(60).state, 'disconnected');
  assert.match(player.view(60).reason, /not running/);
  player.viewRuns(0, false, 70);
  assert.equal(player.view(70).state, 'error');
  assert.notEqual(player.view(70).attempts.webrtc, 0);
});

test('a forced change keeps the old picture until the new one is there, both ways', () => {
  const player = machine();
  player.frame('webrtc', 100);
  player.choose('websocket', 200);
  assert.equal(player.view(200).shown, 'webrtc');
  assert.notEqual(player.view(200).attempts.webrtc, 0);
  player.frame('websocket', 300);
  assert.equal(player.view(300).shown, 'websocket');
  assert.equal(player.view(300).attempts.webrtc, 0);
  player.choose('webrtc', 400);
  assert.equal(player.view(400).shown, 'websocket');
  player.frame('webrtc', 500);
  assert.equal(player.view(500).shown, 'webrtc');
  assert.equal(player.view(500).attempts.websocket, 0);
});

test('forced WebRTC never opens the WebSocket view; without WebRTC it says so', () => {
  const player = machine();
  player.choose('webrtc', 0);
  tickThrough(player, 0, 60_000);
  assert.equal(player.view(60_000).attempts.websocket, 0);
  const old = machine(false);
  assert.notEqual(old.view(0).attempts.websocket, 0);
  old.choose('webrtc', 10);
  assert.equal(old.view(10).state, 'error');
  assert.match(old.view(10).reason, /no WebRTC/);
});

test('a hidden page blames nobody and starts at once when it is seen again', () => {
  const player = machine();
  player.frame('webrtc', 100);
  player.visibility(true, 200);
  player.tick(600_000);
  assert.equal(player.view(600_000).state, 'connected');
  player.visibility(false, 600_000);
  player.tick(602_900);
  assert.equal(player.view(602_900).state, 'connected');
  player.tick(603_000);
  assert.equal(player.view(603_000).attempts.webrtc, 0);
});

test('what the link found out is the reason when it fails, and is forgotten with the next attempt', () => {
  const player = machine();
  player.describes('Looking…', 'No packet reached the server.');
  tickThrough(player, 0, 4000);
  player.frame('websocket', 4100);
  assert.match(player.view(4100).reason, /^No packet reached the server\. WebSocket meanwhile/);
  stream(player, 'websocket', 4100, 9100);
  assert.match(player.view(9100).reason, /^No packet reached the server\. Trying WebRTC again/);
  tickThrough(player, 9100, 9150);
  for (let now = 9150; now <= 13_200; now += 33) {
    player.frame('websocket', now);
    player.tick(now);
  }
  assert.match(player.view(13_200).reason, /^WebRTC media does not arrive/);
});

test('another network is tried at once, and a restart is given time', () => {
  const player = machine();
  player.failed('webrtc', 'media', 'no media.', 100);
  player.frame('websocket', 200);
  assert.equal(player.view(200).attempts.webrtc, 0);
  player.networkChanged(300);
  assert.notEqual(player.view(300).attempts.webrtc, 0);
  assert.notEqual(player.view(300).attempts.websocket, 0);
  player.frame('webrtc', 400);
  player.restarting('webrtc', 3000);
  player.tick(5900);
  assert.equal(player.view(5900).state, 'connected');
  player.tick(6000);
  assert.equal(player.view(6000).attempts.webrtc, 0);
});

test('a WebSocket that fails while WebRTC is still opening is no error', () => {
  const player = machine();
  tickThrough(player, 0, 2000);
  player.failed('websocket', 'server', 'blocked.', 2100);
  assert.equal(player.view(2100).state, 'connecting');
});

test('stopping turns everything off', () => {
  const player = machine();
  player.frame('webrtc', 100);
  player.stop();
  assert.deepEqual(player.view(200), { state: 'disconnected', reason: '', shown: null, attempts: { webrtc: 0, websocket: 0 } });
  player.tick(300);
  player.frame('webrtc', 300);
  assert.equal(player.view(300).state, 'disconnected');
});
