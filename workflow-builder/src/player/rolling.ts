/* Samples of the last few seconds: rates, sums and quantiles. Times are milliseconds. */

interface Sample {
  readonly at: number;
  readonly value: number;
}

export class Rolling {
  #samples: Sample[] = [];

  constructor(readonly windowMs: number) {}

  add(at: number, value: number): void {
    this.#samples.push({ at, value });
    this.#expire(at);
  }

  clear(): void {
    this.#samples = [];
  }

  #expire(now: number): void {
    const from = now - this.windowMs;
    const keep = this.#samples.findIndex((sample) => sample.at > from);
    if (keep > 0) this.#samples.splice(0, keep);
    else if (keep < 0) this.#samples.length = 0;
  }

  count(now: number): number {
    this.#expire(now);
    return this.#samples.length;
  }

  /** Samples per second; young windows are measured over the time they cover. */
  perSecond(now: number): number {
    this.#expire(now);
    const first = this.#samples[0];
    const last = this.#samples[this.#samples.length - 1];
    if (first === undefined || last === undefined || last.at <= first.at) return 0;
    /* n samples span n - 1 intervals; a stream that has stopped decays with the growing gap. */
    const interval = (last.at - first.at) / (this.#samples.length - 1);
    const span = last.at - first.at + Math.max(interval, now - last.at);
    return (this.#samples.length * 1000) / span;
  }

  /** Sum of values per second, over the window or the time covered so far. */
  sumPerSecond(now: number): number {
    this.#expire(now);
    const first = this.#samples[0];
    if (first === undefined || this.#samples.length < 2) return 0;
    const sum = this.#samples.slice(1).reduce((total, sample) => total + sample.value, 0);
    return (sum * 1000) / Math.max(1, now - first.at);
  }

  /** The q-quantile (0..1) by nearest rank, or null without samples. */
  quantile(now: number, q: number): number | null {
    this.#expire(now);
    if (this.#samples.length === 0) return null;
    const sorted = this.#samples.map((sample) => sample.value).sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] ?? null;
  }
}
