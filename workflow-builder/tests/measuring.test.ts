import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs, MEDIA_PAUSES, SERVER_PAUSES } from '../src/player/backoff';
import { parseBinaryFrame } from '../src/player/binary-frame';
import { ClockSync } from '../src/player/clock-sync';
import { latencyOf } from '../src/player/latency-budget';
import { StatsRecorder } from '../src/player/player-stats';
import { Rolling } from '../src/player/rolling';
import { captureUsFromRtp } from '../src/player/rtp-time';

function message(header: string, jpeg: number[]): ArrayBuffer {
  const head = new TextEncoder().encode(header);
  const bytes = new Uint8Array(4 + head.length + jpeg.length);
  new DataView(bytes.buffer).setUint32(0, head.length);
  bytes.set(head, 4);
  bytes.set(jpeg, 4 + head.length);
  return bytes.buffer;
}

test('pauses grow to their limits', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 99].map((n) => backoffMs(n, SERVER_PAUSES)), [500, 1000, 2000, 4000, 5000, 5000]);
  assert.deepEqual([1, 2, 3, 4, 5].map((n) => backoffMs(n, MEDIA_PAUSES)), [5000, 10000, 20000, 30_000, 30_000]);
});

test('a binary frame is taken apart', () => {
  const frame = parseBinaryFrame(message('{"node_id":"v","capture_us":7}', [0xff, 0xd8, 1]));
  assert.equal(frame?.header.node_id, 'v');
  assert.equal(frame?.header.capture_us, 7);
  assert.deepEqual([...(frame?.jpeg ?? [])], [0xff, 0xd8, 1]);
});

test('a record lies between header and picture', () => {
  const frame = parseBinaryFrame(message('{"node_id":"v","record_bytes":2}', [1, 2, 0xff, 0xd8]));
  assert.deepEqual([[...(frame?.record ?? [])], [...(frame?.jpeg ?? [])]], [[1, 2], [0xff, 0xd8]]);
  assert.equal(parseBinaryFrame(message('{"node_id":"v"}', [1]))?.record, null);
  for (const bytes of ['1', '-1', '0.5', '"1"', '1e9']) {
    assert.equal(parseBinaryFrame(message(`{"node_id":"v","record_bytes":${bytes}}`, [1])), null, bytes);
  }
});

test('what is no frame is refused, truncated anywhere included', () => {
  const whole = message('{"node_id":"v"}', [1]);
  for (let size = 0; size < whole.byteLength; size++) assert.equal(parseBinaryFrame(whole.slice(0, size)), null);
  for (const header of ['{', '[]', 'null', '{"node_id":3}']) assert.equal(parseBinaryFrame(message(header, [1])), null);
  const huge = whole.slice(0);
  new DataView(huge).setUint32(0, 0xffffffff);
  assert.equal(parseBinaryFrame(huge), null);
});

test('the clock lies between all bounds', () => {
  const clock = new ClockSync();
  assert.equal(clock.serverUs(0), null);
  assert.equal(clock.uncertaintyUs, null);
  clock.add(1000, 9000, 50_000 + 1100); // there quick, back slow
  assert.deepEqual([clock.serverUs(0), clock.uncertaintyUs], [46_100, 4000]);
  clock.add(20_000, 28_000, 50_000 + 27_900); // there slow, back quick
  assert.ok(Math.abs((clock.serverUs(0) ?? 0) - 50_000) < 2, `${clock.serverUs(0)}`);
  assert.ok(Math.abs((clock.uncertaintyUs ?? 0) - 100) < 2, `${clock.uncertaintyUs}`);
});

test('what the server sends by itself bounds the clock, too', () => {
  const clock = new ClockSync();
  clock.heard(500, 50_400);
  assert.equal(clock.ready, false, 'one side alone says nothing');
  clock.add(1000, 9000, 51_100); // offset 42 100 to 50 100
  clock.heard(20_000, 69_900); // at least 49 900
  assert.ok(Math.abs((clock.serverUs(0) ?? 0) - 50_000) < 2, `${clock.serverUs(0)}`);
});

test('a page that is too busy to take an answer does not make pictures older than they are', () => {
  /* Frames are shown 4 ms after their capture; the page takes answers 0.1 to 30 ms late. */
  const offset = 123_456_789;
  const clock = new ClockSync();
  let seed = 7;
  const late = () => (seed = (seed * 16_807) % 2_147_483_647) % 30_000;
  for (let at = 1_000_000; at < 30_000_000; at += 2_000_000) {
    clock.add(at, at + 200 + late(), at + 100 + offset);
    for (let second = 0; second < 2; second++) clock.heard(at + 500_000 + 100 + late(), at + 500_000 + offset);
    const shownUs = at + 1_000_000;
    const latencyUs = (clock.serverUs(shownUs) ?? 0) - (shownUs - 4000 + offset);
    assert.ok(Math.abs(latencyUs - 4000) <= (clock.uncertaintyUs ?? 0) + 1, `${latencyUs} µs, ± ${clock.uncertaintyUs}`);
    if (at > 10_000_000) assert.ok(latencyUs > 0 && latencyUs < 8000, `${latencyUs} µs at ${at}`);
  }
});

