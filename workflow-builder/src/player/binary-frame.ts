/* A picture as a binary WebSocket message: 4 bytes big-endian length of the JSON header, the header,
 * the picture's record where that was asked for, the JPEG. */

export interface FrameHeader {
  readonly node_id: string;
  readonly workflow_id?: string;
  readonly capture_us?: number;
  readonly sent_us?: number;
  readonly record_bytes?: number;
  readonly fps?: number;
  readonly detections_count?: number;
  readonly processing_time_ms?: number;
  readonly xray_mode?: string;
  readonly color_scheme?: string;
  readonly resolution?: { readonly width: number; readonly height: number };
}

export interface BinaryFrame {
  readonly header: FrameHeader;
  /** null: it came without. */
  readonly record: Uint8Array | null;
  readonly jpeg: Uint8Array<ArrayBuffer>;
}

const MAX_HEADER_BYTES = 65_536;
const decoder = new TextDecoder();

/** null when the message is not a frame. */
export function parseBinaryFrame(message: ArrayBuffer): BinaryFrame | null {
  if (message.byteLength < 4) return null;
  const headerBytes = new DataView(message).getUint32(0);
  if (headerBytes > MAX_HEADER_BYTES || 4 + headerBytes >= message.byteLength) return null;
  let header: unknown;
  try {
    header = JSON.parse(decoder.decode(new Uint8Array(message, 4, headerBytes)));
  } catch {
    return null;
  }
  if (typeof header !== 'object' || header === null) return null;
  if (typeof (header as { node_id?: unknown }).node_id !== 'string') return null;
  const recordBytes = (header as FrameHeader).record_bytes ?? 0;
  const recordAt = 4 + headerBytes;
  if (!Number.isInteger(recordBytes) || recordBytes < 0 || recordAt + recordBytes >= message.byteLength) return null;
  return {
    header: header as FrameHeader,
    record: recordBytes > 0 ? new Uint8Array(message, recordAt, recordBytes) : null,
    jpeg: new Uint8Array(message, recordAt + recordBytes),
  };
}
