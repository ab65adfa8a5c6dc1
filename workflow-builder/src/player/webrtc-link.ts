/* One attempt at a WebRTC picture: recvonly video, the offer sent at once and candidates after it
 * (the server learns most from the first check), no jitter buffer. It notes which step it has come
 * to, and can say why it comes no further. Made once, closed once. */
import { ConnectionSteps, diagnose, isLoopbackOnly, progress, type Facts } from './connection-steps';
import { knownConfig, learnConfig } from './ice-servers';
import { isWorthSending, makeFragment, restartedAnswer, userFragmentOf } from './sdp-fragment';
import type { FailureKind } from './session-machine';
import { SignallingError, WebRtcSignalling, type ServerSession } from './webrtc-signalling';
import { readCounters, type WebRtcCounters } from './webrtc-counters';

export interface ServerClock {
  readonly rtpOffset: number;
  /** The server's clock, and the local times around the exchange that brought it; microseconds. */
  readonly serverUs: number;
  readonly sentUs: number;
  readonly receivedUs: number;
}

export interface WebRtcHandlers {
  answered(clock: ServerClock | null): void;
  /** What is being done, and what to say if it comes to nothing. */
  progress(now: string, otherwise: string): void;
  /** A message of the data channel: the record of a picture. */
  record(message: ArrayBuffer): void;
  /** ICE starts anew: the picture may pause. */
  restarting(): void;
  failed(kind: FailureKind, reason: string): void;
}

/* A connection on a good network stands before this; then the server is asked what it sees. */
const LOOK_MS = 1_000;
/* Several candidates come within moments of each other: one request for them. */
const TRICKLE_MS = 20;
const DISCONNECTED_MS = 2_000;
const RESTART_PAUSE_MS = 3_000;

const NO_CODEC =
  'This browser plays neither H.264 nor VP8 over WebRTC. Install its video decoders, or stay with the WebSocket picture.';

/* H.264 first: the server's hardware makes it, and the viewer's shows it. False: there is nothing
 * that the server could send. */
function preferCodecs(transceiver: RTCRtpTransceiver): boolean {
  const codecs = RTCRtpReceiver.getCapabilities?.('video')?.codecs;
  if (codecs === undefined) return true;
  const rank = ({ mimeType }: { mimeType: string }) => (/\/h264$/i.test(mimeType) ? 0 : /\/vp8$/i.test(mimeType) ? 1 : 2);
  try {
    transceiver.setCodecPreferences([...codecs].sort((a, b) => rank(a) - rank(b)));
  } catch {
    /* an older browser's own order does as well */
  }
  return codecs.some((codec) => rank(codec) < 2);
}

function removeDelay(receiver: RTCRtpReceiver): void {
  const tunable = receiver as RTCRtpReceiver & { jitterBufferTarget?: number | null; playoutDelayHint?: number };
  if ('jitterBufferTarget' in tunable) tunable.jitterBufferTarget = 0;
  if ('playoutDelayHint' in tunable) tunable.playoutDelayHint = 0;
}

/* Chromium since 142: a page that was denied it reaches no address of the local network. */
async function isLocalDenied(): Promise<boolean> {
  try {
    return (await navigator.permissions.query({ name: 'local-network-access' as PermissionName })).state === 'denied';
  } catch {
    return false; /* a browser without this permission */
  }
}

