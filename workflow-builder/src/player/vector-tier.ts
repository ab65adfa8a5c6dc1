/* The schematic that is shown where the path carries no video: drawn anew for each picture of the
 * screen, from the records that come, and marked as what it is. */
import type { ElementDom } from './element-dom';
import type { FrameMetadata } from './metadata';
import { Rolling } from './rolling';
import { VectorMotion } from './vector-motion';

/* Around a record: SCTP 28, DTLS 37, UDP and IPv4 28 bytes. */
const RECORD_HEADERS = 93;
const RATE_WINDOW_MS = 3_000;

export class VectorTier {
  readonly #dom: ElementDom;
  readonly #bits = new Rolling(RATE_WINDOW_MS);
  #motion: VectorMotion | null = null;
  #latest: FrameMetadata | null = null;

  constructor(dom: ElementDom) {
    this.#dom = dom;
  }

  get shown(): boolean {
    return this.#latest !== null;
  }

  /** Bits that the records of the last seconds took, a second. */
  bitsPerSecond(now: number): number {
    return this.#bits.sumPerSecond(now);
  }

  /** Was a picture with this timestamp sent before what is shown? Then it comes too late. */
  isNewerThan(rtpTimestamp: number | undefined): boolean {
    return this.#latest !== null && rtpTimestamp !== undefined && ((this.#latest.rtpTimestamp - rtpTimestamp) | 0) >= 0;
  }

  received(record: FrameMetadata, bytes: number, now: number): void {
    if (this.isNewerThan(record.rtpTimestamp)) return;
    this.#bits.add(now, 8 * (bytes + RECORD_HEADERS));
    const begins = this.#latest === null;
    this.#latest = record;
    this.#motion ??= new VectorMotion();
    this.#motion.received(record, now);
    this.#dom.showBadge('Vector', `link too slow for video, ${Math.round(this.bitsPerSecond(now) / 1000)} kbit/s`);
    if (begins) this.#draw();
  }

  /** Video is shown again, or nothing at all. */
  end(): void {
    if (this.#latest === null) return;
    this.#latest = null;
    this.#motion = null;
    this.#bits.clear();
    this.#dom.showBadge('', '');
    this.#dom.overlay.clear();
  }

  readonly #draw = (): void => {
    const record = this.#motion?.at(performance.now()) ?? null;
    if (record === null) return;
    this.#dom.overlay.show(record, true);
    requestAnimationFrame(this.#draw);
  };
}
