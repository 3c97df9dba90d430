import { assert } from '../../base/assert.ts';

/** An edge's label is one bit, so that a set of labels is a mask. */
export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly label: number;
  /** What the edge rests on, in two numbers that its maker understands. */
  readonly evidence: readonly [number, number];
}

/**
 * A directed graph in compressed rows, built once. Nodes below `plainNodes` are what is being ordered. The others are
 * junctions: they stand for "each of these before each of those" with as many edges as nodes instead of as their
 * product, and count for nothing in the length of a cycle.
 */
export class Digraph {
  readonly nodes: number;
  readonly plainNodes: number;
  readonly #offsets: Int32Array;
  readonly #targets: Int32Array;
  readonly #labels: Uint8Array;
  readonly #firstEvidence: Int32Array;
  readonly #secondEvidence: Int32Array;

  constructor(builder: DigraphBuilder) {
    const { sources, targets, labels, first, second } = builder.columns();
    const edges = sources.length;
    this.nodes = builder.nodes;
    this.plainNodes = builder.plainNodes;
    this.#offsets = new Int32Array(this.nodes + 1);
    for (let edge = 0; edge < edges; edge++) {
      const row = (sources[edge] ?? 0) + 1;
      this.#offsets[row] = (this.#offsets[row] ?? 0) + 1;
    }
    for (let node = 0; node < this.nodes; node++) {
      this.#offsets[node + 1] = (this.#offsets[node + 1] ?? 0) + (this.#offsets[node] ?? 0);
    }
    this.#targets = new Int32Array(edges);
    this.#labels = new Uint8Array(edges);
    this.#firstEvidence = new Int32Array(edges);
    this.#secondEvidence = new Int32Array(edges);
    const free = this.#offsets.slice(0, this.nodes);
    for (let edge = 0; edge < edges; edge++) {
      const source = sources[edge] ?? 0;
      const slot = free[source] ?? 0;
      free[source] = slot + 1;
      this.#targets[slot] = targets[edge] ?? 0;
      this.#labels[slot] = labels[edge] ?? 0;
      this.#firstEvidence[slot] = first[edge] ?? 0;
      this.#secondEvidence[slot] = second[edge] ?? 0;
    }
  }

  get edges(): number {
    return this.#targets.length;
  }

  isJunction(node: number): boolean {
    return node >= this.plainNodes;
  }

  /** The edges that leave a node have the numbers from `firstEdge(node)` up to, not including, `firstEdge(node + 1)`. */
  firstEdge(node: number): number {
    return this.#offsets[node] ?? 0;
  }

  target(edge: number): number {
    return this.#targets[edge] ?? 0;
  }

  label(edge: number): number {
    return this.#labels[edge] ?? 0;
  }

  evidence(edge: number): readonly [number, number] {
    return [this.#firstEvidence[edge] ?? 0, this.#secondEvidence[edge] ?? 0];
  }
}

export class DigraphBuilder {
  readonly plainNodes: number;
  #nodes: number;
  readonly #sources: number[] = [];
  readonly #targets: number[] = [];
  readonly #labels: number[] = [];
  readonly #first: number[] = [];
  readonly #second: number[] = [];

  constructor(plainNodes: number) {
    this.plainNodes = plainNodes;
    this.#nodes = plainNodes;
  }

  get nodes(): number {
    return this.#nodes;
  }

  addJunction(): number {
    return this.#nodes++;
  }

  /** An edge from a node to itself is left out: nothing comes before itself. */
  addEdge(from: number, to: number, label: number, first = -1, second = -1): void {
    assert(label > 0 && (label & (label - 1)) === 0, 'a label is one bit');
    if (from === to) return;
    this.#sources.push(from);
    this.#targets.push(to);
    this.#labels.push(label);
    this.#first.push(first);
    this.#second.push(second);
  }

  columns(): Record<'sources' | 'targets' | 'labels' | 'first' | 'second', readonly number[]> {
    return {
      sources: this.#sources,
      targets: this.#targets,
      labels: this.#labels,
      first: this.#first,
      second: this.#second,
    };
  }

  build(): Digraph {
    return new Digraph(this);
  }
}
