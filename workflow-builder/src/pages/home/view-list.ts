/* What the list of views says as a whole; pure. */
import type { ViewInfo } from '../../player/server-types';

export type Liveness = 'live' | 'opening' | 'no-signal' | 'error';

export const LIVENESS_LABELS: Readonly<Record<Liveness, string>> = {
  live: 'Live',
  opening: 'Opening…',
  'no-signal': 'No signal',
  error: 'Error',
};

export function livenessOf(view: ViewInfo): Liveness {
  if (view.error) return 'error';
  const state = view.source?.state?.toLowerCase().replace(/[ -]/g, '_');
  if (state === 'no_signal' || state === 'ended') return 'no-signal';
  return state === 'opening' ? 'opening' : 'live';
}

/** The sentence a card shows when something is wrong; '' = all is well. */
export function troubleOf(view: ViewInfo): string {
  if (view.error) return view.error;
  if (livenessOf(view) === 'no-signal' && view.source?.text) return view.source.text;
  return view.model_error ?? '';
}

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
