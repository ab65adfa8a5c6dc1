/* The lines beside a video: what happened, what was seen in each picture, and how that is drawn. Pure. */
import { PARTS, WHOLE_LOOK, zonesOf, type Counted, type FrameMetadata, type Look, type SeenObject, type ZonePlace } from '../../player/metadata';

export interface RecordedEvent {
  /** Seconds in the video. */
  readonly at: number;
  readonly text: string;
}

export interface RecordedPicture {
  readonly at: number;
  readonly seen: FrameMetadata;
  /** The view's `colorScheme`. */
  readonly scheme: string;
}

export interface RecordedLines {
  readonly events: readonly RecordedEvent[];
  /** In the order of the video. */
  readonly pictures: readonly RecordedPicture[];
}

interface Detection {
  readonly class_id?: number;
  readonly class_name?: string;
  readonly confidence?: number;
  readonly bbox?: readonly number[];
  readonly track_id?: number;
  readonly mask?: { readonly size: readonly number[]; readonly counts: readonly number[] };
  readonly keypoints?: readonly (readonly number[])[];
}

interface RecordedZone {
  readonly node_id?: string;
  /** Of where it is. */
  readonly name?: string;
  readonly zone_type?: string;
  readonly points?: readonly (readonly number[])[];
  /** Of what it counts. */
  readonly inside?: number;
  readonly crossed_in?: number;
  readonly crossed_out?: number;
  readonly happened_ms?: number;
}

interface RecordedLook {
  readonly color_scheme?: string;
  /** Of classes, by name or number; the first that fits counts. */
  readonly colors?: readonly (readonly [string, string])[];
  readonly hides?: readonly string[];
  readonly min_confidence?: number;
}

interface Line {
  readonly pts?: number;
  readonly event?: string;
  readonly node_id?: string;
  readonly class_name?: string;
  readonly track_id?: number;
  readonly count?: number;
  readonly capture_us?: number;
  readonly predicted?: boolean;
  readonly width?: number;
  readonly height?: number;
  readonly detections?: readonly Detection[];
  readonly zones?: readonly RecordedZone[];
  readonly look?: RecordedLook;
}

/* What lines tell when it changes. */
interface Told {
  readonly scheme: string;
  readonly look: Look;
  readonly colours: RecordedLook['colors'];
  readonly hidesZones: boolean;
  readonly places: readonly ZonePlace[];
  /** Of zones, by their nodes. */
  readonly names: ReadonlyMap<string, string>;
}

const NOTHING_TOLD: Told = { scheme: '', look: WHOLE_LOOK, colours: [], hidesZones: false, places: [], names: new Map() };
const COLOUR = /^#[0-9a-f]{6}$/i;

const DOES: Readonly<Record<string, string>> = { enter: 'enters', leave: 'leaves', dwell: 'stays in', cross_in: 'crosses in', cross_out: 'crosses out' };

/** "person #7 enters Yard", "3 seen by model" */
export function eventText({ event, node_id: id = '', class_name: name = '', track_id: track, count = 0 }: Line, names = NOTHING_TOLD.names): string {
  const node = names.get(id) ?? id;
  if (event === undefined) return `${count} seen by ${node}`;
  return `${name === '' ? 'something' : name}${track === undefined || track === 0 ? '' : ` #${track}`} ${DOES[event] ?? event} ${node}`;
}

function ownColourOf({ class_id: id = 0, class_name: name = '' }: Detection, colours: Told['colours'] = []): string | null {
  return colours.find(([of, colour]) => (of === name || of === String(id)) && COLOUR.test(colour))?.[1] ?? null;
}

