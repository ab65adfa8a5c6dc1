/* What the server says about node types, and workflows as they are saved. Unknown members of saved
 * workflows are kept. */

export type SettingKind = 'bool' | 'int' | 'number' | 'text' | 'choice' | 'list' | 'object' | 'colors';
export type Role = 'source' | 'model' | 'filter' | 'sink' | 'view';

export interface Setting {
  readonly name: string;
  readonly label: string;
  readonly help: string;
  readonly type: SettingKind;
  readonly default: unknown;
  readonly required: boolean;
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  readonly unit?: string;
  readonly choices?: readonly string[];
  readonly group?: string;
}

export interface NodeType {
  readonly type: string;
  readonly label: string;
  readonly icon: string | null;
  readonly help: string;
  readonly role: Role;
  readonly category: string;
  readonly input: string | null;
  readonly output: string | null;
  readonly settings: readonly Setting[];
}

export type Settings = Readonly<Record<string, unknown>>;

export interface WorkflowNode {
  readonly id: string;
  readonly type: string;
  readonly position: { readonly x: number; readonly y: number };
  readonly data: Settings;
  /** Views can be resized. */
  readonly width?: number;
  readonly height?: number;
  readonly [unknown: string]: unknown;
}

export interface WorkflowEdge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly [unknown: string]: unknown;
}

export interface Workflow {
  readonly id: string;
  readonly name: string;
  readonly nodes: readonly WorkflowNode[];
  readonly edges: readonly WorkflowEdge[];
  readonly [unknown: string]: unknown;
}

export interface Finding {
  readonly node_id: string | null;
  readonly setting: string | null;
  readonly message: string;
}

export type TypeTable = ReadonlyMap<string, NodeType>;

/** The settings of a node: the old page nested them in `config`. */
export function settingsOf(node: WorkflowNode): Settings {
  const config = node.data['config'];
  return typeof config === 'object' && config !== null && !Array.isArray(config) ? (config as Settings) : node.data;
}

export function withSettings(node: WorkflowNode, settings: Settings): WorkflowNode {
  return settingsOf(node) === node.data ? { ...node, data: settings } : { ...node, data: { ...node.data, config: settings } };
}

export function valueOf(node: WorkflowNode, setting: Setting): unknown {
  return settingsOf(node)[setting.name] ?? setting.default;
}

export function labelOf(node: WorkflowNode, types: TypeTable): string {
  const label = node.data['label'];
  return typeof label === 'string' && label !== '' ? label : (types.get(node.type)?.label ?? node.type);
}
