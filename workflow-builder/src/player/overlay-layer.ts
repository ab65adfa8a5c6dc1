/* The client overlay: boxes and labels drawn over the video from the record of the very picture that
 * it shows, in the screen's own pixels. What is under the pointer shows all its values. */
import type { FrameMetadata, SeenObject } from './metadata';
import { BONES, colourOf, describe, fitted, labelOf, maskRects, objectAt, passes, PERSON_KEY_POINTS, placed, placeLabels, readFilter, type OverlayFilter, type Rect } from './overlay-geometry';

const LINE = 2;
const FONT = '600 12px Inter, system-ui, sans-serif';
const LABEL_HEIGHT = 18;
const LABEL_PADDING = 5;
const MASK_ALPHA = 0.4;
const POINT_RADIUS = 3;
/* Points below are guesses, as for the server (src/xray/poses.c). */
const SURE_POINT = 0.25;

export class OverlayLayer {
  readonly #canvas: HTMLCanvasElement;
  readonly #card: HTMLElement;
  readonly #context: CanvasRenderingContext2D | null;
  #filter: OverlayFilter = readFilter(null, null);
  #shown: FrameMetadata | null = null;
  #pointer: { x: number; y: number } | null = null;
  #missed = false;

  constructor(canvas: HTMLCanvasElement, card: HTMLElement) {
    this.#canvas = canvas;
    this.#card = card;
    this.#context = canvas.getContext('2d');
    new ResizeObserver(() => this.#draw()).observe(canvas);
  }

  filter(classes: string | null, confidence: string | null): void {
    this.#filter = readFilter(classes, confidence);
    this.#draw();
  }

  show(metadata: FrameMetadata): void {
    this.#missed = false;
    this.#shown = metadata;
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

  #objects(): readonly SeenObject[] {
    return (this.#shown?.objects ?? []).filter((object) => passes(object, this.#filter));
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
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = FONT;
    context.textBaseline = 'middle';
    const place = this.#place();
    const pointed = this.pointed;
    const objects = this.#objects();
    const boxes = objects.map(({ box }) => placed(box, place));
    const sizes = objects.map((object) => ({ width: context.measureText(labelOf(object)).width + 2 * LABEL_PADDING, height: LABEL_HEIGHT }));
    const bounds = { width: this.#canvas.clientWidth, height: this.#canvas.clientHeight };
    const labels = placeLabels(boxes, sizes, bounds);
    objects.forEach((object, i) => this.#drawMask(context, object, boxes[i]));
    for (const object of objects) this.#drawPose(context, object, place);
    objects.forEach((object, i) => this.#drawBox(context, object, boxes[i], object === pointed));
    objects.forEach((object, i) => this.#drawLabel(context, object, labels[i]));
    this.#showCard(pointed, place);
  }

  #drawBox(context: CanvasRenderingContext2D, object: SeenObject, box: Rect | undefined, pointed: boolean): void {
    if (box === undefined) return;
    context.lineWidth = pointed ? 2 * LINE : LINE;
    context.strokeStyle = colourOf(object.classId);
    context.strokeRect(box.x, box.y, box.width, box.height);
  }

  #drawMask(context: CanvasRenderingContext2D, object: SeenObject, box: Rect | undefined): void {
    if (object.mask === null || box === undefined) return;
    const path = new Path2D();
    for (const { x, y, width, height } of maskRects(object.mask, box)) path.rect(x, y, width, height);
    context.globalAlpha = MASK_ALPHA;
    context.fillStyle = colourOf(object.classId);
    context.fill(path);
    context.globalAlpha = 1;
  }

  #drawPose(context: CanvasRenderingContext2D, object: SeenObject, place: Rect): void {
    const at = ({ x, y }: { x: number; y: number }) => [place.x + x * place.width, place.y + y * place.height] as const;
    const points = object.keyPoints.map((point) => (point.score < SURE_POINT ? null : at(point)));
    const path = new Path2D();
    for (const [from, to] of points.length === PERSON_KEY_POINTS ? BONES : []) {
      const [a, b] = [points[from], points[to]];
      if (!a || !b) continue;
      path.moveTo(...a);
      path.lineTo(...b);
    }
    context.lineWidth = LINE;
    context.strokeStyle = context.fillStyle = colourOf(object.classId);
    context.stroke(path);
    for (const point of points) {
      if (point === null) continue;
      context.beginPath();
      context.arc(...point, POINT_RADIUS, 0, 2 * Math.PI);
      context.fill();
    }
  }

  #drawLabel(context: CanvasRenderingContext2D, object: SeenObject, label: Rect | undefined): void {
    if (label === undefined) return;
    context.fillStyle = colourOf(object.classId);
    context.fillRect(label.x, label.y, label.width, label.height);
    context.fillStyle = '#08121c';
    context.fillText(labelOf(object), label.x + LABEL_PADDING, label.y + label.height / 2);
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
