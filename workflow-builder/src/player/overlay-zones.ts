/* Where zones and their tags are drawn, as the server does (src/xray/zones.c): an area by its outline, a
 * line with an arrow that shows the way in; a tag beside each, off the others where there is room. Pure. */
import type { Point, Zone } from './metadata';
import { common, type Rect } from './overlay-geometry';
import { zoneColour } from './overlay-palette';

const FLASH_MS = 900;
/** Of type, which arrows and distances go by. */
const STEP = 12;
const SHAFT = 1.3 * STEP;
const HEAD = 0.5 * STEP;

/** A zone on the canvas. */
export interface Figure {
  readonly line: boolean;
  readonly name: string;
  readonly counts: string;
  readonly colour: string;
  /** 1 when something just happened, falling to 0. */
  readonly flash: number;
  readonly points: readonly Point[];
}

type Size = Pick<Rect, 'width' | 'height'>;

const countsOf = ({ line, inside, crossedIn, crossedOut }: Zone) => (line ? `in ${crossedIn}  out ${crossedOut}` : String(inside));

/** Without those that are none (yet). */
export function figuresOf(zones: readonly Zone[], scheme: string, { x, y, width, height }: Rect): readonly Figure[] {
  const figures = zones.map(
    (zone, i): Figure => ({
      line: zone.line,
      name: zone.name,
      counts: countsOf(zone),
      colour: zoneColour(i, scheme),
      flash: zone.happenedMs === null ? 0 : Math.max(0, 1 - zone.happenedMs / FLASH_MS),
      points: zone.points.map((point) => ({ x: x + point.x * width, y: y + point.y * height })),
    }),
  );
  return figures.filter(({ line, points }) => points.length >= (line ? 2 : 3));
}

const ends = ({ points: [from = { x: 0, y: 0 }, to = from] }: Figure) => ({ from, to, middle: { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 } });

/* The way in across a line, of length 1: to its right, y points down. Nowhere for a line that is a point. */
function wayIn(figure: Figure): Point {
  const { from, to } = ends(figure);
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  return length > 0.5 ? { x: -(to.y - from.y) / length, y: (to.x - from.x) / length } : { x: 0, y: 0 };
}

/** The strokes of the arrow on a line. */
export function arrowOf(figure: Figure): readonly (readonly [Point, Point])[] {
  const { x, y } = wayIn(figure);
  if (x === 0 && y === 0) return [];
  const { middle } = ends(figure);
  const tip = { x: middle.x + x * SHAFT, y: middle.y + y * SHAFT };
  const barbs = [-1, 1].map((side): [Point, Point] => [tip, { x: tip.x - HEAD * (x + side * y), y: tip.y - HEAD * (y - side * x) }]);
  return [[middle, tip], ...barbs];
}

/* Middles of tags, the best first: beside a line's middle, on the side that the arrow does not point to;
 * then the other; then at its ends. */
function besideLine(figure: Figure, size: Size): readonly Point[] {
  const { from, to, middle } = ends(figure);
  const { x, y } = wayIn(figure);
  const away = (Math.abs(x) * size.width) / 2 + (Math.abs(y) * size.height) / 2 + STEP / 2;
  const back = (at: Point) => ({ x: at.x - x * away, y: at.y - y * away });
  return [back(middle), { x: middle.x + x * (away + STEP), y: middle.y + y * (away + STEP) }, back(from), back(to)];
}

/* At an area's highest corners: above, and within. Within the zone's width, so that a rectangle's tag
 * begins where its side does. */
function atCorners({ points }: Figure, size: Size): readonly Point[] {
  const left = Math.min(...points.map(({ x }) => x)) + size.width / 2;
  const right = Math.max(...points.map(({ x }) => x)) - size.width / 2;
  const apart = size.height / 2 + STEP / 4;
  return [...points]
    .sort((a, b) => a.y - b.y)
    .flatMap((corner) => {
      const x = Math.max(Math.min(corner.x, right), left);
      return [{ x, y: corner.y - apart }, { x, y: corner.y + apart }];
    });
}

const held = (from: number, least: number, most: number) => Math.max(least, Math.min(from, most));

/** Tags of these sizes, within the picture, each where it covers least of the others and is pushed least
 * over what it is to stand beside. */
export function placeTags(figures: readonly Figure[], sizes: readonly Size[], within: Rect): readonly Rect[] {
  const taken: Rect[] = [];
  figures.forEach((figure, i) => {
    const size = sizes[i] ?? { width: 0, height: 0 };
    const tries = (figure.line ? besideLine(figure, size) : atCorners(figure, size)).map((middle) => {
      const top = middle.y - size.height / 2;
      const rect: Rect = {
        ...size,
        x: held(middle.x - size.width / 2, within.x, within.x + within.width - size.width),
        y: held(top, within.y, within.y + within.height - size.height),
      };
      const pushed = Math.min(Math.abs(top - rect.y), size.height) * size.width;
      return { rect, lost: taken.reduce((sum, other) => sum + common(other, rect), pushed) };
    });
    const best = tries.reduce((least, one) => (one.lost < least.lost ? one : least));
    taken.push(best.rect);
  });
  return taken;
}
