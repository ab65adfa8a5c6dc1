/* What the server tells about itself and its views. Everything is optional but the ids: the page
 * shows what is there. */

export interface SourceInfo {
  readonly state?: string; // opening, playing, no_signal, ended
  readonly text?: string;
  readonly codec?: string;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
}

/* Of a view. */
export interface Recording {
  readonly state: 'off' | 'ready' | 'recording' | 'error';
  /** Somebody wanted it. */
  readonly by_hand: boolean;
  readonly name: string;
  readonly seconds: number;
  readonly error: string;
}

export interface ViewInfo {
  readonly node_id: string;
  readonly workflow_id?: string;
  readonly workflow_name?: string;
  readonly label?: string;
  readonly source_id?: string;
  readonly model_id?: string;
  readonly source?: SourceInfo;
  readonly model_error?: string;
  readonly error?: string;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly model_fps?: number;
  /** Time of one inference, milliseconds. */
  readonly model_ms?: number;
  readonly detections?: number;
  /** Capture to encoded of the last picture, milliseconds. */
  readonly processing_ms?: number;
  /** Pictures made since the view runs. */
  readonly frames?: number;
  /** Of the last picture: milliseconds from capture to each stage. */
  readonly latency_ms?: Readonly<Record<string, number>>;
  readonly xray_mode?: string;
  readonly color_scheme?: string;
  readonly encoder?: string;
  /** Made to be recorded. */
  readonly is_recorder?: boolean;
  readonly recording?: Recording;
}

export interface Health {
  readonly status?: string;
  readonly version?: string;
  readonly uptime_s?: number;
}

export const SERVER_SILENT = 'The server does not answer. Start it with ./run; the picture then comes back by itself.';
export const SOCKET_BLOCKED = 'The server answers, but its WebSocket does not open: a proxy or the browser blocks it. Choose Auto or WebRTC.';

export type Json = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A message of the WebSocket that is text; null: it is no object of JSON. */
export function messageFrom(text: string): Json | null {
  try {
    const message: unknown = JSON.parse(text);
    return isRecord(message) ? message : null;
  } catch {
    return null;
  }
}

/* The server's names for what the page calls by another. */
const OTHER_NAMES: Readonly<Record<string, keyof ViewInfo>> = {
  detections_count: 'detections',
  processing_time_ms: 'processing_ms',
};

/* Stage stamps are milliseconds after capture; the model's own time lies between two of them. */
function modelMsOf(stages: unknown): number | null {
  if (!isRecord(stages)) return null;
  const { infer_start: start, infer_end: end } = stages;
  return typeof start === 'number' && typeof end === 'number' && end > start ? end - start : null;
}

function describedView(raw: Json): ViewInfo {
  const view: Record<string, unknown> = { ...raw };
  for (const [theirs, ours] of Object.entries(OTHER_NAMES)) view[ours] ??= raw[theirs];
  view['model_ms'] ??= modelMsOf(raw['latency_ms']) ?? undefined;
  if (isRecord(raw['source'])) view['source_id'] ??= raw['source']['node_id'];
  return view as unknown as ViewInfo;
}

/** Views out of `GET /api/views` or a status_update message, whatever wraps them; null = none in it. */
export function viewsFrom(body: unknown): ViewInfo[] | null {
  const inner = isRecord(body) && isRecord(body['data']) ? body['data'] : body;
  const list = isRecord(inner) ? inner['views'] : inner;
  if (!Array.isArray(list)) return null;
  return list.filter((view): view is Json => isRecord(view) && typeof view['node_id'] === 'string').map(describedView);
}

/** With a capital letter and a full stop. */
export function asSentence(text: string): string {
  return (/[.!?]$/.test(text) ? text : `${text}.`).replace(/^[a-z]/, (letter) => letter.toUpperCase());
}

/** The sentence in an error answer, or a plain one with the status. */
export async function errorSentence(response: Response): Promise<string> {
  try {
    const body: unknown = await response.json();
    if (isRecord(body) && typeof body['detail'] === 'string' && body['detail'] !== '') return asSentence(body['detail']);
  } catch {
    /* not JSON: the status says what there is to say */
  }
  return `The server answered ${response.status} ${response.statusText}`.trim() + '.';
}
