/* /wall: every running view, as large as all of them together can be. A few are live over WebRTC;
 * more share one socket of JPEGs. One can be made large: its id is the address' #. */
import { ServerSocket } from '../../player/server-socket';
import { viewsFrom, type ViewInfo } from '../../player/server-types';
import { h, setData } from '../../ui/dom';
import { checkSession } from '../../ui/session';
import { emptyState } from './empty-state';
import { fitGrid } from './fit';
import { jpegRate, LIVE_VIEWS } from './load';
import { Tile } from './tile';
import { Roster, shownViews, summaryOf } from './view-list';
import { WallBar } from './wall-bar';

const LINGER_MS = 5_000;
const GAP = 4;

export class WallPage {
  readonly element: HTMLElement;
  readonly #bar: WallBar;
  readonly #grid = h('ul', { class: 'grid', 'aria-label': 'Running views' });
  readonly #main = h('main', { class: 'wall' });
  readonly #tiles = new Map<string, Tile>();
  readonly #roster = new Roster(LINGER_MS);
  readonly #socket: ServerSocket;
  readonly #seen = new IntersectionObserver((entries) => this.#scrolled(entries));
  readonly #onScreen = new Set<Element>();
  readonly #limit: number;
  #order: Tile[] = [];
  #large = '';
  #openedHere = false;

