// /api/webrtc and /whep: what a viewer sends and is told. That pictures come is for the tests with real
// receivers; here every answer and every failure of docs/api.md.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertShape, client } from './api_client.mjs';
import { startServer, testPattern } from './server.mjs';

const HEAD = 'v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n';
const TRANSPORT = `a=ice-ufrag:peer\r\na=ice-pwd:peerpasswordpeerpassword\r\na=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}\r\na=setup:actpass\r\na=mid:0\r\na=rtcp-mux\r\n`;
const media = (kind, codec, direction = 'recvonly') => `m=${kind} 9 UDP/TLS/RTP/SAVPF 102\r\nc=IN IP4 0.0.0.0\r\n${TRANSPORT}a=${direction}\r\na=rtpmap:102 ${codec}/90000\r\na=rtcp-fb:102 nack pli\r\n`;
const H264 = `${HEAD}${media('video', 'H264')}a=fmtp:102 packetization-mode=1;profile-level-id=42e01f\r\n`;
const offers = {
  broken: 'hello',
  'without video': `${HEAD}${media('audio', 'opus')}`,
  'with no codec that is sent': `${HEAD}${media('video', 'AV1')}`,
  'without ICE credentials': H264.replace(/a=ice-.*\r\n/g, ''),
  'without a fingerprint': H264.replace(/a=fingerprint.*\r\n/, ''),
};
const FRAGMENT = 'application/trickle-ice-sdpfrag', SDP = 'application/sdp';
const candidate = (ufrag, password) => `a=ice-ufrag:${ufrag}\r\na=ice-pwd:${password}\r\na=group:BUNDLE 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host\r\n`;
const trickle = candidate('peer', 'peerpasswordpeerpassword'), restart = candidate('anew', 'anotherpasswordanotherpassword');

async function start(t, extra = []) {
  const server = await startServer(testPattern(), extra);
  t.after(server.stop);
  return { server, call: client(server) };
}

const CONNECTION = ['node_id', 'step', 'ice_state', 'dtls_state', 'srtp_profile', 'selected_pair', 'transport', 'connected_s', 'round_trip_ms', 'loss_fraction',
  'jitter_ms', 'estimate_bps', 'target_bps', 'sent_bps', 'rate_state', 'queue_delay_ms', 'transport_cc', 'frames_sent', 'key_frames_sent', 'frames_dropped', 'packets_sent',
  'bytes_sent', 'nack_count', 'retransmits', 'fec_packets', 'pli_count', 'fir_count', 'dropped_datagrams', 'probes', 'padding', 'data_channel', 'records_sent', 'records_dropped', 'tier', 'rendition', 'width', 'height', 'fps',
  'encoder', 'processing_time_ms', 'latency_ms'];

test('an offer is answered, its session told and closed', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  const offer = () => call('POST /api/webrtc/offer', 200, { body: { node_id: 'view', sdp: H264, type: 'offer' } });
  const answer = await offer();
  assertShape(answer, { sdp: 'string', type: 'string', session_id: 'string', clock: 'object' });
  assertShape(answer.clock, { rtp_offset: 'number', now_us: 'number' });
  assert.equal(answer.type, 'answer');
  assert.match(answer.sdp, /m=video [1-9]\d* UDP\/TLS\/RTP\/SAVPF 102[\s\S]*a=candidate:[\s\S]*a=end-of-candidates/);

  const params = { session_id: answer.session_id, node_id: 'view' };
  const session = await call('GET /api/webrtc/sessions/{session_id}', 200, { params });
  assertShape(session, { node_id: 'string', step: 'string', advice: 'string', closed: 'boolean', reason: 'string', candidates: 'array', connection: 'object' });
  assert.deepEqual([session.node_id, session.step, session.closed], ['view', 'offer', false]);
  assert.ok(session.candidates.length > 0 && session.candidates.every((one) => one.startsWith('candidate:')));

  const stats = await call('GET /api/webrtc/stats', 200);
  assertShape(stats, { active_connections: 'number', active_tracks: 'number', connection_ids: 'array', connections: 'array' });
  assert.deepEqual([stats.active_connections, stats.active_tracks, stats.connection_ids], [1, 0, ['view']]);
  assert.deepEqual(Object.keys(stats.connections[0]).filter((name) => !CONNECTION.includes(name)), []);
  const rest = new Set(Object.keys(stats.connections[0]));
  assert.deepEqual(CONNECTION.filter((name) => !rest.has(name) && name !== 'rendition'), []); // not before a picture was sent

  const second = await offer();
  assert.deepEqual(await call('POST /api/webrtc/close/{node_id}', 200, { params, query: `?session_id=${second.session_id}` }), { status: 'closed', closed: 1 });
  assert.deepEqual(await call('POST /api/webrtc/close/{node_id}', 200, { params, body: { session_id: second.session_id } }), { status: 'closed', closed: 0 });
  assert.deepEqual(await call('POST /api/webrtc/close/{node_id}', 200, { params: { node_id: 'gone' } }), { status: 'closed', closed: 0 });
  for (const body of [{ session_id: 5 }, { session_id: 'x'.repeat(128) }]) await call('POST /api/webrtc/close/{node_id}', 400, { params, body });
  assert.equal((await call('GET /api/webrtc/stats', 200)).active_connections, 1);
  assert.deepEqual(await call('POST /api/webrtc/close/{node_id}', 200, { params }), { status: 'closed', closed: 1 });
  const ended = await call('GET /api/webrtc/sessions/{session_id}', 200, { params });
  assert.deepEqual([ended.closed, 'connection' in ended], [true, false]);
  assert.ok(ended.reason.length > 5);
  await offer();
  await offer();
  assert.deepEqual(await call('POST /api/webrtc/cleanup', 200), { status: 'closed', closed: 2 });
});

