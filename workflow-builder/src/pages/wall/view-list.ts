/* What the list of views says as a whole; pure. */
import type { ViewInfo } from '../../player/server-types';
import { livenessOf } from '../../ui/view-health';

export interface ViewGroup {
  readonly name: string;
  readonly views: readonly ViewInfo[];
}

/** By workflow, both in the order of their names, so that cards stay where they are. */
export function groupViews(views: readonly ViewInfo[]): ViewGroup[] {
  const groups = new Map<string, ViewInfo[]>();
  for (const view of views) {
    const name = view.workflow_name || view.workflow_id || 'Views';
    groups.set(name, [...(groups.get(name) ?? []), view]);
  }
  const byName = (a: string, b: string) => a.localeCompare(b, undefined, { numeric: true });
  return [...groups]
    .sort(([a], [b]) => byName(a, b))
    .map(([name, members]) => ({ name, views: [...members].sort((a, b) => byName(a.label || a.node_id, b.label || b.node_id)) }));
}

export function summaryOf(views: readonly ViewInfo[]): string {
  if (views.length === 0) return '';
  const troubled = views.filter((view) => livenessOf(view) === 'no-signal' || livenessOf(view) === 'error').length;
  const total = `${views.length} ${views.length === 1 ? 'view' : 'views'}`;
  return troubled === 0 ? total : `${total}, ${troubled} without a picture`;
}
