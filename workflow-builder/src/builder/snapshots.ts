/* The picture of a source, again and again, on a canvas. Fetched and decoded beside the page's own work,
 * one at a time; the old picture stays until the new one is there. Asks only while it can be seen. */

export interface Following {
  readonly id: string;
  readonly width: number;
  readonly periodMs: number;
  readonly onPicture?: () => void;
}

async function pictureOf(id: string, width: number, signal: AbortSignal): Promise<ImageBitmap | null> {
  const response = await fetch(`/api/video/${encodeURIComponent(id)}/snapshot?width=${width}`, { signal, cache: 'no-store' });
  return response.ok ? createImageBitmap(await response.blob()) : null;
}

/** Returns what ends it. */
export function followSource(canvas: HTMLCanvasElement, { id, width, periodMs, onPicture }: Following): () => void {
  const ended = new AbortController();
  const surface = canvas.getContext('bitmaprenderer');
  let visible = false, asking = false, first = true;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const next = async () => {
    clearTimeout(timer);
    if (!visible || document.hidden || asking || ended.signal.aborted) return;
    asking = true;
    const since = performance.now();
    const picture = await pictureOf(id, width, ended.signal).catch(() => null);
    asking = false;
    if (ended.signal.aborted) return picture?.close();
    if (picture !== null) {
      canvas.width = picture.width;
      canvas.height = picture.height;
      surface?.transferFromImageBitmap(picture);
      onPicture?.();
    }
    /* Sixteen that began together do not go on together. */
    const pause = first ? Math.random() * periodMs : periodMs - (performance.now() - since);
    first = false;
    timer = setTimeout(() => void next(), Math.max(0, pause));
  };

  const observer = new IntersectionObserver((entries) => {
    visible = entries.at(-1)?.isIntersecting ?? false;
    void next();
  });
  observer.observe(canvas);
  const wake = () => void next();
  document.addEventListener('visibilitychange', wake);
  return () => {
    ended.abort();
    clearTimeout(timer);
    observer.disconnect();
    document.removeEventListener('visibilitychange', wake);
  };
}
