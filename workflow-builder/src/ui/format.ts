/* Figures as people read them; "–" where there is none. */

export const NONE = '–';

export function formatRate(bitsPerSecond: number): string {
  if (!(bitsPerSecond > 0)) return NONE;
  if (bitsPerSecond >= 1e6) return `${(bitsPerSecond / 1e6).toFixed(bitsPerSecond >= 1e7 ? 1 : 2)} Mb/s`;
  return `${Math.round(bitsPerSecond / 1000)} kb/s`;
}

/** One decimal below 100 ms, none above. */
export function formatMs(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return NONE;
  return `${ms.toFixed(Math.abs(ms) < 99.95 ? 1 : 0)} ms`;
}

export function formatFps(fps: number | null | undefined): string {
  if (fps === null || fps === undefined || !(fps > 0)) return NONE;
  return fps < 9.95 ? fps.toFixed(1) : fps.toFixed(0);
}

export function formatSize(width: number | undefined, height: number | undefined): string {
  return width !== undefined && height !== undefined && width > 0 && height > 0 ? `${width}×${height}` : NONE;
}

export function formatCount(count: number | null | undefined): string {
  return count === null || count === undefined ? NONE : String(count);
}

/** "3.2 GB", "48 MB", "870 kB": as much as two figures tell. */
export function formatBytes(bytes: number): string {
  const [unit, size] = ([['GB', 1e9], ['MB', 1e6], ['kB', 1e3]] as const).find(([, least]) => bytes >= 0.9995 * least) ?? ['kB', 1e3];
  const amount = bytes / size;
  return `${Number(amount.toFixed(amount < 9.95 ? 1 : 0))} ${unit}`;
}
