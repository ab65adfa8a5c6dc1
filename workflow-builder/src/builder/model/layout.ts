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

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** New positions by node id; `sizeOf` says how large a node is drawn. */
export function layout(graph: Pick<Workflow, 'nodes' | 'edges'>, sizeOf: (id: string) => Size): Map<string, { x: number; y: number }> {
  const columns = columnsOf(graph);
  const depth = Math.max(0, ...columns.values());
  const rows: string[][] = [];
  const tops = new Map<string, number>();
  const topsOf = (ids: readonly string[]) => ids.map((id) => tops.get(id)).filter((y): y is number => y !== undefined);
  /* One below the other, each where it wants to be or lower. */
  const stack = (ids: readonly string[], wanted: (id: string) => number) => {
    let free = 0;
    for (const id of ids) {
      const top = Math.max(free, wanted(id));
      tops.set(id, top);
      free = top + sizeOf(id).height + ROW_GAP;
    }
  };
  /* From left to right beside what feeds them, */
  for (let column = 0; column <= depth; column++) {
    const wanted = new Map(graph.nodes.filter((node) => columns.get(node.id) === column).map((node) => {
      const feeders = topsOf(graph.edges.filter((edge) => edge.target === node.id).map((edge) => edge.source));
      return [node.id, feeders.length === 0 ? node.position.y : mean(feeders)];
    }));
    const ids = [...wanted.keys()].sort((a, b) => (wanted.get(a) as number) - (wanted.get(b) as number));
    stack(ids, (id) => (column === 0 ? 0 : (wanted.get(id) as number)));
    rows.push(ids);
  }
  /* and back, beside what they feed, which may have had to go lower. */
  for (const ids of [...rows].reverse()) {
    stack(ids, (id) => {
      const fed = topsOf(graph.edges.filter((edge) => edge.source === id && (columns.get(edge.target) ?? 0) > (columns.get(id) ?? 0)).map((edge) => edge.target));
      return fed.length === 0 ? (tops.get(id) ?? 0) : Math.min(...fed);
    });
  }
  const positions = new Map<string, { x: number; y: number }>();
  let x = 0;
  for (const ids of rows) {
    for (const id of ids) positions.set(id, { x, y: tops.get(id) ?? 0 });
    if (ids.length > 0) x += Math.max(...ids.map((id) => sizeOf(id).width)) + COLUMN_GAP;
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
