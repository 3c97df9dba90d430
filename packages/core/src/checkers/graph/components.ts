import type { Digraph } from './digraph.ts';

export interface Components {
  /** The component of each node that lies on a cycle of plain nodes; -1 for every other one. */
  readonly of: Int32Array;
  /** The plain nodes of each component with two or more of them, ascending. */
  readonly cyclic: readonly (readonly number[])[];
}

/**
 * Strongly connected components along edges whose label is in `mask` (Tarjan, 1972), without recursion, so that a
 * path as long as the history is no danger. `among` leaves nodes out whose entry is negative, and edges between
 * nodes whose entries differ: a finer graph's components lie within a coarser one's.
 */
export function componentsOf(graph: Digraph, mask: number, among?: Int32Array): Components {
  const of = new Int32Array(graph.nodes).fill(-1);
  const order = new Int32Array(graph.nodes).fill(-1);
  const low = new Int32Array(graph.nodes);
  const nextEdge = new Int32Array(graph.nodes);
  const open: number[] = [];
  const path: number[] = [];
  const cyclic: number[][] = [];
  const isCyclic: boolean[] = [];
  let visited = 0;
  const enter = (node: number): void => {
    order[node] = low[node] = visited++;
    nextEdge[node] = graph.firstEdge(node);
    open.push(node);
    path.push(node);
  };
  const close = (root: number): void => {
    const members: number[] = [];
    for (let node = -1; node !== root; ) {
      node = open.pop() ?? root;
      of[node] = isCyclic.length;
      if (!graph.isJunction(node)) members.push(node);
    }
    isCyclic.push(members.length > 1);
    if (members.length > 1) cyclic.push(members.sort((a, b) => a - b));
  };
  for (let start = 0; start < graph.nodes; start++) {
    if (order[start] !== -1 || (among?.[start] ?? 0) < 0) continue;
    enter(start);
    for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
      const edge = nextEdge[node] ?? 0;
      if (edge < graph.firstEdge(node + 1)) {
        nextEdge[node] = edge + 1;
        const target = graph.target(edge);
        if ((graph.label(edge) & mask) === 0 || (among !== undefined && among[target] !== among[node])) continue;
        if (order[target] === -1) enter(target);
        else if (of[target] === -1) low[node] = Math.min(low[node] ?? 0, order[target] ?? 0);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent !== undefined) low[parent] = Math.min(low[parent] ?? 0, low[node] ?? 0);
      if (low[node] === order[node]) close(node);
    }
  }
  for (let node = 0; node < graph.nodes; node++) if (isCyclic[of[node] ?? -1] !== true) of[node] = -1;
  return { of, cyclic };
}

/**
 * How long the longest path to each node is along edges in `mask`; -1 for a node that lies on a cycle or behind one.
 * A path leads from a lower level to a higher, which spares a search most of the graph.
 */
export function levelsOf(graph: Digraph, mask: number): Int32Array {
  const waiting = new Int32Array(graph.nodes);
  for (let edge = 0; edge < graph.edges; edge++) {
    if ((graph.label(edge) & mask) !== 0) waiting[graph.target(edge)] = (waiting[graph.target(edge)] ?? 0) + 1;
  }
  const levels = new Int32Array(graph.nodes).fill(-1);
  const depth = new Int32Array(graph.nodes);
  const ready: number[] = [];
  for (let node = 0; node < graph.nodes; node++) if (waiting[node] === 0) ready.push(node);
  for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
    const level = depth[node] ?? 0;
    levels[node] = level;
    for (let edge = graph.firstEdge(node); edge < graph.firstEdge(node + 1); edge++) {
      if ((graph.label(edge) & mask) === 0) continue;
      const target = graph.target(edge);
      depth[target] = Math.max(depth[target] ?? 0, level + 1);
      const left = (waiting[target] ?? 0) - 1;
      waiting[target] = left;
      if (left === 0) ready.push(target);
    }
  }
  return levels;
}
