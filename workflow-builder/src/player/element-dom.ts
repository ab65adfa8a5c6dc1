/* The inside of <overwatch-view>: two surfaces, the overlay, a notice and a bar. No logic but showing. */
import { ELEMENT_STYLE } from './element-style';
import type { Step } from './connection-steps';
import { OverlayLayer } from './overlay-layer';
import type { ConnectionState } from './session-machine';
import type { ViewStats } from './player-stats';

export const STATE_LABELS: Readonly<Record<ConnectionState, string>> = {
  disconnected: 'Disconnected',
  connecting: 'Connecting…',
  connected: 'Connected',
  error: 'Connection Error',
};

const ICONS = {
  pause: '<path d="M5.5 3.5v9M10.5 3.5v9"/>',
  play: '<path d="M5 3.2v9.6l8-4.8z"/>',
  snapshot: '<path d="M2 5.5h2.6L5.7 4h4.6l1.1 1.5H14v7.2H2z"/><circle cx="8" cy="8.8" r="2.3"/>',
  legend: '<path d="M2.5 4h2M7.5 4h6M2.5 8h2M7.5 8h6M2.5 12h2M7.5 12h6"/>',
  fullscreen: '<path d="M6 2.5H2.5V6M10 2.5h3.5V6M6 13.5H2.5V10M10 13.5h3.5V10"/>',
} as const;

const TEMPLATE = `
<div class="stage" part="stage" data-surface="video" data-stale="false">
  <video part="video" autoplay muted playsinline disablepictureinpicture tabindex="-1"></video>
  <canvas part="canvas"></canvas>
</div>
<canvas class="overlay" part="overlay" aria-hidden="true"></canvas>
<div class="card" part="card" hidden></div>
<div class="badge" part="badge" role="status" hidden><b></b><span></span></div>
<div class="notice" part="notice" role="status"><div class="title"><span class="dot"></span><span class="label"></span></div><div class="why"></div><ol class="steps" part="steps" hidden></ol></div>
<div class="bar" part="bar">
  <span class="dot"></span><span class="label"></span><span class="figures"></span>
  <button type="button" data-action="play" aria-label="Pause"><svg viewBox="0 0 16 16" aria-hidden="true">${ICONS.pause}</svg></button>
  <button type="button" data-action="legend" aria-label="Legend" title="Legend" aria-pressed="false" hidden><svg viewBox="0 0 16 16" aria-hidden="true">${ICONS.legend}</svg></button>
  <button type="button" data-action="snapshot" aria-label="Save a snapshot" title="Save a snapshot; with Shift without the overlay"><svg viewBox="0 0 16 16" aria-hidden="true">${ICONS.snapshot}</svg></button>
  <button type="button" data-action="fullscreen" aria-label="Full screen"><svg viewBox="0 0 16 16" aria-hidden="true">${ICONS.fullscreen}</svg></button>
</div>`;

/* One sheet for all players of a page. A page may forbid styles in its text, but not these. */
let sheet: CSSStyleSheet | null = null;

function dress(root: ShadowRoot): void {
  if ('adoptedStyleSheets' in root && 'replaceSync' in CSSStyleSheet.prototype) {
    if (sheet === null) {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(ELEMENT_STYLE);
    }
    root.adoptedStyleSheets = [sheet];
  } else {
    const style = document.createElement('style'); /* Safari before 16.4 */
    style.textContent = ELEMENT_STYLE;
    root.prepend(style);
  }
}

export type ElementAction = 'play' | 'legend' | 'snapshot' | 'fullscreen';

export class ElementDom {
  readonly video: HTMLVideoElement;
  readonly canvas: HTMLCanvasElement;
  readonly overlay: OverlayLayer;
  readonly #stage: HTMLElement;
  readonly #notice: HTMLElement;
  readonly #bar: HTMLElement;
  readonly #badge: HTMLElement;

