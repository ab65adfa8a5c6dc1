import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { ConnectionSteps, diagnose, isLoopbackOnly, progress, type Facts } from '../src/player/connection-steps';
import { isWorthSending, makeFragment, restartedAnswer, userFragmentOf } from '../src/player/sdp-fragment';
import { readCounters } from '../src/player/webrtc-counters';
import { WebRtcSignalling } from '../src/player/webrtc-signalling';

const states = (steps: ConnectionSteps, now: number) => steps.list(now).map(({ state }) => state);

test('steps follow each other; a later one takes those before it along', () => {
  const steps = new ConnectionSteps(100);
  assert.equal(steps.current, 'offer');
  assert.deepEqual(states(steps, 100), ['running', 'waiting', 'waiting', 'waiting', 'waiting', 'waiting']);
  steps.reached('offer', 120);
  steps.reached('checks', 150);
  assert.equal(steps.current, 'dtls');
  assert.deepEqual(
    steps.list(180).map(({ ms }) => ms),
    [20, 30, 0, 30, null, null],
  );
  steps.reached('offer', 500);
  assert.equal(steps.list(500)[0]?.ms, 20, 'what is reached stays');
  steps.fail(400);
  assert.deepEqual(states(steps, 900), ['done', 'done', 'done', 'failed', 'waiting', 'waiting']);
  assert.equal(steps.list(900)[3]?.ms, 250, 'time stops at the failure');
  steps.reached('decode', 950);
  assert.equal(steps.current, null);
});

const facts: Facts = { current: 'checks', server: { step: 'offer', closed: false, reason: '' }, udp: true, tcp: true, localDenied: false, loopbackOnly: false, mediaPort: 8189, codec: '' };

test('the doctor tells where it came to a halt, and what to do', () => {
  const cases: [Partial<Facts>, RegExp][] = [
    [{}, /^No packet reached the server: UDP is blocked, and TCP.* port 8189 /],
    [{ tcp: false }, /^No packet reached the server: UDP is blocked on the way/],
    [{ localDenied: true }, /local network access/],
    [{ loopbackOnly: true }, /loopback only, by which Firefox .*--public-address/],
    [{ loopbackOnly: true, server: { step: 'checks', closed: false, reason: '' } }, /answers do not come back/],
    [{ loopbackOnly: true, udp: false, tcp: false }, /sends no UDP, and the server takes nothing else/],
    [{ udp: false }, /sends no UDP, and TCP does not get through\..*port 8189/],
    [{ udp: false, tcp: false }, /--no-ice-tcp/],
    [{ server: null, mediaPort: null }, /No way to the server.*the media port/],
    [{ server: { step: 'checks', closed: false, reason: '' } }, /answers do not come back.*--public-address/],
    [{ server: { step: 'checks', closed: true, reason: 'the certificate is another one' } }, /^The server ended the connection: The certificate is another one\.$/],
    [{ current: 'candidates' }, /does not finish looking up/],
    [{ current: 'dtls' }, /VPN/],
    [{ current: 'first_packet' }, /no picture has been sent/],
    [{ current: 'decode', codec: 'H.264' }, /could not decode a picture \(H\.264\)/],
  ];
  for (const [change, sentence] of cases) assert.match(diagnose({ ...facts, ...change }), sentence);
  assert.match(progress('Looking…', facts), /UDP is blocked. Trying TCP…/);
  assert.match(progress('Looking…', { ...facts, tcp: false }), /No packet has reached/);
  assert.equal(progress('Looking…', { ...facts, server: null }), 'Looking…');
  assert.equal(progress('Encrypting…', { ...facts, current: 'dtls' }), 'Encrypting…');
});

test('a server that names nothing but loopback is known by its candidates', () => {
  const line = (address: string) => `a=candidate:1 1 udp 2130706431 ${address} 8189 typ host\r\n`;
  assert.equal(isLoopbackOnly(`v=0\r\n${line('127.0.0.1')}${line('::1')}`), true);
  assert.equal(isLoopbackOnly(`v=0\r\n${line('127.0.0.1')}${line('192.0.2.1')}`), false);
  assert.equal(isLoopbackOnly(`v=0\r\n${line('relay-127.local')}`), false);
  assert.equal(isLoopbackOnly('v=0\r\n'), false, 'not known yet');
});

const offer = ['v=0', 'o=- 1 2 IN IP4 127.0.0.1', 'a=group:BUNDLE 0', 'm=video 9 UDP/TLS/RTP/SAVPF 102 103', 'a=ice-ufrag:abcd', 'a=ice-pwd:secret+/x', 'a=mid:0', ''].join('\r\n');

