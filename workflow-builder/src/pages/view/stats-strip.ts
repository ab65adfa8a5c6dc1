/* The figures under the picture, where its milliseconds went, and the panel with the latency of the last
 * minute. */
import type { Step } from '../../player/connection-steps';
import type { LatencyBudget } from '../../player/latency-budget';
import type { ViewStats } from '../../player/player-stats';
import type { ViewInfo } from '../../player/server-types';
import { h, setData, setText } from '../../ui/dom';
import { formatCount, formatFps, formatMs, formatRate, formatSize, NONE } from '../../ui/format';
import { icon } from '../../ui/icons';
import { Sparkline } from '../../ui/sparkline';
import { LatencyBar } from './latency-bar';

interface Figure {
  readonly id: string;
  readonly label: string;
  readonly title?: string;
  readonly width: number; // of the value, in digits, so that nothing moves
  readonly value: (stats: ViewStats, view: ViewInfo | null) => string;
}

const transportName = { webrtc: 'WebRTC', websocket: 'WebSocket' } as const;

function modelFigure({ modelMs, modelFps }: ViewStats): string {
  const parts = [modelMs === null || modelMs <= 0 ? '' : formatMs(modelMs), modelFps === null || modelFps <= 0 ? '' : `${formatFps(modelFps)} fps`];
  return parts.filter((part) => part !== '').join(' · ') || NONE;
}

const FIGURES: readonly Figure[] = [
  { id: 'fps', label: 'FPS', width: 4, title: 'Pictures shown a second', value: (stats) => formatFps(stats.fps) },
  { id: 'latency', label: 'Latency', width: 8, title: 'Capture to shown, median of the last 5 s', value: (stats) => formatMs(stats.latency.p50) },
  { id: 'latency-p95', label: 'p95', width: 8, title: 'Capture to shown, 95th percentile of the last 5 s', value: (stats) => formatMs(stats.latency.p95) },
  { id: 'bitrate', label: 'Bitrate', width: 10, value: (stats) => formatRate(stats.bitsPerSecond) },
  { id: 'resolution', label: 'Resolution', width: 9, value: (stats) => formatSize(stats.width, stats.height) },
  { id: 'encoder', label: 'Encoder', width: 8, value: (stats) => stats.encoder || NONE },
  { id: 'detections', label: 'Detections', width: 3, value: (stats) => formatCount(stats.detections) },
  { id: 'model', label: 'Model', width: 15, title: 'Time of one inference, inferences a second', value: modelFigure },
  { id: 'transport', label: 'Transport', width: 9, value: (stats) => (stats.transport === null ? NONE : transportName[stats.transport]) },
  { id: 'dropped', label: 'Dropped', width: 4, title: 'Pictures received but not shown', value: (stats) => String(stats.dropped) },
];

const DETAILS: readonly Figure[] = [
  { id: 'source', label: 'Source', width: 0, value: (_stats, view) => sourceFigure(view) },
  { id: 'processing', label: 'Capture to encoded', width: 0, value: (_stats, view) => formatMs(view?.processing_ms) },
  { id: 'xray', label: 'X-RAY', width: 0, value: (_stats, view) => [view?.xray_mode, view?.color_scheme].filter(Boolean).join(' · ') || NONE },
  { id: 'codec', label: 'Codec', width: 0, value: (stats) => [stats.codec, stats.decoder].filter(Boolean).join(' · ') || NONE },
  { id: 'path', label: 'Path', width: 0, title: 'How media comes here', value: (stats) => stats.path || NONE },
  { id: 'sent', label: 'Sent / estimate', width: 0, title: 'What the server sends, and what it holds this way to be able to carry', value: rateFigure },
  { id: 'rtt', label: 'Round trip', width: 0, value: (stats) => formatMs(stats.roundTripMs ?? stats.server?.round_trip_ms) },
  { id: 'queue', label: 'Queue delay', width: 0, title: 'How long packets wait on the way, one way, by the server’s estimate', value: (stats) => formatMs(stats.server?.queue_delay_ms) },
  { id: 'lost', label: 'Packets lost', width: 0, value: (stats) => String(stats.packetsLost) },
  { id: 'clock', label: 'Clock', width: 0, value: (stats) => (stats.clockUncertaintyMs === null ? 'not aligned' : `± ${stats.clockUncertaintyMs.toFixed(2)} ms`) },
];

