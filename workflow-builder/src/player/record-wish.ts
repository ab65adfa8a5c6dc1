/* What the player wants of records, and how it says so in the data channel (docs/api.md, "Saying what
 * is wanted"). Pure. */

/** Records a second at most; 'each': of each picture. */
export type RecordRate = number | 'each';

const KIND = 1;
const VECTOR = 1;
const EACH = 0xffff;

/** The message. Whoever asks draws vectors when there is no video. */
export function encodeWish(rate: RecordRate): Uint8Array<ArrayBuffer> {
  const per10s = rate === 'each' ? EACH : Math.min(EACH - 1, Math.max(0, Math.round(rate * 10)));
  return new Uint8Array([KIND, VECTOR, per10s >> 8, per10s & 0xff]);
}

/* Enough for the latency strip, and to learn that the picture is clean. */
const FEW: RecordRate = 5;
const READ_FOR_MS = 10_000;

/** Each picture's record costs: it is asked for only while somebody looks at it. */
export class RecordDemand {
  readonly #listeners = new Map<unknown, Set<string>>();
  #readAt = -Infinity;

  /** A page listens for records, for what is told of it. */
  listens(who: unknown, what: string): void {
    this.#listeners.set(who, (this.#listeners.get(who) ?? new Set()).add(what));
  }

  /** It does so no more. */
  leaves(who: unknown, what: string): void {
    const left = this.#listeners.get(who);
    left?.delete(what);
    if (left?.size === 0) this.#listeners.delete(who);
  }

  /** A page has read the record of the picture on the screen. */
  read(now: number): void {
    this.#readAt = now;
  }

  /** `drawn`: the overlay is, from these records. */
  rate(now: number, drawn: boolean): RecordRate {
    return drawn || this.#listeners.size > 0 || now - this.#readAt < READ_FOR_MS ? 'each' : FEW;
  }
}
