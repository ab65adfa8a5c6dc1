/* Offset between this page's monotonic clock and the server's, from request/answer pairs. The pair
 * with the shortest round trip is the one least disturbed by queues, so it alone is believed. */

const WINDOW_US = 60_000_000;
const MAX_SAMPLES = 64;

interface ClockSample {
  readonly atUs: number;
  readonly offsetUs: number;
  readonly roundTripUs: number;
}

export class ClockSync {
  #samples: ClockSample[] = [];
  #best: ClockSample | null = null;

  /** One exchange: local send and receive times and the server's time between, all microseconds. */
  add(sentUs: number, receivedUs: number, serverUs: number): void {
    const roundTripUs = receivedUs - sentUs;
    if (!(roundTripUs >= 0) || !Number.isFinite(serverUs)) return;
    const sample = { atUs: receivedUs, offsetUs: serverUs - (sentUs + receivedUs) / 2, roundTripUs };
    /* A server that started anew has another clock: nothing old holds any more. */
    if (this.#best !== null && this.#isAnotherClock(sample, this.#best)) this.reset();
    this.#samples = this.#samples.filter((old) => receivedUs - old.atUs <= WINDOW_US).slice(1 - MAX_SAMPLES);
    this.#samples.push(sample);
    this.#best = this.#samples.reduce((a, b) => (b.roundTripUs <= a.roundTripUs ? b : a));
  }

  reset(): void {
    this.#samples = [];
    this.#best = null;
  }

  /** Two honest samples differ by at most half of both round trips; 10 ms more allow for drift. */
  #isAnotherClock(a: ClockSample, b: ClockSample): boolean {
    return Math.abs(a.offsetUs - b.offsetUs) > (a.roundTripUs + b.roundTripUs) / 2 + 10_000;
  }

  get ready(): boolean {
    return this.#best !== null;
  }

  /** The server's clock at a local time, or null before the first exchange. */
  serverUs(localUs: number): number | null {
    return this.#best === null ? null : localUs + this.#best.offsetUs;
  }

  /** How far off serverUs() can be: half the best round trip. */
  get uncertaintyUs(): number | null {
    return this.#best === null ? null : this.#best.roundTripUs / 2;
  }
}
