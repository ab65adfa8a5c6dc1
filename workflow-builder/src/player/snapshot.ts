/* The shown picture as a file. */

/** A picture that was taken off the screen; close() it. */
export interface Still {
  readonly image: CanvasImageSource;
  readonly width: number;
  readonly height: number;
  /** Which picture it is, where the browser tells; null: the one on the screen. */
  readonly rtpTimestamp: number | null;
  close(): void;
}

/* Not in TypeScript's types yet. */
type TellingFrame = VideoFrame & { metadata?(): { rtpTimestamp?: number } };

/** The picture that a surface shows; null before the first. A video may be a picture ahead of what was
 * told of it. */
export function stillOf(surface: HTMLVideoElement | HTMLCanvasElement): Still | null {
  if (surface instanceof HTMLCanvasElement) {
    const { width, height } = surface;
    return width === 0 ? null : { image: surface, width, height, rtpTimestamp: null, close: () => undefined };
  }
  const { videoWidth: width, videoHeight: height } = surface;
  if (width === 0) return null;
  if (typeof VideoFrame !== 'function') return { image: surface, width, height, rtpTimestamp: null, close: () => undefined };
  const frame: TellingFrame = new VideoFrame(surface);
  const rtpTimestamp = frame.metadata?.().rtpTimestamp ?? null;
  return { image: frame, width, height, rtpTimestamp, close: () => frame.close() };
}

/** As PNG in its own resolution, with what `paint` draws on it. */
export function pngOf({ image, width, height }: Still, paint: ((context: CanvasRenderingContext2D, width: number, height: number) => void) | null): Promise<Blob | null> {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d');
  if (context === null) return Promise.resolve(null);
  context.drawImage(image, 0, 0, width, height);
  paint?.(context, width, height);
  return new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
}

/** Saves it as a file named after the view and the time. */
export function saveSnapshot(blob: Blob, node: string): void {
  const link = document.createElement('a');
  const stamp = new Date().toISOString().replace(/[:.]/g, '-').slice(0, 19);
  link.href = URL.createObjectURL(blob);
  link.download = `${node.replace(/[^\w.-]+/g, '_')}-${stamp}.${blob.type === 'image/jpeg' ? 'jpg' : 'png'}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
