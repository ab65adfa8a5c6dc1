/* What /api/recordings tells, put into days and told in words. Pure. */
import { formatBytes, formatSize } from '../../ui/format';
import { dayLabel, formatDay, formatDuration, formatTime } from '../../ui/time';

export interface RecordingInfo {
  /** Of its files, without ending. */
  readonly name: string;
  readonly video: string;
  readonly lines: string;
  readonly node_id: string;
  readonly workflow_name: string;
  readonly label: string;
  /** RFC 3339; '' when its lines are gone. */
  readonly start: string;
  readonly seconds: number;
  readonly bytes: number;
  readonly pictures: number;
  readonly events: number;
  readonly width: number;
  readonly height: number;
  /** Of the view: with 'clean' and 'original' nothing is drawn on the pictures. */
  readonly layout: string;
  /** manual, events, detections, always; '' = it was not told. */
  readonly trigger: string;
  /** Why it ended early. */
  readonly reason: string;
  /** It is being written. */
  readonly recording: boolean;
}

export interface Library {
  readonly recordings: readonly RecordingInfo[];
  readonly bytes: number;
  /** 0: nothing is kept on this server. */
  readonly maxBytes: number;
}

const TEXTS = ['video', 'lines', 'node_id', 'workflow_name', 'label', 'start', 'layout', 'trigger', 'reason'] as const;
const NUMBERS = ['seconds', 'bytes', 'pictures', 'events', 'width', 'height'] as const;

function recordingFrom(raw: Readonly<Record<string, unknown>>): RecordingInfo {
  const texts = TEXTS.map((name) => [name, typeof raw[name] === 'string' ? raw[name] : '']);
  const numbers = NUMBERS.map((name) => [name, typeof raw[name] === 'number' ? raw[name] : 0]);
  return { name: raw['name'], recording: raw['recording'] === true, ...Object.fromEntries([...texts, ...numbers]) } as RecordingInfo;
}

/** The latest first; null: this is no list. */
export function libraryFrom(body: unknown): Library | null {
  const { recordings: list, max_bytes: maxBytes } = (body ?? {}) as { recordings?: unknown; max_bytes?: unknown };
  if (!Array.isArray(list)) return null;
  const recordings = list.filter((one): one is Record<string, unknown> => typeof (one as { name?: unknown } | null)?.name === 'string').map(recordingFrom);
  recordings.sort((a, b) => (a.start < b.start ? 1 : a.start > b.start ? -1 : b.name.localeCompare(a.name)));
  return { recordings, bytes: recordings.reduce((sum, { bytes }) => sum + bytes, 0), maxBytes: typeof maxBytes === 'number' ? maxBytes : 0 };
}

export const titleOf = ({ label, node_id: node, name }: RecordingInfo): string => label || node || name;

/** '' when its time is not known. */
export const dayOf = ({ start }: Pick<RecordingInfo, 'start'>): string => formatDay(new Date(start));
export const timeOf = ({ start }: Pick<RecordingInfo, 'start'>): string => formatTime(new Date(start));

/* ---- words ---- */

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;

/** What started it, and what happened meanwhile. */
export function causeOf({ trigger, events }: Pick<RecordingInfo, 'trigger' | 'events'>): string {
  const happened = events > 0 ? count(events, 'event') : '';
  const also = happened === '' ? '' : `, ${happened}`;
  if (trigger === 'manual') return `By hand${also}`;
  if (trigger === 'always') return `All the time${also}`;
  if (trigger === 'detections') return 'Something was seen';
  return happened || (trigger === 'events' ? 'Event' : '');
}

const joined = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(' · ');

/** In the list. */
export const factsOf = (recording: RecordingInfo): string => joined(timeOf(recording), causeOf(recording), formatBytes(recording.bytes));

/** Where there is more room. */
export function allFactsOf(recording: RecordingInfo, now: Date): string {
  const { seconds, width, height, bytes, workflow_name: workflow } = recording;
  return joined(`${dayLabel(dayOf(recording), now)} ${timeOf(recording)}`.trim(), formatDuration(seconds), causeOf(recording), formatSize(width, height), formatBytes(bytes), workflow);
}

/** Is nothing drawn on its pictures, so that the page may draw what was seen? */
export const isPlain = ({ layout }: Pick<RecordingInfo, 'layout'>): boolean => layout === 'clean' || layout === 'original';

/** "3.2 GB of 10 GB" */
export function roomText({ bytes, maxBytes }: Library): string {
  return `${formatBytes(bytes)} of ${formatBytes(maxBytes)}`;
}

/* ---- the filter ---- */

export interface Filter {
  /** A node's id and a day; '' = all. */
  readonly view: string;
  readonly day: string;
}

export const matches = (recording: RecordingInfo, { view, day }: Filter): boolean =>
  (view === '' || recording.node_id === view) && (day === '' || dayOf(recording) === day);

export interface Choice {
  readonly value: string;
  readonly text: string;
  readonly count: number;
}

function choices(recordings: readonly RecordingInfo[], valueOf: (recording: RecordingInfo) => string, textOf: (recording: RecordingInfo, value: string) => string): Choice[] {
  const found = new Map<string, Choice>();
  for (const recording of recordings) {
    const value = valueOf(recording);
    const known = found.get(value);
    found.set(value, { value, text: known?.text ?? textOf(recording, value), count: (known?.count ?? 0) + 1 });
  }
  found.delete('');
  return [...found.values()];
}

/** The views and the days that there are recordings of; what is chosen stays among them. */
export function filterChoices(recordings: readonly RecordingInfo[], filter: Filter, now: Date): { views: Choice[]; days: Choice[] } {
  const views = choices(recordings.filter((one) => matches(one, { view: '', day: filter.day })), ({ node_id: node }) => node, titleOf);
  const days = choices(recordings.filter((one) => matches(one, { view: filter.view, day: '' })), dayOf, (_, day) => dayLabel(day, now));
  if (filter.view !== '' && !views.some(({ value }) => value === filter.view)) {
    const known = recordings.find(({ node_id: node }) => node === filter.view);
    views.push({ value: filter.view, text: known === undefined ? filter.view : titleOf(known), count: 0 });
  }
  if (filter.day !== '' && !days.some(({ value }) => value === filter.day)) days.push({ value: filter.day, text: dayLabel(filter.day, now), count: 0 });
  views.sort((a, b) => a.text.localeCompare(b.text, undefined, { numeric: true }));
  days.sort((a, b) => (a.value < b.value ? 1 : -1));
  return { views, days };
}

export function filterFrom(search: string): Filter {
  const parameters = new URLSearchParams(search);
  return { view: parameters.get('view') ?? '', day: parameters.get('day') ?? '' };
}

/** The search part of the address: '' or "?view=…&day=…". */
export function filterSearch({ view, day }: Filter): string {
  const parameters = new URLSearchParams([...(view === '' ? [] : [['view', view]]), ...(day === '' ? [] : [['day', day]])]);
  return parameters.size === 0 ? '' : `?${parameters.toString()}`;
}
