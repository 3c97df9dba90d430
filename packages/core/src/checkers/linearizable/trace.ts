/**
 * How the configurations of a search came about, so that one can be told as an order of operations. Kept only when a
 * violation is to be explained: it grows with everything the search looks at.
 */
export type Way = 'placed' | 'unchanged' | 'hidden';

interface TraceNode {
  readonly parent: number;
  readonly operation: number;
  /**
   * placed: it comes next. unchanged: it would have changed nothing here. hidden: it would have been overwritten by
   * the one placed just before this node.
   */
  readonly way: Way;
}

export const NO_TRACE = -1;

export class Trace {
  readonly #nodes: TraceNode[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get full(): boolean {
    return this.#nodes.length > this.#limit;
  }

  add(parent: number, operation: number, way: Way): number {
    this.#nodes.push({ parent, operation, way });
    return this.#nodes.length - 1;
  }

  /** The operations on the way to a node, in a legal order. */
  order(last: number): number[] {
    const path: TraceNode[] = [];
    for (let node = this.#nodes[last]; node !== undefined; node = this.#nodes[node.parent]) path.push(node);
    path.reverse();
    const placed = new Set(path.filter((node) => node.way === 'placed').map((node) => node.operation));
    const order: number[] = [];
    for (const { operation, way } of path) {
      if (way === 'placed') {
        order.push(operation);
      } else if (!placed.has(operation)) {
        // The first chance is as good as any later one.
        placed.add(operation);
        if (way === 'unchanged') order.push(operation);
        else order.splice(-1, 0, operation);
      }
    }
    return order;
  }
}
