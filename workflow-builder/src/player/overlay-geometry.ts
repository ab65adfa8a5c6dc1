/* Where the overlay draws, what it shows and what lies under the pointer. Pure. */
import { PARTS, type Box, type Look, type Mask, type Part, type SeenObject } from './metadata';

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The place of a picture that is fitted into an element (`object-fit: contain`), in its pixels. */
export function fitted(element: { width: number; height: number }, picture: { width: number; height: number }): Rect {
  if (!(picture.width > 0 && picture.height > 0)) return { x: 0, y: 0, width: 0, height: 0 };
  const scale = Math.min(element.width / picture.width, element.height / picture.height);
  const width = picture.width * scale;
  const height = picture.height * scale;
  return { x: (element.width - width) / 2, y: (element.height - height) / 2, width, height };
}

const GRID_ROWS = 9;

/** Lines that make an empty ground a room: squares, so many from top to bottom. */
export function gridLines({ x, y, width, height }: Rect): readonly { from: { x: number; y: number }; to: { x: number; y: number } }[] {
  const side = height / GRID_ROWS;
  if (!(side > 0)) return [];
  const columns = Math.floor(width / side + 1e-6);
  const down = Array.from({ length: columns + 1 }, (_, i) => ({ from: { x: x + i * side, y }, to: { x: x + i * side, y: y + height } }));
  const across = Array.from({ length: GRID_ROWS + 1 }, (_, i) => ({ from: { x, y: y + i * side }, to: { x: x + width, y: y + i * side } }));
  return [...down, ...across];
}

export function placed({ x, y, width, height }: Box, within: Rect): Rect {
  return { x: within.x + x * within.width, y: within.y + y * within.height, width: width * within.width, height: height * within.height };
}

/** What a viewer wants to see. */
export interface OverlayFilter {
  /** Names of classes in lower case; empty: all. */
  readonly classes: ReadonlySet<string>;
  /** null: as the records say. */
  readonly confidence: number | null;
  readonly parts: ReadonlySet<Part> | null;
}

const listed = (text: string) => new Set(text.toLowerCase().split(',').map((name) => name.trim()).filter((name) => name !== ''));

/** From the attributes `overlay-classes` ("person, car"), `overlay-confidence` ("0.5") and `overlay-parts`
 * ("boxes, names"; empty: none of them). */
export function readFilter(classes: string | null, confidence: string | null, parts: string | null): OverlayFilter {
  const least = confidence === null || confidence.trim() === '' ? NaN : Number(confidence);
  const wanted = parts === null ? null : listed(parts);
  return {
    classes: listed(classes ?? ''),
    confidence: Number.isFinite(least) ? least : null,
    parts: wanted === null ? null : new Set(PARTS.filter((part) => wanted.has(part))),
  };
}

/** What a viewer with this filter is shown of a picture whose record says so. */
export function lookFor(filter: OverlayFilter, look: Look): Look {
  return { parts: filter.parts ?? look.parts, confidence: filter.confidence ?? look.confidence };
}

export function passes({ className, confidence }: SeenObject, { classes }: OverlayFilter, look: Look): boolean {
  return confidence >= look.confidence && (classes.size === 0 || classes.has(className.toLowerCase()));
}

/** The object at a point of the picture (0..1): of several the smallest, which the others would hide. */
export function objectAt(objects: readonly SeenObject[], x: number, y: number): SeenObject | null {
  const area = ({ box }: SeenObject) => box.width * box.height;
  const under = objects.filter(({ box }) => x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height);
  return under.reduce<SeenObject | null>((best, object) => (best === null || area(object) < area(best) ? object : best), null);
}

/** '': none. */
export function labelOf({ className, trackId, confidence }: SeenObject, parts: ReadonlySet<Part>): string {
  const words = [
    parts.has('names') ? className : '',
    parts.has('tracks') && trackId !== null ? `#${trackId}` : '',
    parts.has('confidence') ? `${Math.round(confidence * 100)} %` : '',
  ];
  return words.filter((word) => word !== '').join(' ');
}

