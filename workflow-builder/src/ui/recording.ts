/* The recording of a view: what the server says of it, and the wish for one. */
import { errorSentence, SERVER_SILENT, type Recording } from '../player/server-types';

/** "0:07", "12:34", "1:02:03" */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number: number): string => String(number).padStart(2, '0');
  const minutes = Math.floor(whole / 60) % 60, hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** What a button for it is called. A recorder that records by itself can be told to go on, not to end. */
export function recordLabel(recording: Recording | undefined): string {
  if (recording?.by_hand === true) return 'End the recording';
  return recording?.state === 'recording' ? 'Go on recording until it is ended' : 'Record';
}

export const videoAddress = (name: string): string => `/api/recordings/${encodeURIComponent(name)}.mp4`;
export const linesAddress = (name: string): string => `/api/recordings/${encodeURIComponent(name)}.jsonl`;

/** Asks for a recording, or for its end; resolves with the sentence of a refusal, '' = it was taken. */
export async function setRecording(node: string, recording: boolean): Promise<string> {
  try {
    const response = await fetch(`/api/views/${encodeURIComponent(node)}/recording`, {
      method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ recording }),
    });
    return response.ok ? '' : await errorSentence(response);
  } catch {
    return SERVER_SILENT;
  }
}
