/* What the player shall do and what it shall say: two links (WebRTC, WebSocket), a choice, and the
 * rules of fallback and return. Pure: time comes as an argument (milliseconds), nothing is called.
 * Mutate with the methods, then read view(): each link's `attempt` is 0 when it shall be off, and
 * changes when it shall be opened anew. */
import { backoffMs, MEDIA_PAUSES, SERVER_PAUSES } from './backoff';

export type Transport = 'webrtc' | 'websocket';
export type TransportChoice = 'auto' | Transport;
export type ConnectionState = 'disconnected' | 'connecting' | 'connected' | 'error';

/** server: no answer; refused: the server said no; media: it said yes, but no picture came. */
export type FailureKind = 'server' | 'refused' | 'media';

export interface PlayerView {
  readonly state: ConnectionState;
  readonly reason: string;
  /** The link whose picture is (or was last) on the screen. */
  readonly shown: Transport | null;
  readonly attempts: Readonly<Record<Transport, number>>;
}

export const FIRST_FRAME_MS: Readonly<Record<Transport, number>> = { webrtc: 4_000, websocket: 5_000 };
/* WebRTC may take this long alone; then the WebSocket shows the picture until it is there. */
export const BRIDGE_MS = 2_000;
export const STALL_MS = 3_000;
/* Where packets still come, the server is about to show less (vectors, a smaller picture). */
const SLOW_STALL_MS = 10_000;
const RECEIVED_LATELY_MS = 1_500;
/* With the server's socket gone as well, a pause this long is no hiccup any more. */
const STALL_WITHOUT_SERVER_MS = 1_000;
/* A view that was lost this recently is "connecting"; later it is an error. */
const RECONNECT_GRACE_MS = 5_000;

/* Live for this long, a link has proven good: its failure is an event, not its nature. */
const PROVEN_MS = 5_000;
/* A server that came back does not know our sessions: a link must show a picture this soon or go. */
const AFTER_RESTART_MS = 700;

type Phase = 'off' | 'opening' | 'live' | 'waiting';

class Link {
  phase: Phase = 'off';
  attempt = 0;
  since = 0;
  slow = false; // opening for longer than BRIDGE_MS
  liveSince = 0;
  lastFrameAt = 0;
  receivedAt = -Infinity;
  retryAt = 0;
  failures = 0;
  reason = '';
  kind: FailureKind = 'server';

  constructor(readonly name: Transport) {}

  turnOff(): void {
    this.phase = 'off';
    this.failures = 0;
    this.reason = '';
  }
}

export class SessionMachine {
  readonly #links: Record<Transport, Link> = { webrtc: new Link('webrtc'), websocket: new Link('websocket') };
  #choice: TransportChoice = 'auto';
  #running = false;
  #hidden = false;
  #serverDown = false;
  /* Milliseconds between pictures, as the server states it; slow views are given more patience. */
  #frameIntervalMs = 0;
  #sourceOpening = false;
  #viewMissing = false;
  #shown: Transport | null = null;
  #lostAt: number | null = null;
  #nextAttempt = 1;
  /* What the WebRTC link says of itself while it opens. */
  #progress = '';
  #diagnosis = '';

  constructor(
    readonly webrtcAvailable: boolean,
    readonly name: string,
  ) {}

  start(now: number): void {
    this.#running = true;
    this.#reconcile(now);
  }

  stop(): void {
    this.#running = false;
    this.#shown = null;
    this.#lostAt = null;
    this.#links.webrtc.turnOff();
    this.#links.websocket.turnOff();
  }

