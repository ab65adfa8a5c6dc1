/* The server's routes for the builder. A refusal is a ServerError whose message is a sentence. */
import { asSentence, errorSentence, SERVER_SILENT } from '../player/server-types';
import type { Finding, NodeType, Settings, Workflow } from './model/types';

export class ServerError extends Error {
  constructor(
    message: string, readonly status: number, readonly errors: readonly Finding[] = [], readonly warnings: readonly Finding[] = [],
    readonly tag: string | null = null,
  ) {
    super(message);
  }
}

/** An answer, and which version of a workflow it is of. */
export interface Tagged<T> {
  readonly body: T;
  readonly tag: string | null;
}

export type KeptWorkflow = Workflow & { readonly running: boolean; readonly saved: boolean };

export interface NodeChange {
  readonly change?: string;
  readonly not_applied?: string;
  readonly replaced_etag?: string;
}

export interface WorkflowRow {
  readonly id: string;
  readonly name: string;
  readonly node_count: number;
  readonly running: boolean;
  readonly saved: boolean;
  readonly updated_at: number;
}

export interface Saved {
  readonly id: string;
  readonly workflow: Workflow;
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
  readonly applied: boolean;
  readonly not_applied?: string;
}

export interface Model {
  readonly id: string;
  readonly name: string;
  readonly default: boolean;
  /** Why it cannot be used; else what it is. */
  readonly error?: string;
  readonly task?: string;
  readonly class_count?: number;
  readonly input_width?: number;
  readonly input_height?: number;
  readonly ms?: number;
}

export interface Camera {
  readonly id: string;
  readonly name: string;
  readonly url: string;
  readonly username: string;
  readonly has_password: boolean;
  readonly enabled: boolean;
}

export interface CameraTrial {
  readonly ok: boolean;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly codec: string;
  readonly reason: string;
}

/** A video that somebody has sent to the server; `path` is what a source's `videoPath` takes. */
export interface UploadRow {
  readonly id: string;
  readonly filename: string;
  readonly path: string;
  readonly size_bytes: number;
  readonly in_use: boolean;
}

/** Without `password` the one that is kept stays. */
export type CameraDraft = Pick<Camera, 'name' | 'url' | 'username'> & { readonly password?: string };

export interface ClassName {
  readonly id: number;
  readonly name: string;
}

const BUILDER = '/api/workflow-builder', COMPONENTS = '/api/workflow-components', CAMERAS = '/api/cameras', UPLOADS = '/api/uploads';

/** The sentence in the text of an error answer; '' = there is none. */
export function sentenceOf(text: string): string {
  try {
    const { detail } = JSON.parse(text) as { detail?: unknown };
    return typeof detail === 'string' && detail !== '' ? asSentence(detail) : '';
  } catch {
    return '';
  }
}

async function refuse(response: Response): Promise<never> {
  const copy = response.clone();
  const message = response.status === 401
    ? 'The log-in has ended: log in again in another tab, then go on here. Nothing is lost.'
    : await errorSentence(response);
  let errors: Finding[] = [], warnings: Finding[] = [];
  try {
    const body = (await copy.json()) as { errors?: Finding[]; warnings?: Finding[] };
    errors = body.errors ?? [];
    warnings = body.warnings ?? [];
  } catch { /* the sentence is all there is */ }
  throw new ServerError(message, response.status, errors, warnings, response.headers.get('etag'));
}

async function callTagged<T>(method: string, path: string, body?: unknown, ifMatch: string | null = null): Promise<Tagged<T>> {
  const headers: Record<string, string> = ifMatch === null ? {} : { 'if-match': ifMatch };
  const options: RequestInit = { method, headers };
  if (body !== undefined) {
    headers['content-type'] = 'application/json';
    options.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new ServerError(SERVER_SILENT, 0);
  }
  return response.ok ? { body: (await response.json()) as T, tag: response.headers.get('etag') } : refuse(response);
}

const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => (await callTagged<T>(method, path, body)).body;

const at = (id: string) => `${BUILDER}/${encodeURIComponent(id)}`;

export const server = {
  nodeTypes: async () => (await call<{ node_types: NodeType[] }>('GET', `${COMPONENTS}/node-types`)).node_types,
  models: async () => (await call<{ models: Model[] }>('GET', `${COMPONENTS}/models`)).models,
  classes: async (model: string) => (await call<{ classes: ClassName[] }>('GET', `${COMPONENTS}/classes?model=${encodeURIComponent(model)}`)).classes,
  videos: async () => (await call<{ files: { name: string }[] }>('GET', `${COMPONENTS}/videos`)).files,
  cameras: async () => (await call<{ cameras: Camera[] }>('GET', CAMERAS)).cameras,
  addCamera: (camera: CameraDraft) => call<Camera>('POST', CAMERAS, camera),
  changeCamera: (id: string, camera: Partial<CameraDraft>) => call<Camera>('PUT', `${CAMERAS}/${encodeURIComponent(id)}`, camera),
  removeCamera: (id: string) => call<unknown>('DELETE', `${CAMERAS}/${encodeURIComponent(id)}`),
  tryCamera: (id: string) => call<CameraTrial>('POST', `${CAMERAS}/${encodeURIComponent(id)}/test`),
  uploads: () => call<{ uploads: UploadRow[]; max_bytes: number }>('GET', UPLOADS),
  removeUpload: (id: string) => call<unknown>('DELETE', `${UPLOADS}/${encodeURIComponent(id)}`),
  list: async () => (await call<{ workflows: WorkflowRow[] }>('GET', BUILDER)).workflows,
  read: (id: string) => callTagged<KeptWorkflow>('GET', at(id)),
  add: (workflow: Workflow, draft: boolean) => callTagged<Saved>('POST', draft ? `${BUILDER}?draft=true` : BUILDER, workflow),
  /** Refused with 412, and the tag of what is there, when that is another version than `seen`. */
  replace: (workflow: Workflow, draft: boolean, seen: string | null) => callTagged<Saved>('PUT', draft ? `${at(workflow.id)}?draft=true` : at(workflow.id), workflow, seen),
  setNode: (id: string, node: string, data: Settings) => callTagged<NodeChange>('PATCH', `${at(id)}/nodes/${encodeURIComponent(node)}`, { data }),
  remove: (id: string) => call<unknown>('DELETE', at(id)),
  execute: (id: string) => call<{ warnings?: Finding[] }>('POST', `${at(id)}/execute`),
  stop: (id: string) => call<unknown>('POST', `${at(id)}/stop`),
  validate: (workflow: Workflow) => call<{ valid: boolean; errors: Finding[]; warnings: Finding[] }>('POST', `${BUILDER}/validate`, workflow),
  importFile: (document: unknown, name: string) => call<Saved>('POST', `${BUILDER}/import?name=${encodeURIComponent(name)}`, document),
  exportAddress: (id: string) => `${at(id)}/export`,
};
