/* Automatic layout: columns by distance from the sources, in each column nodes near what feeds them.
 * Pure. */
import type { Workflow } from './types';

export interface Size {
  readonly width: number;
  readonly height: number;
}

const COLUMN_GAP = 72, ROW_GAP = 28;

/* Longest way from a node without input; nodes of a circle stay in the first column. */
function columnsOf(graph: Pick<Workflow, 'nodes' | 'edges'>): Map<string, number> {
  const columns = new Map(graph.nodes.map((node) => [node.id, 0]));
  for (let round = 0; round < graph.nodes.length; round++) {
    let moved = false;
    for (const edge of graph.edges) {
      const wanted = (columns.get(edge.source) ?? 0) + 1;
      if (columns.has(edge.target) && wanted > (columns.get(edge.target) ?? 0) && wanted < graph.nodes.length) {
        columns.set(edge.target, wanted);
        moved = true;
      }
    }
    if (!moved) break;
  }
  return columns;
}

/** New positions by node id; `sizeOf` says how large a node is drawn. */
export function layout(graph: Pick<Workflow, 'nodes' | 'edges'>, sizeOf: (id: string) => Size): Map<string, { x: number; y: number }> {
  const columns = columnsOf(graph);
  const depth = Math.max(0, ...columns.values());
  const positions = new Map<string, { x: number; y: number }>();
  let x = 0;
  for (let column = 0; column <= depth; column++) {
    const wantedY = (id: string) => {
      const feeders = graph.edges.filter((edge) => edge.target === id).map((edge) => positions.get(edge.source)?.y);
      const known = feeders.filter((y): y is number => y !== undefined);
      return known.length === 0 ? null : known.reduce((sum, y) => sum + y, 0) / known.length;
    };
    const here = graph.nodes
      .filter((node) => columns.get(node.id) === column)
      .map((node, order) => ({ id: node.id, order, y: wantedY(node.id) ?? node.position.y }))
      .sort((a, b) => a.y - b.y || a.order - b.order);
    let y = 0;
    for (const node of here) {
      const size = sizeOf(node.id);
      const top = Math.max(y, column === 0 ? 0 : node.y);
      positions.set(node.id, { x, y: top });
      y = top + size.height + ROW_GAP;
    }
    if (here.length > 0) x += Math.max(...here.map((node) => sizeOf(node.id).width)) + COLUMN_GAP;
  }
  return positions;
}

export interface Box extends Size {
  readonly x: number;
  readonly y: number;
}

/** The place nearest below `wanted` where it covers none of the others. */
export function freePlace(wanted: Box, others: readonly Box[]): { x: number; y: number } {
  const { x, width, height } = wanted;
  let { y } = wanted;
  const covered = () => others.find((other) => x < other.x + other.width && other.x < x + width && y < other.y + other.height && other.y < y + height);
  for (let other = covered(); other !== undefined; other = covered()) y = other.y + other.height + ROW_GAP;
  return { x, y };
}
