/* CPU and memory of the server's process, out of /metrics. Pure. */

export interface ProcessSample {
  readonly at: number; // ms
  readonly cpuSeconds: number;
  readonly residentBytes: number;
}

function metric(text: string, name: string): number | null {
  const found = new RegExp(`^${name} (\\S+)$`, 'm').exec(text);
  return found === null ? null : Number(found[1]);
}

export function processSample(metrics: string, at: number): ProcessSample | null {
  const cpuSeconds = metric(metrics, 'process_cpu_seconds_total');
  const residentBytes = metric(metrics, 'process_resident_memory_bytes');
  return cpuSeconds === null || residentBytes === null ? null : { at, cpuSeconds, residentBytes };
}

/** Between two looks, percent of one core; null when it is another process, or too early to tell. */
export function cpuPercent(before: ProcessSample | null, after: ProcessSample): number | null {
  if (before === null || after.at - before.at < 200 || after.cpuSeconds < before.cpuSeconds) return null;
  return ((after.cpuSeconds - before.cpuSeconds) * 100_000) / (after.at - before.at);
}
