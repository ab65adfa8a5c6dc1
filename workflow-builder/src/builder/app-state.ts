/* The builder's state beside the workflow itself: what the server has, what runs, what is to be told.
 * Joins editor, live states and server; knows no React. */
import { Live } from './live';
import { settingChanges } from './model/changes';
import { newWorkflowFrom } from './model/duplicate';
import { Editor } from './model/editor';
import type { Finding, NodeType, Settings, TypeTable, Workflow } from './model/types';
import { SeenVersion } from './model/version';
import { server, ServerError, type Camera, type KeptWorkflow, type Model, type Tagged, type UploadRow, type WorkflowRow } from './server';
import { isModel, Uploads } from './uploads';

export interface Toast {
  readonly id: number;
  readonly kind: 'info' | 'error';
  readonly text: string;
}

export interface Report {
  readonly title: string;
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
  /** It can be saved all the same. */
  readonly canSave: boolean;
}

/** The workflow that was to be saved has been changed elsewhere. */
export interface Conflict {
  readonly draft: boolean;
  /** Of what is there now. */
  readonly tag: string | null;
}

export type ConflictChoice = 'mine' | 'theirs' | 'copy';

export interface AppState {
  readonly loading: boolean;
  readonly failure: string;
  readonly types: readonly NodeType[];
  readonly models: readonly Model[];
  readonly videos: readonly string[];
  readonly cameras: readonly Camera[];
  readonly uploaded: readonly UploadRow[];
  readonly maxUpload: number; // bytes; 0 = this server takes no uploads
  readonly rows: readonly WorkflowRow[];
  readonly saved: boolean; // the server has the open workflow
  readonly busy: '' | 'saving' | 'starting' | 'stopping';
  readonly toasts: readonly Toast[];
  readonly report: Report | null;
  readonly conflict: Conflict | null;
  /** What the last look found at nodes; forgotten with the next change. */
  readonly faults: ReadonlyMap<string, string>;
}

const NO_FAULTS: ReadonlyMap<string, string> = new Map();

/* Settings that are to go out. */
interface Pending {
  readonly document: number;
  readonly workflowId: string;
  readonly settings: Settings;
}

/* Without what the server adds to it. */
function bare(workflow: Workflow): Workflow {
  const { running: _running, saved: _saved, created_at: _created, updated_at: _updated, ...rest } = workflow;
  return rest as unknown as Workflow;
}

const TOAST_MS = 5_000;
/* A slider gives dozens of values a second: the latest goes out when the one before has arrived. */
const LIVE_PAUSE_MS = 40;

