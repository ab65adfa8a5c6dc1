/* What a browser counts of a received video, out of getStats(). */

export interface WebRtcCounters {
  readonly bytes: number;
  readonly packets: number;
  readonly framesDropped: number;
  readonly packetsLost: number;
  readonly roundTripMs: number | null;
  readonly decoder: string;
  /** "H.264", "VP8", … */
  readonly codec: string;
  /** "UDP", "TCP", "relay (UDP)", … */
  readonly path: string;
}

type Report = Readonly<Record<string, unknown>>;

const text = (value: unknown) => (typeof value === 'string' ? value : '');
const count = (value: unknown) => (typeof value === 'number' ? value : 0);

function codecName(mimeType: string): string {
  const name = mimeType.replace(/^video\//i, '');
  return /^h26[45]$/i.test(name) ? `H.${name.slice(1)}` : name;
}

function pathName(candidate: Report | undefined): string {
  if (candidate === undefined) return '';
  const protocol = text(candidate['protocol']).toUpperCase();
  const relay = text(candidate['relayProtocol']).toUpperCase();
  return candidate['candidateType'] === 'relay' ? `relay (${relay || protocol})` : protocol;
}

export function readCounters(stats: RTCStatsReport): WebRtcCounters {
  const reports = [...(stats as unknown as ReadonlyMap<string, Report>).values()];
  const byId = (id: unknown) => reports.find((report) => report['id'] === id);
  const video = reports.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video') ?? {};
  const pairs = reports.filter(({ type, nominated }) => type === 'candidate-pair' && nominated === true);
  const pair = pairs.find(({ state }) => state === 'succeeded') ?? pairs[0] ?? {};
  const seconds = pair['currentRoundTripTime'];
  return {
    bytes: count(video['bytesReceived']) + count(video['headerBytesReceived']),
    packets: count(video['packetsReceived']),
    framesDropped: count(video['framesDropped']),
    packetsLost: count(video['packetsLost']),
    roundTripMs: typeof seconds === 'number' ? seconds * 1000 : null,
    decoder: text(video['decoderImplementation']),
    codec: codecName(text(byId(video['codecId'])?.['mimeType'])),
    path: pathName(byId(pair['localCandidateId'])),
  };
}
