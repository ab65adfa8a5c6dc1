/* The workflow that is being edited: every change goes through here, can be undone, and is told to
 * whoever listens. Knows neither React nor the server. */
import { same, withNodeSettings } from './changes';
import { History } from './history';
import { layout, type Size } from './layout';
import { settingsOf, withSettings, type Settings, type TypeTable, type Workflow, type WorkflowNode } from './types';
import { copies, edgeBetween, newId, refusal, without } from './wiring';

export interface EditorState {
  readonly workflow: Workflow;
  readonly selected: ReadonlySet<string>; // nodes and edges
  readonly dirty: boolean;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
}

const EMPTY: Workflow = { id: '', name: 'Untitled workflow', version: '1.0', nodes: [], edges: [] };
const PASTE_OFFSET = 40;

export class Editor {
  #types: TypeTable = new Map();
  #history = new History<Workflow>();
  #listeners = new Set<() => void>();
  #clipboard: Pick<Workflow, 'nodes' | 'edges'> | null = null;
  #pastes = 0;
  #saved: Workflow | null = null; // what the server has of it
  #document = 0;
  #state: EditorState = { workflow: EMPTY, selected: new Set(), dirty: false, canUndo: false, canRedo: false };

  get state(): EditorState {
    return this.#state;
  }

  get types(): TypeTable {
    return this.#types;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  setTypes(types: TypeTable): void {
    this.#types = types;
    this.#tell(this.#state.workflow);
  }

  #tell(workflow: Workflow, selected: ReadonlySet<string> = this.#state.selected): void {
    this.#state = {
      workflow, selected, dirty: !same(workflow, this.#saved ?? EMPTY), canUndo: this.#history.canUndo, canRedo: this.#history.canRedo,
    };
    for (const listener of this.#listeners) listener();
  }

