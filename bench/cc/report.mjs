// The report of bench/cc: one HTML file without anything from elsewhere, a table of figures and, for each case, SVG
// time series of capacity, rates, waiting time and frame latency.

const WIDTH = 960;
const LEFT = 52, RIGHT = 12, TOP = 10, RATE_HEIGHT = 190, GAP = 26, DELAY_HEIGHT = 110, BOTTOM = 26;
const HEIGHT = TOP + RATE_HEIGHT + GAP + DELAY_HEIGHT + BOTTOM;
const FLOW_COLOURS = ['#2f6fde', '#d9742b', '#2e9b62', '#a04bc0', '#c23b55'];

const escape = (text) => String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);

// A round step that gives about `count` marks up to `most`.
function tickStep(most, count) {
  const raw = most / count;
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((factor) => factor * magnitude).find((step) => step >= raw);
}

function ticks(most, count) {
  const step = tickStep(most, count);
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => Number((i * step).toPrecision(6)));
}

// ---- one panel: a box with a scale of its own over the shared time ----

function panel({ top, height, most, duration, unit, marks }) {
  const x = (seconds) => LEFT + (seconds / duration) * (WIDTH - LEFT - RIGHT);
  const y = (value) => top + height - (Math.min(value, most) / most) * height;
  const grid = ticks(most, marks)
    .map((value) => `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/>`
      + `<text x="${LEFT - 7}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${value}</text>`)
    .join('');
  const label = `<text class="unit" transform="translate(13 ${top + height / 2}) rotate(-90)" text-anchor="middle">${unit}</text>`;
  return { x, y, top, height, frame: grid + label };
}

const points = ({ x, y }, values, binSeconds) =>
  values.map((value, i) => `${x((i + 0.5) * binSeconds).toFixed(1)},${y(value).toFixed(1)}`).join(' ');

const line = (box, values, binSeconds, colour, kind = '') =>
  `<polyline class="${kind}" points="${points(box, values, binSeconds)}" stroke="${colour}"/>`;

function capacityPath(box, steps, duration) {
  const parts = [`M${box.x(0).toFixed(1)} ${box.y(0).toFixed(1)}`];
  steps.forEach(([at, kbps], i) => {
    const end = i + 1 < steps.length ? steps[i + 1][0] : duration;
    parts.push(`L${box.x(at).toFixed(1)} ${box.y(kbps / 1000).toFixed(1)}L${box.x(end).toFixed(1)} ${box.y(kbps / 1000).toFixed(1)}`);
  });
  return `${parts.join('')}L${box.x(duration).toFixed(1)} ${box.y(0).toFixed(1)}Z`;
}

// ---- one case ----

const largest = (lists) => Math.max(...lists.map((list) => list.reduce((most, value) => Math.max(most, value), 0)));
const mega = (list) => list.map((kbps) => kbps / 1000);

// The mean of each value and its neighbours: bins of 200 ms hold 5 or 7 frames by turns, which is no news.
const smooth = (list) => list.map((_, i) => {
  const near = list.slice(Math.max(0, i - 1), i + 2);
  return near.reduce((sum, value) => sum + value, 0) / near.length;
});

function ratePanel(one) {
  const capacity = one.capacity.map(([, kbps]) => kbps / 1000);
  const most = Math.max(1.18 * Math.max(...capacity), 0.1);
  const box = panel({ top: TOP, height: RATE_HEIGHT, most, duration: one.duration_s, unit: 'Mbit/s', marks: 6 });
  let drawn = `<path class="capacity" d="${capacityPath(box, one.capacity, one.duration_s)}"/>${box.frame}`;
  if (one.tcp_kbps.length > 0) drawn += line(box, smooth(mega(one.tcp_kbps)), one.bin_s, 'var(--tcp)', 'thin');
  one.flows.forEach((flow, i) => {
    drawn += line(box, mega(flow.target_kbps), one.bin_s, FLOW_COLOURS[i], 'target');
    drawn += line(box, smooth(mega(flow.sent_kbps_series)), one.bin_s, FLOW_COLOURS[i], 'sent');
  });
  return drawn;
}

function delayPanel(one) {
  const most = Math.min(Math.max(60, 1.1 * largest(one.flows.flatMap((flow) => [flow.queue_ms, flow.latency_ms]))), 1500);
  const top = TOP + RATE_HEIGHT + GAP;
  const box = panel({ top, height: DELAY_HEIGHT, most, duration: one.duration_s, unit: 'ms', marks: 4 });
  let drawn = box.frame;
  one.flows.forEach((flow, i) => {
    const base = `${(WIDTH - RIGHT).toFixed(1)},${box.y(0)} ${LEFT},${box.y(0)}`;
    drawn += `<polygon class="queue" points="${points(box, flow.queue_ms, one.bin_s)} ${base}" fill="${FLOW_COLOURS[i]}"/>`;
    drawn += line(box, flow.latency_ms, one.bin_s, FLOW_COLOURS[i], 'thin');
  });
  const x = ticks(one.duration_s, 10)
    .map((second) => `<text x="${box.x(second).toFixed(1)}" y="${HEIGHT - 8}" text-anchor="middle">${second}${second === 0 ? ' s' : ''}</text>`);
  return drawn + x.join('');
}

