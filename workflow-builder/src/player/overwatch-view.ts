/* <overwatch-view node="…" [src="http://server"] [transport="auto|webrtc|websocket"] [fps="…"]
 * [overlay="auto|on|off"] [overlay-classes="…"] [overlay-confidence="…"] [overlay-parts="…"]
 * [overlay-legend] [controls] [muted-ui]>: shows one running view. The rules are in session-machine.ts; this file carries them out:
 * it opens and closes links, shows pictures, measures, and tells by events (statechange,
 * transportchange, stats, frame, metadata, objectclick). */
import type { Step } from './connection-steps';
import type { BinaryFrame } from './binary-frame';
import { ElementDom, type ElementAction } from './element-dom';
import { JpegSurface, type PaintedPicture } from './jpeg-surface';
import { budgetOf, latencyOf, timesOfVideo, type Clock, type LatencyBudget, type PageTimes } from './latency-budget';
import { MetadataMatch, parseRecord, Told, type FrameMetadata, type SeenObject } from './metadata';
import { StatsRecorder, STATS_PERIOD_MS, type ViewStats } from './player-stats';
import { encodeWish, RecordDemand } from './record-wish';
import { captureUsFromRtp } from './rtp-time';
import { ServerSocket } from './server-socket';
import { SERVER_SILENT, SOCKET_BLOCKED, type ViewInfo } from './server-types';
import { SessionMachine, type ConnectionState, type PlayerView, type Transport, type TransportChoice } from './session-machine';
import { VectorTier } from './vector-tier';
import type { WebRtcCounters } from './webrtc-counters';
import { saveSnapshot, takeSnapshot, type OnScreen, type SnapshotOptions } from './snapshot';
import { WebRtcLink, type ServerClock } from './webrtc-link';
import type { ServerConnection } from './webrtc-signalling';

const TICK_MS = 250;
/* The server's own limit is lower by default; a view gives out no more than its source has. */
const MAX_FPS = 60;
const HEALTH_PERIOD_MS = 5_000;
/* So long figures wait for a picture to be shown with. */
const FIGURES_WAIT_MS = 100;
/* The server tells its views each second: one absence may be the moment of a restart, two are not. */
const MISSES_UNTIL_MISSING = 2;
/* What connects in a moment needs no explaining. */
const EXPLAIN_MS = 500;
/** `frame` event: a picture was just shown. */
export interface ShownFrame {
  readonly transport: Transport;
  /** On the server's clock, microseconds; null while unknown. */
  readonly captureUs: number | null;
  /** null while the clocks are not known well enough to tell. */
  readonly latencyMs: number | null;
}

const scriptOrigin = (() => {
  const script = document.currentScript;
  return script instanceof HTMLScriptElement && script.src !== '' ? new URL(script.src).origin : null;
})();

/* Chromium and Firefox for Android tell when the network becomes another one. */
const network = (navigator as Navigator & { connection?: EventTarget }).connection;

interface JpegTag {
  readonly captureUs: number | null;
  readonly record: FrameMetadata | null;
  readonly receivedMs: number;
  readonly attempt: number;
}

type Listener = ((event: never) => unknown) | EventListenerObject;

/* The browser takes a listener once for each. */
const asWhat = (type: string, options: boolean | EventListenerOptions | undefined) => `${type} ${String((typeof options === 'object' ? options.capture : options) === true)}`;

export class OverwatchView extends HTMLElement {
  static readonly observedAttributes = ['node', 'src', 'transport', 'fps', 'overlay', 'overlay-classes', 'overlay-confidence', 'overlay-parts', 'overlay-legend'];

