/* The shape of a zone as it is drawn: points in 0..1 of the picture. Pure. */

export type Point = readonly [number, number];
export type ZoneKind = 'polygon' | 'rectangle' | 'line';

const MOST_CORNERS = 64;

/** Points as they may stand in files: pairs or {x, y}. */
export function pointsOf(value: unknown): Point[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((point: unknown): Point[] => {
    const pair = Array.isArray(point) ? point : point !== null && typeof point === 'object' ? [(point as { x?: unknown }).x, (point as { y?: unknown }).y] : [];
    return typeof pair[0] === 'number' && typeof pair[1] === 'number' ? [[pair[0], pair[1]]] : [];
  });
}

/** A rectangle may be told by all its corners: two of them are drawn. */
export function cornersOf(kind: ZoneKind, points: readonly Point[]): readonly Point[] {
  if (kind !== 'rectangle' || points.length <= 2) return points;
  const x = points.map((point) => point[0]), y = points.map((point) => point[1]);
  return [[Math.min(...x), Math.min(...y)], [Math.max(...x), Math.max(...y)]];
}

/** Files may have pixels; what is drawn is in parts of the picture. */
export function inParts(points: readonly Point[], width: number, height: number): readonly Point[] {
  return points.some(([x, y]) => x > 1 || y > 1) ? points.map(([x, y]) => bounded([x / width, y / height])) : points;
}

export function bounded([x, y]: Point): Point {
  const bound = (value: number) => Math.round(Math.min(1, Math.max(0, value)) * 10_000) / 10_000;
  return [bound(x), bound(y)];
}

/** What can be taken hold of: the points, and of a rectangle its other two corners. */
export function handlesOf(kind: ZoneKind, points: readonly Point[]): readonly Point[] {
  const [a, b] = points;
  return kind === 'rectangle' && a !== undefined && b !== undefined ? [a, b, [a[0], b[1]], [b[0], a[1]]] : points;
}

export function moveHandle(kind: ZoneKind, points: readonly Point[], handle: number, to: Point): readonly Point[] {
  const at = bounded(to);
  const [a, b] = points;
  if (kind !== 'rectangle' || handle < 2 || a === undefined || b === undefined) return points.map((point, i) => (i === handle ? at : point));
  return handle === 2 ? [[at[0], a[1]], [b[0], at[1]]] : [[a[0], at[1]], [at[0], b[1]]];
}

/** The whole shape, as far as the picture's edge lets it. */
export function moveAll(points: readonly Point[], by: Point): readonly Point[] {
  const step = (axis: 0 | 1) => {
    const values = points.map((point) => point[axis]);
    return Math.max(-Math.min(...values), Math.min(1 - Math.max(...values), by[axis]));
  };
  const [dx, dy] = [step(0), step(1)];
  return points.map(([x, y]) => bounded([x + dx, y + dy]));
}

function distanceToEdge(p: Point, a: Point, b: Point): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length));
  return Math.hypot(p[0] - a[0] - along * dx, p[1] - a[1] - along * dy);
}

/** With one point more, and which it is: in the nearest edge of a polygon. A line or rectangle that has
 * its two begins anew. */
export function addPoint(kind: ZoneKind, points: readonly Point[], given: Point): { points: readonly Point[]; index: number } {
  const point = bounded(given);
  if (kind !== 'polygon') return points.length === 1 ? { points: [...points, point], index: 1 } : { points: [point], index: 0 };
  if (points.length >= MOST_CORNERS) return { points, index: -1 };
  if (points.length < 3) return { points: [...points, point], index: points.length };
  let index = 0, nearest = Infinity;
  points.forEach((from, i) => {
    const distance = distanceToEdge(point, from, points[(i + 1) % points.length] as Point);
    if (distance < nearest) [nearest, index] = [distance, i + 1];
  });
  return { points: [...points.slice(0, index), point, ...points.slice(index)], index };
}

/** Of a line: its middle, and where "in" is from there (to its right, seen from the first point), as a
 * unit vector in pixels of the picture. */
export function directionOf(points: readonly Point[], width: number, height: number): { middle: Point; towards: Point } | null {
  const [a, b] = points;
  if (a === undefined || b === undefined) return null;
  const [dx, dy] = [(b[0] - a[0]) * width, (b[1] - a[1]) * height];
  const length = Math.hypot(dx, dy);
  if (length === 0) return null;
  return { middle: [((a[0] + b[0]) / 2) * width, ((a[1] + b[1]) / 2) * height], towards: [-dy / length, dx / length] };
}
