// Real Chromium behind real address translation and packet filters (network namespaces, nftables), with
// coturn as STUN and TURN server: by which way does the picture come?
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

import { Internet, PUBLIC, RELAY, whyNoInternet } from '../integ/internet.mjs';
import { startServer, testPattern } from '../integ/server.mjs';
import { launch, openPage, playerState, readClocks, showsPictures } from './browser.mjs';

const skip = whyNoInternet();
const SECRET = 'a secret that both know';
const VIEWER = 10, SERVER = 20; // numbers on the public network
const TURN_UDP = `turn:${RELAY}:3478`, TURN_TCP = `turn:${RELAY}:3478?transport=tcp`;
const TURN_TLS = `turns:${RELAY}:5349`;

// The server in its place and Chromium in its own; `options` are the server's.
async function open(t, internet, options, init = keepConnections) {
  const server = await startServer(testPattern({ width: 640, height: 360 }), options, 'ignore', internet.prefix('server'));
  internet.endsWith(server.stop);
  await internet.openDoor('server', 'viewer', new URL(server.url).port);
  const usual = process.env.OVERWATCH_CHROMIUM;
  process.env.OVERWATCH_CHROMIUM = internet.wrapper('viewer', usual ?? '/usr/bin/chromium');
  const browser = await launch(t).finally(() => {
    if (usual === undefined) delete process.env.OVERWATCH_CHROMIUM;
    else process.env.OVERWATCH_CHROMIUM = usual;
  });
  const page = await openPage(browser, `${server.url}/view/view`, { init });
  return { server, page };
}

function keepConnections() {
  window.connections = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...args) {
      super(...args);
      window.connections.push(this);
    }
  };
}

// As above, with a browser that uses no relay of its own.
function withoutRelay() {
  const direct = (settings) => settings && {
    ...settings, iceServers: settings.iceServers?.filter(({ urls }) => ![urls].flat().some((url) => url.startsWith('turn'))),
  };
  window.connections = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(settings) {
      super(direct(settings));
      window.connections.push(this);
    }
    setConfiguration(settings) {
      super.setConfiguration(direct(settings));
    }
  };
}

/** The ends of the way that the media takes, as the browser knows them. */
function mediaPath(page) {
  return page.evaluate(async () => {
    for (const connection of window.connections) {
      if (connection.connectionState !== 'connected') continue;
      const stats = await connection.getStats();
      for (const report of stats.values()) {
        if (report.type !== 'transport' || !report.selectedCandidatePairId) continue;
        const pair = stats.get(report.selectedCandidatePairId);
        const end = (id) => {
          const { candidateType, protocol, relayProtocol, address, port } = stats.get(id);
          return { type: candidateType, protocol, relayProtocol, address, port };
        };
        return { local: end(pair.localCandidateId), remote: end(pair.remoteCandidateId) };
      }
    }
    return null;
  });
}

// Pictures by WebRTC, moving and young; returns the way that they come.
async function watch(page) {
  await showsPictures(page, 'webrtc', 60); // by the second attempt, if the first has failed
  const clocks = await readClocks(page, 20);
  assert.ok(clocks.every(({ age, transport }) => transport === 'webrtc' && age > 0 && age < 1000), JSON.stringify(clocks));
  return mediaPath(page);
}

const turnOptions = (urls) => ['--turn', urls, '--turn-secret', SECRET];

test('a viewer behind NAT reaches a public server by UDP', { timeout: 120000, skip }, async (t) => {
  const internet = new Internet(t);
  const address = internet.addPublic('server', SERVER);
  internet.addPrivate('viewer', VIEWER, { symmetric: true });
  const { server, page } = await open(t, internet, ['--public-address', address]);
  const { remote } = await watch(page);
  assert.deepEqual([remote.protocol, remote.address, remote.port], ['udp', address, server.mediaPort]);
  const { connections } = await internet.ask('/api/webrtc/stats');
  assert.ok(connections[0].selected_pair.startsWith(`${PUBLIC}.${VIEWER}:`), connections[0].selected_pair);
});

