/* What the player measures, and the snapshot of it that `element.stats` and the `stats` event give. */
import { BudgetRecorder, latencyOf, type Clock, type LatencyBudget, type PageTimes } from './latency-budget';
import type { FrameMetadata } from './metadata';
import { Rolling } from './rolling';
import type { Step } from './connection-steps';
import type { ConnectionState, Transport, TransportChoice } from './session-machine';
import type { ViewInfo } from './server-types';
import type { ServerConnection } from './webrtc-signalling';

export interface ViewStats {
  readonly node: string;
  readonly state: ConnectionState;
  readonly reason: string;
  readonly transport: Transport | null;
  /** Vectors: the path carries no video, what is known of the pictures is drawn instead. */
  readonly tier: 'video' | 'vector';
  readonly choice: TransportChoice;
  /** Pictures shown a second. */
  readonly fps: number;
  /** Capture to shown, milliseconds over the last seconds; null while the clocks are not known well
   * enough to tell. */
  readonly latency: { readonly p50: number | null; readonly p95: number | null };
  /** Where the time went of the picture whose latency is nearest to the median; null while unknown. */
  readonly budget: LatencyBudget | null;
  /** How far off the latency can be, milliseconds. */
  readonly clockUncertaintyMs: number | null;
  readonly bitsPerSecond: number;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly dropped: number;
  readonly packetsLost: number;
  readonly roundTripMs: number | null;
  readonly encoder: string;
  readonly decoder: string;
  /** Of the shown picture: "H.264", "VP8", "JPEG"; "" while unknown. */
  readonly codec: string;
  /** How media comes here: "UDP", "TCP", "relay (UDP)", "WebSocket"; "" while unknown. */
  readonly path: string;
  /** What the server measures of this viewer's way; null unless details are wanted. */
  readonly server: ServerConnection | null;
  /** The way of the last WebRTC connection, as far as it came. */
  readonly steps: readonly Step[];
  readonly detections: number | null;
  readonly modelMs: number | null;
  readonly modelFps: number | null;
  /** Latency p50 of each past half second, oldest first, at most a minute; null = no picture. */
  readonly history: readonly (number | null)[];
}

export const STATS_PERIOD_MS = 500;
const HISTORY_LENGTH = 120;
const LATENCY_WINDOW_MS = 5_000;

export interface StatsContext {
  readonly node: string;
  readonly state: ConnectionState;
  readonly reason: string;
  readonly transport: Transport | null;
  readonly tier: 'video' | 'vector';
  readonly choice: TransportChoice;
  readonly view: ViewInfo | null;
  readonly clock: Clock | null;
  readonly roundTripMs: number | null;
  readonly packetsLost: number;
  readonly dropped: number;
  readonly decoder: string;
  readonly codec: string;
  readonly path: string;
  readonly server: ServerConnection | null;
  readonly steps: readonly Step[];
}

export class StatsRecorder {
  readonly #shown = new Rolling(2_000);
  /* Shown on the page's clock less captured on the server's: what is learned of the clocks later holds
   * for these, too. */
  readonly #difference = new Rolling(LATENCY_WINDOW_MS);
  readonly #recentDifference = new Rolling(STATS_PERIOD_MS);
  readonly #budgets = new BudgetRecorder(LATENCY_WINDOW_MS);
  readonly #bits = new Rolling(3_000);
  #history: (number | null)[] = [];
  #frames = 0;
  #detections: number | null = null;
  #size = { width: 0, height: 0 };

  /** A picture was shown `differenceMs` after its capture, by two clocks; null: of unknown capture. */
  frame(now: number, width: number, height: number, differenceMs: number | null): void {
    this.#frames += 1;
    this.#size = { width, height };
    this.#shown.add(now, 1);
    if (differenceMs === null) return;
    this.#difference.add(now, differenceMs);
    this.#recentDifference.add(now, differenceMs);
  }

  /** The record of a picture that was shown. */
  known(record: FrameMetadata, times: PageTimes): void {
    this.#budgets.add(record, times);
  }

  received(now: number, bytes: number): void {
    this.#bits.add(now, bytes * 8);
  }

  detections(count: number | null): void {
    this.#detections = count;
  }

  /** The other transport has taken over: rates start anew, the history goes on. */
  switched(): void {
    this.#shown.clear();
    this.#difference.clear();
    this.#recentDifference.clear();
    this.#budgets.clear();
    this.#bits.clear();
  }

  /** Call once per STATS_PERIOD_MS: adds a point to the history. */
  mark(now: number, clock: Clock | null): void {
    this.#history = [...this.#history, latencyOf(this.#recentDifference.quantile(now, 0.5), clock)].slice(-HISTORY_LENGTH);
  }

  snapshot(now: number, context: StatsContext): ViewStats {
    const { view, clock, ...rest } = context;
    const p50 = latencyOf(this.#difference.quantile(now, 0.5), clock);
    return {
      ...rest,
      clockUncertaintyMs: clock?.uncertaintyMs ?? null,
      fps: this.#shown.perSecond(now),
      latency: { p50, p95: p50 === null ? null : latencyOf(this.#difference.quantile(now, 0.95), clock) },
      budget: this.#budgets.nearest(p50, clock),
      bitsPerSecond: this.#bits.sumPerSecond(now),
      width: this.#size.width,
      height: this.#size.height,
      frames: this.#frames,
      encoder: context.transport === 'websocket' ? 'JPEG' : (view?.encoder ?? ''),
      detections: view?.model_id === '' ? null : (view?.detections ?? this.#detections),
      modelMs: view?.model_ms ?? null,
      modelFps: view?.model_fps ?? null,
      history: this.#history,
    };
  }
}