/** All that is known of an object, a line each: position and size in pixels of the source. */
export function describe(object: SeenObject, picture: { width: number; height: number }): readonly string[] {
  const { x, y, width, height } = object.box;
  const across = (part: number) => Math.round(part * picture.width);
  const down = (part: number) => Math.round(part * picture.height);
  return [
    object.className,
    ...(object.trackId === null ? [] : [`track ${object.trackId}`]),
    `confidence ${(object.confidence * 100).toFixed(0)} %`,
    `${across(width)} × ${down(height)} at ${across(x)}, ${down(y)}`,
  ];
}

/** How much of both is the same. */
export function common(a: Rect, b: Rect): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return Math.max(0, width) * Math.max(0, height);
}

/* With more labels fewer places are tried, as by the server: nobody could read them. */
const CAREFUL_MOST = 100;
const HASTY_PLACES = 3;

/* How much of a place is taken. */
function covered(place: Rect, taken: readonly Rect[]): number {
  let sum = 0;
  for (const other of taken) {
    const { y } = other;
    if (y < place.y + place.height && y + other.height > place.y) sum += common(place, other);
  }
  return sum;
}

/** Where labels of these sizes stand best, one for each box: above it or near it, within the bounds, and
 * over as little as can be of other labels and of what is taken already. */
export function placeLabels(
  boxes: readonly Rect[],
  sizes: readonly { width: number; height: number }[],
  bounds: { readonly width: number; readonly height: number },
  before: readonly Rect[] = [],
): readonly Rect[] {
  const taken = [...before];
  const places = boxes.map((box, i): Rect => {
    const { width, height } = sizes[i] ?? { width: 0, height: 0 };
    const at = (x: number, y: number): Rect => ({
      x: Math.max(0, Math.min(x, bounds.width - width)),
      y: Math.max(0, Math.min(y, bounds.height - height)),
      width,
      height,
    });
    const right = box.x + box.width;
    const bottom = box.y + box.height;
    const candidates = [
      at(box.x, box.y - height),
      at(right - width, box.y - height),
      at(box.x, bottom),
      at(right - width, bottom),
      at(right, box.y),
      at(box.x - width, box.y),
      at(box.x, box.y - 2 * height),
      at(box.x, bottom + height),
      at(box.x, box.y),
    ];
    let chosen = at(box.x, box.y), least = Infinity;
    for (const place of boxes.length > CAREFUL_MOST ? candidates.slice(0, HASTY_PLACES) : candidates) {
      const lost = covered(place, taken);
      if (lost < least) [chosen, least] = [place, lost];
      if (lost === 0) break;
    }
    taken.push(chosen);
    return chosen;
  });
  return places;
}

/* Models' masks are much smaller; of what is no mask there may be any number of cells. */
const MOST_CELLS = 1 << 20;

/** The cells inside a mask as upright bars, a run in a column each. */
export function maskRects({ width, height, runs }: Mask, box: Rect): readonly Rect[] {
  const bars: Rect[] = [];
  const cellWidth = box.width / width;
  const cellHeight = box.height / height;
  const cells = width * height;
  if (!(cells <= MOST_CELLS)) return [];
  let at = 0;
  runs.forEach((run, i) => {
    const end = Math.min(at + run, cells);
    for (let cell = at; i % 2 === 1 && cell < end; ) {
      const column = Math.floor(cell / height);
      const last = Math.min(end, (column + 1) * height);
      bars.push({ x: box.x + column * cellWidth, y: box.y + (cell % height) * cellHeight, width: cellWidth, height: (last - cell) * cellHeight });
      cell = last;
    }
    at = end;
  });
  return bars;
}

/** Which key points of a person are joined by a bone, in COCO's order of 17. */
export const BONES: readonly (readonly [number, number])[] = [
  [0, 1], [0, 2], [1, 3], [2, 4], [5, 6], [5, 7], [7, 9], [6, 8], [8, 10], [5, 11], [6, 12], [11, 12], [11, 13], [13, 15], [12, 14], [14, 16],
];
export const PERSON_KEY_POINTS = 17;