function rateFigure({ server }: ViewStats): string {
  if (server === null) return NONE;
  return `${formatRate(server.sent_bps ?? 0)} / ${formatRate(server.estimate_bps ?? 0)}`;
}

function sourceFigure(view: ViewInfo | null): string {
  const source = view?.source;
  if (source === undefined) return NONE;
  const fps = source.fps !== undefined && source.fps > 0 ? `${formatFps(source.fps)} fps` : '';
  return [source.codec, formatSize(source.width, source.height), fps].filter((part) => part && part !== NONE).join(' · ') || source.text || NONE;
}

/* The way of the last WebRTC connection: what was reached, how long it took, where it halted. */
class StepList {
  readonly element = h('ol', { class: 'steps', 'aria-label': 'Connection steps', 'data-testid': 'steps' });
  readonly #items = new Map<string, { item: HTMLElement; ms: HTMLElement }>();

  show(steps: readonly Step[]): void {
    for (const { name, label, state, ms } of steps) {
      const { item, ms: text } = this.#items.get(name) ?? this.#add(name, label);
      setData(item, 'state', state);
      setText(text, ms === null ? '' : formatMs(ms));
    }
  }

  #add(name: string, label: string): { item: HTMLElement; ms: HTMLElement } {
    const ms = h('span', { class: 'ms' });
    const item = h('li', { 'data-step': name }, h('span', {}, label), ms);
    this.element.append(item);
    this.#items.set(name, { item, ms });
    return { item, ms };
  }
}

function figureList(figures: readonly Figure[], className: string): { list: HTMLElement; values: Map<Figure, HTMLElement> } {
  const values = new Map<Figure, HTMLElement>();
  const list = h('dl', { class: className });
  for (const figure of figures) {
    const value = h('dd', { 'data-testid': `stat-${figure.id}`, style: figure.width > 0 ? `min-width:${figure.width}ch` : '' });
    values.set(figure, value);
    list.append(h('div', { 'data-figure': figure.id, title: figure.title ?? '' }, h('dt', {}, figure.label), value));
  }
  return { list, values };
}

export class StatsStrip {
  readonly element: HTMLElement;
  readonly #main = figureList(FIGURES, 'figures');
  readonly #details = figureList(DETAILS, 'details');
  readonly #steps = new StepList();
  readonly #why = h('p', { class: 'why', 'data-testid': 'steps-why' });
  readonly #line = new Sparkline(600, 72, 120);
  readonly #budget: LatencyBar;
  readonly #top = h('span', { class: 'scale-top' });
  readonly #panel: HTMLElement;
  readonly #toggle: HTMLButtonElement;
  #last: [ViewStats, ViewInfo | null] | undefined; // what a panel that opens shows at once

  /** `live`: of the picture on the screen. */
  constructor(live: () => LatencyBudget | null) {
    this.#budget = new LatencyBar(live);
    this.#panel = h(
      'div',
      { class: 'panel', id: 'stats-panel', hidden: true },
      h('figure', {}, h('figcaption', {}, h('span', {}, 'Latency, last minute'), this.#top), this.#line.element),
      this.#details.list,
      h('section', { class: 'way' }, h('h2', {}, 'WebRTC connection'), this.#steps.element, this.#why),
    );
    this.#toggle = h(
      'button',
      { type: 'button', class: 'tool', 'aria-controls': 'stats-panel', 'aria-expanded': 'false', 'aria-label': 'Details (I)', title: 'Details (I)', 'data-testid': 'details', click: () => this.toggle() },
      icon('chevron'),
    );
    this.element = h('footer', { class: 'strip' }, this.#budget.element, this.#panel, h('div', { class: 'row' }, this.#main.list, this.#toggle));
  }

  get isOpen(): boolean {
    return !this.#panel.hidden;
  }

  toggle(open = this.#panel.hidden): void {
    this.#panel.hidden = !open;
    this.#toggle.setAttribute('aria-expanded', String(open));
    if (this.#last) this.show(...this.#last);
  }

  show(stats: ViewStats, view: ViewInfo | null): void {
    this.#last = [stats, view];
    this.#budget.show(stats.budget);
    for (const [figure, element] of this.#main.values) setText(element, figure.value(stats, view));
    if (this.#panel.hidden) return;
    for (const [figure, element] of this.#details.values) setText(element, figure.value(stats, view));
    this.#steps.show(stats.steps);
    setText(this.#why, stats.reason);
    setText(this.#top, `${this.#line.show(stats.history)} ms`);
  }
}
