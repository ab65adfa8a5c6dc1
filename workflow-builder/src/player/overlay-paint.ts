/* Draws what is known of a picture on a canvas: zones, masks, poses, boxes, tags of zones, the legend,
 * labels, in this order. */
import type { Part, SeenObject, Zone } from './metadata';
import { BONES, labelOf, maskRects, PERSON_KEY_POINTS, placed, placeLabels, type Rect } from './overlay-geometry';
import type { Legend, LegendMemory } from './overlay-legend';
import { fillRounded, PLATE_GROUND } from './overlay-plate';
import { paintTags, paintZones } from './overlay-zone-paint';
import { figuresOf } from './overlay-zones';
import { bodyColours, colourOf, textOn, type BodyColours } from './overlay-palette';

export const LINE = 2;
const FONT = '600 12px Inter, system-ui, sans-serif';
const LABEL_HEIGHT = 18;
const LABEL_PADDING = 5;
const MASK_ALPHA = 0.4;
const POINT_RADIUS = 3.5;
const JOINT_RIM = '#f4f6f8';
const ROUND = 3;
/* Points below are guesses, as for the server (src/xray/poses.c). */
const SURE_POINT = 0.25;

const LEGEND_TEXT = '#d6dce4';
const LEGEND_DIM = '#8e99a6';
const LEGEND_LINE = 19;
const LEGEND_PADDING = 9;
const LEGEND_MARGIN = 8;
const SWATCH = 10;
const GAP = 7;
const SCALE_WIDTH = 90;

export interface Painting {
  readonly objects: readonly SeenObject[];
  /** Which parts of them; poses always. */
  readonly parts: ReadonlySet<Part>;
  readonly zones: readonly Zone[];
  /** Where the picture is on the canvas. */
  readonly place: Rect;
  /** Where labels may be. */
  readonly bounds: { readonly width: number; readonly height: number };
  readonly scheme: string;
  readonly pointed: SeenObject | null;
  readonly captureUs: number;
  /** null: no legend. */
  readonly legend: LegendMemory | null;
}

type Context = CanvasRenderingContext2D;

export function paintOverlay(context: Context, painting: Painting): void {
  const { objects, parts, place, bounds, scheme } = painting;
  if (!(place.width > 0 && place.height > 0)) return; /* nobody knows where anything is */
  context.font = FONT;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const boxes = objects.map(({ box }) => placed(box, place));
  const colours = objects.map((object) => colourOf(object, scheme));
  const each = (draw: (object: SeenObject, colour: string, box: Rect) => void) =>
    objects.forEach((object, i) => draw(object, colours[i] ?? '', boxes[i] ?? place));
  const figures = figuresOf(painting.zones, scheme, place);
  paintZones(context, figures);
  if (parts.has('masks')) each((object, colour, box) => drawMask(context, object, colour, box));
  each((object, colour) => drawPose(context, object, bodyColours(colour, scheme), place));
  each((object, colour, box) => {
    const pointed = object === painting.pointed;
    if (pointed || parts.has('boxes')) drawBox(context, colour, box, pointed);
  });
  const labels = labelsOf(context, objects, boxes, colours, parts);
  const tags = paintTags(context, figures, place);
  const legend = painting.legend === null ? [] : drawLegend(context, painting, painting.legend, [...boxes, ...labels.map(({ best }) => best), ...tags]);
  const places = placeLabels(labels.map(({ box }) => box), labels.map(({ best }) => best), bounds, [...tags, ...legend]);
  /* The first are the surest: they come last, on top. */
  for (let i = labels.length - 1; i >= 0; i--) {
    const [label, place] = [labels[i], places[i]];
    if (label !== undefined && place !== undefined) drawLabel(context, label, place);
  }
}

interface Label {
  readonly text: string;
  readonly colour: string;
  /** Of its object. */
  readonly box: Rect;
  /** Its own size, where it stands unless that is taken. */
  readonly best: Rect;
}

function labelsOf(context: Context, objects: readonly SeenObject[], boxes: readonly Rect[], colours: readonly string[], parts: ReadonlySet<Part>): readonly Label[] {
  return objects.flatMap((object, i) => {
    const text = labelOf(object, parts);
    const box = boxes[i];
    if (text === '' || box === undefined) return [];
    const width = context.measureText(text).width + 2 * LABEL_PADDING;
    return [{ text, colour: colours[i] ?? '', box, best: { x: box.x, y: box.y - LABEL_HEIGHT, width, height: LABEL_HEIGHT } }];
  });
}

function drawBox(context: Context, colour: string, box: Rect, pointed: boolean): void {
  context.lineWidth = pointed ? 2 * LINE : LINE;
  context.strokeStyle = colour;
  context.strokeRect(box.x, box.y, box.width, box.height);
}

function drawMask(context: Context, { mask }: SeenObject, colour: string, box: Rect): void {
  if (mask === null) return;
  const path = new Path2D();
  for (const { x, y, width, height } of maskRects(mask, box)) path.rect(x, y, width, height);
  context.globalAlpha = MASK_ALPHA;
  context.fillStyle = colour;
  context.fill(path);
  context.globalAlpha = 1;
}

