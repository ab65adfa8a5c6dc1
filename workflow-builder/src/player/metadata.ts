/* The record of a picture, as the server sends it beside it (docs/api.md, "The record"),
 * and the match of records with pictures shown. Pure. */

/** In parts of the picture's width and height, 0..1. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** In parts of the picture. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface KeyPoint extends Point {
  readonly score: number;
}

/** Cells stretched over the box; runs outside and inside in turn, column by column (as COCO's masks). */
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly runs: readonly number[];
}

export interface SeenObject {
  readonly classId: number;
  readonly className: string;
  /** That the user has chosen for its class, `#rrggbb`; null: none, or the view's colours do not go by
   * class. */
  readonly ownColour: string | null;
  /** null: not tracked. */
  readonly trackId: number | null;
  readonly confidence: number;
  readonly box: Box;
  /** Of clean pictures only: elsewhere they are drawn on the picture. */
  readonly keyPoints: readonly KeyPoint[];
  readonly mask: Mask | null;
}

/** Where a zone is. */
export interface ZonePlace {
  /** "": it has none. */
  readonly name: string;
  /** A line across the picture; else an area. */
  readonly line: boolean;
  readonly points: readonly Point[];
}

/** What was counted there. */
export interface ZoneCounts {
  /** Objects inside an area. */
  readonly inside: number;
  /** Crossings of a line so far: to its right, seen from its first point, and back. */
  readonly crossedIn: number;
  readonly crossedOut: number;
  /** How long before this picture somebody entered, left or crossed, milliseconds; null: longer ago. */
  readonly happenedMs: number | null;
}

export type Zone = ZonePlace & ZoneCounts;

/** What may be drawn of an object, beside its pose. */
export const PARTS = ['boxes', 'names', 'confidence', 'tracks', 'masks'] as const;
export type Part = (typeof PARTS)[number];

/** What the user wants drawn of what is seen. */
export interface Look {
  readonly parts: ReadonlySet<Part>;
  /** Objects below are not drawn. */
  readonly confidence: number;
}

export const WHOLE_LOOK: Look = { parts: new Set(PARTS), confidence: 0 };

export const STATIONS = ['decoded', 'inferStart', 'inferEnd', 'drawn', 'encoded'] as const;
export type Station = (typeof STATIONS)[number];

export interface FrameMetadata {
  /** 0 over the WebSocket. */
  readonly rtpTimestamp: number;
  /** On the server's clock, microseconds. */
  readonly captureUs: number;
  /** Milliseconds after the capture; only stations that the picture passed. */
  readonly stagesMs: Readonly<Partial<Record<Station, number>>>;
  readonly sentMs: number;
  /** Of the picture that the model saw. */
  readonly width: number;
  readonly height: number;
  /** The boxes were moved forward to this picture, not inferred in it. */
  readonly predicted: boolean;
  /** By how much the frame that the model saw is older than this one, milliseconds; null where that is
   * this one, or not known. */
  readonly boxesAgeMs: number | null;
  /** The model has said nothing of late. */
  readonly awaited: boolean;
  /** Nothing of it is drawn on the picture. */
  readonly clean: boolean;
  /** There is no picture: the path does not carry it. */
  readonly vector: boolean;
  /** The path hardly carries the picture, and there is nothing to show instead. */
  readonly narrow: boolean;
  readonly objects: readonly SeenObject[];
  /** Where the page is to draw them: of clean pictures, and where there is no picture. */
  readonly zones: readonly Zone[];
  /** Of whatever the page draws; a viewer may want another. */
  readonly look: Look;
}

/** What records tell now and then only. */
export class Told {
  /** Of classes. */
  readonly names = new Map<number, string>();
  readonly colours = new Map<number, string>();
  zones: readonly ZonePlace[] = [];
}

const VERSION = 1;
const PREDICTED = 1;
const AWAITED = 2;
const CLEAN = 4;
const VECTOR = 8;
const NARROW = 16;
const NAMES_SECTION = 1;
const KEY_POINTS_SECTION = 2;
const MASK_SECTION = 3;
const SEEN_SECTION = 4;
const ZONES_SECTION = 5;
const COUNTS_SECTION = 6;
const COLOURS_SECTION = 7;
const LOOK_SECTION = 8;
const HEAD_BYTES = 15;
const OBJECT_MIN_BYTES = 9;
const FULL_SCALE = 4095;

const decoder = new TextDecoder();

class Reader {
  #at: number;