test('candidates travel with the credentials and the media line that they belong to', () => {
  const lines = makeFragment(offer, ['candidate:1 1 udp 1 192.0.2.1 5 typ host'], true)?.split('\r\n');
  assert.deepEqual(lines, [
    'a=ice-ufrag:abcd',
    'a=ice-pwd:secret+/x',
    'm=video 9 UDP/TLS/RTP/SAVPF 102 103',
    'a=mid:0',
    'a=candidate:1 1 udp 1 192.0.2.1 5 typ host',
    'a=end-of-candidates',
    '',
  ]);
  assert.equal(makeFragment('v=0\r\n', [], false), null);
  assert.equal(userFragmentOf(offer), 'abcd');
});

test('a restart changes credentials and candidates of the answer, and nothing else', () => {
  const answer = ['v=0', 'm=video 9 X 1', 'a=ice-ufrag:old1', 'a=ice-pwd:oldpwd', 'a=setup:passive', 'a=candidate:1 1 udp 1 192.0.2.1 5 typ host', 'a=mid:0', ''].join('\r\n');
  const fragment = ['a=ice-ufrag:new1', 'a=ice-pwd:newpwd', 'm=video 9 X 1', 'a=mid:0', 'a=candidate:2 1 udp 1 192.0.2.2 6 typ host', ''].join('\r\n');
  assert.deepEqual(restartedAnswer(answer, fragment)?.split('\r\n'), [
    'v=0',
    'm=video 9 X 1',
    'a=ice-ufrag:new1',
    'a=ice-pwd:newpwd',
    'a=candidate:2 1 udp 1 192.0.2.2 6 typ host',
    'a=setup:passive',
    'a=mid:0',
    '',
  ]);
  const bare = restartedAnswer(answer, 'a=ice-ufrag:new1\r\na=ice-pwd:newpwd\r\n');
  assert.match(bare ?? '', /192\.0\.2\.1/, 'without new candidates the known ones stay');
  assert.equal(restartedAnswer(answer, 'm=video 9 X 1\r\n'), null);
});

test('names and TCP ports of the browser are of no use to the server', () => {
  assert.ok(isWorthSending('candidate:1 1 udp 2113937151 192.0.2.1 40000 typ host'));
  assert.ok(isWorthSending('candidate:1 1 UDP 2113937151 2001:db8::1 40000 typ srflx'));
  assert.ok(!isWorthSending('candidate:1 1 udp 2113937151 8a-b.local 40000 typ host'));
  assert.ok(!isWorthSending('candidate:1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active'));
  assert.ok(!isWorthSending('nonsense'));
});

test('figures come from the reports that belong together', () => {
  const reports = [
    { id: 'v', type: 'inbound-rtp', kind: 'video', codecId: 'c', bytesReceived: 100, headerBytesReceived: 20, packetsReceived: 3, decoderImplementation: 'FFmpeg' },
    { id: 'c', type: 'codec', mimeType: 'video/H264' },
    { id: 'p', type: 'candidate-pair', nominated: true, state: 'succeeded', localCandidateId: 'l', currentRoundTripTime: 0.012 },
    { id: 'l', type: 'local-candidate', protocol: 'tcp', candidateType: 'prflx' },
  ];
  const counters = readCounters(new Map(reports.map((report) => [report.id, report])) as unknown as RTCStatsReport);
  assert.deepEqual([counters.bytes, counters.packets, counters.codec, counters.path, counters.roundTripMs], [120, 3, 'H.264', 'TCP', 12]);
  const none = readCounters(new Map() as unknown as RTCStatsReport);
  assert.deepEqual([none.bytes, none.codec, none.path, none.roundTripMs], [0, '', '', null]);
});

test('a session that nobody wants any more when it is answered is ended, once', async (t) => {
  const ended: string[] = [];
  const beacon = (url: string) => ended.push(new URL(url).pathname) > 0;
  Object.defineProperty(globalThis, 'navigator', { configurable: true, value: { sendBeacon: beacon } }); // which Node has not
  const server = createServer((_request, response) => response.end('{"sdp":"v=0","session_id":"s1"}'));
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const signalling = new WebRtcSignalling(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'yard');
  const answered = signalling.offer('v=0');
  signalling.end();
  assert.deepEqual(ended, []);
  await answered;
  assert.deepEqual([ended, signalling.sessionId], [['/api/webrtc/close/yard'], null]);
  signalling.end();
  assert.equal(ended.length, 1);
});
