// Tables for the terminal and plots for the browser.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { CALM_MS, UP_BPS, perSecond, phaseAt, span, stepFigures } from './figures.mjs';

const kbps = (bps) => (Number.isFinite(bps) ? String(Math.round(bps / 1000)) : '–');
const fixed = (digits) => (value) => (value === undefined || !Number.isFinite(value) ? '–' : value.toFixed(digits));
const ms = fixed(0), tenths = fixed(1);
const row = (cells, width = 9) => cells.map((cell) => String(cell).padStart(width)).join('');

// Samples are due every 100 ms: when they come late, something else had the processor.
export function printBusyness(recording) {
  const late = recording.ticks.filter((tick, i) => i > 0 && tick.at - recording.ticks[i - 1].at > 0.15).length;
  if (late > recording.ticks.length / 100) {
    console.log(`${recording.name}: ${late} of ${recording.ticks.length} samples were late: the machine did something else, measure again.`);
  }
}

export function printSeconds(recording) {
  console.log(`\n${recording.name}, ${(recording.inbound?.codec ?? '').replace('video/', '')}: each second (rates in kbit/s on the link, times in ms)`);
  console.log(row(['second', 'capacity', 'sent', 'arrived', 'target', 'queue 95', 'dropped', 'fps', 'p50', 'p95']));
  for (const second of perSecond(recording)) {
    console.log(row([second.at.toFixed(0), kbps(second.capacityBps), kbps(second.sentBps), kbps(second.receivedBps),
      kbps(second.sender?.target_bps ?? NaN), ms(second.wait95), second.drops, second.fps.toFixed(0), ms(second.p50), ms(second.p95)]));
  }
}

const STEP_COLUMNS = [
  ['worst p50', (f) => f.worstP50, ms],
  [`s to <${CALM_MS}`, (f) => f.calmSeconds, tenths],
  ['s back', (f) => f.backSeconds, tenths],
  ['lowest s', (f) => f.lowestBps, kbps],
  ['any 1 s', (f) => f.lowestWindowBps, kbps],
  [`s to ${UP_BPS / 1e6}M`, (f) => f.upSeconds, tenths],
  ['use %', (f) => (100 * f.settled.receivedBps) / f.settled.capacityBps, ms],
  ['queue 95', (f) => f.settled.wait95, ms],
  ['p50', (f) => f.settled.p50, ms],
  ['p95', (f) => f.settled.p95, ms],
  ['fps', (f) => f.settled.fps, tenths],
  ['dropped', (f) => f.whole.drops, ms],
  ['freezes', (f) => f.whole.freezes, ms],
];

/** Per change of the capacity, all contenders; then ours as a part of Google's. */
export function printSteps(recordings) {
  if (recordings.length === 0) return;
  console.log('\nSteps: of the whole step the worst second of p50, seconds to calm, what arrived in its lowest second\n(and in any window of 1 s), drops, freezes; of its second half use, queue, p50, p95, fps');
  for (let i = 1; i < recordings[0].phases.length; i++) {
    const [from, to] = [recordings[0].phases[i - 1], recordings[0].phases[i]];
    console.log(`\n${kbps(from.capacityBps)} → ${kbps(to.capacityBps)} kbit/s`.padEnd(28) + row(STEP_COLUMNS.map(([title]) => title), 10));
    const all = recordings.map((recording) => stepFigures(recording, recording.phases[i]));
    all.forEach((figures, k) => {
      console.log(recordings[k].name.padEnd(27) + row(STEP_COLUMNS.map(([, value, text]) => text(value(figures))), 10));
    });
    if (all.length === 2) {
      console.log('  first / second'.padEnd(27) + row(STEP_COLUMNS.map(([, value]) => fixed(2)(value(all[0]) / value(all[1]))), 10));
    }
  }
}

/** The part without loss against the part with it. */
export function printLosses(recordings, rttMs) {
  console.log(`\nRound trip ${rttMs} ms; glass to glass in ms without and with loss`);
  console.log(''.padEnd(27) + row(['loss %', 'p50', 'p95', 'p99', 'p50 +', 'p95 +', 'fps', 'freezes', 'sent']));
  for (const recording of recordings) {
    const [clean, lossy] = recording.phases.map((phase) => span(recording, phase.at, phase.at + phase.seconds));
    recording.phases.forEach((phase, i) => {
      const part = i === 0 ? clean : lossy;
      console.log(recording.name.padEnd(27) + row([phase.loss, ms(part.p50), ms(part.p95), ms(part.p99),
        i ? ms(part.p50 - clean.p50) : '', i ? ms(part.p95 - clean.p95) : '', tenths(part.fps), part.freezes, kbps(part.sentBps)]));
    });
  }
}

