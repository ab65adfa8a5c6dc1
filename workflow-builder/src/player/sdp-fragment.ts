/* Trickle ICE as text: "application/trickle-ice-sdpfrag" bodies (RFC 8840) out of what the browser
 * gives, and an answer out of a fragment. */

export const FRAGMENT_TYPE = 'application/trickle-ice-sdpfrag';

const EOL = '\r\n';

function valueOf(sdp: string, attribute: string): string | null {
  return new RegExp(`^a=${attribute}:(.*?)\\r?$`, 'm').exec(sdp)?.[1] ?? null;
}

export function userFragmentOf(sdp: string): string | null {
  return valueOf(sdp, 'ice-ufrag');
}

/** Credentials and media line of a description, with these candidates; null when it has none. */
export function makeFragment(sdp: string, candidates: readonly string[], end: boolean): string | null {
  const ufrag = valueOf(sdp, 'ice-ufrag');
  const pwd = valueOf(sdp, 'ice-pwd');
  const media = /^m=.*?(?=\r?$)/m.exec(sdp)?.[0];
  if (ufrag === null || pwd === null || media === undefined) return null;
  const lines = [`a=ice-ufrag:${ufrag}`, `a=ice-pwd:${pwd}`, media, `a=mid:${valueOf(sdp, 'mid') ?? '0'}`];
  lines.push(...candidates.map((candidate) => `a=${candidate}`));
  if (end) lines.push('a=end-of-candidates');
  return lines.join(EOL) + EOL;
}

/** The answer as it reads after a restart of ICE: the server's new credentials and candidates. */
export function restartedAnswer(answer: string, fragment: string): string | null {
  const ufrag = valueOf(fragment, 'ice-ufrag');
  const pwd = valueOf(fragment, 'ice-pwd');
  if (ufrag === null || pwd === null) return null;
  const candidates = fragment.split(/\r?\n/).filter((line) => line.startsWith('a=candidate:'));
  const kept = answer.split(/\r?\n/).filter((line) => !(candidates.length > 0 && line.startsWith('a=candidate:')));
  return kept
    .flatMap((line) => {
      if (line.startsWith('a=ice-ufrag:')) return [`a=ice-ufrag:${ufrag}`];
      if (line.startsWith('a=ice-pwd:')) return [`a=ice-pwd:${pwd}`, ...candidates.splice(0)];
      return [line];
    })
    .join(EOL);
}

/** Can the server do something with it? It looks up no names (mDNS) and opens no TCP connections. */
export function isWorthSending(candidate: string): boolean {
  const parts = candidate.split(' ');
  return candidate.startsWith('candidate:') && parts[4]?.endsWith('.local') === false && parts[2]?.toLowerCase() === 'udp';
}
