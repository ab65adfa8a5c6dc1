/* Where the time of each view goes: the stamps of its last picture, looked at once a second. Pure. */
import type { ViewInfo } from '../../player/server-types';
import { inOrder } from '../wall/view-list';

/** Stamps in the order of a frame's way, and what ends with each. */
export const PARTS = [
  { stamp: 'decoded', name: 'decode', label: 'Decode' },
  { stamp: 'infer_start', name: 'wait', label: 'Wait for the model' },
  { stamp: 'infer_end', name: 'model', label: 'Model' },
  { stamp: 'drawn', name: 'draw', label: 'Draw' },
  { stamp: 'encoded', name: 'encode', label: 'Encode' },
] as const;

export type PartName = (typeof PARTS)[number]['name'];

export interface Part {
  readonly name: PartName;
  readonly label: string;
  readonly p50: number;
  readonly p95: number;
}

export interface ViewTimes {
  readonly view: ViewInfo;
  /** Empty: nobody watches it, so nothing is done for it. */
  readonly parts: readonly Part[];
  readonly p50: number;
  readonly p95: number;
}

interface Look {
  readonly at: number;
  readonly total: number;
  readonly parts: Readonly<Partial<Record<PartName, number>>>;
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
}

/** What passed between the stamps that are there; null when the picture was never encoded. */
export function partsOf(stamps: Readonly<Record<string, number>>): Omit<Look, 'at'> | null {
  if (typeof stamps['encoded'] !== 'number') return null;
  const parts: Partial<Record<PartName, number>> = {};
  let before = 0;
  for (const { stamp, name } of PARTS) {
    const at = stamps[stamp];
    if (typeof at !== 'number') continue;
    parts[name] = Math.max(0, at - before);
    before = at;
  }
  return { parts, total: stamps['encoded'] };
}

export class TimesRecorder {
  readonly #looks = new Map<string, { frames: number; looks: Look[] }>();

  constructor(readonly windowMs: number) {}

  update(views: readonly ViewInfo[], now: number): ViewTimes[] {
    const present = new Set(views.map(({ node_id }) => node_id));
    for (const id of this.#looks.keys()) if (!present.has(id)) this.#looks.delete(id);
    return inOrder(views).map((view) => this.#look(view, now));
  }

  #look(view: ViewInfo, now: number): ViewTimes {
    const known = this.#looks.get(view.node_id) ?? { frames: 0, looks: [] };
    const frames = view.frames ?? 0;
    const look = frames === known.frames ? null : partsOf(view.latency_ms ?? {});
    const looks = [...known.looks, ...(look === null ? [] : [{ at: now, ...look }])].filter(({ at }) => now - at < this.windowMs);
    this.#looks.set(view.node_id, { frames, looks });
    const parts = PARTS.flatMap(({ name, label }) => {
      const values = looks.flatMap((each) => each.parts[name] ?? []);
      return values.length === 0 ? [] : [{ name, label, p50: quantile(values, 0.5), p95: quantile(values, 0.95) }];
    });
    const totals = looks.map(({ total }) => total);
    return { view, parts, p50: quantile(totals, 0.5), p95: quantile(totals, 0.95) };
  }
}