// --- plots -----------------------------------------------------------------------------------------

const PLOT = { width: 1100, height: 220, left: 60, right: 10, top: 24, bottom: 22 };

function plot(title, unit, end, top, lines) {
  const { width, height, left, right, bottom } = PLOT;
  const x = (at) => left + ((width - left - right) * at) / end;
  const y = (value) => height - bottom - ((height - PLOT.top - bottom) * Math.min(Math.max(value, 0), top)) / top;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = y(part * top).toFixed(1);
    return `<line x1="${left}" x2="${width - right}" y1="${at}" y2="${at}" class="grid"/><text x="${left - 6}" y="${at}" class="tick">${Math.round(part * top)}</text>`;
  });
  for (let second = 0; second <= end; second += 5) {
    grid.push(`<text x="${x(second).toFixed(1)}" y="${height - 6}" class="second">${second}</text>`);
  }
  const paths = lines.map(({ color, points, dots }) => (dots
    ? `<path d="${points.map(([at, value]) => `M${x(at).toFixed(1)} ${y(value).toFixed(1)}h.01`).join('')}" stroke="${color}" stroke-width="2.4" stroke-linecap="round"/>`
    : `<path d="${points.map(([at, value], i) => `${i ? 'L' : 'M'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join('')}" stroke="${color}"/>`));
  const legend = lines.map(({ color, name }, i) => `<text x="${left + 150 + i * 150}" y="14" fill="${color}">${name}</text>`);
  return `<svg viewBox="0 0 ${width} ${height}"><text x="${left}" y="14" class="title">${title}, ${unit}</text>${legend.join('')}${grid.join('')}<g fill="none" stroke-width="1.4">${paths.join('')}</g></svg>`;
}

// A counter's rate over the 300 ms that end with each tick, in kbit/s.
function rates(ticks, key) {
  return ticks.slice(3).map((tick, i) => [tick.at, ((tick[key] - ticks[i][key]) * 8) / (tick.at - ticks[i].at) / 1000]);
}

function plots(recording) {
  const { ticks, frames, phases } = recording;
  const end = phases.at(-1).at + phases.at(-1).seconds;
  const capacity = phases.flatMap((phase) => [phase.at, phase.at + phase.seconds].map((at) => [at, phase.capacityBps / 1000]));
  const target = ticks.filter(({ sender }) => sender?.target_bps).map(({ at, sender }) => [at, sender.target_bps / 1000]);
  const estimate = ticks.filter(({ sender }) => sender?.estimate_bps).map(({ at, sender }) => [at, sender.estimate_bps / 1000]);
  const waiting = ticks.map((tick) => [tick.at, (tick.waitingBytes * 8000) / phaseAt(recording, tick.at).capacityBps]);
  const top = 1.25 * Math.max(...phases.map((phase) => Math.min(phase.capacityBps, 3000000))) / 1000;
  return `<h2>${recording.name}</h2>${plot('rate', 'kbit/s', end, top, [
    { name: 'capacity', color: '#999', points: capacity }, { name: 'handed over', color: '#d62728', points: rates(ticks, 'offeredBytes') },
    { name: 'arrived', color: '#1f77b4', points: rates(ticks, 'receivedBytes') },
    { name: 'target', color: '#2ca02c', points: target }, { name: 'estimate', color: '#ff7f0e', points: estimate },
  ])}${plot('delay', 'ms', end, 400, [
    { name: 'queue of the link', color: '#999', points: waiting },
    { name: 'glass to glass', color: '#1f77b4', dots: true, points: frames.map((frame) => [frame.at, frame.ageMs]) },
  ])}`;
}

export function writeReport(file, recordings, options) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `<!doctype html><meta charset="utf-8"><title>netlab</title>
<style>body{font:14px sans-serif;max-width:1100px;margin:20px auto}svg{width:100%;font-size:11px}.title{font-weight:bold}
.grid{stroke:#ddd}.tick{text-anchor:end;dominant-baseline:middle;fill:#666}.second{text-anchor:middle;fill:#666}</style>
<h1>netlab</h1><p>queue ${options.queue} ms, round trip ${options.rtt} ms, loss ${options.loss} %</p>
${recordings.map(plots).join('\n')}\n`);
}
