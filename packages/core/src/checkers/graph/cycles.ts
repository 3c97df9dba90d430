import { levelsOf } from './components.ts';
import type { Digraph, Edge } from './digraph.ts';

export interface CycleShape {
  /** A cycle has at least one edge with a label in `start`... */
  readonly start: number;
  /** ...and besides that edge only such with a label in `rest`. */
  readonly rest: number;
  /** Edges with a label in this mask may not follow each other, around the cycle's ends neither. */
  readonly apart?: number;
}

/**
 * Finds shortest cycles of a shape, by breadth-first searches that share their memory. Junctions are contracted: a
 * cycle's edges lead from one plain node to another. Each search gives up what no shorter cycle can use: paths as long
 * as the best one so far, and nodes from which levels say there is no way back.
 */
export class CycleSearch {
  readonly #graph: Digraph;
  readonly #seen: Int32Array;
  readonly #cameFrom: Int32Array;
  readonly #cameBy: Int32Array;
  #search = 0;
  #budget: number;

  /** `maxVisits` bounds the nodes that all searches together look at. */
  constructor(graph: Digraph, maxVisits: number) {
    this.#graph = graph;
    this.#budget = maxVisits;
    // A state is a node and whether the last edge was one of those that must stay apart.
    this.#seen = new Int32Array(2 * graph.nodes);
    this.#cameFrom = new Int32Array(2 * graph.nodes);
    this.#cameBy = new Int32Array(2 * graph.nodes);
  }

  /** False once the bound was hit: a cycle may have been missed, or a shorter one. */
  get exhaustive(): boolean {
    return this.#budget > 0;
  }

  /** What `shortest` wants for a shape: where an edge of `start` may not come again, the rest is mostly acyclic. */
  levels(shape: CycleShape): Int32Array | null {
    return (shape.rest & shape.start) === 0 ? levelsOf(this.#graph, shape.rest) : null;
  }

  /**
   * The shortest cycle of the shape among `members`, the plain nodes of one component along `start` and `rest`. Null
   * when there is none, or none was found within the bound.
   */
  shortest(members: readonly number[], of: Int32Array, shape: CycleShape, levels: Int32Array | null): Edge[] | null {
    const graph = this.#graph;
    let best: Edge[] | null = null;
    const certain = (shape.start & ~shape.rest) === 0 && shape.apart === undefined;
    for (const node of members) {
      for (let edge = graph.firstEdge(node); edge < graph.firstEdge(node + 1); edge++) {
        if ((graph.label(edge) & shape.start) === 0 || of[graph.target(edge)] !== of[node]) continue;
        if (best?.length === 2) return best;
        if (this.#budget <= 0 && (best !== null || !certain)) return best;
        const limit: number = best === null ? graph.nodes + 1 : best.length - 1;
        best = this.#back(node, edge, of, shape, levels, limit) ?? best;
      }
    }
    return best;
  }

  /** A cycle of at most `limit` edges that begins with `edge` out of `home`. */
  #back(
    home: number,
    edge: number,
    of: Int32Array,
    { rest, apart = 0 }: CycleShape,
    levels: Int32Array | null,
    limit: number,
  ): Edge[] | null {
    const graph = this.#graph;
    const homeLevel = levels?.[home] ?? -1;
    const beyond = (node: number): boolean => {
      const level = levels?.[node] ?? -1;
      return homeLevel >= 0 && (level < 0 || level >= homeLevel);
    };
    const search = ++this.#search;
    const enter = (node: number, flag: number, from: number, by: number): number => {
      const state = 2 * node + flag;
      if (this.#seen[state] === search || of[node] !== of[home] || beyond(node)) return -1;
      this.#seen[state] = search;
      this.#cameFrom[state] = from;
      this.#cameBy[state] = by;
      return state;
    };
    const startFlag = (graph.label(edge) & apart) === 0 ? 0 : 1;
    const first = enter(graph.target(edge), startFlag, -1, edge);
    /** Puts what the state leads to into `into`; the edge home when it leads there, else -1. */
    const leave = (state: number, into: number[]): number => {
      const [node, flag] = [state >> 1, state & 1];
      const junction = graph.isJunction(node);
      this.#budget--;
      for (let out = graph.firstEdge(node); out < graph.firstEdge(node + 1); out++) {
        const label = graph.label(out);
        const guarded = (label & apart) === 0 ? 0 : 1;
        // What leaves the junction that the cycle began with is still its first edge.
        if ((label & rest) === 0 && !(junction && state === first && label === graph.label(edge))) continue;
        if (guarded === 1 && flag === 1 && !junction) continue;
        const target = graph.target(out);
        if (target === home && (guarded === 0 || startFlag === 0)) return out;
        const entered = enter(target, junction ? flag : guarded, state, out);
        if (entered >= 0) into.push(entered);
      }
      return -1;
    };
    let layer = first < 0 ? [] : [first];
    for (let length = 1; length <= limit && layer.length > 0; length++) {
      // Junctions first, and into the layer itself: what leaves one is no step further.
      for (let at = 0; at < layer.length; at++) {
        const state = layer[at] ?? 0;
        const last = graph.isJunction(state >> 1) ? leave(state, layer) : -1;
        if (last >= 0) return this.#path(home, edge, state, last);
      }
      if (length === limit) break;
      const next: number[] = [];
      for (const state of layer) {
        const last = graph.isJunction(state >> 1) ? -1 : leave(state, next);
        if (last >= 0) return this.#path(home, edge, state, last);
      }
      layer = next;
    }
    return null;
  }

  /** The edges from `home` over `edge` to the state, and home by `last`; what passes a junction becomes one edge. */
  #path(home: number, edge: number, state: number, last: number): Edge[] {
    const graph = this.#graph;
    const edges: number[] = [last];
    for (let at = state; at >= 0; at = this.#cameFrom[at] ?? -1) edges.push(this.#cameBy[at] ?? edge);
    edges.reverse();
    const path: Edge[] = [];
    let [from, through] = [home, -1];
    for (const each of edges) {
      const to = graph.target(each);
      if (graph.isJunction(to)) {
        if (through < 0) through = each;
        continue;
      }
      const [first, second] = graph.evidence(each);
      const evidence: readonly [number, number] = through < 0 ? [first, second] : [graph.evidence(through)[0], second];
      path.push({ from, to, label: graph.label(each), evidence });
      [from, through] = [to, -1];
    }
    return path;
  }
}
