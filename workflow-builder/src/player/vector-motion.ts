/* Objects between two records: few come where vectors are shown, and the eye wants motion. A tracked
 * object goes on as it went between its last two records, for no longer than one more interval; what
 * it was shown wrong by is made good within a moment, not by a jump. Pure. */
import type { Box, FrameMetadata, KeyPoint, SeenObject } from './metadata';

const MAKE_GOOD_MS = 120;
const LONGEST_INTERVAL_MS = 1_000;

interface Moving {
  readonly object: SeenObject;
  /** Of the box, a millisecond. */
  readonly speed: Box;
  /** Shown less recorded, when the record came. */
  readonly error: Box;
}

const STILL: Box = { x: 0, y: 0, width: 0, height: 0 };

function combine(a: Box, b: Box, scale: number): Box {
  return { x: a.x + b.x * scale, y: a.y + b.y * scale, width: a.width + b.width * scale, height: a.height + b.height * scale };
}

const difference = (a: Box, b: Box): Box => combine(a, b, -1);
const scaled = (a: Box, scale: number): Box => combine(STILL, a, scale);

/** Key points go with their box. */
function moved(object: SeenObject, box: Box): SeenObject {
  const follow = (at: number, from: number, size: number, to: number, toSize: number) => (size > 0 ? to + ((at - from) / size) * toSize : at);
  const keyPoints = object.keyPoints.map(
    ({ x, y, score }): KeyPoint => ({ x: follow(x, object.box.x, object.box.width, box.x, box.width), y: follow(y, object.box.y, object.box.height, box.y, box.height), score }),
  );
  return { ...object, box, keyPoints };
}

export class VectorMotion {
  #record: FrameMetadata | null = null;
  #moving: readonly Moving[] = [];
  #receivedAt = 0;
  #intervalMs = 0;

  received(record: FrameMetadata, now: number): void {
    const before = this.#record;
    const shown = this.#boxes(now);
    const passedMs = before === null ? 0 : (record.captureUs - before.captureUs) / 1000;
    const known = new Map((before?.objects ?? []).map((object) => [object.trackId, object.box]));
    this.#moving = record.objects.map((object) => {
      const last = object.trackId === null || passedMs <= 0 || passedMs > LONGEST_INTERVAL_MS ? undefined : known.get(object.trackId);
      const drawn = object.trackId === null ? undefined : shown.get(object.trackId);
      return {
        object,
        speed: last === undefined ? STILL : scaled(difference(object.box, last), 1 / passedMs),
        error: last === undefined || drawn === undefined ? STILL : difference(drawn, object.box),
      };
    });
    this.#record = record;
    this.#receivedAt = now;
    this.#intervalMs = Math.max(0, Math.min(passedMs, LONGEST_INTERVAL_MS));
  }

  /** The latest record as it is to be drawn; null before the first. */
  at(now: number): FrameMetadata | null {
    if (this.#record === null) return null;
    const passedMs = now - this.#receivedAt;
    const zones = this.#record.zones.map((zone) => ({ ...zone, happenedMs: zone.happenedMs === null ? null : zone.happenedMs + passedMs }));
    return { ...this.#record, objects: this.#moving.map((one) => moved(one.object, this.#box(one, now))), zones };
  }

  #box({ object, speed, error }: Moving, now: number): Box {
    const passedMs = now - this.#receivedAt;
    const box = combine(object.box, speed, Math.min(passedMs, this.#intervalMs));
    return combine(box, error, Math.max(0, 1 - passedMs / MAKE_GOOD_MS));
  }

  #boxes(now: number): ReadonlyMap<number | null, Box> {
    return new Map(this.#moving.map((one) => [one.object.trackId, this.#box(one, now)]));
  }
}
