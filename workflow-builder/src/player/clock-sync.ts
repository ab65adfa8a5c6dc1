/* Offset between this page's monotonic clock and the server's. Each message bounds it from one side:
 * the server cannot have read its clock before we sent the question, nor after we had the answer. All
 * bounds of the last while are cut. So a way there that was quick once and a way back that was quick
 * at another time serve together, and a page that is too busy to take an answer at once spoils
 * nothing: half of such a round trip would be taken for the way there, and pictures would seem to be
 * shown before they were taken. */

const WINDOW_US = 60_000_000;
const MAX_BOUNDS = 64;
/* Two quartz clocks drift apart; a bound is worth less the older it is. */
const DRIFT = 50e-6;
/* Bounds that contradict each other by more are of two clocks: the server started anew, or this
 * machine slept. By less, one of them was rounded. */
const CONTRADICTION_US = 2_000;

interface Bound {
  readonly atUs: number;
  readonly us: number;
}

/* `sign` 1 keeps lower bounds, -1 upper ones: the tightest is the greatest of sign * us. */
class Bounds {
  #bounds: Bound[] = [];

  constructor(readonly sign: 1 | -1) {}

  add(atUs: number, us: number): void {
    const at = (bound: Bound) => this.#aged(bound, atUs);
    /* What is worse now is worse for good, since all age alike. */
    this.#bounds = this.#bounds.filter((old) => atUs - old.atUs <= WINDOW_US && at(old) * this.sign > us * this.sign).slice(1 - MAX_BOUNDS);
    this.#bounds.push({ atUs, us });
  }

  #aged({ atUs, us }: Bound, nowUs: number): number {
    return us - this.sign * DRIFT * (nowUs - atUs);
  }

  tightest(nowUs: number): number | null {
    const first = this.#bounds[0];
    return first === undefined ? null : this.#aged(first, nowUs);
  }

  clear(): void {
    this.#bounds = [];
  }
}

export class ClockSync {
  readonly #lower = new Bounds(1);
  readonly #upper = new Bounds(-1);
  #atUs = 0; // of the latest message
  #offsetUs: number | null = null;
  #uncertaintyUs: number | null = null;

  /** One exchange: local send and receive times and the server's time between, all microseconds. */
  add(sentUs: number, receivedUs: number, serverUs: number): void {
    if (!(receivedUs >= sentUs) || !Number.isFinite(serverUs)) return;
    this.#learn(receivedUs, serverUs - receivedUs, serverUs - sentUs);
  }

  /** Something that the server sent by itself, at its time `serverUs`; it was here at `receivedUs`. */
  heard(receivedUs: number, serverUs: number): void {
    if (this.#offsetUs === null || !Number.isFinite(serverUs)) return;
    this.#learn(receivedUs, serverUs - receivedUs, null);
  }

  reset(): void {
    this.#lower.clear();
    this.#upper.clear();
    this.#offsetUs = null;
    this.#uncertaintyUs = null;
  }

  #learn(atUs: number, lowerUs: number, upperUs: number | null): void {
    const lower = this.#lower.tightest(atUs);
    const upper = this.#upper.tightest(atUs);
    const above = upper !== null && lowerUs > upper + CONTRADICTION_US;
    const below = lower !== null && upperUs !== null && upperUs < lower - CONTRADICTION_US;
    if (above || below) this.reset();
    if (upperUs === null && this.#offsetUs === null) return; // one side alone says nothing
    this.#lower.add(atUs, lowerUs);
    if (upperUs !== null) this.#upper.add(atUs, upperUs);
    this.#atUs = atUs;
    this.#estimate();
  }

  #estimate(): void {
    const lower = this.#lower.tightest(this.#atUs);
    const upper = this.#upper.tightest(this.#atUs);
    if (lower === null || upper === null) return;
    this.#offsetUs = (lower + upper) / 2;
    this.#uncertaintyUs = Math.abs(upper - lower) / 2;
  }

  get ready(): boolean {
    return this.#offsetUs !== null;
  }

  /** The server's clock at a local time, or null before the first exchange. */
  serverUs(localUs: number): number | null {
    return this.#offsetUs === null ? null : localUs + this.#offsetUs;
  }

  /** How far off serverUs() can be. */
  get uncertaintyUs(): number | null {
    return this.#uncertaintyUs;
  }
}
