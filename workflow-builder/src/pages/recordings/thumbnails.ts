/* A picture of each recording that comes into sight: its video is opened for as long as it takes to draw
 * one, one video after the other, so that a long list holds no connections and no decoders. */
const WIDTH = 480;
const PATIENCE_MS = 8_000;

/** Resolves when the event comes; false: it failed, or took too long. */
function happens(video: HTMLVideoElement, event: string): Promise<boolean> {
  return new Promise((resolve) => {
    const late = setTimeout(() => end(false), PATIENCE_MS);
    const done = () => end(true), failed = () => end(false);
    const end = (result: boolean) => {
      clearTimeout(late);
      video.removeEventListener(event, done);
      video.removeEventListener('error', failed);
      resolve(result);
    };
    video.addEventListener(event, done);
    video.addEventListener('error', failed);
  });
}

export class Thumbnails {
  readonly #wanted = new Map<Element, { address: string; seconds: number }>();
  readonly #queue: Element[] = [];
  readonly #seen = new IntersectionObserver((entries) => this.#scrolled(entries), { rootMargin: '200px' });
  #busy = false;

  /** Draws a picture of this video on the canvas once it comes into sight, from the middle of it. */
  want(canvas: HTMLCanvasElement, address: string, seconds: number): void {
    this.#wanted.set(canvas, { address, seconds });
    this.#seen.observe(canvas);
  }

  forget(canvas: HTMLCanvasElement): void {
    this.#wanted.delete(canvas);
    this.#seen.unobserve(canvas);
  }

  #scrolled(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const at = this.#queue.indexOf(target);
      if (at >= 0) this.#queue.splice(at, 1);
      if (isIntersecting) this.#queue.push(target);
    }
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const wanted = this.#wanted.get(next);
      if (wanted === undefined) continue;
      this.forget(next as HTMLCanvasElement);
      await this.#draw(next as HTMLCanvasElement, wanted.address, wanted.seconds);
    }
    this.#busy = false;
  }

  async #draw(canvas: HTMLCanvasElement, address: string, seconds: number): Promise<void> {
    const video = document.createElement('video');
    video.muted = true;
    video.preload = 'auto';
    video.src = address;
    if (await happens(video, 'loadeddata')) {
      const middle = Math.min(seconds, video.duration) / 2;
      if (Number.isFinite(middle) && middle > 0.1) {
        video.currentTime = middle;
        await happens(video, 'seeked');
      }
      canvas.width = WIDTH;
      canvas.height = Math.round((WIDTH * video.videoHeight) / video.videoWidth);
      canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height);
      canvas.dataset['drawn'] = 'true';
    }
    video.removeAttribute('src');
    video.load(); // lets go of the connection
  }
}
