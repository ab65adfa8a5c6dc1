// Reads the machine-readable clock (src/source/clock_code.h) in a luma plane.
import { networkInterfaces } from 'node:os';

const COLUMNS = 16, ROWS = 4;

function crc16(bytes) {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc;
}

/** Wall clock in microseconds modulo 2^48, or null. */
export function readClock(luma, width, height, stride = width) {
  const side = Math.max(8, Math.floor(height / 90) * 2);
  if (width < COLUMNS * side || height < ROWS * side) return null;
  const bytes = new Array(8).fill(0);
  for (let i = 0; i < COLUMNS * ROWS; i++) {
    const x = (i % COLUMNS) * side + (side - 4) / 2, y = Math.floor(i / COLUMNS) * side + (side - 4) / 2;
    let sum = 0;
    for (let k = 0; k < 16; k++) sum += luma[(y + (k >> 2)) * stride + x + (k & 3)];
    bytes[i >> 3] = (bytes[i >> 3] << 1) | (sum / 16 >= 126 ? 1 : 0);
  }
  if (crc16(bytes.slice(0, 6)) !== ((bytes[6] << 8) | bytes[7])) return null;
  return bytes.slice(0, 6).reduce((value, byte) => value * 256 + byte, 0);
}

/** Milliseconds since the clock's time. */
export function clockAgeMs(clock) {
  const now = (performance.timeOrigin + performance.now()) * 1000;
  return ((now % 2 ** 48) - clock) / 1000;
}

/** An address of this machine that is not loopback: some peers do without loopback. Null: it has none. */
export function ownAddress() {
  return Object.values(networkInterfaces()).flat().find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? null;
}
