/* Where the time of one picture went, from its capture until it was shown: stages that add up to its
 * latency. What happened at the server comes from the picture's record, what happened here from the
 * browser, the rest was the network. Pure. */
import type { FrameMetadata, Station } from './metadata';

/** The server's clock less this page's, and how far off that can be; milliseconds. */
export interface Clock {
  readonly offsetMs: number;
  readonly uncertaintyMs: number;
}

/** A latency out of the page's time less the server's; null when it could as well be none at all. */
export function latencyOf(differenceMs: number | null, clock: Clock | null): number | null {
  if (differenceMs === null || clock === null) return null;
  const latencyMs = differenceMs + clock.offsetMs;
  return latencyMs >= clock.uncertaintyMs ? latencyMs : null;
}

export const STAGES = [
  { name: 'capture', label: 'Capture', help: 'Reading and decoding at the source' },
  { name: 'wait', label: 'Wait', help: 'Waiting for the model' },
  { name: 'model', label: 'Model', help: 'Inference' },
  { name: 'draw', label: 'Draw', help: 'Scaling and drawing what the model sees' },
  { name: 'encode', label: 'Encode', help: 'Encoding' },
  { name: 'send', label: 'Send', help: 'Cutting into packets, pacing and protecting them' },
  { name: 'network', label: 'Network', help: 'From the server to this browser' },
  { name: 'decode', label: 'Decode', help: 'Decoding in this browser' },
  { name: 'screen', label: 'Screen', help: 'Waiting for the step of the screen that shows it' },
] as const;

export type StageName = (typeof STAGES)[number]['name'];

/* Which stage ends at a station. */
const ENDS: Readonly<Record<Station, StageName>> = { decoded: 'capture', inferStart: 'wait', inferEnd: 'model', drawn: 'draw', encoded: 'encode' };

/** On the page's clock, milliseconds; null: the browser does not tell. */
export interface PageTimes {
  readonly receivedMs: number | null;
  readonly decodedMs: number | null;
  readonly shownMs: number;
}

/** What a browser tells of a picture of a video. */
export function timesOfVideo(shownMs: number, { receiveTime, processingDuration }: { receiveTime?: number; processingDuration?: number }): PageTimes {
  const receivedMs = receiveTime ?? null;
  const decodedMs = receivedMs === null || processingDuration === undefined ? null : receivedMs + processingDuration * 1000;
  return { receivedMs, decodedMs, shownMs };
}

export interface Segment {
  readonly stage: StageName;
  readonly ms: number;
}

export interface LatencyBudget {
  /** The sum of the segments. */
  readonly totalMs: number;
  /** In the order of the way; only of stages that the picture passed. */
  readonly segments: readonly Segment[];
  /** By how much the frame is older in which the model saw the boxes; null: it is this one. */
  readonly boxesAgeMs: number | null;
}

/** null while the clocks are not known well enough to tell. */
export function budgetOf(record: FrameMetadata, times: PageTimes, clock: Clock | null): LatencyBudget | null {
  const sinceCapture = (pageMs: number) => pageMs - record.captureUs / 1000 + (clock?.offsetMs ?? 0);
  const totalMs = latencyOf(times.shownMs - record.captureUs / 1000, clock);
  if (totalMs === null) return null;
  const segments: Segment[] = [];
  let before = 0;
  /* What the clocks' uncertainty would put out of order is cut, so that the sum stays. */
  const end = (stage: StageName, at: number) => {
    const until = Math.min(Math.max(before, at), totalMs);
    segments.push({ stage, ms: until - before });
    before = until;
  };
  for (const [station, at] of Object.entries(record.stagesMs)) end(ENDS[station as Station], at);
  end('send', record.sentMs);
  if (times.receivedMs !== null) end('network', sinceCapture(times.receivedMs));
  if (times.decodedMs !== null) end('decode', sinceCapture(times.decodedMs));
  end(times.receivedMs === null ? 'network' : 'screen', totalMs);
  return { totalMs, segments, boxesAgeMs: record.boxesAgeMs };
}

interface Known {
  readonly record: FrameMetadata;
  readonly times: PageTimes;
}

/** The pictures of the last while of which all is known. */
export class BudgetRecorder {
  #known: Known[] = [];

  constructor(readonly windowMs: number) {}

  add(record: FrameMetadata, times: PageTimes): void {
    this.#known.push({ record, times });
    const from = times.shownMs - this.windowMs;
    const keep = this.#known.findIndex((known) => known.times.shownMs > from);
    if (keep > 0) this.#known.splice(0, keep);
  }

  clear(): void {
    this.#known = [];
  }

  /** Of the picture whose latency is nearest to this one, as to the median: medians of each stage would
   * not add up. */
  nearest(latencyMs: number | null, clock: Clock | null): LatencyBudget | null {
    if (latencyMs === null || clock === null) return null;
    const off = ({ record, times }: Known) => Math.abs(times.shownMs - record.captureUs / 1000 + clock.offsetMs - latencyMs);
    let best: Known | null = null;
    for (const known of this.#known) if (best === null || off(known) < off(best)) best = known;
    return best === null ? null : budgetOf(best.record, best.times, clock);
  }
}