test('where UDP is blocked the media comes by TCP to the media port', { timeout: 120000, skip }, async (t) => {
  const internet = new Internet(t);
  const address = internet.addPublic('server', SERVER);
  internet.addPrivate('viewer', VIEWER);
  internet.block('viewer', 'meta l4proto udp');
  const { server, page } = await open(t, internet, ['--public-address', address]);
  const { remote } = await watch(page);
  assert.deepEqual([remote.protocol, remote.address, remote.port], ['tcp', address, server.mediaPort]);
});

test('where only the relay is reachable by UDP, TURN carries the media', { timeout: 120000, skip }, async (t) => {
  const internet = new Internet(t);
  const address = internet.addPublic('server', SERVER);
  internet.addPrivate('viewer', VIEWER);
  await internet.startTurn(SECRET);
  internet.block('viewer', `ip daddr ${address}`);
  const { page } = await open(t, internet, ['--public-address', address, ...turnOptions(TURN_UDP)]);
  const { local } = await watch(page);
  assert.deepEqual([local.type, local.relayProtocol], ['relay', 'udp']);
});

test('where UDP is blocked and the server out of reach, TURN over TCP does', { timeout: 120000, skip }, async (t) => {
  const internet = new Internet(t);
  const address = internet.addPublic('server', SERVER);
  internet.addPrivate('viewer', VIEWER);
  await internet.startTurn(SECRET);
  internet.block('viewer', 'meta l4proto udp');
  internet.block('viewer', `ip daddr ${address}`);
  const { page } = await open(t, internet, ['--public-address', address, ...turnOptions(`${TURN_UDP},${TURN_TCP}`)]);
  const { local } = await watch(page);
  assert.deepEqual([local.type, local.relayProtocol], ['relay', 'tcp']);
});

test('server and viewer, each behind NAT, meet by STUN', { timeout: 120000, skip }, async (t) => {
  const internet = new Internet(t);
  internet.addPrivate('server', SERVER);
  internet.addPrivate('viewer', VIEWER);
  await internet.startTurn(SECRET);
  const { page } = await open(t, internet, ['--stun', `stun:${RELAY}:3478`]);
  const { local, remote } = await watch(page);
  assert.deepEqual([remote.protocol, remote.address], ['udp', `${PUBLIC}.${SERVER}`]);
  assert.notEqual(local.type, 'relay');
});

test('a server behind a NAT that none gets through is reached by its relay', { timeout: 120000, skip }, async (t) => {
  const internet = new Internet(t);
  internet.addPrivate('server', SERVER, { symmetric: true });
  internet.addPrivate('viewer', VIEWER, { symmetric: true });
  await internet.startTurn(SECRET);
  // By STUN the viewer learns the address from which it will come: the relay wants to be told it.
  const options = ['--stun', `stun:${RELAY}:3478`, '--turn-relay', ...turnOptions(TURN_UDP)];
  const { server, page } = await open(t, internet, options, withoutRelay);
  const { local, remote } = await watch(page);
  assert.deepEqual([remote.protocol, remote.address], ['udp', RELAY]);
  assert.notEqual(remote.port, server.mediaPort);
  assert.notEqual(local.type, 'relay');
});

test('where UDP is blocked at the server, its relay is reached by TLS', { timeout: 120000, skip }, async (t) => {
  const internet = new Internet(t);
  internet.addPrivate('server', SERVER, { symmetric: true });
  internet.addPrivate('viewer', VIEWER, { symmetric: true });
  const certificate = internet.certificate('relay', RELAY);
  await internet.startTurn(SECRET, certificate);
  internet.block('server', 'meta l4proto udp');
  internet.block('server', 'tcp dport 3478');
  const options = ['--stun', `stun:${RELAY}:3478`, '--turn-relay', '--turn-ca', certificate.ca, ...turnOptions(TURN_TLS)];
  const { server, page } = await open(t, internet, options, withoutRelay);
  const { local, remote } = await watch(page);
  assert.deepEqual([remote.protocol, remote.address], ['udp', RELAY]);
  assert.notEqual(local.type, 'relay');
  assert.match(server.log(), /The relay at 203\.0\.113\.1 gives this server the address/);
});

