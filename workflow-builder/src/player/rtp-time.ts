/* RTP timestamps count 90 kHz modulo 2^32 from the session's random offset on the server's clock:
 * rtp = (capture_us * 9 / 100 + rtp_offset) mod 2^32. Near a known server time the wrap is undone. */

const TWO_32 = 2 ** 32;

/** Capture time on the server's clock, in microseconds; `nearUs` must be within 6 hours of it. */
export function captureUsFromRtp(rtpTimestamp: number, rtpOffset: number, nearUs: number): number {
  const ticks = (rtpTimestamp - rtpOffset) >>> 0;
  const nearTicks = Math.floor((nearUs * 9) / 100);
  const difference = (ticks - ((nearTicks % TWO_32) + TWO_32) % TWO_32) | 0;
  return ((nearTicks + difference) * 100) / 9;
}
