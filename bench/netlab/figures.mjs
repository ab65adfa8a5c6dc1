// From what was recorded in a run to seconds, steps and losses. A recording has, all in seconds since
// its start: `phases` [{ at, seconds, capacityBps, loss }], `ticks` [{ at, receivedBytes, passedBytes,
// waitingBytes, droppedPackets, sender }], one every 100 ms, and `frames` [{ at, ageMs, height }], the
// pictures at their first showing.
import { quantile } from '../latency/timing.mjs';

export const CALM_MS = 40; // glass to glass
const BEFORE_SECONDS = 5, BACK_MS = 10;
export const UP_BPS = 1500000;

const sorted = (values) => [...values].sort((a, b) => a - b);
const between = (list, from, to) => list.filter(({ at }) => at >= from && at < to);

export function phaseAt(recording, at) {
  return recording.phases.findLast((phase) => phase.at <= at) ?? recording.phases[0];
}

// The value of a counter at a time, linear between the ticks.
function counterAt(ticks, key, at) {
  const after = ticks.findIndex((tick) => tick.at >= at);
  if (after === 0) return ticks[0][key];
  if (after < 0) return ticks.at(-1)[key];
  const [a, b] = [ticks[after - 1], ticks[after]];
  return a[key] + ((b[key] - a[key]) * (at - a.at)) / (b.at - a.at);
}

export function rateBps(recording, key, from, to) {
  return ((counterAt(recording.ticks, key, to) - counterAt(recording.ticks, key, from)) * 8) / (to - from);
}

// Whole-link figures of a span: what the sender handed to the link, what arrived, what was shown.
export function span(recording, from, to) {
  const frames = between(recording.frames, from, to);
  const ages = sorted(frames.map((frame) => frame.ageMs));
  const waits = sorted(between(recording.ticks, from, to)
    .map((tick) => (tick.waitingBytes * 8000) / phaseAt(recording, tick.at).capacityBps));
  const last = recording.frames.findLast((frame) => frame.at < to);
  const drops = counterAt(recording.ticks, 'droppedPackets', to) - counterAt(recording.ticks, 'droppedPackets', from);
  return {
    capacityBps: phaseAt(recording, from).capacityBps,
    sentBps: rateBps(recording, 'offeredBytes', from, to),
    receivedBps: rateBps(recording, 'receivedBytes', from, to),
    drops: Math.round(drops),
    fps: frames.length / (to - from),
    // Nothing shown: the picture that stands there grows older.
    p50: ages.length > 0 ? quantile(ages, 0.5) : last ? last.ageMs + (to - last.at) * 1000 : Infinity,
    p95: ages.length > 0 ? quantile(ages, 0.95) : last ? last.ageMs + (to - last.at) * 1000 : Infinity,
    p99: ages.length > 0 ? quantile(ages, 0.99) : Infinity,
    wait50: waits.length > 0 ? quantile(waits, 0.5) : 0,
    wait95: waits.length > 0 ? quantile(waits, 0.95) : 0,
    freezes: freezes(recording.frames, from, to).length,
  };
}

export function perSecond(recording) {
  const rows = [];
  for (const phase of recording.phases) {
    for (let second = 0; second < phase.seconds; second++) {
      const from = phase.at + second;
      const sender = between(recording.ticks, from, from + 1).findLast((tick) => tick.sender)?.sender;
      rows.push({ at: from, ...span(recording, from, from + 1), sender });
    }
  }
  return rows;
}

// Freezes as WebRTC counts them (webrtc-stats, freezeCount): a picture that stands for longer than
// three times the mean of the last 30 pictures, and for 150 ms more than that mean.
export function freezes(frames, from, to) {
  const found = [], spans = [];
  let total = 0;
  for (let i = 1; i < frames.length && frames[i - 1].at < to; i++) {
    const stood = frames[i].at - frames[i - 1].at;
    const mean = spans.length > 0 ? total / spans.length : stood;
    if (frames[i].at >= from && stood > Math.max(3 * mean, mean + 0.15)) found.push({ at: frames[i - 1].at, seconds: stood });
    spans.push(stood);
    total += stood;
    if (spans.length > 30) total -= spans.shift();
  }
  return found;
}

// Seconds until a picture is under the mark, and with it the median of the second that follows.
function secondsUntilUnder(recording, phase, markMs) {
  const end = phase.at + phase.seconds;
  const frames = between(recording.frames, phase.at, end);
  for (const frame of frames) {
    if (frame.ageMs >= markMs || frame.at + 1 > end) continue;
    const next = sorted(between(frames, frame.at, frame.at + 1).map(({ ageMs }) => ageMs));
    if (quantile(next, 0.5) < markMs) return frame.at - phase.at;
  }
  return Infinity;
}

// Over windows of a second, ten in each.
function windows(phase) {
  const count = Math.max(0, Math.round((phase.seconds - 1) * 10)) + 1;
  return Array.from({ length: count }, (_, i) => [phase.at + i / 10, phase.at + i / 10 + 1]);
}

/** What the network's change at the start of a phase did. */
export function stepFigures(recording, phase) {
  const seconds = Array.from({ length: phase.seconds }, (_, i) => span(recording, phase.at + i, phase.at + i + 1));
  const rates = windows(phase).map(([from, to]) => ({ to, bps: rateBps(recording, 'receivedBytes', from, to) }));
  const up = rates.find(({ bps }) => bps >= UP_BPS);
  return {
    worstP50: Math.max(...seconds.map(({ p50 }) => p50)),
    calmSeconds: secondsUntilUnder(recording, phase, CALM_MS),
    // For who never is under that mark: back to what it was before the step.
    backSeconds: secondsUntilUnder(recording, phase, Math.max(CALM_MS, span(recording, phase.at - BEFORE_SECONDS, phase.at).p50 + BACK_MS)),
    lowestBps: Math.min(...seconds.map(({ receivedBps }) => receivedBps)),
    lowestWindowBps: Math.min(...rates.map(({ bps }) => bps)),
    upSeconds: up ? up.to - phase.at : Infinity,
    whole: span(recording, phase.at, phase.at + phase.seconds),
    settled: span(recording, phase.at + phase.seconds / 2, phase.at + phase.seconds),
  };
}
