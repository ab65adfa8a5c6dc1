/* One attempt at a WebRTC picture: recvonly H.264 video, no waiting for ICE candidates (the server
 * learns ours from the first check), no jitter buffer. Made once, closed once. */
import type { FailureKind } from './session-machine';
import { errorSentence, SERVER_SILENT } from './server-types';

export interface ServerClock {
  readonly rtpOffset: number;
  /** The server's clock, and the local times around the exchange that brought it; microseconds. */
  readonly serverUs: number;
  readonly sentUs: number;
  readonly receivedUs: number;
}

export interface WebRtcHandlers {
  answered(clock: ServerClock | null): void;
  failed(kind: FailureKind, reason: string): void;
}

export interface WebRtcCounters {
  readonly bytes: number;
  readonly framesDropped: number;
  readonly packetsLost: number;
  readonly roundTripMs: number | null;
  readonly decoder: string;
}

interface Answer {
  readonly sdp?: string;
  readonly session_id?: string;
  readonly clock?: { readonly rtp_offset?: number; readonly now_us?: number };
}

/* The server answers from memory; an answer this late means that something in between hangs. */
const OFFER_TIMEOUT_MS = 4_000;

const iceServersByServer = new Map<string, RTCIceServer[]>();

/* STUN and TURN matter only where the plain way failed, so the first attempt does not wait for them. */
async function learnIceServers(server: string): Promise<void> {
  try {
    const response = await fetch(`${server}/api/webrtc/config`);
    if (!response.ok) return;
    const config = (await response.json()) as { iceServers?: RTCIceServer[] };
    if (Array.isArray(config.iceServers)) iceServersByServer.set(server, config.iceServers);
  } catch {
    /* the next attempt asks again */
  }
}

function preferH264(transceiver: RTCRtpTransceiver): void {
  const codecs = RTCRtpReceiver.getCapabilities?.('video')?.codecs;
  if (codecs === undefined || typeof transceiver.setCodecPreferences !== 'function') return;
  const isH264 = (codec: { mimeType: string }) => /\/h264$/i.test(codec.mimeType);
  try {
    transceiver.setCodecPreferences([...codecs.filter(isH264), ...codecs.filter((codec) => !isH264(codec))]);
  } catch {
    /* an older browser's own order does as well */
  }
}

function removeDelay(receiver: RTCRtpReceiver): void {
  const tunable = receiver as RTCRtpReceiver & { jitterBufferTarget?: number | null; playoutDelayHint?: number };
  if ('jitterBufferTarget' in tunable) tunable.jitterBufferTarget = 0;
  if ('playoutDelayHint' in tunable) tunable.playoutDelayHint = 0;
}

export class WebRtcLink {
  readonly #server: string;
  readonly #node: string;
  readonly #handlers: WebRtcHandlers;
  readonly #connection: RTCPeerConnection;
  readonly #abort = new AbortController();
  readonly stream: MediaStream;
  #sessionId: string | null = null;
  #closed = false;