  choose(choice: TransportChoice, now: number): void {
    if (choice === this.#choice) return;
    this.#choice = choice;
    for (const link of Object.values(this.#links)) {
      link.failures = 0;
      if (link.phase === 'waiting') link.retryAt = now;
    }
    this.tick(now);
  }

  /** A picture of this link was shown. */
  frame(transport: Transport, now: number): void {
    const link = this.#links[transport];
    if (link.phase !== 'opening' && link.phase !== 'live') return;
    if (link.phase === 'opening') link.liveSince = now;
    link.phase = 'live';
    link.lastFrameAt = now;
    link.reason = '';
    this.#lostAt = null;
    if (this.#takesScreen(transport)) this.#shown = transport;
    this.#reconcile(now);
  }

  /** What WebRTC does now, and what to say if it comes to nothing. */
  describes(progress: string, diagnosis: string): void {
    this.#progress = progress;
    this.#diagnosis = diagnosis;
  }

  /** Something arrives, if no picture: a slow path, not a broken one. */
  receives(transport: Transport, now: number): void {
    this.#links[transport].receivedAt = now;
  }

  /** A live link looks for a new way through the network: its picture may pause. */
  restarting(transport: Transport, now: number): void {
    const link = this.#links[transport];
    if (link.phase === 'live') link.lastFrameAt = now;
  }

  /** The network is another one: what failed before may work now. */
  networkChanged(now: number): void {
    for (const link of Object.values(this.#links)) link.failures = Math.min(link.failures, 1);
    this.#retryAll(now);
  }

  failed(transport: Transport, kind: FailureKind, reason: string, now: number): void {
    const link = this.#links[transport];
    if (link.phase !== 'opening' && link.phase !== 'live') return;
    const provenGood = link.phase === 'live' && now - link.liveSince >= PROVEN_MS;
    if (link.phase === 'live' && this.#shown === transport) this.#lostAt = now;
    link.phase = 'waiting';
    link.failures = provenGood ? 1 : link.failures + 1;
    link.kind = kind;
    link.reason = reason;
    link.retryAt = now + (provenGood ? SERVER_PAUSES.firstMs : this.#pauseMs(link));
    this.#reconcile(now);
  }

  /** The server answers again, perhaps as a new process: everything is worth trying at once. */
  serverUp(now: number): void {
    if (!this.#serverDown) return;
    this.#serverDown = false;
    for (const link of Object.values(this.#links)) {
      link.lastFrameAt = Math.min(link.lastFrameAt, now - STALL_MS + AFTER_RESTART_MS);
    }
    this.#retryAll(now);
  }

  serverGone(): void {
    this.#serverDown = true;
  }

  /** The view as the server sees it: its pictures a second, and whether its source is still opening. */
  viewRuns(fps: number, sourceOpening: boolean, now: number): void {
    this.#frameIntervalMs = fps > 0 ? 1000 / fps : 0;
    if (this.#sourceOpening && !sourceOpening) this.#restartTimers(now);
    this.#sourceOpening = sourceOpening;
    if (!this.#viewMissing) return;
    this.#viewMissing = false;
    this.#retryAll(now);
  }

  /** The server runs no such view (any more). */
  viewIsMissing(): void {
    this.#viewMissing = true;
    this.#sourceOpening = false;
  }

  visibility(hidden: boolean, now: number): void {
    this.#hidden = hidden;
    /* A hidden page shows no frames; their absence meanwhile says nothing. */
    this.#restartTimers(now);
    if (!hidden) this.#retryAll(now);
  }

  tick(now: number): void {
    if (!this.#running) return;
    for (const link of Object.values(this.#links)) {
      if (this.#hidden || this.#sourceOpening) break;
      link.slow = link.phase === 'opening' && now - link.since >= BRIDGE_MS;
      if (link.phase === 'opening' && now - link.since >= this.#firstFrameMs(link)) {
        this.failed(link.name, 'media', this.#noPictureReason(link.name), now);
      } else if (link.phase === 'live' && this.#stalled(link, now)) {
        this.failed(link.name, 'media', this.#stallReason(link.name), now);
      }
    }
    this.#reconcile(now);
  }

  view(now: number): PlayerView {
    const attemptOf = (link: Link) => (link.phase === 'opening' || link.phase === 'live' ? link.attempt : 0);
    return {
      ...this.#describe(now),
      shown: this.#shown,
      attempts: { webrtc: attemptOf(this.#links.webrtc), websocket: attemptOf(this.#links.websocket) },
    };
  }

  /* A wanted link takes the screen from one that only bridges; of two wanted ones WebRTC has it. */
  #takesScreen(transport: Transport): boolean {
    const rival: Transport = transport === 'webrtc' ? 'websocket' : 'webrtc';
    if (this.#links[rival].phase !== 'live' || !this.#wanted(rival)) return true;
    return transport === 'webrtc' && this.#wanted('webrtc');
  }

  #retryAll(now: number): void {
    for (const link of Object.values(this.#links)) {
      if (link.phase === 'waiting') link.retryAt = now;
    }
    this.tick(now);
  }

  #restartTimers(now: number): void {
    for (const link of Object.values(this.#links)) {
      if (link.phase === 'live') link.lastFrameAt = now;
      if (link.phase === 'opening') link.since = now;
    }
  }

  #firstFrameMs(link: Link): number {
    return Math.max(FIRST_FRAME_MS[link.name], 3 * this.#frameIntervalMs);
  }

  #stallMs(): number {
    if (this.#serverDown) return STALL_WITHOUT_SERVER_MS;
    return Math.max(STALL_MS, 3 * this.#frameIntervalMs);
  }

  #stalled(link: Link, now: number): boolean {
    const slow = !this.#serverDown && now - link.receivedAt < RECEIVED_LATELY_MS;
    return now - link.lastFrameAt >= (slow ? Math.max(SLOW_STALL_MS, this.#stallMs()) : this.#stallMs());
  }

  #pauseMs(link: Link): number {
    /* The server tells when a missing view starts; asking again and again would only fill its log. */
    if (this.#viewMissing && !this.#serverDown) return MEDIA_PAUSES.maxMs;
    const mayWait = link.kind === 'media' || this.#links.websocket.phase === 'live';
    const covered = this.#choice === 'auto' && link.name === 'webrtc' && mayWait;
    return backoffMs(link.failures, covered && !this.#serverDown ? MEDIA_PAUSES : SERVER_PAUSES);
  }

  #wanted(transport: Transport): boolean {
    if (!this.#running) return false;
    if (this.#choice !== 'auto') return this.#choice === transport && (transport === 'websocket' || this.webrtcAvailable);
    if (transport === 'webrtc') return this.webrtcAvailable;
    /* The fallback runs from when WebRTC is slow or fails until WebRTC shows a picture (again). */
    const { webrtc } = this.#links;
    return !this.webrtcAvailable || webrtc.phase === 'waiting' || (webrtc.phase === 'opening' && (webrtc.slow || webrtc.failures > 0));
  }

  #reconcile(now: number): void {
    for (const link of [this.#links.webrtc, this.#links.websocket]) {
      const wanted = this.#wanted(link.name);
      if (!wanted) {
        /* A forced switch keeps the old link until the new one shows its first picture. */
        if (link.phase !== 'off' && !this.#mustBridge(link)) link.turnOff();
        continue;
      }
      if (link.phase === 'off' || (link.phase === 'waiting' && now >= link.retryAt)) {
        if (link.name === 'websocket' && this.#hidden) continue;
        link.phase = 'opening';
        link.since = now;
        link.attempt = this.#nextAttempt++;
        link.slow = false;
        if (link.name === 'webrtc') this.describes('', '');
      }
    }
  }

  #mustBridge(link: Link): boolean {
    if (!this.#running || link.phase !== 'live' || this.#shown !== link.name) return false;
    const other = this.#links[link.name === 'webrtc' ? 'websocket' : 'webrtc'];
    return this.#wanted(other.name) && other.phase !== 'live';
  }

  #describe(now: number): { state: ConnectionState; reason: string } {
    if (!this.#running) return { state: 'disconnected', reason: '' };
    const { webrtc, websocket } = this.#links;
    if (webrtc.phase === 'live') return { state: 'connected', reason: this.#bridgeReason(webrtc) };
    if (websocket.phase === 'live') return { state: 'connected', reason: this.#fallbackReason(now) };
    if (this.#choice === 'webrtc' && !this.webrtcAvailable) {
      return { state: 'error', reason: 'This browser has no WebRTC. Choose Auto or WebSocket.' };
    }
    if (this.#viewMissing && !this.#serverDown) {
      return { state: 'disconnected', reason: `“${this.name}” is not running. Start its workflow; the picture then comes by itself.` };
    }
    const blamed = this.#blamed();
    if (blamed === null) {
      return { state: 'connecting', reason: this.#sourceOpening ? 'The source is being opened.' : this.#progress };
    }
    if (this.#lostAt !== null && now - this.#lostAt < RECONNECT_GRACE_MS) {
      return { state: 'connecting', reason: 'The picture was lost; connecting again.' };
    }
    return { state: this.#isFirstChance() ? 'connecting' : 'error', reason: blamed.reason };
  }

  /* One of the two has not had its chance yet: not an error so far. */
  #isFirstChance(): boolean {
    const { webrtc, websocket } = this.#links;
    if (webrtc.phase === 'opening' && webrtc.failures === 0 && !this.#serverDown) return true;
    return this.#choice === 'auto' && webrtc.kind === 'media' && websocket.phase === 'opening' && websocket.failures === 0;
  }

  #blamed(): Link | null {
    const failed = [this.#links.webrtc, this.#links.websocket].filter((link) => this.#wanted(link.name) && link.failures > 0);
    return failed.find((link) => link.kind === 'refused') ?? failed[failed.length - 1] ?? null;
  }

  #bridgeReason(link: Link): string {
    return this.#wanted(link.name) ? '' : 'Changing to WebSocket…';
  }

  #fallbackReason(now: number): string {
    const { webrtc } = this.#links;
    if (this.#choice === 'webrtc') return 'Changing to WebRTC…';
    if (this.#choice === 'websocket' || !this.webrtcAvailable) return '';
    if (webrtc.phase === 'opening' && webrtc.reason === '') return this.#progress;
    if (webrtc.reason === '') return '';
    if (webrtc.phase === 'opening') return `${webrtc.reason} Trying WebRTC again…`;
    const seconds = Math.max(1, Math.ceil((webrtc.retryAt - now) / 1000));
    return `${webrtc.reason} WebSocket meanwhile; WebRTC again in ${seconds} s.`;
  }

  #noPictureReason(transport: Transport): string {
    return transport === 'webrtc'
      ? this.#diagnosis || 'WebRTC media does not arrive: UDP is probably blocked between here and the server.'
      : `No picture of “${this.name}” arrives: is its workflow running?`;
  }

  #stallReason(transport: Transport): string {
    return transport === 'webrtc' ? 'WebRTC has stalled.' : 'The picture has stalled.';
  }
}
