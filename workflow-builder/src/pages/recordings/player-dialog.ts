/* One recording, played: the video, what was seen drawn over it where nothing is drawn on it, and what
 * happened as a list to jump by. */
import { OverlayLayer } from '../../player/overlay-layer';
import { errorSentence, SERVER_SILENT } from '../../player/server-types';
import { h, setData, setText } from '../../ui/dom';
import { icon } from '../../ui/icons';
import { linesAddress, videoAddress } from '../../ui/recording';
import { formatDuration } from '../../ui/time';
import { pictureAt, readLines, type RecordedLines } from './recorded-lines';
import { allFactsOf, isPlain, titleOf, type RecordingInfo } from './recording-list';

/* An event is shown from a little before it. */
const BEFORE_S = 1;
const NOTHING: RecordedLines = { events: [], pictures: [] };

export interface DialogActions {
  /** It was closed, by whatever: which one was shown. */
  closed(name: string): void;
  remove(name: string): void;
  /** The one before (-1) or after it in the list. */
  step(by: number): void;
}

/** Where the video is; a growing one has another address each time, for browsers keep what they have of one. */
export function sourceOf({ name, recording, bytes }: RecordingInfo): string {
  return recording ? `${videoAddress(name)}?bytes=${bytes}` : videoAddress(name);
}

const tool = (label: string, picture: Parameters<typeof icon>[0], attributes: Parameters<typeof h>[1] = {}) =>
  h('button', { type: 'button', class: 'tool', 'aria-label': label, title: label, ...attributes }, icon(picture));

export class PlayerDialog {
  readonly element: HTMLDialogElement;
  readonly #title = h('h2', { id: 'player-title' });
  readonly #facts = h('p', { class: 'facts' });
  readonly #video = h('video', { controls: true, playsinline: true, controlslist: 'nofullscreen', 'data-testid': 'video', 'aria-labelledby': 'player-title' });
  readonly #canvas = h('canvas', { class: 'overlay', 'aria-hidden': 'true' });
  readonly #card = h('div', { class: 'object-card', hidden: true });
  readonly #stage = h('div', { class: 'stage' }, this.#video, this.#canvas, this.#card);
  readonly #overlay = new OverlayLayer(this.#canvas, this.#card);
  readonly #boxes: HTMLButtonElement;
  readonly #live: HTMLAnchorElement;
  readonly #save = h('a', { class: 'tool', download: true, 'aria-label': 'Save the video', title: 'Save the video' }, icon('download'));
  readonly #saveLines = h('a', { class: 'tool', download: true, 'aria-label': 'Save what was seen, as JSON lines', title: 'Save what was seen, as JSON lines' }, icon('lines'));
  readonly #delete: HTMLButtonElement;
  readonly #newer: HTMLButtonElement;
  readonly #older: HTMLButtonElement;
  readonly #note = h('p', { class: 'note', role: 'status' });
  readonly #events = h('ol', { class: 'events', 'aria-label': 'What happened' });
  #shown: RecordingInfo | null = null;
  #lines = NOTHING;
  #at = 0;
  #reading: AbortController | null = null;

