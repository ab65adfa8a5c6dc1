import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockCodeAgeUs, clockCodeSide, crc16, decodeClockCode } from '../src/player/clock-code';

function draw(us: number, side: number, width: number, height: number, spoil = -1): { data: Uint8ClampedArray; width: number; height: number } {
  const bytes: number[] = [];
  for (let i = 5; i >= 0; i--) bytes.push(Math.floor(us / 256 ** i) % 256);
  const crc = crc16(bytes);
  bytes.push(crc >> 8, crc & 255);
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < 4 * side; y++) {
    for (let x = 0; x < 16 * side; x++) {
      const i = Math.floor(y / side) * 16 + Math.floor(x / side);
      const bit = ((bytes[i >> 3] ?? 0) >> (7 - (i & 7))) & 1;
      data.fill((bit === 1) !== (i === spoil) ? 235 : 16, (y * width + x) * 4, (y * width + x) * 4 + 4);
    }
  }
  return { data, width, height };
}

test('crc16 gives the check value of CRC-16/CCITT-FALSE', () => {
  assert.equal(crc16(new TextEncoder().encode('123456789')), 0x29b1);
});

test('the side follows the height, even and at least 8', () => {
  assert.deepEqual([100, 360, 540, 720, 1080].map(clockCodeSide), [8, 8, 12, 16, 24]);
});

test('a drawn code reads back, at several sizes and values', () => {
  for (const us of [0, 1, 1_700_000_000_123_456 % 2 ** 48, 2 ** 48 - 1]) {
    for (const side of [8, 12, 24]) assert.equal(decodeClockCode(draw(us, side, 16 * side + 5, 4 * side + 3), side), us);
  }
});

test('one wrong square is noticed, wherever it is', () => {
  for (let spoil = 0; spoil < 64; spoil++) assert.equal(decodeClockCode(draw(123_456_789, 8, 128, 32, spoil), 8), null);
});

test('a picture smaller than the code has none', () => {
  assert.equal(decodeClockCode(draw(5, 8, 128, 32), 12), null);
});

test('age crosses the wrap of 48 bits in both directions', () => {
  const wrap = 2 ** 48;
  assert.equal(clockCodeAgeUs(wrap - 10, wrap + 5), 15);
  assert.equal(clockCodeAgeUs(5, wrap - 10), -15);
  assert.equal(clockCodeAgeUs(100, 350), 250);
});
