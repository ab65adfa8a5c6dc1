/* /performance: where the milliseconds go. */
import { SERVER_SILENT, viewsFrom } from '../../player/server-types';
import { h, setData, setText } from '../../ui/dom';
import { formatFps, formatMs, NONE } from '../../ui/format';
import { logo } from '../../ui/icons';
import { pageTools } from '../../ui/page-tools';
import { bottleneckOf, stagesOf, type Performance, type TransportFigures } from './figures';
import { History } from './history';
import { cpuPercent, processSample, type ProcessSample } from './server-process';
import { ViewTable } from './view-table';
import { TimesRecorder } from './view-times';

const PERIOD_MS = 1_000;
const NAMES = ['webrtc', 'websocket'] as const;
const LABELS = { webrtc: 'WebRTC', websocket: 'WebSocket' } as const;

const ROWS: readonly { readonly label: string; readonly title?: string; readonly read: (figures: TransportFigures) => string }[] = [
  { label: 'Viewers', read: (f) => String(f.viewers) },
  { label: 'Pictures a second', title: 'Sent to all viewers together', read: (f) => formatFps(f.fps) },
  { label: 'kB a second', title: 'Sent to all viewers together', read: (f) => (f.kB_per_s > 0 ? f.kB_per_s.toFixed(0) : NONE) },
  { label: 'Capture to socket', read: (f) => (f.fps > 0 ? formatMs(f.latency_ms) : NONE) },
  { label: 'at most', read: (f) => (f.fps > 0 ? formatMs(f.latency_max_ms) : NONE) },
  { label: 'Encoding, p50', read: (f) => (f.encoding.count > 0 ? formatMs(f.encoding.p50_ms) : NONE) },
  { label: 'Encoding, p95', read: (f) => (f.encoding.count > 0 ? formatMs(f.encoding.p95_ms) : NONE) },
  { label: 'Pictures left out', title: 'Of viewers there now, or replaced by a newer one', read: (f) => String(f.frames_dropped) },
];

async function ask<T>(path: string, read: (response: Response) => Promise<T>): Promise<T | null> {
  const response = await fetch(path);
  return response.ok ? read(response) : null;
}