/* Of a person's points, in COCO's order: the nose, then left and right in turn. A bone across the body is
 * of its middle. */
const MIDDLE = 0;
const sideOfPoint = (point: number, count: number) => (count !== PERSON_KEY_POINTS || point === 0 ? MIDDLE : 2 - (point % 2));
const sideOfBone = (from: number, to: number) => (from % 2 === to % 2 ? sideOfPoint(from, PERSON_KEY_POINTS) : MIDDLE);

function drawPose(context: Context, object: SeenObject, body: BodyColours, place: Rect): void {
  const at = ({ x, y }: { x: number; y: number }) => [place.x + x * place.width, place.y + y * place.height] as const;
  const points = object.keyPoints.map((point) => (point.score < SURE_POINT ? null : at(point)));
  context.lineWidth = LINE;
  for (const [from, to] of points.length === PERSON_KEY_POINTS ? BONES : []) {
    const [a, b] = [points[from], points[to]];
    if (!a || !b) continue;
    context.strokeStyle = body[sideOfBone(from, to)] ?? body[MIDDLE];
    context.beginPath();
    context.moveTo(...a);
    context.lineTo(...b);
    context.stroke();
  }
  points.forEach((point, i) => {
    if (point === null) return;
    for (const [colour, radius] of [[JOINT_RIM, POINT_RADIUS], [body[sideOfPoint(i, points.length)] ?? body[MIDDLE], POINT_RADIUS - 1]] as const) {
      context.fillStyle = colour;
      context.beginPath();
      context.arc(...point, radius, 0, 2 * Math.PI);
      context.fill();
    }
  });
}

function drawLabel(context: Context, { text, colour }: Label, at: Rect): void {
  fillRounded(context, at, ROUND, colour);
  context.fillStyle = textOn(colour);
  context.fillText(text, at.x + LABEL_PADDING, at.y + at.height / 2);
}

function legendSize(context: Context, { rows, scale }: Legend): { width: number; height: number } {
  const swatches = rows.some(({ colour }) => colour !== null) ? SWATCH + GAP : 0;
  const names = Math.max(0, ...rows.map(({ name }) => context.measureText(name).width));
  const counts = Math.max(0, ...rows.map(({ count }) => context.measureText(String(count)).width));
  const width = Math.max(swatches + names + 3 * GAP + counts, scale === null ? 0 : SCALE_WIDTH + 4 * GAP);
  return { width: Math.ceil(width) + 2 * LEGEND_PADDING, height: (rows.length + (scale === null ? 0 : 2)) * LEGEND_LINE + LEGEND_PADDING };
}

/* Gives back the room that it takes; none where the picture is too small for it. */
function drawLegend(context: Context, { objects, place, scheme, captureUs }: Painting, memory: LegendMemory, boxes: readonly Rect[]): Rect[] {
  const legend = memory.read(objects, scheme, captureUs);
  const size = legendSize(context, legend);
  const empty = legend.rows.length === 0 && legend.scale === null;
  if (empty || 2 * size.width > place.width || 4 * size.height > 3 * place.height) return [];
  const { x, y: top } = memory.place(size, boxes, place, LEGEND_MARGIN, captureUs);
  const rect = { ...size, x: Math.round(x), y: Math.round(top) };
  fillRounded(context, rect, 2 * ROUND, PLATE_GROUND);
  const left = rect.x + LEGEND_PADDING;
  const right = rect.x + rect.width - LEGEND_PADDING;
  let y = rect.y + LEGEND_PADDING / 2 + LEGEND_LINE / 2;
  const names = left + (legend.rows.some(({ colour }) => colour !== null) ? SWATCH + GAP : 0);
  for (const { name, colour, count } of legend.rows) {
    if (colour !== null) {
      context.globalAlpha = count === 0 ? 0.4 : 1;
      fillRounded(context, { x: left, y: y - SWATCH / 2, width: SWATCH, height: SWATCH }, ROUND, colour);
      context.globalAlpha = 1;
    }
    context.fillStyle = count === 0 ? LEGEND_DIM : LEGEND_TEXT;
    context.fillText(name, names, y);
    context.textAlign = 'right';
    context.fillText(String(count), right, y);
    context.textAlign = 'left';
    y += LEGEND_LINE;
  }
  if (legend.scale !== null) drawScale(context, legend.scale, left, right, y);
  return [rect];
}

function drawScale(context: Context, stops: readonly string[], left: number, right: number, y: number): void {
  context.fillStyle = LEGEND_DIM;
  context.fillText('confidence', left, y);
  const line = y + LEGEND_LINE;
  const from = left + context.measureText('0').width + GAP;
  const to = right - context.measureText('1').width - GAP;
  context.fillStyle = LEGEND_TEXT;
  context.fillText('0', left, line);
  context.fillText('1', to + GAP, line);
  const gradient = context.createLinearGradient(from, 0, to, 0);
  stops.forEach((stop, i) => gradient.addColorStop(i / (stops.length - 1), stop));
  context.fillStyle = gradient;
  context.fillRect(from, line - SWATCH / 2, to - from, SWATCH);
}
