/* What the list of views says as a whole; pure. */
import type { ViewInfo } from '../../player/server-types';
import { livenessOf } from '../../ui/view-health';

/** By workflow, then by name, so that tiles stay where they are. */
export function inOrder(views: readonly ViewInfo[]): ViewInfo[] {
  const compare = (a: string, b: string) => a.localeCompare(b, undefined, { numeric: true });
  const workflow = (view: ViewInfo) => view.workflow_name || view.workflow_id || '';
  return [...views].sort((a, b) => compare(workflow(a), workflow(b)) || compare(a.label || a.node_id, b.label || b.node_id) || compare(a.node_id, b.node_id));
}

/** All but the recorders of workflows that have views to be looked at, which show the same. */
export function shownViews(views: readonly ViewInfo[]): ViewInfo[] {
  const looked = new Set(views.filter((view) => view.is_recorder !== true).map((view) => view.workflow_id));
  return views.filter((view) => view.is_recorder !== true || !looked.has(view.workflow_id));
}

export function summaryOf(views: readonly ViewInfo[]): string {
  if (views.length === 0) return '';
  const troubled = views.filter((view) => livenessOf(view) === 'no-signal' || livenessOf(view) === 'error').length;
  const total = `${views.length} ${views.length === 1 ? 'view' : 'views'}`;
  return troubled === 0 ? total : `${total}, ${troubled} without a picture`;
}

/** Views that have gone stay for `lingerMs`: one that is started again at once keeps its place. */
export class Roster {
  readonly #seen = new Map<string, { view: ViewInfo; at: number }>();

  constructor(readonly lingerMs: number) {}

  /** The server was away and did not tell: what was there counts as seen now. */
  hold(now: number): void {
    for (const seen of this.#seen.values()) seen.at = now;
  }

  /** Takes what runs now; returns what is to be shown, in order. */
  update(views: readonly ViewInfo[], now: number): { view: ViewInfo; running: boolean }[] {
    for (const view of views) this.#seen.set(view.node_id, { view, at: now });
    for (const [id, { at }] of this.#seen) if (now - at >= this.lingerMs) this.#seen.delete(id);
    const running = new Set(views.map((view) => view.node_id));
    return inOrder([...this.#seen.values()].map(({ view }) => view)).map((view) => ({ view, running: running.has(view.node_id) }));
  }
}