export class WebRtcLink {
  readonly #madeAt = performance.now();
  readonly steps = new ConnectionSteps(this.#madeAt);
  readonly stream: MediaStream;
  readonly #server: string;
  readonly #node: string;
  readonly #handlers: WebRtcHandlers;
  readonly #signalling: WebRtcSignalling;
  readonly #connection: RTCPeerConnection;
  #channel: RTCDataChannel | null = null;
  #wish: Uint8Array<ArrayBuffer> | null = null;
  #closed = false;
  #warned = false;
  #iceServers: string;
  #found: RTCIceCandidate[] = []; // not told yet
  #hasUdp = false;
  #serverSide: ServerSession | null = null;
  #codec = '';
  #localDenied = false;
  #restarting = false;
  #restartedAt = -RESTART_PAUSE_MS;
  #lookTimer: ReturnType<typeof setInterval> | undefined;
  #trickleTimer: ReturnType<typeof setTimeout> | undefined;
  #disconnectedTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(server: string, node: string, handlers: WebRtcHandlers) {
    this.#server = server;
    this.#node = node;
    this.#handlers = handlers;
    this.#signalling = new WebRtcSignalling(server, node);
    const iceServers = [...(knownConfig(server)?.iceServers ?? [])];
    this.#iceServers = JSON.stringify(iceServers);
    this.#connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle', iceServers });
    const transceiver = this.#connection.addTransceiver('video', { direction: 'recvonly' });
    this.#openChannel();
    const playable = preferCodecs(transceiver);
    removeDelay(transceiver.receiver);
    this.stream = new MediaStream([transceiver.receiver.track]);
    if (!playable) {
      queueMicrotask(() => this.#fail('refused', NO_CODEC));
      return;
    }
    this.#watch(transceiver.receiver.track);
    void this.#negotiate();
    void learnConfig(server).then((config) => this.#useIceServers(config?.iceServers ?? []));
    this.#lookTimer = setInterval(() => void this.#look(), LOOK_MS);
  }

  /* Records are of use with their picture only: what is lost stays lost, what is late is let be. */
  #openChannel(): void {
    const channel = this.#connection.createDataChannel('metadata', { ordered: false, maxRetransmits: 0 });
    channel.binaryType = 'arraybuffer';
    channel.onopen = () => {
      if (this.#wish !== null) channel.send(this.#wish);
    };
    this.#channel = channel;
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (!this.#closed && data instanceof ArrayBuffer) this.#handlers.record(data);
    };
  }

  /** Says which records are wanted (record-wish.ts), now or when the channel is open. */
  wishes(message: Uint8Array<ArrayBuffer>): void {
    if (this.#wish?.toString() === message.toString()) return;
    this.#wish = message;
    if (this.#channel?.readyState === 'open') this.#channel.send(message);
  }

  #watch(track: MediaStreamTrack): void {
    const connection = this.#connection;
    connection.ontrack = (event) => {
      removeDelay(event.receiver);
      console.log('✅ WebRTC track received');
    };
    track.onunmute = () => this.#reached('first_packet');
    connection.onicecandidate = ({ candidate }) => this.#candidate(candidate);
    connection.oniceconnectionstatechange = () => {
      if (/^(connected|completed)$/.test(connection.iceConnectionState)) this.#reached('checks');
    };
    connection.onconnectionstatechange = () => {
      if (this.#closed) return;
      console.log(`WebRTC connection state: ${connection.connectionState}`);
      this.#stateChanged(connection.connectionState);
    };
  }

  #stateChanged(state: RTCPeerConnectionState): void {
    clearTimeout(this.#disconnectedTimer);
    if (state === 'connected') {
      this.#reached('dtls');
      console.log(`✅ WebRTC connection established for ${this.#node}`);
    } else if (state === 'disconnected') {
      this.#disconnectedTimer = setTimeout(() => this.restart(), DISCONNECTED_MS);
    } else if (state === 'failed') {
      const unfinished = this.steps.current !== null;
      this.#fail('media', unfinished ? diagnose(this.#facts()) : 'The WebRTC connection was lost: the way to the server is gone.');
    } else if (state === 'closed') {
      this.#fail('media', 'The WebRTC connection was closed.');
    }
  }

  #reached(step: Parameters<ConnectionSteps['reached']>[0]): void {
    if (this.#closed) return;
    this.steps.reached(step, performance.now());
    this.#tellProgress();
  }

  /** Its first picture is on the screen. */
  shown(): void {
    if (this.steps.current === null) return;
    this.#reached('decode');
    clearInterval(this.#lookTimer);
  }

  async #negotiate(): Promise<void> {
    try {
      const offer = await this.#connection.createOffer();
      /* Setting our side and asking the server do not need each other. */
      const [answer] = await Promise.all([this.#signalling.offer(offer.sdp ?? ''), this.#connection.setLocalDescription(offer)]);
      if (this.#closed) return;
      this.#handlers.answered(answer.clock);
      await this.#connection.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
      this.#reached('offer');
      this.#trickleSoon();
    } catch (error) {
      if (error instanceof SignallingError) this.#fail(error.kind, error.message);
      else this.#fail('refused', `WebRTC could not be set up: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /* ---- candidates ---- */

  #candidate(candidate: RTCIceCandidate | null): void {
    if (this.#closed) return;
    if (candidate !== null && candidate.candidate !== '') {
      this.#hasUdp ||= / udp /i.test(candidate.candidate);
      if (isWorthSending(candidate.candidate)) this.#found.push(candidate);
    }
    this.#trickleSoon();
  }

  #trickleSoon(): void {
    /* The steps have an order: the server's addresses, which come with its answer, are part of it. A
     * browser that names none of its own may yet come by TCP. */
    const ours = this.#hasUdp || this.#connection.iceGatheringState === 'complete';
    if (ours && this.#connection.remoteDescription !== null) this.#reached('candidates');
    if (this.#found.length === 0 || this.#signalling.sessionId === null || this.#restarting) return;
    this.#trickleTimer ??= setTimeout(() => {
      this.#trickleTimer = undefined;
      void this.#trickle();
    }, TRICKLE_MS);
  }

  async #trickle(): Promise<void> {
    const sdp = this.#connection.localDescription?.sdp;
    if (this.#closed || this.#restarting || sdp === undefined) return;
    const ufrag = userFragmentOf(sdp);
    const fresh = this.#found.filter(({ usernameFragment }) => usernameFragment === null || usernameFragment === ufrag);
    this.#found = [];
    const ended = this.#connection.iceGatheringState === 'complete';
    const fragment = makeFragment(sdp, fresh.map(({ candidate }) => candidate), ended);
    if (fragment === null || fresh.length === 0) return;
    try {
      await this.#signalling.patch(fragment);
    } catch {
      /* the checks may do without; if not, their failure is told */
    }
  }

  /* Relays matter where the plain way fails: they are tried when it has not worked by then. */
  #useIceServers(iceServers: readonly RTCIceServer[]): void {
    const text = JSON.stringify(iceServers);
    if (this.#closed || text === this.#iceServers || iceServers.length === 0) return;
    const wereNone = this.#iceServers === '[]';
    this.#iceServers = text;
    this.#connection.setConfiguration({ bundlePolicy: 'max-bundle', iceServers: [...iceServers] });
    if (wereNone) setTimeout(() => this.#tryRelays(), LOOK_MS / 2);
  }

  #tryRelays(): void {
    if (this.#closed || this.#connection.connectionState === 'connected') return;
    if (this.#canRestart) this.restart();
    else setTimeout(() => this.#tryRelays(), LOOK_MS / 4); /* the server has not answered yet */
  }

  /* ---- restart ---- */

  get #canRestart(): boolean {
    return this.#signalling.sessionId !== null && this.#connection.signalingState === 'stable' && !this.#restarting;
  }

  /** Looks for a new way through the network, keeping the session. */
  restart(): void {
    const now = performance.now();
    if (this.#closed || !this.#canRestart || now - this.#restartedAt < RESTART_PAUSE_MS) return;
    this.#restarting = true;
    this.#restartedAt = now;
    this.#handlers.restarting();
    this.#restart().catch(() => this.#fail('media', 'The network changed, and the connection could not be moved to the new one.'));
  }

  async #restart(): Promise<void> {
    const connection = this.#connection;
    const answer = connection.remoteDescription?.sdp ?? '';
    /* Names for a relay end: new ones, when they are there already. */
    const iceServers = knownConfig(this.#server)?.iceServers ?? [];
    if (iceServers.length > 0) connection.setConfiguration({ bundlePolicy: 'max-bundle', iceServers: [...iceServers] });
    void learnConfig(this.#server);
    const offer = await connection.createOffer({ iceRestart: true });
    await connection.setLocalDescription(offer);
    const fragment = await this.#signalling.patch(makeFragment(offer.sdp ?? '', [], false) ?? '');
    const sdp = fragment === null ? null : restartedAnswer(answer, fragment);
    if (this.#closed) return;
    if (sdp === null) throw new Error('the server did not restart ICE');
    await connection.setRemoteDescription({ type: 'answer', sdp });
    this.#restarting = false;
    this.#trickleSoon();
  }

  /* ---- the doctor ---- */

  #facts(): Facts {
    const answer = this.#connection.remoteDescription?.sdp ?? '';
    const tcp = / tcp .* tcptype passive/i.test(answer);
    return {
      current: this.steps.current ?? 'decode',
      server: this.#serverSide,
      udp: this.#hasUdp,
      tcp,
      localDenied: this.#localDenied,
      loopbackOnly: isLoopbackOnly(answer),
      mediaPort: knownConfig(this.#server)?.mediaPort ?? null,
      codec: this.#codec,
    };
  }

  /** Why there is no picture so far. */
  get diagnosis(): string {
    return diagnose(this.#facts());
  }

  #tellProgress(): void {
    const facts = this.#facts();
    this.#handlers.progress(progress(this.steps.runningText, facts), diagnose(facts));
  }

  /* A connection that takes long: what does the server see of it, and has it found new addresses? */
  async #look(): Promise<void> {
    if (this.#closed || this.#signalling.sessionId === null || document.hidden) return;
    const [session, counters, denied] = await Promise.all([this.#signalling.session(), this.counters(), isLocalDenied()]);
    if (this.#closed) return;
    this.#localDenied = denied;
    this.#serverSide = session ?? this.#serverSide;
    this.#codec = counters?.codec ?? '';
    if (counters !== null && counters.packets > 0) this.steps.reached('first_packet', performance.now());
    const known = this.#connection.remoteDescription?.sdp ?? '';
    for (const candidate of session?.candidates ?? []) {
      const place = candidate.split(' ').slice(4, 6).join(' ');
      if (known.includes(` ${place} `)) continue;
      await this.#connection.addIceCandidate({ candidate, sdpMLineIndex: 0 }).catch(() => undefined);
    }
    this.#tellProgress();
    if (session?.closed === true) this.#fail('media', diagnose(this.#facts()));
  }

  #fail(kind: FailureKind, reason: string): void {
    if (this.#closed) return;
    this.steps.fail(performance.now());
    this.#warn(reason);
    this.#handlers.failed(kind, reason);
  }

  /* Once: what fails is closed afterwards. */
  #warn(reason: string): void {
    if (this.#warned) return;
    this.#warned = true;
    console.warn(`WebRTC failed at step "${this.steps.current ?? 'playing'}": ${reason}`);
  }

  /* ---- figures ---- */

  async counters(): Promise<WebRtcCounters | null> {
    return this.#closed ? null : readCounters(await this.#connection.getStats());
  }

  /** What the server measures of this connection. */
  async serverSession(): Promise<ServerSession | null> {
    return this.#closed || this.#signalling.sessionId === null ? null : this.#signalling.session();
  }

  /** Ends the session here and on the server; works while the page is being left. */
  close(): void {
    if (this.#closed) return;
    const now = performance.now();
    if (this.steps.current !== null && now - this.#madeAt > LOOK_MS) this.#warn(this.diagnosis);
    this.steps.fail(now);
    this.#closed = true;
    clearInterval(this.#lookTimer);
    clearTimeout(this.#trickleTimer);
    clearTimeout(this.#disconnectedTimer);
    this.#connection.close();
    this.#signalling.end();
  }
}
