/* The shown picture as a file. */
import { fileStamp } from '../ui/time';
import type { FrameMetadata } from './metadata';

export interface SnapshotOptions {
  /** With what is seen over the picture (the default), or the picture alone. */
  readonly overlay?: boolean;
}

type Paint = (context: CanvasRenderingContext2D, width: number, height: number) => void;

/** What is on the screen now. */
export interface OnScreen {
  readonly surface: HTMLVideoElement | HTMLCanvasElement;
  readonly record: FrameMetadata | null;
  /** Does what is painted cover the picture? Then it need not be of it. */
  readonly covered: boolean;
  /** Draws what is known of the picture of the record; null: nothing is to be drawn. */
  readonly paint: Paint | null;
}

/* A picture that was taken off the screen. */
interface Still {
  readonly image: CanvasImageSource;
  readonly width: number;
  readonly height: number;
  /** Which picture it is, where the browser tells; null: the one on the screen. */
  readonly rtpTimestamp: number | null;
  close(): void;
}

/* How often a picture is looked for of which the record is there, and how long each time. */
const TRIES = 20;
const WAIT_MS = 100;

/* Not in TypeScript's types yet. */
type TellingFrame = VideoFrame & { metadata?(): { rtpTimestamp?: number } };

/* A video may be a picture ahead of what was told of it. */
function stillOf(surface: HTMLVideoElement | HTMLCanvasElement): Still | null {
  const isVideo = surface instanceof HTMLVideoElement;
  const width = isVideo ? surface.videoWidth : surface.width;
  const height = isVideo ? surface.videoHeight : surface.height;
  if (width === 0 || height === 0) return null;
  if (!isVideo || typeof VideoFrame !== 'function') return { image: surface, width, height, rtpTimestamp: null, close: () => undefined };
  const frame: TellingFrame = new VideoFrame(surface);
  return { image: frame, width, height, rtpTimestamp: frame.metadata?.().rtpTimestamp ?? null, close: () => frame.close() };
}

function pngOf({ image, width, height }: Still, paint: Paint | null): Promise<Blob | null> {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (context === null) return Promise.resolve(null);
  context.drawImage(image, 0, 0, width, height);
  paint?.(context, width, height);
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}

/** As PNG in its own resolution, with what is known of that very picture; null when there is none.
 * `nextRecord`: until another picture is known. */
export async function takeSnapshot(onScreen: () => OnScreen, nextRecord: () => Promise<void>): Promise<Blob | null> {
  for (let tries = 0; tries < TRIES; tries++) {
    const { surface, record, covered, paint } = onScreen();
    const still = stillOf(surface);
    if (still === null) return null;
    const fits = covered || paint === null || still.rtpTimestamp === null || still.rtpTimestamp === record?.rtpTimestamp;
    const png = fits ? pngOf(still, paint) : null;
    still.close();
    if (png !== null) return png;
    await Promise.race([nextRecord(), new Promise((resolve) => setTimeout(resolve, WAIT_MS))]);
  }
  return null;
}

/** Saves it as a file named after the view and the time. */
export function saveSnapshot(blob: Blob, node: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = `${node.replace(/[^\w.-]+/g, '_')}-${fileStamp(new Date())}.${blob.type === 'image/jpeg' ? 'jpg' : 'png'}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