export class PerformancePage {
  readonly element: HTMLElement;
  readonly #bottleneck = h('p', { class: 'bottleneck', 'data-testid': 'bottleneck', 'data-state': 'unknown' });
  readonly #stages = h('tbody', { 'data-testid': 'stages' });
  readonly #views = new ViewTable();
  readonly #times = new TimesRecorder(180_000);
  readonly #cells = new Map<string, HTMLElement>();
  readonly #history = {
    webrtc: new History('WebRTC, capture to socket', 'ms'),
    websocket: new History('WebSocket, capture to socket', 'ms'),
    cpu: new History('CPU of the server, of one core', '%'),
  };
  readonly #process = h('span', { class: 'process', 'data-testid': 'process' });
  #sample: ProcessSample | null = null;

  constructor() {
    const reset = h('button', { type: 'button', class: 'button', 'data-testid': 'reset', title: 'Count the stages from now on', click: () => void this.#reset() }, 'Begin anew');
    const head = (cells: readonly string[]) => h('thead', {}, h('tr', {}, ...cells.map((text) => h('th', { scope: 'col' }, text))));
    this.element = h(
      'div', { id: 'app' },
      h('header', { class: 'bar' },
        h('a', { class: 'brand', href: '/', 'aria-label': 'Workflow builder' }, logo()), h('h1', {}, 'Performance'), this.#process, reset, pageTools()),
      h('main', {},
        this.#bottleneck,
        h('div', { class: 'column' },
          h('section', { 'aria-label': 'Views' }, h('h2', {}, 'By workflow: capture to encoded, the last three minutes'), this.#views.element),
          h('section', { 'aria-label': 'Stages' },
            h('h2', {}, 'Stages, all workflows together'),
            h('table', { class: 'stages' }, head(['Stage', 'p50 and p95', 'p50', 'p95', 'p99', 'max', 'count']), this.#stages))),
        h('div', { class: 'column' },
          h('section', { 'aria-label': 'Transports' }, h('h2', {}, 'WebRTC and WebSocket, the last second'), this.#transports()),
          h('section', { 'aria-label': 'History' }, h('h2', {}, 'The last five minutes'), ...Object.values(this.#history).map(({ element }) => element)))),
    );
  }

  #transports(): HTMLElement {
    const row = (label: string, title: string, name: string) => h('tr', {}, h('th', { scope: 'row', title }, label), ...NAMES.map((transport) => {
      const cell = h('td', { 'data-testid': `${transport}-${label}` }, NONE);
      this.#cells.set(`${transport} ${name}`, cell);
      return cell;
    }));
    return h('table', { class: 'transports' },
      h('thead', {}, h('tr', {}, h('td'), ...NAMES.map((name) => h('th', { scope: 'col' }, LABELS[name])))),
      h('tbody', {}, ...ROWS.map(({ label, title = '' }) => row(label, title, label)),
        row('CPU for encoding', 'Average encoding time by pictures a second, of one core; exact while each picture has one viewer', 'cpu')));
  }

  start(): void {
    void this.#refresh();
    setInterval(() => void this.#refresh(), PERIOD_MS);
  }

  async #reset(): Promise<void> {
    await fetch('/api/workflow-builder/performance/reset', { method: 'POST' }).catch(() => undefined);
    await this.#refresh();
  }

  async #refresh(): Promise<void> {
    if (document.hidden) return;
    try {
      const [figures, views, metrics] = await Promise.all([
        ask('/api/workflow-builder/performance', (response) => response.json() as Promise<Performance>),
        ask('/api/views', (response) => response.json() as Promise<unknown>),
        ask('/metrics', (response) => response.text()),
      ]);
      const now = performance.now();
      if (figures !== null) this.#show(figures);
      this.#views.show(this.#times.update(viewsFrom(views) ?? [], now));
      if (metrics !== null) this.#showProcess(processSample(metrics, now));
    } catch {
      this.#say('unknown', SERVER_SILENT);
      for (const history of Object.values(this.#history)) history.add(null);
    }
  }

  #say(state: string, text: string): void {
    setData(this.#bottleneck, 'state', state);
    setText(this.#bottleneck, text);
  }

  #showProcess(sample: ProcessSample | null): void {
    const percent = sample === null ? null : cpuPercent(this.#sample, sample);
    this.#history.cpu.add(percent);
    if (sample !== null) setText(this.#process, `Server: ${percent === null ? NONE : `${percent.toFixed(0)} %`} of a core · ${(sample.residentBytes / 1e6).toFixed(0)} MB`);
    this.#sample = sample;
  }

  #show(figures: Performance): void {
    const { state, text } = bottleneckOf(figures);
    this.#say(state, text);
    this.#stages.replaceChildren(...stagesOf(figures.operations).map(({ name, label, figures: stage, p50, p95 }) =>
      h('tr', { 'data-testid': `stage-${name}` },
        h('th', { scope: 'row' }, label),
        h('td', {}, h('div', { class: 'bars' },
          h('div', { class: 'p95', style: `width:${(p95 * 100).toFixed(1)}%` }), h('div', { class: 'p50', style: `width:${(p50 * 100).toFixed(1)}%` }))),
        ...[stage.p50_ms, stage.p95_ms, stage.p99_ms, stage.max_ms].map((ms) => h('td', { class: 'number' }, formatMs(ms))),
        h('td', { class: 'number' }, String(stage.count)))));
    for (const name of NAMES) {
      const transport = figures.transports[name];
      for (const { label, read } of ROWS) setText(this.#cells.get(`${name} ${label}`) as HTMLElement, read(transport));
      const cpu = transport.fps > 0 ? `${((transport.encoding.avg_ms * transport.fps) / 10).toFixed(1)} %` : NONE;
      setText(this.#cells.get(`${name} cpu`) as HTMLElement, cpu);
      this.#history[name].add(transport.fps > 0 ? transport.latency_ms : null);
    }
  }
}
