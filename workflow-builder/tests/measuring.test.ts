import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs, MEDIA_PAUSES, SERVER_PAUSES } from '../src/player/backoff';
import { parseBinaryFrame } from '../src/player/binary-frame';
import { ClockSync } from '../src/player/clock-sync';
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

test('what is no frame is refused, truncated anywhere included', () => {
  const whole = message('{"node_id":"v"}', [1]);
  for (let size = 0; size < whole.byteLength; size++) assert.equal(parseBinaryFrame(whole.slice(0, size)), null);
  for (const header of ['{', '[]', 'null', '{"node_id":3}']) assert.equal(parseBinaryFrame(message(header, [1])), null);
  const huge = whole.slice(0);
  new DataView(huge).setUint32(0, 0xffffffff);
  assert.equal(parseBinaryFrame(huge), null);
});

test('the shortest round trip sets the clock', () => {
  const clock = new ClockSync();
  assert.equal(clock.serverUs(0), null);
  clock.add(1000, 9000, 55_000 + 3000); // one way slow: 2 ms off
  clock.add(20_000, 20_200, 50_100 + 20_000);
  clock.add(30_000, 38_000, 50_000 + 36_000);
  assert.equal(clock.serverUs(100), 50_100);
  assert.equal(clock.uncertaintyUs, 100);
});

test('a restarted server has another clock', () => {
  const clock = new ClockSync();
  clock.add(0, 100, 1_000_050);
  clock.add(2_000_000, 2_004_000, 502_000);
  assert.equal(clock.serverUs(2_002_000), 502_000);
});

test('old samples give way', () => {
  const clock = new ClockSync();
  clock.add(0, 100, 1_000_050);
  clock.add(61_000_000, 61_002_000, 62_001_900);
  assert.equal(clock.serverUs(61_001_000), 62_001_900);
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
