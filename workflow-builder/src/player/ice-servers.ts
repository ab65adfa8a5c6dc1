/* STUN and TURN servers as the server names them. Names for a relay end by themselves, so they are
 * asked for again with each connection; nobody waits for the answer. */

export interface WebRtcConfig {
  readonly iceServers: readonly RTCIceServer[];
  readonly mediaPort: number | null;
}

const known = new Map<string, WebRtcConfig>();

export function knownConfig(server: string): WebRtcConfig | null {
  return known.get(server) ?? null;
}

/** Asks the server; null when it does not answer. */
export async function learnConfig(server: string): Promise<WebRtcConfig | null> {
  try {
    const response = await fetch(`${server}/api/webrtc/config`);
    if (!response.ok) return null;
    const { iceServers, mediaPort } = (await response.json()) as { iceServers?: RTCIceServer[]; mediaPort?: number };
    const config = { iceServers: Array.isArray(iceServers) ? iceServers : [], mediaPort: mediaPort ?? null };
    known.set(server, config);
    return config;
  } catch {
    return null;
  }
}