  constructor(root: ShadowRoot, act: (action: ElementAction, shifted: boolean) => void) {
    root.innerHTML = TEMPLATE;
    dress(root);
    const find = <T extends Element>(selector: string) => root.querySelector(selector) as T;
    this.video = find('video');
    this.canvas = find('canvas');
    this.overlay = new OverlayLayer(find('.overlay'), find('.card'));
    this.#stage = find('.stage');
    this.#notice = find('.notice');
    this.#bar = find('.bar');
    this.#badge = find('.badge');
    this.video.muted = true;
    this.#bar.addEventListener('click', (event) => {
      const button = (event.target as Element).closest<HTMLElement>('[data-action]');
      if (button !== null) act(button.dataset['action'] as ElementAction, event.shiftKey);
    });
  }

  get surface(): HTMLVideoElement | HTMLCanvasElement {
    return this.#stage.dataset['surface'] === 'canvas' ? this.canvas : this.video;
  }

  showSurface(surface: 'video' | 'canvas'): void {
    if (this.#stage.dataset['surface'] !== surface) this.#stage.dataset['surface'] = surface;
  }

  /** Copies the video's picture to the canvas and shows that, so that the video may change. */
  freezeVideo(): void {
    const { videoWidth, videoHeight } = this.video;
    if (videoWidth === 0 || this.#stage.dataset['surface'] === 'canvas') return;
    this.canvas.width = videoWidth;
    this.canvas.height = videoHeight;
    this.canvas.getContext('2d')?.drawImage(this.video, 0, 0);
    this.showSurface('canvas');
  }

  showState(state: ConnectionState, reason: string): void {
    this.#stage.dataset['stale'] = String(state !== 'connected');
    this.#notice.hidden = state === 'connected';
    for (const part of [this.#notice, this.#bar]) {
      part.dataset['state'] = state;
      const label = part.querySelector('.label');
      if (label !== null) label.textContent = STATE_LABELS[state];
    }
    const why = this.#notice.querySelector('.why');
    if (why !== null && why.textContent !== reason) why.textContent = reason;
  }

  /** What the picture is, where it is not what one expects; '' takes the badge away. */
  showBadge(title: string, text: string): void {
    this.#badge.hidden = title === '';
    const [head, rest] = [...this.#badge.children];
    if (head !== undefined && head.textContent !== `${title}: `) head.textContent = `${title}: `;
    if (rest !== undefined && rest.textContent !== text) rest.textContent = text;
  }

  /** The way of a connection that does not stand yet; an empty list shows none. */
  showSteps(steps: readonly Step[]): void {
    const list = this.#notice.querySelector<HTMLElement>('.steps');
    if (list === null) return;
    list.hidden = steps.length === 0;
    const states = steps.map(({ name, state }) => `${name}:${state}`).join();
    if (list.dataset['states'] === states) return;
    list.dataset['states'] = states;
    list.replaceChildren(
      ...steps.map(({ label, state }) => {
        const item = document.createElement('li');
        item.dataset['step'] = state;
        item.textContent = label;
        return item;
      }),
    );
  }

  showStats(stats: ViewStats): void {
    const figures = this.#bar.querySelector('.figures');
    if (figures === null) return;
    const latency = stats.latency.p50 === null ? '' : ` · ${stats.latency.p50.toFixed(0)} ms`;
    const transport = stats.transport === null ? '' : stats.tier === 'vector' ? 'Vector' : stats.transport === 'webrtc' ? 'WebRTC' : 'WebSocket';
    figures.textContent = transport === '' ? '' : `${transport} · ${stats.fps.toFixed(0)} fps${latency}`;
  }

  showLegend(can: boolean, on: boolean): void {
    const button = this.#bar.querySelector<HTMLElement>('[data-action=legend]');
    if (button === null) return;
    button.hidden = !can;
    button.setAttribute('aria-pressed', String(on));
  }

  showPlaying(playing: boolean): void {
    const button = this.#bar.querySelector('[data-action=play]');
    button?.setAttribute('aria-label', playing ? 'Pause' : 'Play');
    const icon = button?.querySelector('svg');
    if (icon) icon.innerHTML = playing ? ICONS.pause : ICONS.play;
  }
}