test('offers that cannot be answered get 400, 404 or 415, and a sentence', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  const route = 'POST /api/webrtc/offer';
  await call(route, 404, { body: { node_id: 'gone', sdp: H264, type: 'offer' } });
  await call(route, 404, { body: { node_id: 'pattern', sdp: H264, type: 'offer' } });
  for (const body of [{}, { node_id: 'view' }, { sdp: H264 }, { node_id: 5, sdp: H264 }, { node_id: 'view', sdp: 5 }, { node_id: 'view', sdp: '' }, { node_id: '', sdp: H264 },
    { node_id: 'view', sdp: H264, type: 'answer' }, { node_id: 'view', sdp: H264, type: 5 }, { node_id: 'v\u0001', sdp: H264 }, { node_id: 'x'.repeat(128), sdp: H264 },
    { node_id: 'view', sdp: 'x'.repeat(70000) }]) await call(route, 400, { body });
  for (const sdp of Object.values(offers)) await call(route, [400, 415], { body: { node_id: 'view', sdp, type: 'offer' } });
  assert.equal((await call('GET /api/webrtc/stats', 200)).active_connections, 0);
});

test('candidates are taken, ICE is restarted, all else refused', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  const { session_id: id, sdp } = await call('POST /api/webrtc/offer', 200, { body: { node_id: 'view', sdp: H264, type: 'offer' } });
  const route = 'PATCH /api/webrtc/sessions/{session_id}', params = { session_id: id };
  assert.equal((await call.whole(route, 204, { params, body: trickle, type: FRAGMENT })).bytes.length, 0);
  const restarted = await call.whole(route, 200, { params, body: restart, type: `${FRAGMENT}; charset=utf-8` });
  assert.match(restarted.headers['content-type'], /trickle-ice-sdpfrag/);
  const ufrag = (text) => text.match(/a=ice-ufrag:(\S+)/)[1];
  assert.notEqual(ufrag(restarted.text), ufrag(sdp));
  for (const type of ['application/json', 'text/plain', `${FRAGMENT}s`]) await call(route, 415, { params, body: trickle, type });
  for (const body of ['nothing of the kind', 'a=candidate:broken', `a=ice-ufrag:${'x'.repeat(300)}\r\na=ice-pwd:short\r\n`]) await call(route, 400, { params, body, type: FRAGMENT });
  await call(route, 404, { params: { session_id: 'gone' }, body: trickle, type: FRAGMENT });
  await call('GET /api/webrtc/sessions/{session_id}', 404, { params: { session_id: 'gone' } });
});

test('what the page is told of servers and presets', { timeout: 60000 }, async (t) => {
  const { call, server } = await start(t, ['--stun', 'stun:192.0.2.1', '--turn', 'turn:192.0.2.1', '--turn-secret', 'the secret of the relay']);
  const config = await call('GET /api/webrtc/config', 200);
  assertShape(config, { iceServers: 'array', bitratePresets: 'object', defaultPreset: 'string', mediaPort: 'number' });
  assert.equal(config.mediaPort, server.mediaPort);
  assert.deepEqual(Object.entries(config.bitratePresets).map(([name, { bps }]) => [name, bps]), [['low', 200000], ['balanced', 500000], ['high', 2000000]]);
  assert.equal(config.defaultPreset, 'balanced');
  const relay = config.iceServers.find(({ urls }) => urls[0].startsWith('turn:'));
  assertShape(relay, { urls: 'array', username: 'string', credential: 'string' });
  assert.doesNotMatch(JSON.stringify(config), /the secret/);
});

