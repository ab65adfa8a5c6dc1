/* Draws JPEG pictures on a canvas as soon as they can be had: the newest only. While one is being
 * decoded, the next waits; a third takes the waiting one's place. */

export interface PaintedPicture<T> {
  readonly tag: T;
  readonly width: number;
  readonly height: number;
  /** When it was decoded; milliseconds on the page's clock. */
  readonly decodedMs: number;
}

type Decoded = (ImageBitmap | VideoFrame) & { close(): void };

/* ImageDecoder keeps the JPEG's own planes and was a fifth faster than createImageBitmap in Chromium;
 * it exists on secure origins only. */
async function decodeJpeg(jpeg: Uint8Array<ArrayBuffer>): Promise<Decoded> {
  if (typeof ImageDecoder !== 'function') return createImageBitmap(new Blob([jpeg], { type: 'image/jpeg' }));
  const decoder = new ImageDecoder({ data: jpeg, type: 'image/jpeg' });
  try {
    return (await decoder.decode()).image;
  } finally {
    decoder.close();
  }
}

export class JpegSurface<T> {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D | null;
  readonly #painted: (picture: PaintedPicture<T>) => void;
  #waiting: { jpeg: Uint8Array<ArrayBuffer>; tag: T } | null = null;
  #busy = false;
  #epoch = 0;
  /** Pictures that a newer one overtook, and ones that could not be decoded. */
  dropped = 0;

  constructor(canvas: HTMLCanvasElement, painted: (picture: PaintedPicture<T>) => void) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d', { alpha: false, desynchronized: true });
    this.#painted = painted;
  }

  show(jpeg: Uint8Array<ArrayBuffer>, tag: T): void {
    if (this.#waiting !== null) this.dropped += 1;
    this.#waiting = { jpeg, tag };
    if (!this.#busy) void this.#drain();
  }

  /** Forgets what is still on its way; nothing is painted until the next show(). */
  cancel(): void {
    this.#waiting = null;
    this.#epoch += 1;
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    while (this.#waiting !== null) {
      const { jpeg, tag } = this.#waiting;
      this.#waiting = null;
      const epoch = this.#epoch;
      try {
        const picture = await decodeJpeg(jpeg);
        if (epoch === this.#epoch) this.#paint(picture, tag);
        picture.close();
      } catch {
        this.dropped += 1;
      }
    }
    this.#busy = false;
  }

  #paint(picture: Decoded, tag: T): void {
    const decodedMs = performance.now();
    const width = 'displayWidth' in picture ? picture.displayWidth : picture.width;
    const height = 'displayHeight' in picture ? picture.displayHeight : picture.height;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#context?.drawImage(picture, 0, 0);
    this.#painted({ tag, width, height, decodedMs });
  }
}
