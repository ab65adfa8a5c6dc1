/* The way of a WebRTC connection in six steps, and the sentence for where it has come to a halt.
 * Pure: times come as arguments, milliseconds. */

import { asSentence } from './server-types';

export type StepName = 'offer' | 'candidates' | 'checks' | 'dtls' | 'first_packet' | 'decode';
export type StepState = 'waiting' | 'running' | 'done' | 'failed';

export interface Step {
  readonly name: StepName;
  readonly label: string;
  readonly state: StepState;
  /** How long it took, or takes so far; null before it began. */
  readonly ms: number | null;
}

interface StepText {
  readonly name: StepName;
  readonly label: string;
  readonly running: string;
}

const STEPS: readonly StepText[] = [
  { name: 'offer', label: 'Offer', running: 'Asking the server…' },
  { name: 'candidates', label: 'Addresses', running: 'Looking up this browser’s addresses…' },
  { name: 'checks', label: 'Path', running: 'Looking for a way through the network…' },
  { name: 'dtls', label: 'Encryption', running: 'Agreeing on the encryption…' },
  { name: 'first_packet', label: 'First packet', running: 'Connected; waiting for the first packet…' },
  { name: 'decode', label: 'Picture', running: 'Packets arrive; waiting for a whole picture…' },
];

export class ConnectionSteps {
  readonly #startedAt: number;
  readonly #doneAt = new Map<StepName, number>();
  #failedAt: number | null = null;

  constructor(now: number) {
    this.#startedAt = now;
  }

  /** The step is taken; so are those before it. */
  reached(name: StepName, now: number): void {
    for (const step of STEPS) {
      if (!this.#doneAt.has(step.name)) this.#doneAt.set(step.name, now);
      if (step.name === name) break;
    }
  }

  /** The connection was given up. */
  fail(now: number): void {
    this.#failedAt ??= now;
  }

  /** The first step not taken yet; null when there is a picture. */
  get current(): StepName | null {
    return STEPS.find(({ name }) => !this.#doneAt.has(name))?.name ?? null;
  }

  get runningText(): string {
    return STEPS.find(({ name }) => name === this.current)?.running ?? '';
  }

  list(now: number): Step[] {
    const { current } = this;
    let before = this.#startedAt;
    return STEPS.map(({ name, label }) => {
      const doneAt = this.#doneAt.get(name);
      const begun = doneAt !== undefined || name === current;
      const ms = begun ? Math.max(0, (doneAt ?? this.#failedAt ?? now) - before) : null;
      before = doneAt ?? before;
      const state = doneAt !== undefined ? 'done' : name !== current ? 'waiting' : this.#failedAt === null ? 'running' : 'failed';
      return { name, label, state, ms };
    });
  }
}

/** What the server says of the session. */
export interface ServerSide {
  readonly step: string; // offer, checks, dtls, first_packet, playing
  readonly closed: boolean;
  readonly reason: string;
}

export interface Facts {
  readonly current: StepName;
  readonly server: ServerSide | null;
  /** Has the browser named an address of its own? (None for TCP, by which it can come all the same.) */
  readonly udp: boolean;
  /** Does the server take TCP? */
  readonly tcp: boolean;
  /** Was the page denied the local network? The browser then drops such addresses in silence. */
  readonly localDenied: boolean;
  /** Has the server named no address but its machine's loopback? */
  readonly loopbackOnly: boolean;
  readonly mediaPort: number | null;
  readonly codec: string;
}

/** Are the candidates of a description there, and all of them loopback addresses? */
export function isLoopbackOnly(sdp: string): boolean {
  const addresses = [...sdp.matchAll(/^a=candidate:\S+ \d+ \S+ \d+ (\S+) /gm)].map(([, address]) => address ?? '');
  return addresses.length > 0 && addresses.every((address) => /^127\.|^::1$/.test(address));
}

function portText({ mediaPort }: Facts): string {
  return mediaPort === null ? 'the media port' : `port ${mediaPort}`;
}

function noPathSentence(facts: Facts): string {
  const { server, udp, tcp } = facts;
  const remedy = `Open ${portText(facts)} for UDP and TCP, or use a relay (--turn).`;
  if (server !== null && server.step !== 'offer') {
    return 'The server hears this browser, but its answers do not come back: a firewall stops them, or --public-address is not the address you come by.';
  }
  if (facts.localDenied) return 'This browser may not reach the local network. Allow local network access for this page in its site settings.';
  if (!udp && !tcp) return 'This browser sends no UDP, and the server takes nothing else: start it without --no-ice-tcp.';
  if (facts.loopbackOnly) {
    return 'The server takes media over its machine’s loopback only, by which Firefox makes no WebRTC connections and which no tunnel carries. Start it with --public-address and an address of its machine.';
  }
  if (!udp) return `This browser sends no UDP, and TCP does not get through. ${remedy}`;
  if (server === null) return `No way to the server was found: UDP is probably blocked. ${remedy}`;
  return `No packet reached the server: UDP is blocked${tcp ? ', and TCP did not get through either' : ' on the way'}. ${remedy}`;
}

/** Why there is no picture, and what to do, in a sentence or two. */
export function diagnose(facts: Facts): string {
  const { server } = facts;
  if (server?.closed === true && server.reason !== '') return `The server ended the connection: ${asSentence(server.reason)}`;
  switch (facts.current) {
    case 'offer':
      return 'The server has not answered the offer. Is something between here and it holding up requests?';
    case 'candidates':
      return 'This browser does not finish looking up its network addresses: a policy or an extension gets in the way of WebRTC.';
    case 'checks':
      return noPathSentence(facts);
    case 'dtls':
      return 'The encryption could not be agreed on: a way was found, but larger packets are lost on it. A VPN or tunnel is the usual cause.';
    case 'first_packet':
      return 'The connection stands, but no picture has been sent over it: look at the server’s log for this view.';
    case 'decode':
      return `Packets arrive, but this browser could not decode a picture${facts.codec === '' ? '' : ` (${facts.codec})`}: too many are lost, or its decoder refuses the stream.`;
  }
}

/** What is being done now; says more when a step takes long. */
export function progress(runningText: string, facts: Facts): string {
  if (facts.current !== 'checks' || facts.server === null) return runningText;
  if (facts.server.step === 'offer' && facts.udp && facts.tcp && !facts.loopbackOnly) return 'No packet has reached the server: UDP is blocked. Trying TCP…';
  return facts.server.step === 'offer' ? 'No packet has reached the server so far…' : runningText;
}
