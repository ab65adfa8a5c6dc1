/* How many views a page shows live, and how often it is sent JPEGs of more; pure. `node
 * bench/wall/run.mjs` measures what a machine takes. */

/** So many views at most are live over WebRTC; of more, all come as JPEGs. */
export const LIVE_VIEWS = 8;

const PICTURES_PER_SECOND = 100;
const MOST = 10;
const LEAST = 2;

/** Pictures a second of each view when `count` of them come as JPEGs. */
export function jpegRate(count: number): number {
  return Math.min(MOST, Math.max(LEAST, Math.floor(PICTURES_PER_SECOND / Math.max(1, count))));
}