  readonly #dom: ElementDom;
  readonly #jpeg: JpegSurface<JpegTag>;
  #recorder = new StatsRecorder();
  #machine: SessionMachine | null = null;
  #socket: ServerSocket | null = null;
  #link: WebRtcLink | null = null;
  #linkClock: ServerClock | null = null;
  #match = new MetadataMatch();
  readonly #toldByRecords = new Told(); // over the WebSocket
  readonly #vector: VectorTier;
  readonly #demand = new RecordDemand();
  #overlay = false; // drawn from records
  #metadata: FrameMetadata | null = null;
  #times: PageTimes | null = null; // of the picture on the screen
  #counters: WebRtcCounters | null = null;
  #steps: readonly Step[] = [];
  #serverConnection: ServerConnection | null = null;
  #attempts: PlayerView['attempts'] = { webrtc: 0, websocket: 0 };
  #told: { state: ConnectionState; reason: string; shown: Transport | null } = { state: 'disconnected', reason: '', shown: null };
  #view: ViewInfo | null = null;
  #misses = 0;
  #paused = false;
  #healthAt = 0;
  /* HTTP works where the WebSocket does not: something in between blocks it. */
  #httpAnswers = false;
  #tickTimer: ReturnType<typeof setInterval> | undefined;
  #statsTimer: ReturnType<typeof setInterval> | undefined;
  #stats: ViewStats;

  /** Shall the server's own figures of this viewer be asked for? */
  wantsDetails = false;

