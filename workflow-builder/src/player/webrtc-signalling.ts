/* The requests of one WebRTC session: offer, candidates, state, end. */
import { FRAGMENT_TYPE } from './sdp-fragment';
import { errorSentence, SERVER_SILENT } from './server-types';
import type { FailureKind } from './session-machine';
import type { ServerClock } from './webrtc-link';

/* The server answers from memory; an answer this late means that something in between hangs. */
const OFFER_TIMEOUT_MS = 4_000;

/** A request that failed, as a sentence. */
export class SignallingError extends Error {
  constructor(
    readonly kind: FailureKind,
    message: string,
  ) {
    super(message);
  }
}

export interface Answer {
  readonly sdp: string;
  readonly clock: ServerClock | null;
}

/** What the server measures of a connection. */
export interface ServerConnection {
  readonly estimate_bps?: number;
  readonly target_bps?: number;
  readonly sent_bps?: number;
  readonly rate_state?: string;
  readonly queue_delay_ms?: number;
  readonly round_trip_ms?: number;
  readonly rendition?: { readonly codec?: string; readonly rung?: number };
}

export interface ServerSession {
  readonly step: string;
  readonly advice: string;
  readonly closed: boolean;
  readonly reason: string;
  readonly candidates?: readonly string[];
  readonly connection?: ServerConnection;
}

interface AnswerBody {
  readonly sdp?: string;
  readonly session_id?: string;
  readonly clock?: { readonly rtp_offset?: number; readonly now_us?: number };
}

export class WebRtcSignalling {
  readonly #server: string;
  readonly #node: string;
  readonly #abort = new AbortController();
  #sessionId: string | null = null;
  #ended = false;

  constructor(server: string, node: string) {
    this.#server = server;
    this.#node = node;
  }

  get sessionId(): string | null {
    return this.#sessionId;
  }

  async offer(sdp: string): Promise<Answer> {
    const timer = setTimeout(() => this.#abort.abort(), OFFER_TIMEOUT_MS);
    const sentUs = performance.now() * 1000;
    const body = JSON.stringify({ node_id: this.#node, sdp, type: 'offer' });
    const headers = { 'Content-Type': 'application/json' };
    const response = await fetch(`${this.#server}/api/webrtc/offer`, { method: 'POST', headers, body, signal: this.#abort.signal })
      .catch(() => {
        throw new SignallingError('server', SERVER_SILENT);
      })
      .finally(() => clearTimeout(timer));
    const receivedUs = performance.now() * 1000;
    if (!response.ok) throw new SignallingError(response.status >= 500 ? 'server' : 'refused', await errorSentence(response));
    const answer = (await response.json()) as AnswerBody;
    this.#sessionId = answer.session_id ?? null;
    if (this.#ended) this.end(); /* meanwhile */
    const { rtp_offset: rtpOffset, now_us: serverUs } = answer.clock ?? {};
    const aligned = typeof rtpOffset === 'number' && typeof serverUs === 'number';
    return { sdp: answer.sdp ?? '', clock: aligned ? { rtpOffset, serverUs, sentUs, receivedUs } : null };
  }

  get #place(): string {
    return `${this.#server}/api/webrtc/sessions/${encodeURIComponent(this.#sessionId ?? '')}`;
  }

  /** Tells candidates, or new credentials; the server's fragment when ICE starts anew. */
  async patch(fragment: string): Promise<string | null> {
    const response = await fetch(this.#place, { method: 'PATCH', headers: { 'Content-Type': FRAGMENT_TYPE }, body: fragment });
    if (!response.ok) throw new SignallingError('media', await errorSentence(response));
    return response.status === 200 ? response.text() : null;
  }

  /** How far the session has come on the server; null when that cannot be learned. */
  async session(): Promise<ServerSession | null> {
    try {
      const response = await fetch(this.#place);
      return response.ok ? ((await response.json()) as ServerSession) : null;
    } catch {
      return null;
    }
  }

  /** Ends the session on the server, or as soon as it is known; works while the page is being left. */
  end(): void {
    this.#ended = true;
    if (this.#sessionId === null) return;
    const url = `${this.#server}/api/webrtc/close/${encodeURIComponent(this.#node)}`;
    const body = JSON.stringify({ session_id: this.#sessionId });
    navigator.sendBeacon(url, new Blob([body], { type: 'application/json' }));
    this.#sessionId = null;
  }
}
