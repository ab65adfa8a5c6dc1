/* How a view is doing, in a word and in a sentence; pure. */
import type { ViewInfo } from '../player/server-types';

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
  return view.model_error || (view.recording?.error ? `This view cannot be recorded: ${view.recording.error}` : '');
}