  constructor(server: string, node: string, handlers: WebRtcHandlers) {
    this.#server = server;
    this.#node = node;
    this.#handlers = handlers;
    this.#connection = new RTCPeerConnection({
      bundlePolicy: 'max-bundle',
      iceServers: iceServersByServer.get(server) ?? [],
    });
    const transceiver = this.#connection.addTransceiver('video', { direction: 'recvonly' });
    preferH264(transceiver);
    removeDelay(transceiver.receiver);
    this.stream = new MediaStream([transceiver.receiver.track]);
    this.#watch();
    void this.#negotiate();
    if (!iceServersByServer.has(server)) void learnIceServers(server);
  }

  #watch(): void {
    const connection = this.#connection;
    connection.ontrack = (event) => {
      removeDelay(event.receiver);
      console.log('✅ WebRTC track received');
    };
    connection.onconnectionstatechange = () => {
      if (this.#closed) return;
      console.log(`WebRTC connection state: ${connection.connectionState}`);
      if (connection.connectionState === 'connected') {
        console.log(`✅ WebRTC connection established for ${this.#node}`);
      } else if (connection.connectionState === 'failed') {
        this.#fail('media', 'The WebRTC connection failed: UDP is probably blocked between here and the server.');
      } else if (connection.connectionState === 'closed') {
        this.#fail('media', 'The WebRTC connection was closed.');
      }
    };
  }

  async #negotiate(): Promise<void> {
    try {
      const offer = await this.#connection.createOffer();
      /* Setting our side and asking the server do not need each other. */
      const [answer] = await Promise.all([this.#post(offer.sdp ?? ''), this.#connection.setLocalDescription(offer)]);
      if (answer === null || this.#closed) return;
      await this.#connection.setRemoteDescription({ type: 'answer', sdp: answer.sdp ?? '' });
    } catch (error) {
      this.#fail('refused', `WebRTC could not be set up: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #post(sdp: string): Promise<Answer | null> {
    const timer = setTimeout(() => this.#abort.abort(), OFFER_TIMEOUT_MS);
    const sentUs = performance.now() * 1000;
    let response: Response;
    try {
      response = await fetch(`${this.#server}/api/webrtc/offer`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ node_id: this.#node, sdp, type: 'offer' }),
        signal: this.#abort.signal,
      });
    } catch {
      this.#fail('server', SERVER_SILENT);
      return null;
    } finally {
      clearTimeout(timer);
    }
    const receivedUs = performance.now() * 1000;
    if (!response.ok) {
      const sentence = await errorSentence(response);
      this.#fail(response.status >= 500 ? 'server' : 'refused', sentence);
      return null;
    }
    const answer = (await response.json()) as Answer;
    this.#sessionId = answer.session_id ?? null;
    if (this.#closed) this.#tellServer();
    else this.#handlers.answered(this.#clockOf(answer, sentUs, receivedUs));
    return answer;
  }

  #clockOf(answer: Answer, sentUs: number, receivedUs: number): ServerClock | null {
    const { rtp_offset: rtpOffset, now_us: serverUs } = answer.clock ?? {};
    if (typeof rtpOffset !== 'number' || typeof serverUs !== 'number') return null;
    return { rtpOffset, serverUs, sentUs, receivedUs };
  }

  #fail(kind: FailureKind, reason: string): void {
    if (!this.#closed) this.#handlers.failed(kind, reason);
  }

  async counters(): Promise<WebRtcCounters | null> {
    if (this.#closed) return null;
    const counters = { bytes: 0, framesDropped: 0, packetsLost: 0, roundTripMs: null as number | null, decoder: '' };
    for (const report of (await this.#connection.getStats()).values() as IterableIterator<Record<string, unknown>>) {
      if (report['type'] === 'inbound-rtp' && report['kind'] === 'video') {
        counters.bytes = Number(report['bytesReceived'] ?? 0) + Number(report['headerBytesReceived'] ?? 0);
        counters.framesDropped = Number(report['framesDropped'] ?? 0);
        counters.packetsLost = Number(report['packetsLost'] ?? 0);
        counters.decoder = String(report['decoderImplementation'] ?? '');
      } else if (report['type'] === 'candidate-pair' && report['nominated'] === true) {
        const seconds = report['currentRoundTripTime'];
        if (typeof seconds === 'number') counters.roundTripMs = seconds * 1000;
      }
    }
    return counters;
  }

  /** Ends the session here and on the server; works while the page is being left. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
    /* Without an answer yet there is no session to name; #post() ends it when the answer comes. */
    if (this.#sessionId !== null) this.#tellServer();
  }

  #tellServer(): void {
    const url = `${this.#server}/api/webrtc/close/${encodeURIComponent(this.#node)}`;
    const body = JSON.stringify({ session_id: this.#sessionId });
    navigator.sendBeacon(url, new Blob([body], { type: 'application/json' }));
  }
}
