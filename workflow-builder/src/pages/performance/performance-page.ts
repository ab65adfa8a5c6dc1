/* /performance: where the milliseconds go. */
import { SERVER_SILENT } from '../../player/server-types';
import { h, setText } from '../../ui/dom';
import { formatFps, formatMs, NONE } from '../../ui/format';
import { logo } from '../../ui/icons';
import { Sparkline } from '../../ui/sparkline';
import { bottleneckOf, stagesOf, type Performance, type TransportFigures } from './figures';

const PERIOD_MS = 1_000, HISTORY = 180;
const NAMES = ['webrtc', 'websocket'] as const;
const LABELS = { webrtc: 'WebRTC', websocket: 'WebSocket' } as const;

const ROWS: readonly { readonly label: string; readonly read: (figures: TransportFigures) => string }[] = [
  { label: 'Viewers', read: (f) => String(f.viewers) },
  { label: 'Pictures a second', read: (f) => formatFps(f.fps) },
  { label: 'kB a second', read: (f) => (f.kB_per_s > 0 ? f.kB_per_s.toFixed(0) : NONE) },
  { label: 'Capture to socket', read: (f) => (f.fps > 0 ? formatMs(f.latency_ms) : NONE) },
  { label: 'at most', read: (f) => (f.fps > 0 ? formatMs(f.latency_max_ms) : NONE) },
  { label: 'Encoding, p50', read: (f) => (f.encoding.count > 0 ? formatMs(f.encoding.p50_ms) : NONE) },
  { label: 'Encoding, p95', read: (f) => (f.encoding.count > 0 ? formatMs(f.encoding.p95_ms) : NONE) },
  { label: 'CPU for encoding', read: (f) => (f.fps > 0 ? `${((f.encoding.avg_ms * f.fps) / 10).toFixed(1)} %` : NONE) },
  { label: 'Pictures left out', read: (f) => String(f.frames_dropped) },
];

export class PerformancePage {
  readonly element: HTMLElement;
  readonly #bottleneck = h('p', { class: 'bottleneck', role: 'status', 'data-testid': 'bottleneck' });
  readonly #stages = h('tbody', { 'data-testid': 'stages' });
  readonly #cells = new Map<string, HTMLElement>();
  readonly #history = { webrtc: [] as (number | null)[], websocket: [] as (number | null)[] };
  readonly #lines = { webrtc: new Sparkline(420, 64, HISTORY), websocket: new Sparkline(420, 64, HISTORY) };
  readonly #tops = { webrtc: h('span'), websocket: h('span') };

  constructor() {
    const reset = h('button', { type: 'button', class: 'button', 'data-testid': 'reset', click: () => void this.#reset() }, 'Begin anew');
    this.element = h(
      'div', { id: 'app' },
      h('header', { class: 'bar' },
        h('a', { class: 'brand', href: '/', title: 'Workflow builder' }, logo()), h('h1', {}, 'Performance'), this.#bottleneck, reset),
      h('main', {},
        h('section', { 'aria-label': 'Stages' },
          h('h2', {}, 'The way of a frame'),
          h('table', { class: 'stages' },
            h('thead', {}, h('tr', {}, ...['Stage', 'p50 and p95', 'p50', 'p95', 'p99', 'max', 'count'].map((text) => h('th', { scope: 'col' }, text)))),
            this.#stages)),
        h('section', { 'aria-label': 'Transports' }, h('h2', {}, 'WebRTC and WebSocket, the last second'), this.#transports()),
        h('section', { 'aria-label': 'History' }, h('h2', {}, 'Capture to socket, the last three minutes'),
          ...NAMES.map((name) => h('figure', {}, h('figcaption', {}, LABELS[name], ' ', this.#tops[name]), this.#lines[name].element)))),
    );
  }

  #transports(): HTMLElement {
    const body = ROWS.map(({ label }) => {
      const cells = NAMES.map((name) => {
        const cell = h('td', { 'data-testid': `${name}-${label}` });
        this.#cells.set(`${name} ${label}`, cell);
        return cell;
      });
      return h('tr', {}, h('th', { scope: 'row' }, label), ...cells);
    });
    return h('table', { class: 'transports' },
      h('thead', {}, h('tr', {}, h('th'), ...NAMES.map((name) => h('th', { scope: 'col' }, LABELS[name])))), h('tbody', {}, ...body));
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
      const response = await fetch('/api/workflow-builder/performance');
      if (response.ok) this.#show((await response.json()) as Performance);
    } catch {
      setText(this.#bottleneck, SERVER_SILENT);
    }
  }

  #show(performance: Performance): void {
    setText(this.#bottleneck, bottleneckOf(performance));
    this.#stages.replaceChildren(...stagesOf(performance.operations).map(({ name, label, figures, p50, p95 }) =>
      h('tr', { 'data-testid': `stage-${name}` },
        h('th', { scope: 'row' }, label),
        h('td', {}, h('div', { class: 'bars' },
          h('div', { class: 'p95', style: `width:${(p95 * 100).toFixed(1)}%` }), h('div', { class: 'p50', style: `width:${(p50 * 100).toFixed(1)}%` }))),
        ...[figures.p50_ms, figures.p95_ms, figures.p99_ms, figures.max_ms].map((ms) => h('td', { class: 'number' }, formatMs(ms))),
        h('td', { class: 'number' }, String(figures.count)))));
    for (const name of NAMES) {
      const figures = performance.transports[name];
      for (const { label, read } of ROWS) setText(this.#cells.get(`${name} ${label}`) as HTMLElement, read(figures));
      const history = this.#history[name];
      history.push(figures.fps > 0 ? figures.latency_ms : null);
      if (history.length > HISTORY) history.shift();
      setText(this.#tops[name], `0 to ${this.#lines[name].show(history)} ms`);
    }
  }
}