function objectFrom(raw: Detection, width: number, height: number, colours: Told['colours']): SeenObject {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = raw.bbox ?? [];
  const [maskHeight = 0, maskWidth = 0] = raw.mask?.size ?? [];
  return {
    classId: raw.class_id ?? 0,
    className: raw.class_name ?? '',
    trackId: raw.track_id ?? null,
    confidence: raw.confidence ?? 0,
    ownColour: ownColourOf(raw, colours),
    box: { x: x1 / width, y: y1 / height, width: (x2 - x1) / width, height: (y2 - y1) / height },
    keyPoints: (raw.keypoints ?? []).map(([x = 0, y = 0, score = 0]) => ({ x: x / width, y: y / height, score })),
    mask: raw.mask === undefined ? null : { width: maskWidth, height: maskHeight, runs: raw.mask.counts },
  };
}

const placeFrom = ({ name = '', zone_type: type, points = [] }: RecordedZone): ZonePlace => ({ name, line: type === 'line', points: points.map(([x = 0, y = 0]) => ({ x, y })) });

const countedFrom = ({ inside = 0, crossed_in: crossedIn, crossed_out: crossedOut = 0, happened_ms: happenedMs }: RecordedZone): Counted =>
  ({ line: crossedIn !== undefined, inside, crossedIn: crossedIn ?? 0, crossedOut, happenedMs: happenedMs ?? null });

function learn(told: Told, { look, zones = [] }: Line): Told {
  if (look === undefined) {
    const named = zones.flatMap(({ node_id: id = '', name = '' }): readonly (readonly [string, string])[] => (name === '' ? [] : [[id, name]]));
    return { ...told, places: zones.map(placeFrom), names: new Map([...told.names, ...named]) };
  }
  const { color_scheme: scheme = '', colors: colours = [], hides = [], min_confidence: confidence = 0 } = look;
  return { ...told, scheme, colours, hidesZones: hides.includes('zones'), look: { parts: new Set(PARTS.filter((part) => !hides.includes(part))), confidence } };
}

function pictureFrom(line: Line, told: Told): RecordedPicture {
  const { pts: at = 0, width = 1, height = 1 } = line;
  return {
    at,
    scheme: told.scheme,
    seen: {
      rtpTimestamp: 0, captureUs: line.capture_us ?? 0, stagesMs: {}, sentMs: 0, width, height,
      predicted: line.predicted === true, boxesAgeMs: null, awaited: false, clean: true, vector: false, narrow: false,
      zones: told.hidesZones ? [] : zonesOf(told.places, (line.zones ?? []).map(countedFrom)),
      look: told.look,
      objects: (line.detections ?? []).map((one) => objectFrom(one, width, height, told.colours)),
    },
  };
}

/** A last line that is only half there is left out. Pictures are read when they are wanted: they are
 * nearly all that there is. */
export function readLines(text: string, withPictures: boolean): RecordedLines {
  const events: RecordedEvent[] = [], pictures: RecordedPicture[] = [];
  let told = NOTHING_TOLD;
  for (const line of text.split('\n')) {
    const type = /^\{"type":"([a-z_]+)"/.exec(line)?.[1] ?? '';
    const isPicture = type === 'picture', tells = type === 'look' || type === 'zones';
    if (isPicture ? !withPictures : !tells && !type.endsWith('_event')) continue;
    try {
      const parsed = JSON.parse(line) as Line;
      if (isPicture) pictures.push(pictureFrom(parsed, told));
      else if (tells) told = learn(told, parsed);
      else events.push({ at: parsed.pts ?? 0, text: eventText(parsed, told.names) });
    } catch {
      /* it is being written */
    }
  }
  events.sort((a, b) => a.at - b.at);
  return { events, pictures };
}

/* Times are written to a microsecond; pictures are further apart. */
const SAME_S = 0.001;

/** The picture that is shown at a time of the video: the last one that has begun; null: none has. */
export function pictureAt(pictures: readonly RecordedPicture[], at: number): RecordedPicture | null {
  let from = 0, to = pictures.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((pictures[middle]?.at ?? 0) <= at + SAME_S) from = middle + 1;
    else to = middle;
  }
  return pictures[from - 1] ?? null;
}
