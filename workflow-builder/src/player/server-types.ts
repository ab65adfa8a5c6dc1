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

export interface ViewInfo {
  readonly node_id: string;
  readonly workflow_id?: string;
  readonly workflow_name?: string;
  readonly label?: string;
  readonly prefers_webrtc?: boolean;
  readonly predict?: boolean;
  readonly source_id?: string;
  readonly model_id?: string;
  readonly source?: SourceInfo;
  readonly model_error?: string;
  readonly error?: string;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly model_fps?: number;
  readonly model_ms?: number;
  readonly detections?: number;
  readonly processing_ms?: number;
  readonly xray_mode?: string;
  readonly color_scheme?: string;
  readonly encoder?: string;
  readonly target_bps?: number;
}

export interface Health {
  readonly status?: string;
  readonly version?: string;
  readonly uptime_s?: number;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Views out of `GET /api/views` or a status_update message, whatever wraps them; null = none in it. */
export function viewsFrom(body: unknown): ViewInfo[] | null {
  const wrapped = isRecord(body) && !Array.isArray(body) ? (body['views'] ?? (isRecord(body['data']) ? body['data']['views'] : undefined)) : body;
  if (!Array.isArray(wrapped)) return null;
  return wrapped.filter((view): view is ViewInfo => isRecord(view) && typeof view['node_id'] === 'string');
}

/** The sentence in an error answer, or a plain one with the status. */
export async function errorSentence(response: Response): Promise<string> {
  try {
    const body: unknown = await response.json();
    if (isRecord(body) && typeof body['detail'] === 'string' && body['detail'] !== '') return body['detail'];
  } catch {
    /* not JSON: the status says what there is to say */
  }
  return `The server answered ${response.status} ${response.statusText}`.trim() + '.';
}

/** The model's own milliseconds: stated, or from the last picture's stage stamps. */
export function modelMs(view: ViewInfo): number | null {
  return typeof view.model_ms === 'number' && view.model_ms > 0 ? view.model_ms : null;
}