const swatch = (kind, colour, text) =>
  `<span><svg width="26" height="10"><${kind === 'box' ? `rect class="capacity" width="26" height="10"` : `line class="${kind}" x1="0" x2="26" y1="5" y2="5" stroke="${colour}"`}/></svg>${escape(text)}</span>`;

function legend(one) {
  const items = [swatch('box', '', 'capacity')];
  one.flows.forEach((_, i) => {
    const name = one.flows.length > 1 ? ` ${i + 1}` : '';
    items.push(swatch('sent', FLOW_COLOURS[i], `sent${name}`));
    if (i === 0) items.push(swatch('target', FLOW_COLOURS[i], 'encoder’s target'));
  });
  if (one.tcp_kbps.length > 0) items.push(swatch('thin', 'var(--tcp)', 'TCP'));
  return `<p class="legend">${items.join('')}<span class="below">below: <b>area</b> longest wait in the queue, <b>line</b> longest frame latency, in each 200 ms</span></p>`;
}

function stepText(step) {
  const name = `${step.from_kbps / 1000} → ${step.to_kbps / 1000} Mbit/s at ${step.at_s} s`;
  return `${name}: ${step.never ? 'not settled' : `settled after ${(step.settled_ms / 1000).toFixed(1)} s`}`;
}

// The time series travel once more as data for the cursor.
function caseSection(one) {
  const data = { bin: one.bin_s, duration: one.duration_s, capacity: one.capacity,
    flows: one.flows.map((flow) => [flow.sent_kbps_series, flow.target_kbps, flow.queue_ms, flow.latency_ms]) };
  return `<section id="${escape(one.name)}">
<h2>${escape(one.title)} <small>${escape(one.name)}</small></h2>
${legend(one)}
<div class="plot"><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Time series of ${escape(one.title)}">
${ratePanel(one)}${delayPanel(one)}<line class="cursor" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/></svg><output></output>
<script type="application/json">${JSON.stringify(data)}</script></div>
${one.steps.length > 0 ? `<p class="steps">${one.steps.map(stepText).join(' · ')}</p>` : ''}
</section>`;
}

// ---- the table ----

const COLUMNS = [
  ['utilisation', '%', (flow) => (100 * flow.utilisation).toFixed(0)],
  ['sent', 'kbit/s', (flow) => flow.sent_kbps.toFixed(0)],
  ['goodput', 'kbit/s', (flow) => flow.goodput_kbps.toFixed(0)],
  ['queue p50', 'ms', (flow) => flow.queue_p50_ms.toFixed(0)],
  ['p95', 'ms', (flow) => flow.queue_p95_ms.toFixed(0)],
  ['frame p50', 'ms', (flow) => flow.latency_p50_ms.toFixed(0)],
  ['p95', 'ms', (flow) => flow.latency_p95_ms.toFixed(0)],
  ['worst second', 'ms', (flow) => flow.worst_second_ms.toFixed(0)],
  ['loss', '%', (flow) => (100 * flow.loss).toFixed(1)],
  ['freezes', '', (flow) => flow.freezes],
  ['shown', '%', (flow) => (100 * flow.shown).toFixed(1)],
  ['settled', 's', (flow, one, i) => (i > 0 ? '' : one.steps.map((step) => (step.never ? '–' : (step.settled_ms / 1000).toFixed(1))).join(' '))],
  ['fairness', '', (flow, one, i) => (i > 0 || one.flows.length < 2 ? '' : one.fairness.toFixed(2))],
];

function tableRows(one) {
  return one.flows.map((flow, i) => {
    const name = i === 0 ? `<th rowspan="${one.flows.length}"><a href="#${escape(one.name)}">${escape(one.title)}</a></th>` : '';
    return `<tr${i === 0 ? ' class="first"' : ''}>${name}${COLUMNS.map(([, , text]) => `<td>${text(flow, one, i)}</td>`).join('')}</tr>`;
  }).join('\n');
}

