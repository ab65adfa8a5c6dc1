/* Draws zones on a canvas: tint and outline below the objects, tags above them; both brighter for a
 * moment after something happened. */
import { arrowOf, placeTags, type Figure } from './overlay-zones';
import type { Rect } from './overlay-geometry';
import { fillRounded, PLATE_GROUND } from './overlay-plate';

const LINE = 2;
const SEAM = '#06080b';
const SEAM_ALPHA = 0.5;
const LINE_ALPHA = 0.92;
const TINT = 0.1;
const FLASH_TINT = 0.27;

const TAG_NAME = '#a7b1be';
const TAG_COUNTS = '#e8ecf1';
const TAG_HEIGHT = 19;
const PADDING = 6;
const SWATCH = 9;
const GAP = 5;
const ROUND = 4;

type Context = CanvasRenderingContext2D;

/* Set off from any ground. */
function strokeSeamed(context: Context, colour: string, width: number): void {
  context.lineJoin = context.lineCap = 'round';
  for (const [style, alpha, more] of [[SEAM, SEAM_ALPHA, 2], [colour, LINE_ALPHA, 0]] as const) {
    context.globalAlpha = alpha;
    context.strokeStyle = style;
    context.lineWidth = width + more;
    context.stroke();
  }
  context.globalAlpha = 1;
  context.lineJoin = 'miter';
  context.lineCap = 'butt';
}

function paintArea(context: Context, { points, colour, flash }: Figure): void {
  context.beginPath();
  points.forEach(({ x, y }, i) => (i === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
  context.closePath();
  context.globalAlpha = TINT + FLASH_TINT * flash;
  context.fillStyle = colour;
  context.fill('evenodd');
  strokeSeamed(context, colour, LINE * (1 + flash));
}

function paintLine(context: Context, figure: Figure): void {
  const { points: [from, to], colour, flash } = figure;
  if (from === undefined || to === undefined) return;
  context.beginPath();
  for (const [a, b] of [[from, to] as const, ...arrowOf(figure)]) {
    context.moveTo(a.x, a.y);
    context.lineTo(b.x, b.y);
  }
  strokeSeamed(context, colour, 1.5 * LINE * (1 + flash));
  context.fillStyle = colour;
  for (const { x, y } of [from, to]) {
    context.beginPath();
    context.arc(x, y, 2 * LINE, 0, 2 * Math.PI);
    context.fill();
  }
}

export function paintZones(context: Context, figures: readonly Figure[]): void {
  for (const figure of figures) (figure.line ? paintLine : paintArea)(context, figure);
}

function paintTag(context: Context, { name, counts, colour, flash }: Figure, rect: Rect): void {
  fillRounded(context, rect, ROUND, PLATE_GROUND);
  if (flash > 0) {
    context.globalAlpha = flash;
    context.lineWidth = LINE;
    context.strokeStyle = colour;
    context.stroke(); /* around the ground */
    context.globalAlpha = 1;
  }
  const middle = rect.y + rect.height / 2;
  let x = rect.x + PADDING;
  fillRounded(context, { x, y: middle - SWATCH / 2, width: SWATCH, height: SWATCH }, SWATCH / 3, colour);
  x += SWATCH + GAP;
  if (name !== '') {
    context.fillStyle = TAG_NAME;
    context.fillText(name, x, middle);
    x += context.measureText(name).width + GAP;
  }
  context.fillStyle = TAG_COUNTS;
  context.fillText(counts, x, middle);
}

/** Gives back the room that the tags take. */
export function paintTags(context: Context, figures: readonly Figure[], within: Rect): readonly Rect[] {
  const widthOf = (text: string) => (text === '' ? 0 : context.measureText(text).width + GAP);
  const sizes = figures.map(({ name, counts }) => ({ width: Math.ceil(SWATCH + GAP + widthOf(name) + widthOf(counts) - GAP) + 2 * PADDING, height: TAG_HEIGHT }));
  const tags = placeTags(figures, sizes, within);
  figures.forEach((figure, i) => paintTag(context, figure, tags[i] ?? within));
  return tags;
}
