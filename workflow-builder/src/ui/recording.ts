/* The recording of a view: what the server says of it, and the wish for one. */
import { errorSentence, SERVER_SILENT, type Recording } from '../player/server-types';

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
