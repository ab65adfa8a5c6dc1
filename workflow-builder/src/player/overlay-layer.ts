/* The client overlay: boxes and labels drawn over the picture from the record of the very picture that
 * is shown, in the screen's own pixels. What is under the pointer shows all its values. */
import { WHOLE_LOOK, type FrameMetadata, type Look, type SeenObject } from './metadata';
import { describe, fitted, lookFor, objectAt, passes, placed, readFilter, type OverlayFilter, type Rect } from './overlay-geometry';
import { paintGround } from './overlay-ground';
import { LegendMemory } from './overlay-legend';
import { LINE, paintOverlay } from './overlay-paint';

/* A picture of this width is drawn on as on the screen, a larger one in proportion. */
const PLAIN_WIDTH = 960;
/* On a screen less wide than this, as of a phone, all is smaller, down to this part. */
const SMALL_WIDTH = 600;
const SMALLEST = 0.8;

const inUnits = ({ x, y, width, height }: Rect, unit: number): Rect => ({ x: x / unit, y: y / unit, width: width / unit, height: height / unit });

export class OverlayLayer {
  readonly #canvas: HTMLCanvasElement;
  readonly #card: HTMLElement;
  readonly #context: CanvasRenderingContext2D | null;
  #filter: OverlayFilter = readFilter(null, null, null);
  #shown: FrameMetadata | null = null;
  #pointer: { x: number; y: number } | null = null;
  #missed = false;
  #scheme = '';
  #legend: LegendMemory | null = null;
  #schematic = false;

  constructor(canvas: HTMLCanvasElement, card: HTMLElement) {
    this.#canvas = canvas;
    this.#card = card;
    this.#context = canvas.getContext('2d');
    new ResizeObserver(() => this.#draw()).observe(canvas);
  }

  filter(classes: string | null, confidence: string | null, parts: string | null): void {
    this.#filter = readFilter(classes, confidence, parts);
    this.#draw();
  }

  /** The `colorScheme` of the view, and whether a legend is asked for. */
  look(scheme: string, legend: boolean): void {
    if (scheme === this.#scheme && legend === (this.#legend !== null)) return;
    this.#scheme = scheme;
    this.#legend = legend ? (this.#legend ?? new LegendMemory()) : null;
    this.#draw();
  }

  /** Is anything known of the picture drawn over it? */
  get shows(): boolean {
    return this.#shown !== null;
  }

  /** `schematic`: on a ground of its own, for there is no picture. */
  show(metadata: FrameMetadata, schematic = false): void {
    this.#missed = false;
    this.#shown = metadata;
    this.#schematic = schematic;
    this.#draw();
  }

  /** A picture without its record: that comes within moments, as a rule; before the next picture or not
   * at all. */
  miss(): void {
    if (this.#missed) this.clear();
    this.#missed = true;
  }

  clear(): void {
    if (this.#shown === null) return;
    this.#shown = null;
    this.#draw();
  }

  /** Where the pointer is, in the window; null: elsewhere. */
  point(at: { clientX: number; clientY: number } | null): void {
    const bounds = this.#canvas.getBoundingClientRect();
    this.#pointer = at === null ? null : { x: at.clientX - bounds.x, y: at.clientY - bounds.y };
    this.#draw();
  }

  /** What is drawn under the pointer. */
  get pointed(): SeenObject | null {
    const place = this.#place();
    if (this.#pointer === null || place.width === 0) return null;
    return objectAt(this.#objects(), (this.#pointer.x - place.x) / place.width, (this.#pointer.y - place.y) / place.height);
  }

  #place(): Rect {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    return fitted({ width, height }, this.#shown ?? { width: 0, height: 0 });
  }

  #look(): Look {
    return lookFor(this.#filter, this.#shown?.look ?? WHOLE_LOOK);
  }

  #objects(): readonly SeenObject[] {
    const look = this.#look();
    return (this.#shown?.objects ?? []).filter((object) => passes(object, this.#filter, look));
  }

  #draw(): void {
    const context = this.#context;
    if (context === null) return;
    const scale = window.devicePixelRatio;
    const width = Math.round(this.#canvas.clientWidth * scale);
    const height = Math.round(this.#canvas.clientHeight * scale);
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    const place = this.#place();
    const pointed = this.pointed;
    const zoom = Math.min(1, Math.max(SMALLEST, place.width / SMALL_WIDTH));
    this.#paint(context, scale * zoom, inUnits(place, zoom), inUnits({ x: 0, y: 0, width: this.#canvas.clientWidth, height: this.#canvas.clientHeight }, zoom), pointed);
    this.#showCard(pointed, place);
  }

  /** Draws the same on a picture of this size, in proportion. */
  paintOn(context: CanvasRenderingContext2D, width: number, height: number): void {
    const scale = Math.max(1, width / PLAIN_WIDTH);
    const all = inUnits({ x: 0, y: 0, width, height }, scale);
    this.#paint(context, scale, all, all, null);
  }

  /* A unit is `scale` pixels. */
  #paint(context: CanvasRenderingContext2D, scale: number, place: Rect, bounds: Rect, pointed: SeenObject | null): void {
    if (this.#shown === null) return;
    const { captureUs, zones } = this.#shown;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    if (this.#schematic) paintGround(context, place, bounds);
    paintOverlay(context, { objects: this.#objects(), parts: this.#look().parts, zones, place, bounds, scheme: this.#scheme, pointed, captureUs, legend: this.#legend });
  }

  #showCard(object: SeenObject | null, place: Rect): void {
    this.#card.hidden = object === null;
    if (object === null || this.#shown === null) return;
    const text = describe(object, this.#shown).join('\n');
    if (this.#card.textContent !== text) this.#card.textContent = text;
    const box = placed(object.box, place);
    const room = this.#canvas.clientWidth - this.#card.offsetWidth - LINE;
    const beside = box.x + box.width + 4 * LINE;
    this.#card.style.left = `${Math.max(0, beside <= room ? beside : Math.min(room, box.x - this.#card.offsetWidth - 4 * LINE))}px`;
    this.#card.style.top = `${Math.max(0, Math.min(box.y, this.#canvas.clientHeight - this.#card.offsetHeight))}px`;
  }
}