  constructor() {
    super();
    this.#dom = new ElementDom(this.attachShadow({ mode: 'open' }), (action, shifted) => this.#act(action, shifted));
    this.#jpeg = new JpegSurface(this.#dom.canvas, (picture) => this.#jpegPainted(picture));
    this.#vector = new VectorTier(this.#dom);
    this.#dom.showState('disconnected', '');
    for (const type of ['pointermove', 'pointerleave'] as const) this.addEventListener(type, this.#onPointer);
    this.addEventListener('click', this.#onClick);
    this.#stats = this.#snapshot(performance.now());
  }

  connectedCallback(): void {
    document.addEventListener('visibilitychange', this.#onVisibility);
    window.addEventListener('pagehide', this.#onPageHide);
    window.addEventListener('pageshow', this.#onPageShow);
    window.addEventListener('online', this.#onNetwork);
    network?.addEventListener('change', this.#onNetwork);
    this.#open();
  }

  disconnectedCallback(): void {
    document.removeEventListener('visibilitychange', this.#onVisibility);
    window.removeEventListener('pagehide', this.#onPageHide);
    window.removeEventListener('pageshow', this.#onPageShow);
    window.removeEventListener('online', this.#onNetwork);
    network?.removeEventListener('change', this.#onNetwork);
    this.#close();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (name.startsWith('overlay')) {
      this.#dom.overlay.filter(this.getAttribute('overlay-classes'), this.getAttribute('overlay-confidence'), this.getAttribute('overlay-parts'));
      this.#lookOverlay();
      this.#drawOverlay();
      return;
    }
    if (before === after || !this.isConnected || this.#machine === null) {
      if (before !== after && this.isConnected && (name === 'node' || name === 'src')) this.#open();
      return;
    }
    if (name === 'transport') {
      this.#machine.choose(this.transport, performance.now());
      this.#apply();
    } else if (name === 'fps') {
      this.#subscribe();
    } else {
      this.#close();
      this.#open();
    }
  }

  /* ---- what a page may read and do ---- */

  get node(): string {
    return this.getAttribute('node') ?? '';
  }

  get server(): string {
    const given = this.getAttribute('src');
    return new URL(given ?? scriptOrigin ?? location.origin, location.href).origin;
  }

  get transport(): TransportChoice {
    const choice = this.getAttribute('transport');
    return choice === 'webrtc' || choice === 'websocket' ? choice : 'auto';
  }

  set transport(choice: TransportChoice) {
    this.setAttribute('transport', choice);
  }

  get state(): ConnectionState {
    return this.#told.state;
  }

  get reason(): string {
    return this.#told.reason;
  }

  /** The transport whose picture is on the screen. */
  get activeTransport(): Transport | null {
    return this.#told.shown;
  }

  get stats(): ViewStats {
    return this.#stats;
  }

  /** What the server last said about this view, or null. */
  get view(): ViewInfo | null {
    return this.#view;
  }

  /** The element that holds the picture now, for drawImage() and the like. */
  get surface(): HTMLVideoElement | HTMLCanvasElement {
    return this.#dom.surface;
  }

  /** What is known of the picture on the screen; null while that is not known. */
  get metadata(): FrameMetadata | null {
    this.#demand.read(performance.now());
    this.#wish();
    return this.#metadata;
  }

  /** Where the time of the picture on the screen went; null while that is not known. */
  get budget(): LatencyBudget | null {
    const record = this.metadata;
    return record === null || this.#times === null ? null : budgetOf(record, this.#times, this.#clock());
  }

  get paused(): boolean {
    return this.#paused;
  }

  play(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#dom.showPlaying(true);
    this.#open();
  }

  /** Stops receiving; the last picture stays. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#dom.showPlaying(false);
    this.#close();
  }

  /** The shown picture in its own resolution, null before the first: with the overlay as PNG. Without, a
   * picture on which the server draws is asked of the server: its latest, as JPEG. */
  async snapshot({ overlay = true }: SnapshotOptions = {}): Promise<Blob | null> {
    const mayBeDrawnOn = this.#view?.model_id !== '' && this.#metadata?.clean !== true;
    if (!overlay && mayBeDrawnOn) return this.#plainSnapshot();
    return this.#stats.width === 0 ? null : takeSnapshot(() => this.#onScreen(overlay), () => this.#nextRecord());
  }

  /** Saves it as a file named after the view and the time. */
  async downloadSnapshot(options: SnapshotOptions = {}): Promise<boolean> {
    const blob = await this.snapshot(options);
    if (blob !== null) saveSnapshot(blob, this.node);
    return blob !== null;
  }

  /** Is what is known of the picture drawn over it in this page? */
  get overlayShows(): boolean {
    return this.#dom.overlay.shows;
  }

  async toggleFullscreen(): Promise<void> {
    if (document.fullscreenElement !== null) await document.exitFullscreen();
    else await this.requestFullscreen();
  }

  /* ---- life ---- */

  readonly #onVisibility = () => {
    this.#machine?.visibility(document.hidden, performance.now());
    this.#apply();
    this.#subscribe();
  };

  readonly #onNetwork = () => {
    this.#link?.restart();
    this.#mutate((now) => this.#machine?.networkChanged(now));
  };

  readonly #onPageHide = () => this.#close();
  readonly #onPageShow = () => this.#open();

  async #plainSnapshot(): Promise<Blob | null> {
    try {
      const answer = await fetch(`${this.server}/api/video/${encodeURIComponent(this.node)}/snapshot?overlay=0`);
      return answer.ok ? await answer.blob() : null;
    } catch {
      return null; /* the server is away */
    }
  }

  #onScreen(withOverlay: boolean): OnScreen {
    const { overlay, surface } = this.#dom;
    return { surface, record: this.#metadata, covered: this.#vector.shown, paint: withOverlay && overlay.shows ? (...on) => overlay.paintOn(...on) : null };
  }

  #nextRecord(): Promise<void> {
    /* Of no listener that wants more of them. */
    return new Promise((resolve) => super.addEventListener('metadata', () => resolve(), { once: true }));
  }

  #act(action: ElementAction, plain: boolean): void {
    if (action === 'snapshot') void this.downloadSnapshot({ overlay: !plain });
    else if (action === 'legend') this.toggleAttribute('overlay-legend');
    else if (action === 'fullscreen') void this.toggleFullscreen();
    else if (this.#paused) this.play();
    else this.pause();
  }

  #open(): void {
    if (this.#machine !== null || this.#paused || this.node === '' || !this.isConnected) return;
    const now = performance.now();
    const machine = new SessionMachine(typeof RTCPeerConnection === 'function', this.node);
    this.#machine = machine;
    this.#recorder = new StatsRecorder();
    this.#view = null;
    this.#misses = 0;
    machine.choose(this.transport, now);
    machine.visibility(document.hidden, now);
    this.#socket = new ServerSocket(this.server, {
      opened: () => this.#mutate((at) => machine.serverUp(at)),
      closed: () => this.#socketClosed(machine),
      frame: (frame, bytes) => this.#jpegReceived(frame, bytes),
      views: (views) => this.#learnView(machine, views),
    });
    machine.start(now);
    this.#apply();
    this.#subscribe();
    this.#socket.start();
    this.#tickTimer = setInterval(() => this.#mutate((at) => machine.tick(at)), TICK_MS);
    this.#statsTimer = setInterval(() => void this.#measure(), STATS_PERIOD_MS);
  }

  #close(): void {
    const machine = this.#machine;
    if (machine === null) return;
    clearInterval(this.#tickTimer);
    clearInterval(this.#statsTimer);
    machine.stop();
    this.#apply();
    this.#machine = null;
    this.#socket?.stop();
    this.#socket = null;
    this.#jpeg.cancel();
  }

  #mutate(change: (now: number) => void): void {
    change(performance.now());
    this.#apply();
  }

  /* ---- carrying out what the machine wants ---- */

  #apply(): void {
    const machine = this.#machine;
    if (machine === null) return;
    const wanted = machine.view(performance.now());
    const before = this.#attempts;
    this.#attempts = wanted.attempts;
    if (wanted.attempts.webrtc !== before.webrtc) this.#openLink(machine, wanted.attempts.webrtc);
    if (wanted.attempts.websocket !== before.websocket) {
      this.#jpeg.cancel();
      this.#subscribe();
    }
    this.#tell(wanted);
  }

  #openLink(machine: SessionMachine, attempt: number): void {
    if (this.#link !== null) {
      this.#dom.freezeVideo();
      this.#link.close();
      this.#steps = this.#link.steps.list(performance.now());
    }
    this.#link = null;
    this.#linkClock = null;
    this.#match = new MetadataMatch();
    this.#vector.end();
    this.#counters = null;
    this.#serverConnection = null;
    if (attempt === 0) return;
    const link = new WebRtcLink(this.server, this.node, {
      answered: (clock) => {
        if (this.#link !== link || clock === null) return;
        this.#linkClock = clock;
        this.#socket?.clock.add(clock.sentUs, clock.receivedUs, clock.serverUs);
      },
      progress: (doing, otherwise) => {
        if (this.#link === link) this.#mutate(() => machine.describes(doing, otherwise));
      },
      record: (message) => {
        if (this.#link !== link) return;
        const record = this.#match.received(message);
        if (record?.vector === true) this.#vectorReceived(record, message.byteLength);
        else if (record !== null && this.#told.shown === 'webrtc') this.#learnMetadata(record);
      },
      restarting: () => machine.restarting('webrtc', performance.now()),
      failed: (kind, reason) => {
        if (this.#link === link) this.#mutate((now) => machine.failed('webrtc', kind, reason, now));
      },
    });
    this.#link = link;
    this.#dom.video.srcObject = link.stream;
    this.#dom.video.play().catch(() => undefined);
    this.#watchVideo(link);
    this.#wish();
  }

  /* As a picture is; and it takes the screen as that does. */
  #vectorReceived(record: FrameMetadata, bytes: number): void {
    const now = performance.now();
    const began = this.#vector.shown;
    const times = { receivedMs: now, decodedMs: now, shownMs: now };
    this.#link?.shown();
    if (!this.#pictureShown('webrtc', times, record.captureUs, record, record)) return;
    this.#vector.received(record, bytes, now);
    this.#recorder.received(now, bytes);
    if (!began) this.#subscribe();
  }

  #watchVideo(link: WebRtcLink): void {
    const { video } = this.#dom;
    const shown: VideoFrameRequestCallback = (_now, metadata) => {
      if (this.#link !== link) return;
      video.requestVideoFrameCallback(shown);
      const now = performance.now();
      link.shown();
      const { rtpTimestamp } = metadata;
      const captureUs = this.#captureUs(rtpTimestamp, now);
      const record = rtpTimestamp === undefined ? null : this.#match.shown(rtpTimestamp);
      if (this.#vector.isNewerThan(rtpTimestamp)) return;
      this.#vectorEnds();
      this.#pictureShown('webrtc', timesOfVideo(now, metadata), captureUs, metadata, record);
    };
    video.requestVideoFrameCallback(shown);
  }

  #vectorEnds(): void {
    if (!this.#vector.shown) return;
    this.#vector.end();
    this.#subscribe();
  }

  #captureUs(rtpTimestamp: number | undefined, now: number): number | null {
    const serverUs = this.#socket?.clock.serverUs(now * 1000) ?? null;
    if (rtpTimestamp === undefined || this.#linkClock === null || serverUs === null) return null;
    return captureUsFromRtp(rtpTimestamp, this.#linkClock.rtpOffset, serverUs);
  }

  #jpegReceived({ header, record, jpeg }: BinaryFrame, bytes: number): void {
    if (header.node_id !== this.node || this.#attempts.websocket === 0) return;
    const receivedMs = performance.now();
    this.#recorder.detections(header.detections_count ?? null);
    if (this.#told.shown !== 'webrtc') this.#recorder.received(receivedMs, bytes);
    this.#jpeg.show(jpeg, {
      captureUs: header.capture_us ?? null,
      record: record === null ? null : parseRecord(record, this.#toldByRecords),
      receivedMs,
      attempt: this.#attempts.websocket,
    });
  }

  #jpegPainted({ tag, width, height, decodedMs }: PaintedPicture<JpegTag>): void {
    if (tag.attempt !== this.#attempts.websocket) return;
    const times = { receivedMs: tag.receivedMs, decodedMs, shownMs: performance.now() };
    this.#pictureShown('websocket', times, tag.captureUs, { width, height }, tag.record);
  }

  /** True when it took the screen. */
  #pictureShown(transport: Transport, times: PageTimes, captureUs: number | null, size: { width: number; height: number }, record: FrameMetadata | null): boolean {
    const machine = this.#machine;
    if (machine === null) return false;
    const now = times.shownMs;
    machine.frame(transport, now);
    const { shown } = machine.view(now);
    if (shown === transport) {
      if (this.#told.shown !== transport) this.#recorder.switched();
      if (transport === 'websocket') this.#vectorEnds();
      this.#dom.showSurface(transport === 'webrtc' ? 'video' : 'canvas');
      const differenceMs = captureUs === null ? null : now - captureUs / 1000;
      const latencyMs = latencyOf(differenceMs, this.#clock());
      this.#recorder.frame(now, size.width, size.height, differenceMs);
      this.#times = times;
      this.#metadata = null;
      if (record !== null) this.#learnMetadata(record);
      else if (transport === 'webrtc') this.#dom.overlay.miss();
      else this.#dom.overlay.clear();
      this.dispatchEvent(new CustomEvent<ShownFrame>('frame', { detail: { transport, captureUs, latencyMs } }));
    }
    this.#apply();
    return shown === transport;
  }

  #learnMetadata(record: FrameMetadata): void {
    this.#metadata = record;
    if (this.#times !== null) this.#recorder.known(record, this.#times);
    this.#drawOverlay();
    this.dispatchEvent(new CustomEvent<FrameMetadata>('metadata', { detail: record }));
  }

  /* By itself where the picture is clean; else it would draw over what is drawn already. */
  #drawOverlay(): void {
    const record = this.#metadata;
    this.#wish();
    if (record?.vector === true) return; /* VectorTier draws */
    const wanted = this.#overlays(record);
    if (record !== null && wanted) this.#dom.overlay.show(record);
    else if (record !== null || !wanted) this.#dom.overlay.clear();
  }

  #lookOverlay(): void {
    const legend = this.hasAttribute('overlay-legend');
    this.#dom.overlay.look(this.#view?.color_scheme ?? '', legend);
    this.#dom.showLegend(this.#dom.overlay.shows, legend);
  }

  #overlays(record: FrameMetadata | null): boolean {
    const wish = this.getAttribute('overlay');
    return wish === null || wish === 'auto' ? record?.clean === true : wish !== 'off';
  }

  /* Says what is wanted of records; a picture without its record says nothing of that. */
  #wish(): void {
    const record = this.#metadata;
    this.#overlay = record === null ? this.#overlay : this.#overlays(record);
    this.#link?.wishes(encodeWish(this.#demand.rate(performance.now(), this.#overlay || this.getAttribute('overlay') === 'on')));
  }

  override addEventListener(type: string, listener: Listener | null, options?: boolean | AddEventListenerOptions): void {
    super.addEventListener(type, listener as EventListenerOrEventListenerObject, options); /* null is one, to the browser */
    if (listener === null || (type !== 'metadata' && type !== 'objectclick')) return;
    const leaves = () => this.#leaves(type, listener, options);
    if (typeof options === 'object' && options.signal?.aborted === true) return;
    if (typeof options === 'object' && options.once === true) super.addEventListener(type, leaves, options);
    if (typeof options === 'object') options.signal?.addEventListener('abort', leaves, { once: true });
    this.#demand.listens(listener, asWhat(type, options));
    this.#wish();
  }

  override removeEventListener(type: string, listener: Listener | null, options?: boolean | EventListenerOptions): void {
    super.removeEventListener(type, listener as EventListenerOrEventListenerObject, options);
    if (listener !== null) this.#leaves(type, listener, options);
  }

  #leaves(type: string, listener: Listener, options: boolean | EventListenerOptions | undefined): void {
    this.#demand.leaves(listener, asWhat(type, options));
    this.#wish();
  }

  readonly #onPointer = (event: PointerEvent) => this.#dom.overlay.point(event.type === 'pointerleave' ? null : event);
  readonly #onClick = () => {
    const detail = this.#dom.overlay.pointed;
    if (detail !== null) this.dispatchEvent(new CustomEvent<SeenObject>('objectclick', { detail }));
  };

  #subscribe(): void {
    const limit = Number(this.getAttribute('fps') ?? '');
    if (this.#vector.shown) {
      this.#socket?.subscribe({ topics: [] }); /* its path has no room for what the server tells besides */
      return;
    }
    const wantsFrames = this.#attempts.websocket !== 0 && !document.hidden;
    this.#socket?.subscribe({
      topics: wantsFrames ? ['status_update', 'xray_frame'] : ['status_update'],
      filters: { node_id: this.node, max_fps: limit > 0 ? Math.min(limit, MAX_FPS) : MAX_FPS },
      records: true,
    });
  }

  #socketClosed(machine: SessionMachine): void {
    machine.serverGone();
    const reason = this.#httpAnswers ? SOCKET_BLOCKED : SERVER_SILENT;
    this.#httpAnswers = false;
    this.#mutate((now) => machine.failed('websocket', 'server', reason, now));
  }

  #learnView(machine: SessionMachine, views: readonly ViewInfo[]): void {
    const view = views.find((candidate) => candidate.node_id === this.node);
    this.#misses = view === undefined ? this.#misses + 1 : 0;
    if (view !== undefined) {
      this.#view = view;
      this.#lookOverlay();
      this.#mutate((now) => machine.viewRuns(view.fps ?? 0, view.source?.state === 'opening', now));
    } else if (this.#misses >= MISSES_UNTIL_MISSING) {
      this.#view = null;
      machine.viewIsMissing();
      this.#apply();
    }
  }