test('viewers beyond the limit get 429, by WHEP 503 with a time to wait', { timeout: 60000 }, async (t) => {
  const { call } = await start(t, ['--max-viewers', '1']);
  const body = { node_id: 'view', sdp: H264, type: 'offer' };
  await call('POST /api/webrtc/offer', 200, { body });
  assert.match((await call('POST /api/webrtc/offer', 429, { body })).detail, /--max-viewers/);
  const refused = await call.whole('POST /whep/{node_id}', 503, { params: { node_id: 'view' }, body: H264, type: SDP });
  assert.ok(Number(refused.headers['retry-after']) > 0);
});

test('32 of an address that have not connected are enough', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  const body = { node_id: 'view', sdp: H264, type: 'offer' };
  for (let i = 0; i < 32; i++) await call('POST /api/webrtc/offer', 200, { body });
  await call('POST /api/webrtc/offer', 429, { body });
  await call('POST /api/webrtc/cleanup', 200);
  await call('POST /api/webrtc/offer', 200, { body });
});

test('WHEP: an offer makes a session that candidates, restarts and an end belong to', { timeout: 60000 }, async (t) => {
  const { call } = await start(t, ['--turn', 'turn:192.0.2.1', '--turn-secret', 'the secret of the relay']);
  const made = await call.whole('POST /whep/{node_id}', 201, { params: { node_id: 'view' }, body: H264, type: SDP });
  assert.equal(made.headers['content-type'], SDP);
  assert.match(made.headers.location, /^\/whep\/view\/[\w-]+$/);
  assert.match(made.headers.etag, /^".+"$/);
  assert.equal(made.headers['accept-patch'], FRAGMENT);
  assert.match(made.headers.link, /<turn:192\.0\.2\.1[^>]*>; rel="ice-server"; username="[^"]+"; credential="[^"]+"; credential-type="password"/);
  const params = { node_id: 'view', session_id: made.headers.location.split('/').at(-1) };
  const patch = 'PATCH /whep/{node_id}/{session_id}', tag = made.headers.etag;
  const send = (status, body, ifMatch, type = FRAGMENT) => call.whole(patch, status, { params, body, type, headers: ifMatch ? { 'if-match': ifMatch } : {} });

  await send(204, trickle, tag);
  await send(428, trickle);
  await send(412, trickle, '"another"');
  await send(412, trickle, `W/${tag}`);
  await send(415, trickle, tag, 'application/json');
  await send(400, 'a=candidate:broken', tag);
  const restarted = await send(200, restart, '*');
  assert.match(restarted.headers['content-type'], /trickle-ice-sdpfrag/);
  assert.notEqual(restarted.headers.etag, tag);
  await send(412, trickle, tag); // of the ICE session before

  await call(patch, 404, { params: { ...params, node_id: 'other' }, body: trickle, type: FRAGMENT, headers: { 'if-match': '*' } });
  await call('DELETE /whep/{node_id}/{session_id}', 404, { params: { ...params, session_id: 'gone' } });
  await call('DELETE /whep/{node_id}/{session_id}', 200, { params });
  await call('DELETE /whep/{node_id}/{session_id}', 404, { params });
  await send(404, trickle, restarted.headers.etag);
});

test('WHEP: what is refused', { timeout: 60000 }, async (t) => {
  const { call } = await start(t);
  const params = { node_id: 'view' }, offer = 'POST /whep/{node_id}';
  const empty = await call.whole(offer, 400, { params, body: '', type: SDP });
  assert.equal(empty.headers['accept-post'], SDP);
  await call(offer, 400, { params, body: offers.broken, type: SDP });
  await call(offer, 415, { params, body: H264, type: 'application/json' });
  await call(offer, 413, { params, body: H264 + 'a=x:y\r\n'.repeat(20000), type: SDP });
  await call(offer, 404, { params: { node_id: 'gone' }, body: H264, type: SDP });
  for (const name of ['without video', 'with no codec that is sent']) await call(offer, 406, { params, body: offers[name], type: SDP });
  await call(offer, 406, { params, body: H264.replace('recvonly', 'sendonly'), type: SDP });
  const options = await call.whole('OPTIONS /whep/{node_id}', 204, { params });
  assert.equal(options.headers['accept-post'], SDP);
});
