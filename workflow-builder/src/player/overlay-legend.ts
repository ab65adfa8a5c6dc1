/* The legend of the overlay: the classes in sight with their colours and counts, or where colours go by
 * confidence the scale. As the server's (src/xray/legend.c): in the order of the classes, a class that
 * has gone stays a while with a count of 0, and the corner is not left at once for a better one. Pure. */
import type { SeenObject } from './metadata';
import { common, type Rect } from './overlay-geometry';
import { colourOf, scaleOf } from './overlay-palette';

const MOST_ROWS = 8;
const FORGET_US = 3_000_000;
const STAY_US = 2_000_000;

export interface LegendRow {
  readonly name: string;
  /** null: colours do not tell classes apart. */
  readonly colour: string | null;
  readonly count: number;
}

export interface Legend {
  readonly rows: readonly LegendRow[];
  /** The stops of the scale of confidence; null: there is none. */
  readonly scale: readonly string[] | null;
}

interface Seen {
  readonly object: SeenObject;
  readonly atUs: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

export class LegendMemory {
  #seen: readonly Seen[] = []; // one of each class, in their order
  #corner = 0;
  #movedUs: number | null = null;

  /** What stands in it for a picture that was captured at `atUs`. */
  read(objects: readonly SeenObject[], scheme: string, atUs: number): Legend {
    const classes = new Map(this.#seen.filter((seen) => Math.abs(atUs - seen.atUs) <= FORGET_US).map((seen) => [seen.object.classId, seen]));
    for (const object of objects) classes.set(object.classId, { object, atUs });
    this.#seen = [...classes.values()].sort((a, b) => a.object.classId - b.object.classId);
    const scale = scaleOf(scheme);
    const rows = this.#seen.slice(0, MOST_ROWS).map(({ object }) => ({
      name: object.className,
      colour: scale !== null || scheme === 'monochrome' ? null : colourOf(object, scheme),
      count: objects.filter(({ classId }) => classId === object.classId).length,
    }));
    const others = objects.length - rows.reduce((sum, { count }) => sum + count, 0);
    return { rows: others > 0 ? [...rows, { name: 'others', colour: null, count: others }] : rows, scale };
  }

  /** Where it stands: in the corner in which it covers least of the boxes. */
  place(size: Size, boxes: readonly Rect[], within: Rect, margin: number, atUs: number): Rect {
    const left = within.x + margin;
    const right = within.x + within.width - margin - size.width;
    const top = within.y + margin;
    const bottom = within.y + within.height - margin - size.height;
    const corners = [[right, top], [left, top], [right, bottom], [left, bottom]].map(([x = 0, y = 0]) => ({ x, y, ...size }));
    const costs = corners.map((corner) => boxes.reduce((sum, box) => sum + common(corner, box), 0));
    const best = costs.indexOf(Math.min(...costs));
    const clearly = (costs[this.#corner] ?? 0) > (costs[best] ?? 0) + (size.width * size.height) / 4;
    if (this.#movedUs === null || (clearly && Math.abs(atUs - this.#movedUs) > STAY_US)) {
      this.#corner = best;
      this.#movedUs = atUs;
    }
    return corners[this.#corner] ?? { x: right, y: top, ...size };
  }
}
