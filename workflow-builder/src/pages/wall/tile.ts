/* One view on the wall: its picture, live or in JPEGs, and a line about it. Large, it is always live. */
import type { BinaryFrame } from '../../player/binary-frame';
import { JpegSurface } from '../../player/jpeg-surface';
import type { OverwatchView } from '../../player/overwatch-view';
import type { ViewInfo } from '../../player/server-types';
import { h, setData, setText } from '../../ui/dom';
import { formatFps, formatMs, NONE } from '../../ui/format';
import { icon } from '../../ui/icons';
import { LIVENESS_LABELS, livenessOf, troubleOf } from '../../ui/view-health';

const USUAL_RATIO = 16 / 9;

export interface TileActions {
  open(nodeId: string): void;
  close(): void;
}

function factsOf(view: ViewInfo): string {
  const objects = view.model_id && view.detections !== undefined ? `${view.detections} ${view.detections === 1 ? 'object' : 'objects'}` : '';
  const fps = formatFps(view.fps);
  return [objects, fps === NONE ? '' : `${fps} fps`].filter((part) => part !== '').join(' · ');
}

export class Tile {
  readonly element: HTMLElement;
  readonly #canvas = h('canvas', { 'aria-hidden': 'true' });
  readonly #surface = new JpegSurface<null>(this.#canvas, () => this.#painted());
  readonly #open: HTMLButtonElement;
  readonly #close: HTMLButtonElement;
  readonly #name = h('span', { class: 'name' });
  readonly #state = h('span', { class: 'liveness' });
  readonly #facts = h('span', { class: 'facts' });
  readonly #trouble = h('span', { class: 'trouble' });
  #player: OverwatchView | null = null;
  #view: ViewInfo;
  #running = true;
  #isLive = false;
  #isLarge = false;

  constructor(view: ViewInfo, actions: TileActions) {
    this.#view = view;
    const id = view.node_id;
    this.#open = h('button', { type: 'button', class: 'open', click: () => actions.open(id) });
    this.#close = h('button', { type: 'button', class: 'tool', 'aria-label': 'Back to all views (Escape)', title: 'Back to all views (Escape)', 'data-testid': 'close', click: () => actions.close() }, icon('close'));
    this.element = h(
      'li', { class: 'tile', 'data-testid': `tile-${id}`, 'data-picture': 'none' },
      this.#canvas,
      h('div', { class: 'caption' },
        h('p', {}, h('span', { class: 'dot' }), this.#name, this.#state, this.#facts),
        this.#trouble),
      this.#open,
      h('div', { class: 'large-tools' },
        h('a', { class: 'tool', href: `/view/${encodeURIComponent(id)}`, 'aria-label': 'Figures and settings of this view', title: 'Figures and settings of this view' }, icon('bars')),
        this.#close),
    );
    this.show(view, true);
  }

  get ratio(): number {
    const { width = 0, height = 0 } = this.#view;
    return width > 0 && height > 0 ? width / height : USUAL_RATIO;
  }

  get nodeId(): string {
    return this.#view.node_id;
  }

  /** Wants JPEGs: nothing better shows its picture. */
  get wantsPictures(): boolean {
    return this.element.dataset['picture'] !== 'live';
  }

  picture(frame: BinaryFrame): void {
    if (this.wantsPictures) this.#surface.show(frame.jpeg, null);
  }

  #painted(): void {
    if (this.wantsPictures) setData(this.element, 'picture', 'jpeg');
  }

  show(view: ViewInfo, running: boolean): void {
    this.#view = view;
    this.#running = running;
    this.#describe();
  }

  set live(live: boolean) {
    this.#isLive = live;
    this.#arrangePlayer();
  }

  set large(large: boolean) {
    if (large === this.#isLarge) return;
    this.#isLarge = large;
    setData(this.element, 'large', String(large));
    this.#arrangePlayer();
    (large ? this.#close : this.#open).focus({ preventScroll: true });
  }

  remove(): void {
    this.#surface.cancel();
    this.element.remove();
  }

  #arrangePlayer(): void {
    const wanted = this.#isLive || this.#isLarge;
    if (wanted && this.#player === null) this.#mount();
    else if (!wanted && this.#player !== null) this.#unmount(this.#player);
  }

  /* The JPEG stays on the screen until the player has a picture. */
  #mount(): void {
    const player = h('overwatch-view', { node: this.#view.node_id, 'muted-ui': true, inert: true });
    player.addEventListener('frame', () => setData(this.element, 'picture', 'live'), { once: true });
    player.addEventListener('statechange', () => this.#describe());
    player.addEventListener('stats', () => this.#isLarge && this.#describe());
    this.#player = player;
    this.#canvas.after(player);
  }

  /* And the player's last picture until a JPEG comes. */
  #unmount(player: OverwatchView): void {
    const { surface } = player;
    const [width, height] = surface instanceof HTMLVideoElement ? [surface.videoWidth, surface.videoHeight] : [surface.width, surface.height];
    if (!this.wantsPictures && width > 0) {
      this.#canvas.width = width;
      this.#canvas.height = height;
      this.#canvas.getContext('2d')?.drawImage(surface, 0, 0);
    }
    if (!this.wantsPictures) setData(this.element, 'picture', width > 0 ? 'jpeg' : 'none');
    this.#player = null;
    player.remove();
  }

  #describe(): void {
    const view = this.#view;
    const name = view.label || view.node_id;
    const failed = this.#player?.state === 'error' ? this.#player.reason : '';
    const liveness = livenessOf(view);
    const healthy = this.#running && liveness === 'live' && failed === '';
    setData(this.element, 'liveness', !this.#running ? 'stopped' : failed !== '' ? 'error' : liveness);
    setText(this.#name, name);
    setText(this.#state, healthy ? '' : !this.#running ? 'Stopped' : failed !== '' ? LIVENESS_LABELS.error : LIVENESS_LABELS[liveness]);
    setText(this.#facts, healthy ? [factsOf(view), this.#latency()].filter((part) => part !== '').join(' · ') : '');
    setText(this.#trouble, !this.#running ? '' : failed || troubleOf(view));
    this.#open.title = [name, view.workflow_name].filter(Boolean).join(' · ');
    this.#open.setAttribute('aria-label', `${name}: show it large`);
  }

  #latency(): string {
    if (!this.#isLarge || this.#player === null) return '';
    const text = formatMs(this.#player.stats.latency.p50);
    return text === NONE ? '' : text;
  }
}