  constructor() {
    const limit = new URLSearchParams(location.search).get('live');
    this.#limit = limit !== null && /^\d+$/.test(limit) ? Number(limit) : LIVE_VIEWS;
    this.#bar = new WallBar();
    this.element = h('div', { id: 'app' }, this.#bar.element, this.#main);
    this.#socket = new ServerSocket(location.origin, {
      opened: () => this.#serverBack(),
      closed: () => this.#serverGone(),
      frame: (frame) => this.#tiles.get(frame.header.node_id)?.picture(frame),
      views: (views) => this.#show(views),
    });
  }

  start(): void {
    this.#subscribe();
    this.#socket.start();
    void this.#refresh();
    new ResizeObserver(() => this.#layout()).observe(this.#main);
    document.addEventListener('visibilitychange', () => this.#subscribe());
    document.addEventListener('keydown', (event) => this.#key(event));
    window.addEventListener('hashchange', () => this.#showLarge());
    window.addEventListener('pagehide', () => this.#socket.stop());
    window.addEventListener('pageshow', () => this.#socket.start());
  }

  async #refresh(): Promise<void> {
    try {
      const response = await fetch('/api/views');
      const views = response.ok ? viewsFrom(await response.json()) : null;
      if (views !== null) this.#show(views);
    } catch {
      this.#serverGone();
    }
  }

  #serverBack(): void {
    this.#roster.hold(performance.now());
    this.#bar.serverAnswers(true);
    setData(this.#main, 'stale', 'false');
  }

  #serverGone(): void {
    this.#bar.serverAnswers(false);
    setData(this.#main, 'stale', 'true');
    void checkSession();
  }

  /* ---- which tiles there are ---- */

  #show(all: readonly ViewInfo[]): void {
    const views = shownViews(all);
    this.#bar.summary(summaryOf(views));
    const present = this.#roster.update(views, performance.now());
    const ids = new Set(present.map(({ view }) => view.node_id));
    for (const [id, tile] of this.#tiles) if (!ids.has(id)) this.#drop(id, tile);
    this.#order = present.map(({ view, running }) => {
      const tile = this.#tiles.get(view.node_id) ?? this.#add(view);
      tile.show(view, running);
      return tile;
    });
    this.#place();
    this.#showLarge();
    this.#subscribe();
    this.#layout();
  }

  #add(view: ViewInfo): Tile {
    const tile = new Tile(view, { open: (id) => this.#open(id), close: () => this.#closeLarge() });
    this.#tiles.set(view.node_id, tile);
    this.#seen.observe(tile.element);
    return tile;
  }

  #drop(id: string, tile: Tile): void {
    this.#seen.unobserve(tile.element);
    this.#onScreen.delete(tile.element);
    this.#tiles.delete(id);
    tile.remove();
  }

  /* A player that is moved in the document connects anew: only what is not in its place moves. */
  #place(): void {
    if (this.#order.length === 0) {
      if (this.#main.querySelector('.empty') === null) this.#main.replaceChildren(emptyState());
      return;
    }
    if (!this.#grid.isConnected) this.#main.replaceChildren(this.#grid);
    this.#order.forEach((tile, index) => {
      const there = this.#grid.children[index];
      if (there !== tile.element) this.#grid.insertBefore(tile.element, there ?? null);
    });
    const live = this.#order.length <= this.#limit;
    for (const tile of this.#order) tile.live = live;
  }

  #layout(): void {
    const { clientWidth, clientHeight } = this.#main;
    const fit = fitGrid(this.#order.map(({ ratio }) => ratio), clientWidth - 2 * GAP, clientHeight - 2 * GAP, GAP);
    if (fit === null) return;
    setData(this.#main, 'scrolls', String(fit.scrolls));
    setData(this.#grid, 'small', String(fit.width < 240));
    const { style } = this.#grid;
    const columns = `repeat(${fit.columns}, ${fit.width}px)`, rows = `${fit.height}px`;
    if (style.gridTemplateColumns !== columns) style.gridTemplateColumns = columns;
    if (style.gridAutoRows !== rows) style.gridAutoRows = rows;
  }

  /* ---- JPEGs ---- */

  #scrolled(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.#onScreen.add(target);
      else this.#onScreen.delete(target);
    }
    this.#subscribe();
  }

  /* Pictures are asked for of what can be seen and shows none of its own. */
  #subscribe(): void {
    const wanted = document.hidden ? [] : this.#order.filter((tile) => tile.wantsPictures && this.#onScreen.has(tile.element) && (this.#large === '' || tile.nodeId === this.#large));
    if (wanted.length === 0) this.#socket.subscribe({ topics: ['status_update'] });
    else
      this.#socket.subscribe({
        topics: ['status_update', 'xray_frame'],
        filters: { node_ids: wanted.map(({ nodeId }) => nodeId), max_fps: jpegRate(wanted.length) },
      });
  }

  /* ---- the large one ---- */

  #open(id: string): void {
    this.#openedHere = true;
    location.hash = encodeURIComponent(id);
  }

  #closeLarge(): void {
    if (this.#openedHere) {
      history.back();
      return;
    }
    history.replaceState(null, '', location.pathname + location.search);
    this.#showLarge();
  }

  #showLarge(): void {
    let asked = '';
    try {
      asked = decodeURIComponent(location.hash.slice(1));
    } catch {
      /* no id of ours */
    }
    const large = this.#tiles.has(asked) ? asked : '';
    if (asked === '') this.#openedHere = false;
    if (large === this.#large) return;
    this.#setLarge(this.#large, false);
    this.#large = large;
    this.#setLarge(large, true);
    setData(this.#main, 'large', String(large !== ''));
    this.#subscribe();
  }

  #setLarge(id: string, large: boolean): void {
    const tile = this.#tiles.get(id);
    if (tile !== undefined) tile.large = large;
  }

  #step(by: number): void {
    const at = this.#order.findIndex(({ nodeId }) => nodeId === this.#large);
    const next = this.#order[(at + by + this.#order.length) % this.#order.length];
    if (at < 0 || next === undefined) return;
    history.replaceState(null, '', `#${encodeURIComponent(next.nodeId)}`);
    this.#showLarge();
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape' && this.#large !== '') this.#closeLarge();
    else if (event.key === 'ArrowRight' && this.#large !== '') this.#step(1);
    else if (event.key === 'ArrowLeft' && this.#large !== '') this.#step(-1);
    else if (event.key.toLowerCase() === 'h') this.#bar.toggle();
    else if (event.key.toLowerCase() === 'f') void this.#bar.toggleFullscreen();
    else return;
    event.preventDefault();
  }
}
