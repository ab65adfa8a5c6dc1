/* Videos and models on their way to the server. Knows no React. */
import { SERVER_SILENT } from '../player/server-types';
import { sentenceOf } from './server';

export interface Upload {
  readonly id: number;
  readonly name: string;
  readonly bytes: number;
  readonly sent: number;
  readonly state: 'sending' | 'done' | 'failed';
  readonly error: string;
  /** For the node that waits for it; '' = for none. */
  readonly nodeId: string;
}

export interface Uploaded {
  readonly id: string;
  readonly filename: string;
  readonly path: string;
  readonly size_bytes: number;
}

export const VIDEO_FILES = 'video/*,.mkv,.avi,.ts,.m2ts,.flv,.h264,.h265,.y4m';
export const MODEL_FILES = '.onnx';

export const isModel = (name: string): boolean => /\.onnx$/i.test(name);

function reasonOf({ status, responseText }: XMLHttpRequest): string {
  if (status === 0) return SERVER_SILENT;
  return sentenceOf(responseText) || `The server answered ${status}.`;
}

export class Uploads {
  #list: readonly Upload[] = [];
  #requests = new Map<number, XMLHttpRequest>();
  #listeners = new Set<() => void>();
  #lastId = 0;

  get list(): readonly Upload[] {
    return this.#list;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #set(list: readonly Upload[]): void {
    this.#list = list;
    for (const listener of this.#listeners) listener();
  }

  #change(id: number, change: Partial<Upload>): void {
    this.#set(this.#list.map((one) => (one.id === id ? { ...one, ...change } : one)));
  }

  /** Resolves with what the server made of it; null when it failed or was cancelled. */
  send(file: File, nodeId = ''): Promise<Uploaded | null> {
    const id = ++this.#lastId;
    const request = new XMLHttpRequest(); // fetch() tells no progress of what it sends
    this.#requests.set(id, request);
    const waiting = nodeId === '' ? this.#list : this.#list.filter((one) => one.nodeId !== nodeId);
    this.#set([...waiting, { id, name: file.name, bytes: file.size, sent: 0, state: 'sending', error: '', nodeId }]);
    return new Promise((resolve) => {
      const end = (made: Uploaded | null, error: string) => {
        this.#requests.delete(id);
        this.#change(id, made === null ? { state: 'failed', error } : { state: 'done', sent: file.size });
        resolve(made);
      };
      request.upload.addEventListener('progress', (event) => this.#change(id, { sent: event.loaded }));
      request.addEventListener('load', () => {
        if (request.status !== 201) return end(null, reasonOf(request));
        end(JSON.parse(request.responseText) as Uploaded, '');
      });
      request.addEventListener('error', () => end(null, reasonOf(request)));
      request.addEventListener('abort', () => {
        this.dismiss(id);
        resolve(null);
      });
      request.open('POST', `/api/uploads/${isModel(file.name) ? 'model' : 'video'}?name=${encodeURIComponent(file.name)}`);
      request.setRequestHeader('content-type', 'application/octet-stream');
      request.send(file);
    });
  }

  /** Ends it when it is on its way, and forgets it. */
  dismiss(id: number): void {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    this.#set(this.#list.filter((one) => one.id !== id));
    request?.abort();
  }
}
