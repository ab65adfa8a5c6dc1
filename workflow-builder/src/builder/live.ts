/* What the server tells while workflows run: the state of each node, detections, messages. Each node
 * is listened to by itself, so that a change of one draws one. */
import { ServerSocket } from '../player/server-socket';
import type { Recording } from '../player/server-types';

export interface NodeState {
  readonly type: string;
  readonly state: string;
  readonly reason?: string;
  readonly fps?: number;
  readonly latency_ms?: number;
  readonly drops?: number;
  readonly width?: number;
  readonly height?: number;
  readonly codec?: string;
  readonly inference_ms?: number;
  readonly detections?: number;
  readonly counts?: Readonly<Record<string, number>>;
  readonly passed?: number;
  readonly held?: number;
  readonly recording?: Recording;
  readonly zone?: { readonly inside: number; readonly entered: number; readonly left: number; readonly crossed_in: number; readonly crossed_out: number };
}

export interface DetectionData {
  readonly node_id: string;
  readonly count: number;
  readonly detections: readonly { readonly class_name: string; readonly confidence: number; readonly bbox: readonly number[]; readonly track_id?: number }[];
}

export interface DebugMessage {
  readonly node_id: string;
  readonly timestamp: number;
  readonly level: string;
  readonly message: string;
}

type Message = Record<string, unknown>;
type Listener = () => void;

const KEPT_MESSAGES = 50;
const NO_MESSAGES: readonly DebugMessage[] = [];

export class Live {
  readonly #socket: ServerSocket;
  #workflows = new Map<string, ReadonlyMap<string, NodeState>>();
  #detections = new Map<string, DetectionData>();
  #messages = new Map<string, readonly DebugMessage[]>();
  #listeners = new Map<string, Set<Listener>>(); // by node id; '' = which workflows run, and the connection
  #connected = false;

  constructor() {
    this.#socket = new ServerSocket(location.origin, {
      opened: () => this.#setConnected(true),
      closed: () => this.#setConnected(false),
      message: (message) => this.#receive(message),
    });
  }

  start(): void {
    this.#socket.subscribe({ topics: ['status_update', 'detection_data', 'debug_message'], filters: { node_ids: ['-'] } });
    this.#socket.start();
  }

  /** Detections and messages of these nodes are wanted; models work for it. */
  watch(nodeIds: readonly string[]): void {
    this.#socket.subscribe({
      topics: ['status_update', 'detection_data', 'debug_message'],
      filters: { node_ids: nodeIds.length === 0 ? ['-'] : nodeIds.slice(0, 64), max_fps: 5 },
    });
  }

  get connected(): boolean {
    return this.#connected;
  }

  isRunning(workflowId: string): boolean {
    return this.#workflows.has(workflowId);
  }

  state(workflowId: string, nodeId: string): NodeState | null {
    return this.#workflows.get(workflowId)?.get(nodeId) ?? null;
  }

  detections(nodeId: string): DetectionData | null {
    return this.#detections.get(nodeId) ?? null;
  }

  messages(nodeId: string): readonly DebugMessage[] {
    return this.#messages.get(nodeId) ?? NO_MESSAGES;
  }

  listen(key: string, listener: Listener): () => void {
    const set = this.#listeners.get(key) ?? new Set();
    this.#listeners.set(key, set.add(listener));
    return () => set.delete(listener);
  }

  #tell(key: string): void {
    for (const listener of this.#listeners.get(key) ?? []) listener();
  }

  #setConnected(connected: boolean): void {
    this.#connected = connected;
    this.#tell('');
  }

  #receive(message: Message): void {
    switch (message['type']) {
      case 'status_update':
        this.#status(message);
        break;
      case 'detection_data': {
        const data = message as unknown as DetectionData;
        this.#detections.set(data.node_id, data);
        this.#tell(data.node_id);
        break;
      }
      case 'debug_message': {
        const data = message as unknown as DebugMessage;
        this.#messages.set(data.node_id, [data, ...this.messages(data.node_id)].slice(0, KEPT_MESSAGES));
        this.#tell(data.node_id);
        break;
      }
      default:
    }
  }

  #status(message: Message): void {
    const before = this.#workflows;
    const list = (message['workflows'] ?? []) as readonly { workflow_id: string; nodes: Record<string, NodeState> }[];
    this.#workflows = new Map(list.map(({ workflow_id, nodes }) => [workflow_id, new Map(Object.entries(nodes))]));
    const nodes = new Set<string>();
    for (const workflow of [...before.values(), ...this.#workflows.values()]) for (const id of workflow.keys()) nodes.add(id);
    for (const id of nodes) this.#tell(id);
    this.#tell('');
  }
}
