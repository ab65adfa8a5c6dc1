/* One WebSocket to /api/ws that stays: it connects again with growing pauses, repeats its
 * subscription, keeps the clock exchange going and hands on messages. */
import { backoffMs, SERVER_PAUSES } from './backoff';
import { parseBinaryFrame, type BinaryFrame } from './binary-frame';
import { ClockSync } from './clock-sync';
import { messageFrom, viewsFrom, type Json, type ViewInfo } from './server-types';

export interface Subscription {
  readonly topics: readonly string[];
  readonly filters?: { readonly node_id?: string; readonly node_ids?: readonly string[]; readonly max_fps?: number };
  /** With each picture what is known of it. */
  readonly records?: boolean;
}

export interface SocketHandlers {
  opened?(): void;
  closed?(): void;
  frame?(frame: BinaryFrame, messageBytes: number): void;
  views?(views: readonly ViewInfo[]): void;
  nodeError?(nodeId: string, message: string): void;
  /** Every message that is text, before what it says is looked at. */
  message?(message: Json): void;
}

/* A few exchanges at once for a good start, and until the clock is known well; then now and then. */
const FIRST_PINGS = 6;
const FIRST_PING_MS = 60;
const GOOD_CLOCK_US = 1_000;
const MANY_PINGS = 24;
const SOON_PING_MS = 400;
const PING_MS = 2_000;
/* No message for so long from a socket that says it is open: half-open, as after a lost network. */
const SILENCE_MS = 7_000;

export class ServerSocket {
  readonly clock: ClockSync;
  readonly #url: string;
  readonly #handlers: SocketHandlers;
  #socket: WebSocket | null = null;
  #subscription: Subscription | null = null;
  #failures = 0;
  #pings = 0;
  #heardAt = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #pingTimer: ReturnType<typeof setTimeout> | undefined;
  #stopped = true;

  constructor(server: string, handlers: SocketHandlers, clock = new ClockSync()) {
    this.#url = `${server.replace(/^http/, 'ws')}/api/ws`;
    this.#handlers = handlers;
    this.clock = clock;
  }

  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#pingTimer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }

  /** Replaces what is subscribed (on the server, too); kept across reconnects. */
  subscribe(subscription: Subscription): void {
    const same = JSON.stringify(subscription) === JSON.stringify(this.#subscription);
    this.#subscription = subscription;
    if (!same) this.#sendSubscription();
  }

  #sendSubscription(): void {
    if (this.#subscription !== null) this.#send({ type: 'subscribe', binary: true, ...this.#subscription });
  }

  #send(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #connect(): void {
    let socket: WebSocket;
    try {
      socket = new WebSocket(this.#url);
    } catch {
      this.#retryLater();
      return;
    }
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.#failures = 0;
      this.#pings = 0;
      this.#heardAt = performance.now();
      this.#sendSubscription();
      this.#ping();
      this.#handlers.opened?.();
    };
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => this.#receive(event.data);
    socket.onclose = () => {
      if (this.#socket === socket) this.#lost();
    };
  }

  #lost(): void {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#pingTimer);
    socket?.close();
    this.#handlers.closed?.();
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#stopped) return;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => this.#connect(), backoffMs(++this.#failures, SERVER_PAUSES));
  }

  #ping(): void {
    const now = performance.now();
    if (now - this.#heardAt > SILENCE_MS) {
      this.#lost();
      return;
    }
    this.#send({ type: 'ping', t: Math.round(now * 1000) });
    this.#pings += 1;
    this.#pingTimer = setTimeout(() => this.#ping(), this.#pauseMs());
  }

  #pauseMs(): number {
    if (this.#pings < FIRST_PINGS) return FIRST_PING_MS;
    const good = (this.clock.uncertaintyUs ?? Infinity) <= GOOD_CLOCK_US;
    return good || this.#pings >= MANY_PINGS ? PING_MS : SOON_PING_MS;
  }

  #receive(data: string | ArrayBuffer): void {
    this.#heardAt = performance.now();
    if (typeof data !== 'string') {
      const frame = parseBinaryFrame(data);
      if (frame === null) return;
      this.#heard(frame.header.sent_us);
      this.#handlers.frame?.(frame, data.byteLength);
      return;
    }
    const message = messageFrom(data);
    if (message === null) return;
    this.#handlers.message?.(message);
    this.#dispatch(message);
  }

  #heard(serverUs: unknown): void {
    if (typeof serverUs === 'number') this.clock.heard(this.#heardAt * 1000, serverUs);
  }

  #dispatch(message: Json): void {
    switch (message['type']) {
      case 'pong':
        if (typeof message['t'] === 'number' && typeof message['server_us'] === 'number') {
          this.clock.add(message['t'], this.#heardAt * 1000, message['server_us']);
        }
        break;
      case 'status_update': {
        this.#heard(message['server_us']);
        const views = viewsFrom(message);
        if (views !== null) this.#handlers.views?.(views);
        break;
      }
      case 'node_error': {
        const text = message['message'] ?? message['error'] ?? message['detail'];
        if (typeof message['node_id'] === 'string' && typeof text === 'string') {
          this.#handlers.nodeError?.(message['node_id'], text);
        }
        break;
      }
      default:
        break;
    }
  }
}