  constructor(readonly actions: DialogActions) {
    this.#boxes = tool('Boxes (B)', 'boxes', { 'aria-pressed': 'true', 'data-testid': 'boxes', click: () => this.#toggleBoxes() });
    this.#live = h('a', { class: 'button' }, 'Watch it live');
    this.#delete = tool('Delete', 'trash', { 'data-testid': 'delete-shown', click: () => this.#shown !== null && actions.remove(this.#shown.name) });
    this.#newer = tool('The newer one (P)', 'chevron', { class: 'tool newer', click: () => actions.step(-1) });
    this.#older = tool('The older one (N)', 'chevron', { class: 'tool older', click: () => actions.step(1) });
    const fullscreen = tool('Full screen (F)', 'fullscreen', { click: () => void this.#toggleFullscreen() });
    const close = tool('Close (Esc)', 'close', { 'data-testid': 'close', click: () => this.element.close() });
    this.element = h('dialog', { class: 'player', 'aria-labelledby': 'player-title', 'data-testid': 'player' },
      h('header', {},
        h('div', { class: 'words' }, this.#title, this.#facts),
        h('div', { class: 'dialog-tools' }, this.#live, this.#boxes, this.#newer, this.#older, this.#save, this.#saveLines, this.#delete, fullscreen, close)),
      this.#stage, this.#note, this.#events);
    this.element.addEventListener('close', () => this.#closed());
    this.element.addEventListener('click', (event) => event.target === this.element && this.element.close()); // beside it
    this.element.addEventListener('keydown', (event) => this.#key(event));
    this.#video.addEventListener('error', () => this.#shown !== null && this.say('The video cannot be played: it may have been deleted, or this browser reads no H.264.'));
    this.#stage.addEventListener('pointermove', (event) => this.#overlay.point(event));
    this.#stage.addEventListener('pointerleave', () => this.#overlay.point(null));
    this.#nextFrame();
  }

  /** What is open; '' = nothing. */
  get name(): string {
    return this.#shown?.name ?? '';
  }

  open(recording: RecordingInfo, hasNewer: boolean, hasOlder: boolean): void {
    this.#leave();
    this.#shown = recording;
    this.update(recording, hasNewer, hasOlder);
    this.say(recording.reason !== '' ? `It ended early: ${recording.reason}.` : '');
    this.#stage.style.aspectRatio = recording.width > 0 && recording.height > 0 ? `${recording.width} / ${recording.height}` : '';
    this.#video.src = sourceOf(recording);
    if (!this.element.open) this.element.showModal();
    this.#video.focus();
    void this.#video.play().catch(() => undefined);
    if (isPlain(recording) || recording.events > 0) void this.#read(recording);
  }

  /** What is known of it now. */
  update(recording: RecordingInfo, hasNewer: boolean, hasOlder: boolean): void {
    setText(this.#title, titleOf(recording));
    setText(this.#facts, allFactsOf(recording, new Date()));
    this.#live.hidden = !recording.recording;
    this.#live.href = `/view/${encodeURIComponent(recording.node_id)}`;
    this.#delete.hidden = recording.recording;
    this.#boxes.hidden = !isPlain(recording);
    this.#save.href = videoAddress(recording.name);
    this.#saveLines.href = linesAddress(recording.name);
    this.#newer.disabled = !hasNewer;
    this.#older.disabled = !hasOlder;
    setData(this.element, 'live', String(recording.recording));
  }

  close(): void {
    if (this.element.open) this.element.close();
  }

  /** Below the picture; what is said elsewhere on the page lies behind. */
  say(text: string): void {
    setText(this.#note, text);
  }

  #leave(): void {
    this.#reading?.abort();
    this.#shown = null;
    this.#lines = NOTHING;
    this.#at = 0;
    this.#events.replaceChildren();
    this.#overlay.clear();
  }

  #closed(): void {
    if (this.element.open) return; // again, meanwhile
    const { name } = this;
    this.#leave();
    this.#video.removeAttribute('src');
    this.#video.load();
    this.actions.closed(name);
  }

  /* ---- the lines ---- */

  async #read(recording: RecordingInfo): Promise<void> {
    const reading = (this.#reading = new AbortController());
    try {
      const response = await fetch(linesAddress(recording.name), { signal: reading.signal });
      if (!response.ok) {
        this.say(`What was seen is not there: ${await errorSentence(response)}`);
        return;
      }
      const lines = readLines(await response.text(), isPlain(recording));
      if (this.#shown?.name !== recording.name) return;
      this.#lines = lines;
      this.#events.replaceChildren(...lines.events.map(({ at, text }) =>
        h('li', {}, h('button', { type: 'button', click: () => this.#jump(at) }, h('time', {}, formatDuration(at)), text))));
      this.#drawBoxes();
    } catch {
      if (!reading.signal.aborted) this.say(SERVER_SILENT);
    }
  }

  #jump(at: number): void {
    this.#video.currentTime = Math.max(0, at - BEFORE_S);
    void this.#video.play().catch(() => undefined);
  }

  /* ---- what is drawn ---- */

  #nextFrame(): void {
    if (!('requestVideoFrameCallback' in this.#video)) { // Firefox before 132
      (this.#video as HTMLVideoElement).addEventListener('timeupdate', () => this.#reached((this.#video as HTMLVideoElement).currentTime));
      return;
    }
    this.#video.requestVideoFrameCallback((_now, { mediaTime }) => {
      this.#reached(mediaTime);
      this.#nextFrame();
    });
  }

  #reached(at: number): void {
    this.#at = at;
    this.#drawBoxes();
  }

  #drawBoxes(): void {
    const wanted = !this.#boxes.hidden && this.#boxes.getAttribute('aria-pressed') === 'true';
    const picture = wanted ? pictureAt(this.#lines.pictures, this.#at) : null;
    if (picture === null) this.#overlay.clear();
    else {
      this.#overlay.look(picture.scheme, false);
      this.#overlay.show(picture.seen);
    }
    setData(this.#stage, 'objects', String(picture?.seen.objects.length ?? 0));
  }

  #toggleBoxes(): void {
    if (this.#boxes.hidden) return;
    this.#boxes.setAttribute('aria-pressed', String(this.#boxes.getAttribute('aria-pressed') !== 'true'));
    this.#drawBoxes();
  }

  async #toggleFullscreen(): Promise<void> {
    if (document.fullscreenElement !== null) await document.exitFullscreen();
    else await this.#stage.requestFullscreen();
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key === 'b') this.#toggleBoxes();
    else if (key === 'f') void this.#toggleFullscreen();
    else if (key === 'n' && !this.#older.disabled) this.actions.step(1);
    else if (key === 'p' && !this.#newer.disabled) this.actions.step(-1);
    else return;
    event.preventDefault();
  }
}
