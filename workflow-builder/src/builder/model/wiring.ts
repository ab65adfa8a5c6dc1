/* Which nodes may be connected, and what becomes of a graph when nodes come and go. Pure. */
import { labelOf, type Role, type TypeTable, type Workflow, type WorkflowEdge, type WorkflowNode } from './types';

type Graph = Pick<Workflow, 'nodes' | 'edges'>;

const FEEDS: Readonly<Record<Role, readonly Role[]>> = {
  source: ['model', 'view'],
  model: ['filter', 'sink', 'view'],
  filter: ['filter', 'sink', 'view'],
  sink: [],
  view: [],
};

const NEEDS: Readonly<Record<Role, string>> = {
  source: 'makes its own picture and takes no input',
  model: 'takes its picture from a source',
  filter: 'takes detections: put a model before it',
  sink: 'takes detections: put a model before it',
  view: 'shows a source, a model or a filter',
};

function leadsTo(edges: readonly WorkflowEdge[], from: string, to: string): boolean {
  const seen = new Set<string>();
  const open = [from];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at === to) return true;
    if (seen.has(at)) continue;
    seen.add(at);
    for (const edge of edges) if (edge.source === at) open.push(edge.target);
  }
  return false;
}

/** Why `source` may not feed `target`, as a sentence; null = it may. */
export function refusal(graph: Graph, types: TypeTable, source: string, target: string): string | null {
  const from = graph.nodes.find((node) => node.id === source);
  const to = graph.nodes.find((node) => node.id === target);
  if (from === undefined || to === undefined) return 'Connect one node to another.';
  const fromType = types.get(from.type), toType = types.get(to.type);
  if (source === target) return 'A node cannot feed itself.';
  if (fromType === undefined || toType === undefined) return 'This server does not know one of these nodes.';
  if (fromType.output === null) return `${labelOf(from, types)} has no output.`;
  if (toType.input === null || !FEEDS[fromType.role].includes(toType.role)) return `${labelOf(to, types)} ${NEEDS[toType.role]}.`;
  if (graph.edges.some((edge) => edge.target === target)) return `${labelOf(to, types)} has its one input already: remove that connection first.`;
  if (leadsTo(graph.edges, target, source)) return 'That would be a circle.';
  return null;
}

function suffix(): string {
  return Math.floor(Math.random() * 0x100000000).toString(16).padStart(8, '0');
}

/** Viewers ask for views by node ids, so these are unlike those of other workflows, too. */
export function newId(type: string): string {
  return `${type.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase().replace(/[^a-z0-9-]/g, '')}-${suffix()}`;
}

export function edgeBetween(graph: Graph, types: TypeTable, source: string, target: string): WorkflowEdge {
  const kind = (id: string) => types.get(graph.nodes.find((node) => node.id === id)?.type ?? '');
  return { id: `edge-${suffix()}`, source, target, sourceHandle: kind(source)?.output ?? null, targetHandle: kind(target)?.input ?? null };
}

/** Without these nodes, and without the edges that hung on them. */
export function without(graph: Graph, nodeIds: ReadonlySet<string>, edgeIds: ReadonlySet<string> = new Set()): Graph {
  return {
    nodes: graph.nodes.filter((node) => !nodeIds.has(node.id)),
    edges: graph.edges.filter((edge) => !edgeIds.has(edge.id) && !nodeIds.has(edge.source) && !nodeIds.has(edge.target)),
  };
}

/** Copies of nodes and of the edges between them, under new ids, a little aside. */
export function copies(part: Graph, offset: number): Graph {
  const ids = new Map(part.nodes.map((node) => [node.id, newId(node.type)]));
  return {
    nodes: part.nodes.map((node) => ({
      ...node, id: ids.get(node.id) as string, position: { x: node.position.x + offset, y: node.position.y + offset },
    })),
    edges: part.edges
      .filter((edge) => ids.has(edge.source) && ids.has(edge.target))
      .map((edge) => ({ ...edge, id: `edge-${suffix()}`, source: ids.get(edge.source) as string, target: ids.get(edge.target) as string })),
  };
}

/** The node that feeds this one, or the first before it of a role. */
export function feederOf(graph: Graph, types: TypeTable, nodeId: string, role?: Role): WorkflowNode | null {
  const seen = new Set<string>();
  for (let at = nodeId; !seen.has(at); ) {
    seen.add(at);
    const edge = graph.edges.find((candidate) => candidate.target === at);
    const node = graph.nodes.find((candidate) => candidate.id === edge?.source);
    if (node === undefined) return null;
    if (role === undefined || types.get(node.type)?.role === role) return node;
    at = node.id;
  }
  return null;
}
