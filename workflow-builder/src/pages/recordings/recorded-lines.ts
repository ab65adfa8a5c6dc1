/* The lines beside a video: what happened, and what was seen in each picture. Pure. */
import { PARTS, type FrameMetadata, type SeenObject } from '../../player/metadata';

export interface RecordedEvent {
  /** Seconds in the video. */
  readonly at: number;
  readonly text: string;
}

export interface RecordedPicture {
  readonly at: number;
  readonly seen: FrameMetadata;
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
  /** What the user wanted less drawn than was seen. */
  readonly hides?: readonly string[];
  readonly min_confidence?: number;
}

const DOES: Readonly<Record<string, string>> = { enter: 'enters', leave: 'leaves', dwell: 'stays in', cross_in: 'crosses in', cross_out: 'crosses out' };

/** "person #7 enters yard", "3 seen by model" */
export function eventText({ event, node_id: node = '', class_name: name = '', track_id: track, count = 0 }: Line): string {
  if (event === undefined) return `${count} seen by ${node}`;
  return `${name === '' ? 'something' : name}${track === undefined || track === 0 ? '' : ` #${track}`} ${DOES[event] ?? event} ${node}`;
}

function objectFrom(raw: Detection, width: number, height: number): SeenObject {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = raw.bbox ?? [];
  const [maskHeight = 0, maskWidth = 0] = raw.mask?.size ?? [];
  return {
    classId: raw.class_id ?? 0,
    className: raw.class_name ?? '',
    trackId: raw.track_id ?? null,
    confidence: raw.confidence ?? 0,
    ownColour: null,
    box: { x: x1 / width, y: y1 / height, width: (x2 - x1) / width, height: (y2 - y1) / height },
    keyPoints: (raw.keypoints ?? []).map(([x = 0, y = 0, score = 0]) => ({ x: x / width, y: y / height, score })),
    mask: raw.mask === undefined ? null : { width: maskWidth, height: maskHeight, runs: raw.mask.counts },
  };
}

function pictureFrom(line: Line): RecordedPicture {
  const { pts: at = 0, width = 1, height = 1, hides = [], min_confidence: confidence = 0 } = line;
  return {
    at,
    seen: {
      rtpTimestamp: 0, captureUs: line.capture_us ?? 0, stagesMs: {}, sentMs: 0, width, height,
      predicted: line.predicted === true, boxesAgeMs: null, awaited: false, clean: true, vector: false, narrow: false, zones: [],
      look: { parts: new Set(PARTS.filter((part) => !hides.includes(part))), confidence },
      objects: (line.detections ?? []).map((one) => objectFrom(one, width, height)),
    },
  };
}

/** A last line that is only half there is left out. Pictures are read when they are wanted: they are
 * nearly all that there is. */
export function readLines(text: string, withPictures: boolean): RecordedLines {
  const events: RecordedEvent[] = [], pictures: RecordedPicture[] = [];
  for (const line of text.split('\n')) {
    const type = /^\{"type":"([a-z_]+)"/.exec(line)?.[1];
    if (type === undefined || (type === 'picture' ? !withPictures : !type.endsWith('_event'))) continue;
    try {
      const parsed = JSON.parse(line) as Line;
      if (type === 'picture') pictures.push(pictureFrom(parsed));
      else events.push({ at: parsed.pts ?? 0, text: eventText(parsed) });
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