export class App {
  readonly editor = new Editor();
  readonly live = new Live();
  readonly uploads = new Uploads();
  #listeners = new Set<() => void>();
  #toastId = 0;
  #pending = new Map<string, Pending>(); // by node id
  #saving: Promise<boolean> | null = null;
  #changing: Promise<unknown> | null = null; // a setting that is on its way
  #seen = new SeenVersion();
  #connected = false;
  #sending = false;
  #state: AppState = {
    loading: true, failure: '', types: [], models: [], videos: [], cameras: [], uploaded: [], maxUpload: 0, rows: [], saved: false, busy: '', toasts: [], report: null, conflict: null, faults: NO_FAULTS,
  };

  get state(): AppState {
    return this.#state;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #set(change: Partial<AppState>): void {
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }

  tell(text: string, kind: Toast['kind'] = 'info'): void {
    const id = ++this.#toastId;
    const others = this.#state.toasts.filter((toast) => toast.text !== text).slice(-2);
    this.#set({ toasts: [...others, { id, kind, text }] });
    setTimeout(() => this.dismiss(id), TOAST_MS);
  }

  dismiss(id: number): void {
    this.#set({ toasts: this.#state.toasts.filter((toast) => toast.id !== id) });
  }

  #fail(error: unknown): void {
    this.tell(error instanceof Error ? error.message : String(error), 'error');
  }

  /* ---- loading ---- */

  /* Everything at once: nothing of it waits for anything else. */
  async start(): Promise<void> {
    this.live.start();
    this.live.listen('', () => this.#connectionChanged());
    const wanted = new URLSearchParams(location.search).get('workflow');
    const first = wanted === null ? null : server.read(wanted).catch(() => null);
    try {
      void this.#refreshModels(); // takes as long as some inferences when the server has not seen them yet
      const [types, rows, cameras, videos] = await Promise.all([server.nodeTypes(), server.list(), server.cameras(), this.#videos()]);
      const table: TypeTable = new Map(types.map((type) => [type.type, type]));
      this.editor.setTypes(table);
      this.#set({ types, rows, cameras, ...videos });
      const opened = await first;
      if (opened === null) await this.#openFirst(rows);
      else this.#showKept(opened);
    } catch (error) {
      this.#set({ failure: error instanceof Error ? error.message : String(error) });
    }
    this.#set({ loading: false });
  }

  /* A server that was away may have come back with other workflows. */
  #connectionChanged(): void {
    const { connected } = this.live;
    if (connected && !this.#connected && !this.#state.loading) void this.refreshRows();
    this.#connected = connected;
  }

  /* One that runs, else the one changed last. */
  async #openFirst(rows: readonly WorkflowRow[]): Promise<void> {
    const row = rows.find(({ running }) => running) ?? rows[0];
    if (row !== undefined) await this.open(row.id);
    else this.newWorkflow();
  }

  async refreshRows(): Promise<void> {
    try {
      this.#set({ rows: await server.list() });
    } catch (error) {
      this.#fail(error);
    }
  }

  async refreshCameras(): Promise<void> {
    try {
      this.#set({ cameras: await server.cameras() });
    } catch (error) {
      this.#fail(error);
    }
  }

  async #videos(): Promise<Pick<AppState, 'videos' | 'uploaded' | 'maxUpload'>> {
    const [files, { uploads: uploaded, max_bytes: maxUpload }] = await Promise.all([server.videos(), server.uploads()]);
    return { videos: files.map(({ name }) => name), uploaded, maxUpload };
  }

  async refreshVideos(): Promise<void> {
    try {
      this.#set(await this.#videos());
    } catch (error) {
      this.#fail(error);
    }
  }

  async #refreshModels(): Promise<void> {
    try {
      this.#set({ models: await server.models() });
    } catch (error) {
      this.#fail(error);
    }
  }

  async removeUpload(id: string): Promise<void> {
    try {
      await server.removeUpload(id);
    } catch (error) {
      this.#fail(error);
    }
    void this.#refreshModels();
    await this.refreshVideos();
  }

  /** Sends a video or a model; the node that waits for it takes it as soon as it is there. */
  async upload(file: File, nodeId = ''): Promise<void> {
    const { document: opened } = this.editor;
    const made = await this.uploads.send(file, nodeId);
    if (made === null) return;
    const model = isModel(made.path);
    await Promise.all([this.refreshVideos(), model ? this.#refreshModels() : null]);
    if (this.editor.document !== opened || !this.editor.state.workflow.nodes.some((node) => node.id === nodeId)) return;
    if (model) this.set(nodeId, 'modelId', made.path.replace(/\.onnx$/i, ''));
    else this.set(nodeId, 'videoPath', made.path);
    this.editor.endGesture();
  }

  #showKept({ body, tag }: Tagged<KeptWorkflow>): void {
    this.#show(bare(body), body.saved);
    this.#seen.see(tag);
  }

  #show(workflow: Workflow, saved: boolean): void {
    this.#seen.see(null);
    this.editor.open(workflow, saved);
    this.#set({ saved, report: null, conflict: null });
    this.#showAddress(saved ? workflow.id : '', workflow.name);
  }

  #showAddress(id: string, name: string): void {
    const address = new URL(location.href);
    if (id !== '') address.searchParams.set('workflow', id);
    else address.searchParams.delete('workflow');
    history.replaceState(null, '', address);
    document.title = `${name} · Overwatch X-RAY`;
  }

  async open(id: string): Promise<void> {
    try {
      this.#showKept(await server.read(id));
    } catch (error) {
      this.#fail(error);
    }
  }

  newWorkflow(): void {
    this.#show({ id: '', name: 'Untitled workflow', version: '1.0', nodes: [], edges: [] }, false);
  }

  /* ---- saving and running ---- */

  get isRunning(): boolean {
    const { id } = this.editor.state.workflow;
    return id !== '' && this.live.isRunning(id);
  }

  #refused(title: string, error: unknown, canSave: boolean): void {
    if (error instanceof ServerError && error.errors.length > 0) this.#report({ title, errors: error.errors, warnings: error.warnings, canSave });
    else this.#fail(error);
  }

  /* The nodes with mistakes stay marked when the list has been closed. */
  #report(report: Report): void {
    const faults = report.errors.flatMap(({ node_id: id, message }): [string, string][] => (id === null ? [] : [[id, message]]));
    this.#set({ report, faults: new Map(faults) });
    const { workflow } = this.editor.state;
    const stop = this.editor.subscribe(() => {
      if (this.editor.state.workflow === workflow) return;
      stop();
      this.#set({ faults: NO_FAULTS });
    });
  }

  /** Returns whether the server has what was there when it was called. */
  async save(draft = false): Promise<boolean> {
    await this.#quiet();
    if (this.#state.saved && !this.editor.state.dirty && !draft) return true;
    return this.#saveNow(draft, this.#seen.tag);
  }

  /* One after the other: two saves at once would make two workflows of a new one, and a save must name
   * the version that a setting on its way is about to make. */
  async #quiet(): Promise<void> {
    while (this.#saving !== null || this.#changing !== null) await (this.#saving ?? this.#changing);
  }

  async #saveNow(draft: boolean, seen: string | null): Promise<boolean> {
    this.#saving = this.#save(draft, seen);
    const done = await this.#saving;
    this.#saving = null;
    return done;
  }

  /* What has been deleted elsewhere is kept again; a save of this page whose answer was lost is no change
   * by somebody else. */
  async #write(workflow: Workflow, draft: boolean, seen: string | null) {
    if (!this.#state.saved) return server.add(workflow, draft);
    try {
      return await server.replace(workflow, draft, seen);
    } catch (error) {
      const status = error instanceof ServerError ? error.status : 0;
      if (status === 404) return server.add(workflow, draft);
      if (status !== 412 || !this.#seen.isUnsure) throw error;
      const { body, tag } = await server.read(workflow.id);
      if (!this.#seen.isOwn(bare(body))) throw error;
      return server.replace(workflow, draft, tag);
    }
  }

  async #save(draft: boolean, seen: string | null): Promise<boolean> {
    const { document: opened } = this.editor;
    const { workflow } = this.editor.state;
    this.#set({ busy: 'saving', report: null, conflict: null });
    try {
      const { body: done, tag } = await this.#write(workflow, draft, seen);
      if (done.not_applied !== undefined) this.tell(done.not_applied, 'error');
      if (this.editor.document === opened) {
        this.editor.markSaved(done.id, workflow);
        this.#seen.see(tag);
        this.#set({ saved: true });
        this.#showAddress(done.id, workflow.name);
      }
      await this.refreshRows();
      return true;
    } catch (error) {
      if (!(error instanceof ServerError) || error.status === 0) this.#seen.sentInVain(workflow);
      if (!(error instanceof ServerError && error.status === 412)) this.#refused('This workflow has mistakes', error, true);
      else if (this.editor.document === opened) this.#set({ conflict: { draft, tag: error.tag } });
      return false;
    } finally {
      this.#set({ busy: '' });
    }
  }

  /** What is to become of the changes here and those elsewhere; null leaves both as they are. */
  async resolve(choice: ConflictChoice | null): Promise<void> {
    const { conflict } = this.#state;
    this.#set({ conflict: null });
    if (conflict === null || choice === null) return;
    if (choice === 'theirs') {
      await this.#takeTheirs();
      return;
    }
    await this.#quiet();
    if (choice === 'copy') this.#show(newWorkflowFrom(this.editor.state.workflow), false);
    await this.#saveNow(conflict.draft, choice === 'mine' ? conflict.tag : null);
  }

  async #takeTheirs(): Promise<void> {
    const { document: opened } = this.editor;
    try {
      const { body, tag } = await server.read(this.editor.state.workflow.id);
      if (this.editor.document !== opened) return;
      this.editor.takeOver(bare(body));
      this.#seen.see(tag);
      this.#showAddress(body.id, body.name);
      this.tell('What you had here is one step back: undo brings it again.');
    } catch (error) {
      this.#fail(error);
    }
  }

  async execute(): Promise<void> {
    const { document: opened } = this.editor;
    if ((this.editor.state.dirty || !this.#state.saved) && !(await this.save())) return;
    if (this.editor.document !== opened) return;
    this.#set({ busy: 'starting' });
    try {
      await server.execute(this.editor.state.workflow.id);
      await this.refreshRows();
    } catch (error) {
      this.#refused('This workflow cannot start', error, false);
    } finally {
      this.#set({ busy: '' });
    }
  }

  async stop(): Promise<void> {
    this.#set({ busy: 'stopping' });
    try {
      await server.stop(this.editor.state.workflow.id);
      await this.refreshRows();
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#set({ busy: '' });
    }
  }

  async validate(): Promise<void> {
    try {
      const { valid, errors, warnings } = await server.validate(this.editor.state.workflow);
      if (valid && warnings.length === 0) this.tell('No mistakes found.');
      else this.#report({ title: valid ? 'This workflow can run' : 'This workflow has mistakes', errors, warnings, canSave: false });
    } catch (error) {
      this.#fail(error);
    }
  }

  closeReport(): void {
    this.#set({ report: null });
  }

  /* ---- other workflows ---- */

  async removeWorkflow(id: string): Promise<void> {
    try {
      await server.remove(id);
      const rows = await server.list();
      this.#set({ rows });
      if (id === this.editor.state.workflow.id) await this.#openFirst(rows);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Changes the name of what is kept, and nothing else of it. */
  async renameWorkflow(id: string, name: string): Promise<void> {
    const { document: opened } = this.editor;
    try {
      const { body, tag } = await server.read(id);
      const { tag: renamed } = await server.replace({ ...bare(body), name }, true, tag);
      if (this.editor.document === opened && this.editor.state.workflow.id === id) {
        this.editor.renameSaved(name);
        this.#seen.follow(tag, renamed);
        this.#showAddress(id, name);
      }
      await this.refreshRows();
    } catch (error) {
      this.#fail(error);
    }
  }

  async duplicateWorkflow(id: string): Promise<void> {
    try {
      this.#show(newWorkflowFrom(bare((await server.read(id)).body)), false);
    } catch (error) {
      this.#fail(error);
    }
  }

  async importFile(file: File): Promise<void> {
    try {
      const document: unknown = JSON.parse(await file.text());
      const done = await server.importFile(document, file.name.replace(/\.json$/i, ''));
      await this.refreshRows();
      await this.open(done.id);
      if (done.errors.length + done.warnings.length > 0) {
        this.#report({ title: 'Imported, with remarks', errors: done.errors, warnings: done.warnings, canSave: false });
      }
    } catch (error) {
      if (error instanceof SyntaxError) this.tell(`${file.name} is no workflow: it is not valid JSON.`, 'error');
      else this.#fail(error);
    }
  }

  /* ---- settings, live ---- */

  set(nodeId: string, name: string, value: unknown): void {
    this.#follow(() => this.editor.set(nodeId, name, value));
  }

  undo(): void {
    this.#follow(() => this.editor.undo());
  }

  redo(): void {
    this.#follow(() => this.editor.redo());
  }

  /* What a step changes in settings, the running picture follows. */
  #follow(step: () => void): void {
    const before = this.editor.state.workflow;
    step();
    const { workflow } = this.editor.state;
    if (!this.isRunning) return;
    for (const [nodeId, settings] of settingChanges(before, workflow)) {
      if (this.live.state(workflow.id, nodeId) === null) continue;
      const pending = this.#pending.get(nodeId);
      this.#pending.set(nodeId, { document: this.editor.document, workflowId: workflow.id, settings: { ...pending?.settings, ...settings } });
    }
    void this.#send();
  }

  async #send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (;;) {
      /* A save carries older settings: one that overtook it would be undone by it. */
      while (this.#saving !== null) await this.#saving;
      const next = [...this.#pending][0];
      if (next === undefined) break;
      const [nodeId, { document: opened, workflowId, settings }] = next;
      this.#pending.delete(nodeId);
      try {
        const changing = server.setNode(workflowId, nodeId, settings);
        this.#changing = changing.catch(() => null);
        const { body, tag } = await changing;
        if (body.not_applied !== undefined) this.tell(body.not_applied, 'error');
        if (this.editor.document === opened) {
          this.editor.markSettingsSaved(nodeId, settings);
          this.#seen.follow(body.replaced_etag ?? null, tag);
        }
      } catch (error) {
        this.#fail(error);
      }
      this.#changing = null;
      await new Promise((resolve) => setTimeout(resolve, LIVE_PAUSE_MS));
    }
    this.#sending = false;
  }
}
