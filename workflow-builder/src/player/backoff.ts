/* Pauses between attempts that grow by a factor up to a limit. */

export interface BackoffLimits {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** The server does not answer: it may be restarting, so ask soon and often. */
export const SERVER_PAUSES: BackoffLimits = { firstMs: 500, maxMs: 5_000 };
/** The server answers but media does not come through: the other transport carries the picture. */
export const MEDIA_PAUSES: BackoffLimits = { firstMs: 5_000, maxMs: 30_000 };

/** Pause after the n-th failure in a row (n counts from 1). */
export function backoffMs(failures: number, limits: BackoffLimits): number {
  return Math.min(limits.maxMs, limits.firstMs * 2 ** Math.max(0, Math.min(failures, 30) - 1));
}