// What the server says of a relay that it must not trust.
async function relayRefused(t, certificateAddress, options, sentence) {
  const internet = new Internet(t);
  internet.addPublic('server', SERVER);
  const certificate = internet.certificate('relay', certificateAddress);
  const turn = await internet.startTurn(SECRET, certificate);
  const server = await startServer(testPattern(), ['--turn-relay', ...turnOptions(TURN_TLS), ...options(certificate)],
    'ignore', internet.prefix('server'));
  internet.endsWith(server.stop);
  while (!server.log().includes('cannot be used')) await once(server.child.stderr, 'data');
  assert.match(server.log(), sentence);
  assert.doesNotMatch(server.log(), /gives this server the address/);
  assert.doesNotMatch(turn.log, /ALLOCATE/);
}

test('a relay whose certificate is for another name is refused', { timeout: 30000, skip }, (t) =>
  relayRefused(t, `${PUBLIC}.77`, ({ ca }) => ['--turn-ca', ca], /certificate is for another name/));

test('a relay whose certificate nobody vouches for is refused', { timeout: 30000, skip }, (t) =>
  relayRefused(t, RELAY, () => [], /certificate is not trusted: .*--turn-ca/));

// What the server says of a relay on port 3480 that sends on to others.
async function redirected(t, relays, word) {
  const internet = new Internet(t);
  internet.addPublic('server', SERVER);
  for (const relay of relays) await internet.startTurn(SECRET, undefined, relay);
  const options = ['--turn-relay', ...turnOptions(`turn:${RELAY}:3480`)];
  const server = await startServer(testPattern(), options, 'ignore', internet.prefix('server'));
  internet.endsWith(server.stop);
  while (!server.log().includes(word)) await once(server.child.stderr, 'data');
  return server.log();
}

test('a relay that sends on to another one is followed', { timeout: 30000, skip }, async (t) => {
  const log = await redirected(t, [{ port: 3478 }, { port: 3480, sendsOn: 3478 }], 'gives this server the address');
  assert.match(log, /sends on to 203\.0\.113\.1:3478/);
});

test('relays that send on to each other are not followed round and round', { timeout: 30000, skip }, async (t) => {
  const log = await redirected(t, [{ port: 3482, sendsOn: 3480 }, { port: 3480, sendsOn: 3482 }], 'cannot be used');
  assert.equal(log.match(/sends on to/g).length, 1);
  assert.match(log, /sends to another server, which cannot be followed/);
});

test('both behind such a NAT, UDP blocked at the viewer: a relay at each end', { timeout: 120000, skip }, async (t) => {
  const internet = new Internet(t);
  internet.addPrivate('server', SERVER, { symmetric: true });
  internet.addPrivate('viewer', VIEWER, { symmetric: true });
  await internet.startTurn(SECRET);
  internet.block('viewer', 'meta l4proto udp');
  const { page } = await open(t, internet, ['--turn-relay', ...turnOptions(`${TURN_UDP},${TURN_TCP}`)]);
  const { local, remote } = await watch(page);
  assert.deepEqual([local.type, local.relayProtocol, remote.address], ['relay', 'tcp', RELAY]);
});

test('where nothing gets through, the WebSocket shows the picture and the page says why', { timeout: 120000, skip }, async (t) => {
  const internet = new Internet(t);
  const address = internet.addPublic('server', SERVER);
  internet.addPrivate('viewer', VIEWER);
  internet.block('viewer', 'ip daddr 0.0.0.0/0');
  const { page } = await open(t, internet, ['--public-address', address]);
  await showsPictures(page, 'websocket', 30);
  assert.equal((await readClocks(page, 10)).length, 10);
  const { reason } = await playerState(page);
  assert.match(reason, /UDP|port|firewall|blocked/i);
});