  #tell({ state, reason, shown }: PlayerView): void {
    const before = this.#told;
    if (state === before.state && reason === before.reason && shown === before.shown) return;
    this.#told = { state, reason, shown };
    this.#dom.showState(state, reason === '' && this.#paused ? 'Paused.' : reason);
    if (state !== before.state || reason !== before.reason) {
      this.dispatchEvent(new CustomEvent('statechange', { detail: { state, reason } }));
    }
    if (shown !== before.shown) {
      this.dispatchEvent(new CustomEvent('transportchange', { detail: { transport: shown } }));
    }
  }

  /* ---- measuring ---- */

  #showSteps(): void {
    const { state, steps } = this.#stats;
    const spent = steps.reduce((sum, { ms }) => sum + (ms ?? 0), 0);
    this.#dom.showSteps(state === 'connected' || this.#machine === null || spent < EXPLAIN_MS ? [] : steps);
  }

  /* What changes on the page together with a picture costs no rendering step of its own: the browser would
   * take a while until it is ready again to draw the next picture as soon as it comes. */
  #nextPicture(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(late);
        this.removeEventListener('frame', done);
        resolve();
      };
      const late = setTimeout(done, FIGURES_WAIT_MS);
      this.addEventListener('frame', done);
    });
  }

  async #measure(): Promise<void> {
    const link = this.#link;
    const counters = (await link?.counters()) ?? null;
    const now = performance.now();
    if (counters !== null && this.#link === link) {
      const bytes = Math.max(0, counters.bytes - (this.#counters?.bytes ?? 0));
      if (this.#counters !== null && this.#told.shown === 'webrtc') this.#recorder.received(now, bytes);
      if (bytes > 0) this.#machine?.receives('webrtc', now);
      this.#counters = counters;
    }
    if (this.wantsDetails && link !== null) {
      const session = await link.serverSession();
      if (this.#link === link) this.#serverConnection = session?.connection ?? null;
    }
    await this.#nextPicture();
    this.#recorder.mark(now, this.#clock());
    this.#stats = this.#snapshot(now);
    this.#dom.showStats(this.#stats);
    this.#wish();
    this.#tellNarrow();
    this.#showSteps();
    this.dispatchEvent(new CustomEvent<ViewStats>('stats', { detail: this.#stats }));
    if (this.#socket !== null && !this.#socket.isOpen && now - this.#healthAt > HEALTH_PERIOD_MS) {
      this.#healthAt = now;
      await this.#askHealth(this.#socket);
    }
  }

  #tellNarrow(): void {
    if (this.#vector.shown) return;
    const narrow = this.#metadata?.narrow;
    const why = this.#view?.model_id === '' ? '; without a model there is nothing else to show' : '';
    if (narrow === true) this.#dom.showBadge('Slow link', `${Math.round(this.#stats.bitsPerSecond / 1000)} kbit/s${why}`);
    else if (narrow === false) this.#dom.showBadge('', '');
  }

  /* Where WebSockets are blocked, the health answer carries the server's clock. */
  async #askHealth(socket: ServerSocket): Promise<void> {
    try {
      const sentUs = performance.now() * 1000;
      const response = await fetch(`${this.server}/healthz`);
      const receivedUs = performance.now() * 1000;
      const { now_us: serverUs } = (await response.json()) as { now_us?: number };
      if (typeof serverUs === 'number') socket.clock.add(sentUs, receivedUs, serverUs);
      this.#httpAnswers = response.ok && !socket.isOpen;
      if (response.ok) this.#mutate((now) => this.#machine?.serverUp(now));
    } catch {
      /* the next round asks again */
    }
  }

  #clock(): Clock | null {
    const clock = this.#socket?.clock;
    const offsetUs = clock?.serverUs(0) ?? null;
    const uncertaintyUs = clock?.uncertaintyUs ?? null;
    return offsetUs === null || uncertaintyUs === null ? null : { offsetMs: offsetUs / 1000, uncertaintyMs: uncertaintyUs / 1000 };
  }

  #snapshot(now: number): ViewStats {
    const overWebRtc = this.#told.shown === 'webrtc';
    return this.#recorder.snapshot(now, {
      node: this.node,
      state: this.#told.state,
      reason: this.#told.reason,
      transport: this.#told.shown,
      tier: this.#vector.shown ? 'vector' : 'video',
      choice: this.transport,
      view: this.#view,
      clock: this.#clock(),
      roundTripMs: overWebRtc ? (this.#counters?.roundTripMs ?? null) : null,
      packetsLost: overWebRtc ? (this.#counters?.packetsLost ?? 0) : 0,
      dropped: overWebRtc ? (this.#counters?.framesDropped ?? 0) : this.#jpeg.dropped,
      decoder: overWebRtc ? (this.#counters?.decoder ?? '') : '',
      codec: overWebRtc ? (this.#counters?.codec ?? '') : this.#told.shown === null ? '' : 'JPEG',
      path: overWebRtc ? (this.#counters?.path ?? '') : this.#told.shown === null ? '' : 'WebSocket',
      server: overWebRtc ? this.#serverConnection : null,
      steps: this.#link?.steps.list(now) ?? this.#steps,
    });
  }
}

export function defineOverwatchView(): void {
  if (customElements.get('overwatch-view') === undefined) customElements.define('overwatch-view', OverwatchView);
}

declare global {
  interface HTMLElementTagNameMap {
    'overwatch-view': OverwatchView;
  }
}
