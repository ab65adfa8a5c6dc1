/* The wall's bar: what runs, how the server is, the other pages. It can be hidden, for a screen that
 * is only looked at; it comes when the pointer is at the upper edge, and stays while the server is away. */
import type { Health } from '../../player/server-types';
import { h, setData, setText } from '../../ui/dom';
import { formatUptime } from '../../ui/time';
import { icon, logo } from '../../ui/icons';
import { pageTools } from '../../ui/page-tools';
import { store, stored } from '../../ui/storage';

const HEALTH_PERIOD_MS = 5_000;
const KEY = 'overwatch-wall-bar';

export class WallBar {
  readonly element: HTMLElement;
  readonly #summary = h('p', { class: 'summary', 'data-testid': 'summary' });
  readonly #health = h('div', { class: 'health', 'data-testid': 'health' });
  readonly #healthLabel = h('span', { class: 'label', role: 'status' }, 'Connecting…');
  readonly #healthDetail = h('span', { class: 'detail' });
  readonly #hide = h('button', { type: 'button', class: 'tool', 'data-testid': 'hide-bar', click: () => this.toggle() }, icon('hide'));

  constructor() {
    this.#health.append(h('span', { class: 'dot' }), this.#healthLabel, this.#healthDetail);
    const full = h('button', { type: 'button', class: 'tool', 'aria-label': 'Full screen (F)', title: 'Full screen (F)', click: () => void this.toggleFullscreen() }, icon('fullscreen'));
    this.element = h(
      'header', { class: 'bar' },
      h('h1', {}, h('a', { class: 'brand', href: '/', title: 'Workflow builder' }, logo(), h('span', { class: 'product' }, 'Overwatch'), h('span', { class: 'mark' }, 'X-RAY'))),
      this.#summary, this.#health, pageTools(), full, this.#hide,
    );
    setData(this.#health, 'state', 'connecting');
    this.#setHidden(stored(KEY) === 'hidden');
    void this.#askHealth();
    setInterval(() => void this.#askHealth(), HEALTH_PERIOD_MS);
  }

  get #isHidden(): boolean {
    return this.element.dataset['hidden'] === 'true';
  }

  #setHidden(hidden: boolean): void {
    setData(this.element, 'hidden', String(hidden));
    this.#hide.title = hidden ? 'Keep the bar (H)' : 'Hide the bar (H)';
    this.#hide.setAttribute('aria-label', this.#hide.title);
    this.#hide.setAttribute('aria-pressed', String(hidden));
  }

  toggle(): void {
    const hidden = !this.#isHidden;
    this.#setHidden(hidden);
    store(KEY, hidden ? 'hidden' : 'shown');
  }

  async toggleFullscreen(): Promise<void> {
    if (document.fullscreenElement !== null) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen();
  }

  summary(text: string): void {
    setText(this.#summary, text);
  }

  serverAnswers(answers: boolean): void {
    if (answers) {
      void this.#askHealth();
      return;
    }
    setData(this.#health, 'state', 'error');
    setText(this.#healthLabel, 'The server does not answer; trying again.');
    setText(this.#healthDetail, '');
  }

  async #askHealth(): Promise<void> {
    try {
      const response = await fetch('/healthz');
      const health = (await response.json()) as Health;
      setData(this.#health, 'state', response.ok ? 'connected' : 'connecting');
      setText(this.#healthLabel, response.ok ? 'Healthy' : `Status ${response.status}`);
      const uptime = typeof health.uptime_s === 'number' ? `up ${formatUptime(health.uptime_s)}` : '';
      setText(this.#healthDetail, [health.version ? `v${health.version}` : '', uptime].filter((part) => part !== '').join(' · '));
    } catch {
      this.serverAnswers(false);
    }
  }
}
