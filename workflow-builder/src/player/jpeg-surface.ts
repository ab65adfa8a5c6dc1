/* Draws JPEG pictures on a canvas as soon as they can be had: the newest only. While one is being
 * decoded, the next waits; a third takes the waiting one's place. */

export interface PaintedPicture<T> {
  readonly tag: T;
  readonly width: number;
  readonly height: number;
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
        const bitmap = await createImageBitmap(new Blob([jpeg], { type: 'image/jpeg' }));
        if (epoch === this.#epoch) this.#paint(bitmap, tag);
        bitmap.close();
      } catch {
        this.dropped += 1;
      }
    }
    this.#busy = false;
  }

  #paint(bitmap: ImageBitmap, tag: T): void {
    const { width, height } = bitmap;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#context?.drawImage(bitmap, 0, 0);
    this.#painted({ tag, width, height });
  }
}