test('the clock follows one that drifts', () => {
  const clock = new ClockSync();
  for (let at = 0; at < 600_000_000; at += 2_000_000) {
    const offset = 1_000_000 + at * 30e-6;
    clock.add(at, at + 400, at + 200 + offset);
    assert.ok(Math.abs((clock.serverUs(at) ?? 0) - at - offset) <= (clock.uncertaintyUs ?? 0) + 1);
    assert.ok((clock.uncertaintyUs ?? 0) < 400, `${clock.uncertaintyUs}`);
  }
});

test('a restarted server has another clock, later or earlier', () => {
  for (const other of [500_000, 1_500_000]) {
    const clock = new ClockSync();
    clock.add(0, 100, 1_000_050);
    clock.add(2_000_000, 2_004_000, 2_002_000 + other);
    assert.equal(clock.serverUs(2_002_000), 2_002_000 + other);
  }
  const clock = new ClockSync();
  clock.add(0, 100, 1_000_050);
  clock.heard(1_000_000, 5_000_000);
  assert.equal(clock.ready, false, 'unknown until it is asked again');
});

test('old bounds give way', () => {
  const clock = new ClockSync();
  clock.add(0, 100, 1_000_050);
  clock.add(61_000_000, 61_002_000, 62_001_500);
  assert.equal(clock.serverUs(61_001_000), 62_001_500);
});

test('an RTP timestamp becomes the capture time, across wraps on both sides', () => {
  for (const captureUs of [0, 1_000_000, 47_721_858_000, 47_721_859_000, 9_876_543_210_000]) {
    for (const offset of [0, 1, 0x80000000, 0xffffffff]) {
      const rtp = (Math.floor((captureUs * 9) / 100) + offset) % 2 ** 32;
      for (const delay of [-20_000, 0, 15_000, 5_000_000]) {
        const found = captureUsFromRtp(rtp, offset, captureUs + delay);
        assert.ok(Math.abs(found - captureUs) < 12, `${captureUs} ${offset} ${delay}: ${found}`);
      }
    }
  }
});

test('rates and quantiles over a sliding window', () => {
  const rolling = new Rolling(2000);
  for (let i = 0; i <= 90; i++) rolling.add((i * 1000) / 30, i);
  assert.ok(Math.abs(rolling.perSecond(3000) - 30) < 0.1);
  assert.equal(rolling.quantile(3000, 1), 90);
  assert.equal(rolling.quantile(3000, 0.5), 60);
  assert.ok(rolling.perSecond(4000) < 21, 'a stream that stopped decays');
  assert.equal(rolling.count(9000), 0);
  assert.equal(rolling.quantile(9000, 0.5), null);
});

test('bits per second counts what came after the first sample', () => {
  const rolling = new Rolling(3000);
  for (let at = 0; at <= 2000; at += 500) rolling.add(at, 1000);
  assert.equal(rolling.sumPerSecond(2000), 2000);
});

test('a latency that the clocks cannot tell from none is unknown, and is known with hindsight', () => {
  assert.equal(latencyOf(null, { offsetMs: 0, uncertaintyMs: 1 }), null);
  assert.equal(latencyOf(12, null), null);
  assert.equal(latencyOf(-1000, { offsetMs: 1012, uncertaintyMs: 1 }), 12);
  assert.equal(latencyOf(-1000, { offsetMs: 1012, uncertaintyMs: 30 }), null);
  assert.equal(latencyOf(-1000, { offsetMs: 993, uncertaintyMs: 30 }), null);
  const context = {
    node: 'v', state: 'connected', reason: '', transport: 'webrtc', tier: 'video', choice: 'auto', view: null, roundTripMs: null,
    packetsLost: 0, dropped: 0, decoder: '', codec: '', path: '', server: null, steps: [],
  } as const;
  const recorder = new StatsRecorder();
  for (let at = 0; at < 1000; at += 40) recorder.frame(at, 640, 360, -5000 + (at % 80));
  const busy = recorder.snapshot(1000, { ...context, clock: { offsetMs: 4950, uncertaintyMs: 90 } });
  assert.deepEqual([busy.latency.p50, busy.latency.p95, busy.clockUncertaintyMs], [null, null, 90]);
  const quiet = recorder.snapshot(1000, { ...context, clock: { offsetMs: 5010, uncertaintyMs: 1 } });
  assert.deepEqual([quiet.latency.p50, quiet.latency.p95], [10, 50]);
});
