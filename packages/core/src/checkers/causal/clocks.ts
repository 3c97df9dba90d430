import type { Digraph } from '../graph/digraph.ts';
import type { Access, CausalHistory } from './history.ts';

const NO_EDGES: ReadonlyMap<number, readonly number[]> = new Map();

/** For each access, how many of each chain come before it or are it, along edges in a mask; null if they go round. */
export class Clocks {
  readonly #chains: number;
  readonly #cells: Int32Array;

  private constructor(chains: number, cells: Int32Array) {
    this.#chains = chains;
    this.#cells = cells;
  }

  /** `extra`: edges besides those of the graph, as the ends of each access that has any. */
  static of(
    graph: Digraph,
    mask: number,
    { accesses, chains }: CausalHistory,
    extra: ReadonlyMap<number, readonly number[]> = NO_EDGES,
  ): Clocks | null {
    const width = chains.length;
    const cells = new Int32Array(accesses.length * width);
    const waiting = new Int32Array(accesses.length);
    for (let edge = 0; edge < graph.edges; edge++) {
      if ((graph.label(edge) & mask) !== 0) waiting[graph.target(edge)] = (waiting[graph.target(edge)] ?? 0) + 1;
    }
    for (const ends of extra.values()) for (const end of ends) waiting[end] = (waiting[end] ?? 0) + 1;
    const ready: number[] = [];
    for (const { id } of accesses) if (waiting[id] === 0) ready.push(id);
    const follow = (id: number, target: number): void => {
      for (let at = 0; at < width; at++) {
        const count = cells[id * width + at] ?? 0;
        if (count > (cells[target * width + at] ?? 0)) cells[target * width + at] = count;
      }
      const left = (waiting[target] ?? 0) - 1;
      waiting[target] = left;
      if (left === 0) ready.push(target);
    };
    let done = 0;
    for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
      done++;
      const { chain, position } = accesses[id] as Access;
      cells[id * width + chain] = position + 1;
      for (let edge = graph.firstEdge(id); edge < graph.firstEdge(id + 1); edge++) {
        if ((graph.label(edge) & mask) !== 0) follow(id, graph.target(edge));
      }
      for (const target of extra.get(id) ?? []) follow(id, target);
    }
    return done === accesses.length ? new Clocks(width, cells) : null;
  }

  /** How many accesses of the chain come before the access or are it. */
  count(access: Access, chain: number): number {
    return this.#cells[access.id * this.#chains + chain] ?? 0;
  }

  /** Whether `before` comes before `after`, or is it. */
  includes(after: Access, before: Access): boolean {
    return this.count(after, before.chain) > before.position;
  }

  /** The last of the writes, all of one chain, that comes before the access. */
  latest(access: Access, writes: readonly Access[]): Access | null {
    const first = writes[0];
    if (first === undefined) return null;
    const limit = this.count(access, first.chain);
    let [from, to] = [0, writes.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      const write = writes[middle];
      if (write !== undefined && write.position < limit) from = middle + 1;
      else to = middle;
    }
    return writes[from - 1] ?? null;
  }
}
