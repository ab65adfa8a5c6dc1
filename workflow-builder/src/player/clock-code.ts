/* Reader of the machine-readable clock in a picture's top left corner; the layout is described in
 * src/source/clock_code.h: 16 x 4 squares, row by row, most significant bit first, 48 bits of wall
 * clock in microseconds, then a CRC-16 of these six bytes. */

export const CLOCK_CODE_COLUMNS = 16;
export const CLOCK_CODE_ROWS = 4;

/** Side of one square in pixels for a picture of this height. */
export function clockCodeSide(pictureHeight: number): number {
  const side = Math.floor(pictureHeight / 45);
  return Math.max(8, side - (side % 2));
}

/** CRC-16/CCITT-FALSE: polynomial 0x1021, initial 0xffff. */
export function crc16(bytes: ArrayLike<number>): number {
  let crc = 0xffff;
  for (let i = 0; i < bytes.length; i++) {
    crc ^= (bytes[i] ?? 0) << 8;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 0x8000) !== 0 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
    }
  }
  return crc;
}

export interface Pixels {
  readonly data: ArrayLike<number>; // RGBA
  readonly width: number;
  readonly height: number;
}

/* Mean green of the 3 x 3 pixels around a point: green stands for luma, and the mean evens out the
 * ringing of a low bitrate. */
function brightness(pixels: Pixels, x: number, y: number): number {
  let sum = 0;
  for (let dy = -1; dy <= 1; dy++) {
    for (let dx = -1; dx <= 1; dx++) {
      sum += pixels.data[((y + dy) * pixels.width + x + dx) * 4 + 1] ?? 0;
    }
  }
  return sum / 9;
}

/**
 * Reads the code from the top left corner of `pixels`. `side` is the side of a square in these
 * pixels. Returns the wall clock in microseconds modulo 2^48, or null when there is no valid code.
 */
export function decodeClockCode(pixels: Pixels, side: number): number | null {
  if (pixels.width < CLOCK_CODE_COLUMNS * side || pixels.height < CLOCK_CODE_ROWS * side) return null;
  const bytes = new Uint8Array(8);
  for (let i = 0; i < CLOCK_CODE_COLUMNS * CLOCK_CODE_ROWS; i++) {
    const x = Math.floor(((i % CLOCK_CODE_COLUMNS) + 0.5) * side);
    const y = Math.floor((Math.floor(i / CLOCK_CODE_COLUMNS) + 0.5) * side);
    const bit = brightness(pixels, x, y) >= 128 ? 1 : 0;
    bytes[i >> 3] = ((bytes[i >> 3] ?? 0) << 1) | bit;
  }
  const stated = ((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0);
  if (crc16(bytes.subarray(0, 6)) !== stated) return null;
  return bytes.subarray(0, 6).reduce((value, byte) => value * 256 + byte, 0);
}

/** Wall clock in microseconds, with the resolution of performance.now(). */
export function wallNowUs(): number {
  return (performance.timeOrigin + performance.now()) * 1000;
}

/** Microseconds from the time in a code to `nowUs`, across the wrap at 2^48. */
export function clockCodeAgeUs(codeUs: number, nowUs: number): number {
  const wrap = 2 ** 48;
  const age = (((nowUs % wrap) - codeUs) % wrap + wrap) % wrap;
  return age > wrap / 2 ? age - wrap : age;
}

/** Reads codes from a video or canvas on the page; keeps one small canvas for it. */
export class ClockCodeReader {
  readonly #canvas = document.createElement('canvas');
  readonly #context = this.#canvas.getContext('2d', { willReadFrequently: true });

  /** Wall clock in microseconds modulo 2^48, or null. `pictureHeight`: natural height of `source`. */
  read(source: CanvasImageSource, pictureHeight: number): number | null {
    if (this.#context === null || pictureHeight <= 0) return null;
    const side = clockCodeSide(pictureHeight);
    const width = CLOCK_CODE_COLUMNS * side;
    const height = CLOCK_CODE_ROWS * side;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#context.drawImage(source, 0, 0, width, height, 0, 0, width, height);
    return decodeClockCode(this.#context.getImageData(0, 0, width, height), side);
  }
}
