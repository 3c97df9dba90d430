import type { Digraph } from '../graph/digraph.ts';
import { Clocks } from './clocks.ts';
import type { Access, CausalHistory } from './history.ts';
import { CAUSAL, type CausalViolation, ORDER } from './model.ts';
import { cycleOf, initialReadSentence, violation } from './patterns.ts';

export type MemoryResult =
  | { readonly type: 'done'; readonly violations: readonly CausalViolation[] }
  | { readonly type: 'gave-up' };

/** One write before another, because of a read. */
interface ForcedEdge {
  readonly from: number;
  readonly to: number;
  readonly read: number;
}

const ALL = CAUSAL | ORDER.happenedBefore;

/**
 * Causal memory, process by process: what it read must have one explanation that holds from its first answer to its
 * last. Each read of a write forces every other write of the key that came before the read to come before that write
 * too, which may put further writes before reads: the edges are added until none is missing (section 5.3, HB_o; the
 * last operation of a process has all the edges of its earlier ones). `maxCells` bounds the clocks computed.
 */
export function checkMemory(history: CausalHistory, maxCells: number): MemoryResult {
  const readsByChain = new Map<number, Access[]>();
  for (const read of history.reads()) {
    const reads = readsByChain.get(read.chain);
    if (reads === undefined) readsByChain.set(read.chain, [read]);
    else reads.push(read);
  }
  const causal = history.causalGraph().build();
  let cells = 0;
  const violations: CausalViolation[] = [];
  for (const reads of readsByChain.values()) {
    const edges = new Map<string, ForcedEdge>();
    const ends = new Map<number, number[]>();
    for (let grew = true; grew; ) {
      cells += history.accesses.length * history.chains.length;
      if (cells > maxCells) return violations.length > 0 ? { type: 'done', violations } : { type: 'gave-up' };
      const clocks = Clocks.of(causal, CAUSAL, history, ends);
      if (clocks === null) {
        const graph = graphWith(history, edges.values());
        violations.push(cycleOf('CyclicHB', history, graph, ORDER.happenedBefore, ALL));
        break;
      }
      const initial = findInitialRead(history, reads, clocks, edges);
      if (initial !== null) {
        violations.push(initial);
        break;
      }
      grew = addForced(history, reads, clocks, edges, ends);
    }
  }
  return { type: 'done', violations };
}

function graphWith(history: CausalHistory, edges: Iterable<ForcedEdge>): Digraph {
  const builder = history.causalGraph();
  for (const { from, to, read } of edges) builder.addEdge(from, to, ORDER.happenedBefore, read);
  return builder.build();
}

function findInitialRead(
  history: CausalHistory,
  reads: readonly Access[],
  clocks: Clocks,
  edges: ReadonlyMap<string, ForcedEdge>,
): CausalViolation | null {
  for (const read of reads) {
    if (history.source(read) !== null) continue;
    for (const writes of history.writesOf(read.key).values()) {
      const write = clocks.latest(read, writes);
      if (write === null) continue;
      const graph = graphWith(history, edges.values());
      return violation('WriteHBInitRead', [write, read], initialReadSentence(history, graph, write, read));
    }
  }
  return null;
}

/** Whether an edge was missing. */
function addForced(
  history: CausalHistory,
  reads: readonly Access[],
  clocks: Clocks,
  edges: Map<string, ForcedEdge>,
  ends: Map<number, number[]>,
): boolean {
  const before = edges.size;
  for (const read of reads) {
    const source = history.source(read);
    if (!source) continue;
    for (const writes of history.writesOf(read.key).values()) {
      const write = clocks.latest(read, writes);
      if (write === null || write === source || clocks.includes(source, write)) continue;
      const name = `${write.id} ${source.id}`;
      if (edges.has(name)) continue;
      edges.set(name, { from: write.id, to: source.id, read: read.id });
      const known = ends.get(write.id);
      if (known === undefined) ends.set(write.id, [source.id]);
      else known.push(source.id);
    }
  }
  return edges.size > before;
}
