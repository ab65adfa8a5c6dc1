// Clocks and figures of the latency bench.

// Milliseconds since 1970 of the machine's wall clock (CLOCK_REALTIME) to a few microseconds:
// Date.now() only shows whole ones, so the moment it ticks is looked for.
function wallOffsetMs() {
  const first = Date.now();
  let now = first;
  while (now === first) now = Date.now();
  return now - performance.now();
}

// What must be added to performance.timeOrigin + performance.now() of the page to get the machine's
// wall clock: Chromium fixes timeOrigin when the page starts and the two then drift apart. Each
// exchange bounds the answer from both sides; the bounds of all exchanges are cut.
export async function calibrate(page, exchanges = 60) {
  const offset = wallOffsetMs();
  let low = -Infinity, high = Infinity;
  for (let i = 0; i < exchanges; i++) {
    const sent = performance.now();
    const there = await page.evaluate(() => performance.timeOrigin + performance.now());
    const back = performance.now();
    low = Math.max(low, sent + offset - there);
    high = Math.min(high, back + offset - there);
  }
  return { offsetMs: (low + high) / 2, errorMs: Math.abs(high - low) / 2 };
}

const WRAP_US = 2 ** 48;

// Milliseconds from a clock code (microseconds modulo 2^48) to a wall time in milliseconds.
export function ageMs(codeUs, wallMs) {
  const age = (((wallMs * 1000) % WRAP_US) - codeUs + WRAP_US) % WRAP_US;
  return (age > WRAP_US / 2 ? age - WRAP_US : age) / 1000;
}

// Of a sorted list, linear between neighbours.
export function quantile(sorted, q) {
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  return sorted[low] + ((sorted[low + 1] ?? sorted[low]) - sorted[low]) * (at - low);
}