  constructor(
    readonly bytes: Uint8Array,
    start: number,
  ) {
    this.#at = start;
  }

  get left(): number {
    return this.bytes.length - this.#at;
  }

  byte(): number {
    const value = this.bytes[this.#at++];
    if (value === undefined) throw new RangeError('the record ends too early');
    return value;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 49; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number of the record is too large');
  }

  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  big(bytes: number): number {
    let value = 0;
    for (let i = 0; i < bytes; i++) value = value * 256 + this.byte();
    return value;
  }

  /** Coordinates of 12 bits each. */
  point(): Point {
    const packed = this.big(3);
    return { x: (packed >> 12) / FULL_SCALE, y: (packed & FULL_SCALE) / FULL_SCALE };
  }

  part(size: number): Uint8Array {
    if (size > this.left) throw new RangeError('the record ends too early');
    this.#at += size;
    return this.bytes.subarray(this.#at - size, this.#at);
  }
}

function readStages(reader: Reader, passed: number): FrameMetadata['stagesMs'] {
  const stages: Partial<Record<Station, number>> = {};
  let at = 0;
  STATIONS.forEach((station, bit) => {
    if ((passed >> bit) % 2 === 0) return;
    at += reader.zigzag();
    stages[station] = at / 10;
  });
  return stages;
}

interface Shape {
  keyPoints: KeyPoint[];
  mask: Mask | null;
}

/* What sections add to a record. */
interface Extras {
  readonly shapes: readonly Shape[];
  boxesAgeMs: number | null;
  counts: readonly Counted[];
  look: Look;
}

/** What was counted in a zone of which kind. */
export type Counted = ZoneCounts & Pick<ZonePlace, 'line'>;
type ReadObject = Omit<SeenObject, 'className' | 'ownColour' | 'keyPoints' | 'mask'>;

function readKeyPoints(reader: Reader): KeyPoint[] {
  const points: KeyPoint[] = [];
  while (reader.left > 0) {
    points.push({ ...reader.point(), score: reader.byte() / 255 });
  }
  return points;
}

function readMask(reader: Reader): Mask {
  const width = reader.varint();
  const height = reader.varint();
  const runs: number[] = [];
  while (reader.left > 0) runs.push(reader.varint());
  return { width, height, runs };
}

function readObject(reader: Reader): ReadObject {
  const classId = reader.varint();
  const track = reader.varint();
  const confidence = reader.byte() / 255;
  const { x, y } = reader.point();
  const far = reader.point();
  const box = { x, y, width: far.x - x, height: far.y - y };
  return { classId, trackId: track === 0 ? null : track, confidence, box };
}

/* A colour that was chosen stands behind the names, or there is none any more. */
function readNames(section: Reader, told: Told): void {
  while (section.left > 0) {
    const classId = section.varint();
    told.names.set(classId, decoder.decode(section.part(section.byte())));
    told.colours.delete(classId);
  }
}

function readColours(section: Reader, told: Told): void {
  while (section.left > 0) told.colours.set(section.varint(), `#${section.big(3).toString(16).padStart(6, '0')}`);
}

function readZones(section: Reader): readonly ZonePlace[] {
  const zones: ZonePlace[] = [];
  while (section.left > 0) {
    const head = section.varint();
    const count = Math.floor(head / 2);
    if (3 * count > section.left) throw new RangeError('the record ends too early');
    const points = Array.from({ length: count }, () => section.point());
    zones.push({ name: decoder.decode(section.part(section.byte())), line: head % 2 === 1, points });
  }
  return zones;
}

function readCounts(section: Reader): readonly Counted[] {
  const counts: Counted[] = [];
  while (section.left > 0) {
    const head = section.varint();
    const line = Math.floor(head / 2) % 2 === 1;
    const many = Math.floor(head / 4);
    const crossedOut = line ? section.varint() : 0;
    counts.push({ line, inside: line ? 0 : many, crossedIn: line ? many : 0, crossedOut, happenedMs: head % 2 === 1 ? 10 * section.byte() : null });
  }
  return counts;
}

/** Zones by their places and counts, told in the same order. None while their places are not known. */
export function zonesOf(places: readonly ZonePlace[], counts: readonly Counted[]): readonly Zone[] {
  if (places.length !== counts.length) return [];
  const zones = counts.flatMap((counted, i) => {
    const place = places[i];
    return place?.line === counted.line ? [{ ...place, ...counted }] : [];
  });
  return zones.length === counts.length ? zones : [];
}

function readLook(section: Reader): Look {
  const hidden = section.byte();
  return { parts: new Set(PARTS.filter((_part, bit) => (hidden >> bit) % 2 === 0)), confidence: section.byte() / 255 };
}

function readShape(kind: number, section: Reader, shape: Shape | undefined): void {
  if (shape === undefined) return;
  if (kind === KEY_POINTS_SECTION) shape.keyPoints = readKeyPoints(section);
  else shape.mask = readMask(section);
}

function readSection(reader: Reader, extras: Extras, told: Told): void {
  const kind = reader.byte();
  const section = new Reader(reader.part(reader.varint()), 0);
  if (kind === NAMES_SECTION) readNames(section, told);
  else if (kind === COLOURS_SECTION) readColours(section, told);
  else if (kind === SEEN_SECTION) extras.boxesAgeMs = section.zigzag() / 10;
  else if (kind === ZONES_SECTION) told.zones = readZones(section);
  else if (kind === COUNTS_SECTION) extras.counts = readCounts(section);
  else if (kind === LOOK_SECTION) extras.look = readLook(section);
  else if (kind === KEY_POINTS_SECTION || kind === MASK_SECTION) readShape(kind, section, extras.shapes[section.varint()]);
}

/** null for what is no record, or one of a later version. `told`: by earlier records; what this one
 * tells is added. */
export function parseRecord(bytes: Uint8Array, told: Told): FrameMetadata | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEAD_BYTES || bytes[0] !== VERSION) return null;
  const flags = bytes[1] ?? 0;
  try {
    const reader = new Reader(bytes, HEAD_BYTES);
    const stagesMs = readStages(reader, bytes[14] ?? 0);
    const width = reader.varint();
    const height = reader.varint();
    const count = reader.varint();
    if (count * OBJECT_MIN_BYTES > reader.left) return null;
    const objects = Array.from({ length: count }, () => readObject(reader));
    const extras: Extras = { shapes: objects.map(() => ({ keyPoints: [], mask: null })), boxesAgeMs: null, counts: [], look: WHOLE_LOOK };
    while (reader.left > 0) readSection(reader, extras, told);
    return {
      rtpTimestamp: view.getUint32(2),
      captureUs: view.getUint16(6) * 2 ** 32 + view.getUint32(8),
      sentMs: view.getUint16(12) / 10,
      stagesMs,
      width,
      height,
      predicted: (flags & PREDICTED) !== 0,
      boxesAgeMs: extras.boxesAgeMs,
      awaited: (flags & AWAITED) !== 0,
      clean: (flags & CLEAN) !== 0,
      vector: (flags & VECTOR) !== 0,
      narrow: (flags & NARROW) !== 0,
      objects: objects.map((object, i) => ({
        ...object,
        keyPoints: [],
        mask: null,
        ...extras.shapes[i],
        className: told.names.get(object.classId) ?? `class ${object.classId}`,
        ownColour: told.colours.get(object.classId) ?? null,
      })),
      zones: zonesOf(told.zones, extras.counts),
      look: extras.look,
    };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/* Pictures wait in no queue: what is older than this many records was not shown and will not be. */
const KEPT = 128;

/** Finds the record of the picture on the screen, whichever of the two comes first. */
export class MetadataMatch {
  readonly #records = new Map<number, FrameMetadata>();
  readonly #told = new Told();
  #onScreen: number | null = null;

  /** A message came: the record of the picture on the screen when it is that, or one that has no
   * picture; else null. */
  received(message: ArrayBuffer): FrameMetadata | null {
    const record = parseRecord(new Uint8Array(message), this.#told);
    if (record === null) return null;
    if (record.vector || record.rtpTimestamp === this.#onScreen) return record;
    this.#records.set(record.rtpTimestamp, record);
    if (this.#records.size > KEPT) {
      const [oldest] = this.#records.keys();
      if (oldest !== undefined) this.#records.delete(oldest);
    }
    return null;
  }

  /** A picture is on the screen: its record, or null when that has not come yet. */
  shown(rtpTimestamp: number): FrameMetadata | null {
    this.#onScreen = rtpTimestamp;
    const record = this.#records.get(rtpTimestamp) ?? null;
    /* Pictures are shown in order, records come in theirs: what was sent before is done with. */
    for (const older of [...this.#records.keys()]) {
      if (((older - rtpTimestamp) | 0) <= 0) this.#records.delete(older);
    }
    return record;
  }
}
