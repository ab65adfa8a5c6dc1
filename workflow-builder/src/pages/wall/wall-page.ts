/* /wall: every running view as a card with a live picture. One socket carries all of them. */
import type { BinaryFrame } from '../../player/binary-frame';
import { ServerSocket } from '../../player/server-socket';
import { viewsFrom, type Health, type ViewInfo } from '../../player/server-types';
import { h, setData, setText } from '../../ui/dom';
import { formatUptime } from '../../ui/format';
import { logo } from '../../ui/icons';
import { emptyState } from './empty-state';
import { groupViews, summaryOf } from './view-list';
import { ViewCard } from './view-card';

const THUMBNAIL_FPS = 4;
const HEALTH_PERIOD_MS = 5_000;

export class WallPage {
  readonly element: HTMLElement;
  readonly #summary = h('p', { class: 'summary', 'data-testid': 'summary' });
  readonly #health = h('div', { class: 'health', role: 'status', 'data-testid': 'health' });
  readonly #healthLabel = h('span', {}, 'Connecting…');
  readonly #healthDetail = h('span', { class: 'detail' });
  readonly #list = h('main', { class: 'list' });
  readonly #cards = new Map<string, ViewCard>();
  readonly #socket: ServerSocket;
  #shape = '';

  constructor() {
    this.#health.append(h('span', { class: 'dot' }), this.#healthLabel, this.#healthDetail);
    setData(this.#health, 'state', 'connecting');
    this.element = h(
      'div',
      { id: 'app' },
      h(
        'header',
        { class: 'bar' },
        h('h1', {}, h('a', { class: 'brand', href: '/', title: 'Workflow builder' }, logo(), h('span', { class: 'product' }, 'Overwatch'), h('span', { class: 'mark' }, 'X-RAY'))),
        this.#summary,
        this.#health,
      ),
      this.#list,
    );
    this.#socket = new ServerSocket(location.origin, {
      opened: () => void this.#refresh(),
      closed: () => this.#serverGone(),
      frame: (frame) => this.#frame(frame),
      views: (views) => this.#show(views),
    });
  }

  start(): void {
    this.#subscribe();
    this.#socket.start();
    void this.#refresh();
    setInterval(() => void this.#askHealth(), HEALTH_PERIOD_MS);
    document.addEventListener('visibilitychange', () => this.#subscribe());
    window.addEventListener('pagehide', () => this.#socket.stop());
    window.addEventListener('pageshow', () => this.#socket.start());
  }

  #subscribe(): void {
    this.#socket.subscribe({
      topics: document.hidden ? ['status_update'] : ['status_update', 'xray_frame'],
      filters: { max_fps: THUMBNAIL_FPS },
    });
  }

  async #refresh(): Promise<void> {
    void this.#askHealth();
    try {
      const response = await fetch('/api/views');
      const views = response.ok ? viewsFrom(await response.json()) : null;
      if (views !== null) this.#show(views);
    } catch {
      this.#serverGone();
    }
  }

  async #askHealth(): Promise<void> {
    try {
      const response = await fetch('/healthz');
      const health = (await response.json()) as Health;
      const good = response.ok && (health.status === undefined || /^(ok|healthy|up)$/i.test(health.status));
      setData(this.#health, 'state', good ? 'connected' : 'connecting');
      setText(this.#healthLabel, good ? 'Healthy' : (health.status ?? `Status ${response.status}`));
      const uptime = typeof health.uptime_s === 'number' ? `up ${formatUptime(health.uptime_s)}` : '';
      setText(this.#healthDetail, [health.version === undefined ? '' : `v${health.version.replace(/^v/, '')}`, uptime].filter((part) => part !== '').join(' · '));
    } catch {
      this.#serverGone();
    }
  }

  #serverGone(): void {
    setData(this.#health, 'state', 'error');
    setText(this.#healthLabel, 'The server does not answer; trying again.');
    setText(this.#healthDetail, '');
    setData(this.#list, 'stale', 'true');
  }

  #frame(frame: BinaryFrame): void {
    this.#cards.get(frame.header.node_id)?.picture(frame);
  }

  #show(views: readonly ViewInfo[]): void {
    setData(this.#list, 'stale', 'false');
    setText(this.#summary, summaryOf(views));
    const shape = JSON.stringify(groupViews(views).map((group) => [group.name, group.views.map((view) => view.node_id)]));
    if (shape !== this.#shape || (views.length === 0 && this.#list.childElementCount === 0)) {
      this.#shape = shape;
      this.#arrange(views);
    }
    for (const view of views) this.#cards.get(view.node_id)?.show(view);
  }

  /* Only when views come or go; figures and pictures change in place. */
  #arrange(views: readonly ViewInfo[]): void {
    const present = new Set(views.map((view) => view.node_id));
    for (const id of [...this.#cards.keys()].filter((known) => !present.has(known))) this.#cards.delete(id);
    if (views.length === 0) {
      this.#list.replaceChildren(emptyState());
      return;
    }
    const groups = groupViews(views);
    this.#list.replaceChildren(
      ...groups.map((group) => {
        const cards = group.views.map((view) => {
          const card = this.#cards.get(view.node_id) ?? new ViewCard(view.node_id);
          this.#cards.set(view.node_id, card);
          return card.element;
        });
        const heading = groups.length > 1 ? h('h2', {}, group.name, h('span', { class: 'count' }, String(cards.length))) : null;
        const grid = h('div', { class: 'grid', 'data-few': String(views.length <= 2), style: `--count:${cards.length}` }, ...cards);
        return h('section', { 'aria-label': group.name }, heading, grid);
      }),
    );
  }
}
