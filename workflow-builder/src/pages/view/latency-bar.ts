/* Where the milliseconds of a picture go: a bar with a segment for each stage, and figures that add up.
 * Of a picture of median latency, so that it can be read; under the pointer and in focus of the very
 * picture on the screen. */
import { STAGES, type LatencyBudget, type StageName } from '../../player/latency-budget';
import { h, setData, setText } from '../../ui/dom';
import { formatMs, NONE } from '../../ui/format';
import { scaleTop } from '../../ui/sparkline';

const LIVE_MS = 100;
/* Only where a picture waits for its boxes; the others have their place before they are known. */
const BY_MODEL: readonly StageName[] = ['wait', 'model'];
/* So many updates long the scale stays as large as it had to be: two are shown a second. */
const SCALE_UPDATES = 10;

interface Stage {
  readonly segment: HTMLElement;
  readonly figure: HTMLElement;
  readonly value: HTMLElement;
}

export class LatencyBar {
  readonly element: HTMLElement;
  readonly #stages = new Map<StageName, Stage>();
  readonly #way = h('div', { class: 'way-bar' });
  readonly #older = h('div', { class: 'older-bar' });
  readonly #scale = h('span', { class: 'scale' });
  readonly #whose = h('dt');
  readonly #total = h('dd', { 'data-testid': 'budget-total' });
  readonly #age = h('dd', { 'data-testid': 'budget-boxes' });
  readonly #boxes: HTMLElement;
  #typical: LatencyBudget | null = null;
  #tops: number[] = [];
  #liveTimer: ReturnType<typeof setInterval> | undefined;

  /** `live`: of the picture on the screen. */
  constructor(readonly live: () => LatencyBudget | null) {
    for (const { name, label, help } of STAGES) this.#stages.set(name, this.#stage(name, label, help));
    this.#boxes = h('div', { class: 'boxes', title: 'The model runs beside the picture: its boxes were seen in an older frame and moved forward to this one', hidden: true }, h('dt', {}, h('i', { class: 'older' }), 'Boxes seen in a frame'), this.#age);
    const figures = [...this.#stages.values()].map(({ figure }) => figure);
    this.element = h(
      'section',
      { class: 'budget', role: 'group', tabindex: '0', 'aria-label': 'Where the milliseconds of a picture go', 'data-testid': 'budget' },
      h('div', { class: 'bars', 'aria-hidden': 'true' }, h('div', { class: 'room' }, this.#way, this.#older), this.#scale),
      h('dl', { class: 'stages' }, h('div', { class: 'total' }, this.#whose, this.#total), ...figures, this.#boxes),
    );
    for (const type of ['pointerenter', 'focus']) this.element.addEventListener(type, () => this.#follow(true));
    for (const type of ['pointerleave', 'blur']) this.element.addEventListener(type, () => this.#follow(false));
    this.#show(null, false);
  }

  #stage(name: StageName, label: string, help: string): Stage {
    const segment = h('i', { 'data-stage': name });
    const value = h('dd', { 'data-testid': `budget-${name}` });
    const figure = h('div', { title: help, hidden: true }, h('dt', {}, h('i', { 'data-stage': name }), label), value);
    this.#way.append(segment);
    return { segment, figure, value };
  }

  #follow(live: boolean): void {
    clearInterval(this.#liveTimer);
    this.#liveTimer = live ? setInterval(() => this.#showLive(), LIVE_MS) : undefined;
    if (live) this.#showLive();
    else this.#show(this.#typical, false);
  }

  /* The record of a picture may come a moment after it: what was shown before stands until then. */
  #showLive(): void {
    const budget = this.live();
    if (budget !== null) this.#show(budget, true);
  }

  /** `typical`: of the picture of median latency. */
  show(typical: LatencyBudget | null): void {
    this.#typical = typical;
    if (this.#liveTimer === undefined) this.#show(typical, false);
  }

  #show(budget: LatencyBudget | null, live: boolean): void {
    const totalMs = budget?.totalMs ?? 0;
    const olderMs = Math.max(0, budget?.boxesAgeMs ?? 0);
    const top = this.#top(totalMs);
    setText(this.#whose, live ? 'This picture' : 'Median picture');
    setText(this.#total, formatMs(budget?.totalMs));
    setText(this.#scale, budget === null ? '' : `${top} ms`);
    this.#way.style.width = `${(100 * totalMs) / top}%`;
    this.#older.style.width = `${Math.min(100, (100 * olderMs) / top)}%`;
    setData(this.#older, 'beyond', String(olderMs > top));
    for (const [name, { segment, figure, value }] of this.#stages) {
      const ms = budget?.segments.find(({ stage }) => stage === name)?.ms ?? null;
      segment.style.flexGrow = String(Math.round(1000 * (ms ?? 0)));
      segment.hidden = ms === null;
      figure.hidden = ms === null && BY_MODEL.includes(name);
      setText(value, ms === null ? NONE : ms.toFixed(1));
    }
    this.#boxes.hidden = budget === null || budget.boxesAgeMs === null;
    setText(this.#age, `${formatMs(olderMs)} older`);
  }

  #top(ms: number): number {
    this.#tops = [...this.#tops, scaleTop([ms])].slice(-SCALE_UPDATES);
    return Math.max(...this.#tops);
  }
}