  #change(workflow: Workflow, kind: string | null = null, selected: ReadonlySet<string> = this.#state.selected): void {
    this.#history.note(this.#state.workflow, kind);
    this.#tell(workflow, selected);
  }

  /** Another one each time a workflow is opened: whoever waits for the server sees whether it is still
   * the one that is shown. */
  get document(): number {
    return this.#document;
  }

  /** Shows another workflow, as it is saved (or not yet). */
  open(workflow: Workflow, saved = true): void {
    this.#document += 1;
    this.#history.clear();
    this.#saved = saved ? workflow : null;
    this.#tell(workflow, new Set());
  }

  /** Shows what others have made of the workflow; what was shown is one step back. */
  takeOver(workflow: Workflow): void {
    this.#document += 1;
    this.#saved = workflow;
    this.#history.separate();
    this.#change(workflow, null, new Set());
  }

  /** The server has `sent`, which may be older than what is shown, under this id. */
  markSaved(id: string, sent: Workflow = this.#state.workflow): void {
    this.#saved = { ...sent, id };
    this.#tell(this.#named(this.#state.workflow, id));
  }

  /** These settings of a node went to the server by themselves. */
  markSettingsSaved(nodeId: string, settings: Settings): void {
    if (this.#saved !== null) this.#saved = withNodeSettings(this.#saved, nodeId, settings);
    this.#tell(this.#state.workflow);
  }

  /* The id is the server's and no change of the user's: steps back and forth keep it. */
  #named(workflow: Workflow, id: string): Workflow {
    return workflow.id === id ? workflow : { ...workflow, id };
  }

  rename(name: string): void {
    this.#change({ ...this.#state.workflow, name }, 'rename');
  }

  /** As rename(), and the server has the name already. */
  renameSaved(name: string): void {
    if (this.#saved !== null) this.#saved = { ...this.#saved, name };
    this.rename(name);
    this.endGesture();
  }

  select(ids: ReadonlySet<string>): void {
    const before = this.#state.selected;
    if (ids.size === before.size && [...ids].every((id) => before.has(id))) return;
    this.#history.separate();
    this.#tell(this.#state.workflow, ids);
  }

  selectAll(): void {
    this.select(new Set(this.#state.workflow.nodes.map((node) => node.id)));
  }

  add(type: string, position: { x: number; y: number }, data: Settings = {}): WorkflowNode {
    const node: WorkflowNode = { id: newId(type), type, position, data };
    const { workflow } = this.#state;
    this.#change({ ...workflow, nodes: [...workflow.nodes, node] }, null, new Set([node.id]));
    return node;
  }

  /** Why they may not be connected, or null: then they are. */
  connect(source: string, target: string): string | null {
    const { workflow } = this.#state;
    const reason = refusal(workflow, this.#types, source, target);
    if (reason === null) this.#change({ ...workflow, edges: [...workflow.edges, edgeBetween(workflow, this.#types, source, target)] });
    return reason;
  }

  /** The one input of `target` comes from `source` now; '' = from nowhere. Why not, or null. */
  feed(source: string, target: string): string | null {
    const { workflow } = this.#state;
    const bare = { ...workflow, edges: workflow.edges.filter((edge) => edge.target !== target) };
    const reason = source === '' ? null : refusal(bare, this.#types, source, target);
    if (reason !== null) return reason;
    this.#change(source === '' ? bare : { ...bare, edges: [...bare.edges, edgeBetween(bare, this.#types, source, target)] });
    return null;
  }

  remove(ids: ReadonlySet<string>): void {
    if (ids.size === 0) return;
    const { workflow } = this.#state;
    this.#change({ ...workflow, ...without(workflow, ids, ids) }, null, new Set());
  }

  move(positions: ReadonlyMap<string, { x: number; y: number }>, kind: string | null = null): void {
    const { workflow } = this.#state;
    const nodes = workflow.nodes.map((node) => {
      const position = positions.get(node.id);
      return position === undefined ? node : { ...node, position };
    });
    this.#change({ ...workflow, nodes }, kind);
  }

  resize(id: string, size: Size): void {
    const { workflow } = this.#state;
    const nodes = workflow.nodes.map((node) => (node.id === id ? { ...node, width: Math.round(size.width), height: Math.round(size.height) } : node));
    this.#change({ ...workflow, nodes }, `resize ${id}`);
  }

  endGesture(): void {
    this.#history.separate();
  }

  arrange(sizeOf: (id: string) => Size): void {
    this.move(layout(this.#state.workflow, sizeOf));
  }

  set(id: string, name: string, value: unknown): void {
    const { workflow } = this.#state;
    const nodes = workflow.nodes.map((node) => {
      if (node.id !== id) return node;
      if (name === 'label') return { ...node, data: { ...node.data, label: value } };
      return withSettings(node, { ...settingsOf(node), [name]: value });
    });
    this.#change({ ...workflow, nodes }, `set ${id} ${name}`);
  }

  copy(): boolean {
    const { workflow, selected } = this.#state;
    const nodes = workflow.nodes.filter((node) => selected.has(node.id));
    if (nodes.length === 0) return false;
    this.#clipboard = { nodes, edges: workflow.edges };
    this.#pastes = 0;
    return true;
  }

  paste(): void {
    if (this.#clipboard === null) return;
    this.#pastes += 1;
    const added = copies(this.#clipboard, PASTE_OFFSET * this.#pastes);
    const { workflow } = this.#state;
    this.#change(
      { ...workflow, nodes: [...workflow.nodes, ...added.nodes], edges: [...workflow.edges, ...added.edges] },
      null, new Set(added.nodes.map((node) => node.id)));
  }

  duplicate(): void {
    if (this.copy()) this.paste();
  }

  undo(): void {
    this.#step(this.#history.undo(this.#state.workflow));
  }

  redo(): void {
    this.#step(this.#history.redo(this.#state.workflow));
  }

  #step(to: Workflow | null): void {
    if (to === null) return;
    const there = new Set([...to.nodes, ...to.edges].map(({ id }) => id));
    this.#tell(this.#named(to, this.#state.workflow.id), new Set([...this.#state.selected].filter((id) => there.has(id))));
  }
}
