/* What differs between two states of a workflow. Pure. */
import { settingsOf, withSettings, type Settings, type Workflow } from './types';

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same as a document: a member that is absent and one that is null mean the same. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || a === undefined || b === null || b === undefined) return (a ?? null) === (b ?? null);
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => same(item, b[i]));
  if (!isObject(a) || !isObject(b)) return false;
  return Object.keys({ ...a, ...b }).every((key) => same(a[key], b[key]));
}

/** The settings of each node that have changed; null takes one back to its default. Nodes that came or
 * went are not in it, and neither are names: they change no picture. */
export function settingChanges(before: Workflow, after: Workflow): ReadonlyMap<string, Settings> {
  const changes = new Map<string, Settings>();
  if (before.nodes === after.nodes) return changes;
  const old = new Map(before.nodes.map((node) => [node.id, node]));
  for (const node of after.nodes) {
    const from = old.get(node.id);
    if (from === undefined || from === node || from.type !== node.type) continue;
    const was = settingsOf(from), is = settingsOf(node);
    const names = Object.keys({ ...was, ...is }).filter((name) => name !== 'label' && name !== 'config' && !same(was[name], is[name]));
    if (names.length > 0) changes.set(node.id, Object.fromEntries(names.map((name) => [name, is[name] ?? null])));
  }
  return changes;
}

export function withNodeSettings(workflow: Workflow, nodeId: string, settings: Settings): Workflow {
  return { ...workflow, nodes: workflow.nodes.map((node) => (node.id === nodeId ? withSettings(node, { ...settingsOf(node), ...settings }) : node)) };
}