// Darker is better used.
function gridTable({ delays, losses, cells }) {
  const cell = (flow) => `<td style="background: color-mix(in srgb, #2e9b62 ${(45 * flow.utilisation).toFixed(0)}%, transparent)"><b>${(100 * flow.utilisation).toFixed(0)} %</b>`
    + `<small>queue p95 ${flow.queue_p95_ms.toFixed(0)} ms</small><small>frame p50 ${flow.latency_p50_ms.toFixed(0)} ms</small><small>shown ${(100 * flow.shown).toFixed(1)} %</small></td>`;
  const row = (delay, i) => `<tr class="first"><th>${delay} ms one way</th>${losses.map((_, j) => cell(cells[i * losses.length + j])).join('')}</tr>`;
  return `<section><h2>Delay and random loss <small>RFC 8868, 2 Mbit/s</small></h2>
<table class="matrix"><thead><tr><th></th>${losses.map((loss) => `<th>${loss} % loss</th>`).join('')}</tr></thead><tbody>${delays.map(row).join('\n')}</tbody></table></section>`;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2230; --soft: #667085; --line: #e3e7ee; --page: #ffffff; --area: #e9edf4; --edge: #9aa6b8; --tcp: #8a8f98; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #98a2b3; --line: #2b3342; --page: #12161e; --area: #232b39; --edge: #5d6a80; --tcp: #a0a6b0; } }
body { margin: 0 auto; max-width: 1020px; padding: 28px 20px 60px; background: var(--page); color: var(--ink); font: 14px/1.45 system-ui, sans-serif; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 16px; margin: 40px 0 4px; } h2 small { color: var(--soft); font-weight: 400; margin-left: 6px; }
p { margin: 4px 0 10px; color: var(--soft); } a { color: inherit; text-decoration-color: var(--edge); }
table { border-collapse: collapse; width: 100%; margin: 18px 0; font-variant-numeric: tabular-nums; font-size: 13px; }
th { text-align: left; font-weight: 500; vertical-align: top; } thead th { color: var(--soft); font-weight: 400; text-align: right; vertical-align: bottom; }
thead small { display: block; } td { text-align: right; white-space: nowrap; } td, th { padding: 3px 6px; } tr.first > * { border-top: 1px solid var(--line); }
.matrix td small { display: block; color: var(--soft); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 12px; } .legend span { display: inline-flex; align-items: center; gap: 6px; } .legend .below { margin-left: auto; gap: 4px; }
.plot { position: relative; } .plot > svg { width: 100%; height: auto; display: block; }
text { font: 11px system-ui, sans-serif; fill: var(--soft); } .grid { stroke: var(--line); stroke-width: 1; }
.capacity { fill: var(--area); stroke: var(--edge); stroke-width: 1; }
polyline { fill: none; stroke-linejoin: round; } .sent { stroke-width: 1.8; } .target { stroke-width: 1; stroke-dasharray: 3 3; opacity: .75; } .thin { stroke-width: 1.1; opacity: .9; }
.queue { opacity: .28; } .cursor { stroke: var(--soft); stroke-width: 1; visibility: hidden; }
output { position: absolute; top: 14px; display: none; padding: 6px 9px; border-radius: 6px; background: var(--page); border: 1px solid var(--line); font-size: 12px; white-space: pre; pointer-events: none; font-variant-numeric: tabular-nums; }
.steps { font-size: 13px; }`;

// Under the pointer: the values of that bin.
const SCRIPT = `
for (const plot of document.querySelectorAll('.plot')) {
  const svg = plot.querySelector('svg'), cursor = plot.querySelector('.cursor'), output = plot.querySelector('output');
  const data = JSON.parse(plot.querySelector('script').textContent);
  const hide = () => { cursor.style.visibility = 'hidden'; output.style.display = 'none'; };
  svg.addEventListener('pointerleave', hide);
  svg.addEventListener('pointermove', (event) => {
    const box = svg.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * ${WIDTH};
    const second = (x - ${LEFT}) / ${WIDTH - LEFT - RIGHT} * data.duration, at = Math.floor(second / data.bin);
    if (at < 0 || at >= data.flows[0][0].length) return hide();
    cursor.setAttribute('x1', x); cursor.setAttribute('x2', x); cursor.style.visibility = 'visible';
    const capacity = data.capacity.filter(([from]) => from <= second).pop()[1];
    output.textContent = [(at * data.bin).toFixed(1) + ' s   capacity ' + capacity + ' kbit/s', ...data.flows.map(([sent, target, queue, latency]) =>
      'sent ' + sent[at] + '   target ' + target[at] + ' kbit/s   queue ' + queue[at] + ' ms   frame ' + latency[at] + ' ms')].join('\\n');
    output.style.display = 'block';
    output.style.left = Math.min(event.clientX - box.left + 14, box.width - output.offsetWidth) + 'px';
  });
}`;

// `cases` as cc_cases --json prints them; `grid` may be missing.
export function report(cases, grid) {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Overwatch X-RAY: the sender on simulated networks</title><style>${STYLE}</style>
<h1>The sender on simulated networks</h1>
<p>Whole sessions (ICE, DTLS, SRTP, pacing, rate control, repair) on a virtual clock. Drop-tail queue of 300 ms unless said. Rates count
IP and UDP headers. Goodput: payload of the frames
shown. Queue: what a packet waits at the bottleneck. Frame: from capture to shown, 3 ms of encoding and the path’s delay
included. Figures leave out each flow’s first two seconds. Settled, one flow: down until the median frame latency of a second is within 60 ms of the
path’s delay, up until 80 % of the capacity is used for a second (that second counts).</p>
<table><thead><tr><th></th>${COLUMNS.map(([head, unit]) => `<th>${head}<small>${unit || '&nbsp;'}</small></th>`).join('')}</tr></thead>
<tbody>${cases.map(tableRows).join('\n')}</tbody></table>
${grid ? gridTable(grid) : ''}
${cases.map(caseSection).join('\n')}
<script>${SCRIPT}</script></html>
`;
}
