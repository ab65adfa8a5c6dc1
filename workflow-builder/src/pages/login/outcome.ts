/* What an answer of POST /api/login means; pure. */
import { asSentence } from '../../player/server-types';

export type Outcome =
  | { readonly kind: 'welcome'; readonly next: string }
  | { readonly kind: 'wrong'; readonly text: string }
  | { readonly kind: 'wait'; readonly seconds: number };

/* Longer than the server's own longest wait: what says more is no answer of it. */
const LONGEST_WAIT_S = 3600;
const USUAL_WAIT_S = 12;

export function outcomeOf(status: number, retryAfter: string | null, body: unknown): Outcome {
  const { next, detail } = (typeof body === 'object' && body !== null ? body : {}) as { next?: unknown; detail?: unknown };
  if (status === 200) return { kind: 'welcome', next: typeof next === 'string' ? next : '/' };
  if (status === 429) {
    const seconds = Number(retryAfter ?? NaN);
    return { kind: 'wait', seconds: seconds >= 1 && seconds <= LONGEST_WAIT_S ? seconds : USUAL_WAIT_S };
  }
  return { kind: 'wrong', text: typeof detail === 'string' && detail !== '' ? asSentence(detail) : `The server answered ${status}.` };
}

export function waitText(seconds: number): string {
  return `Too many tries. The next one is possible in ${seconds} s.`;
}
