import type { Digraph } from '../graph/digraph.ts';
import { Clocks } from './clocks.ts';
import type { Access, CausalHistory } from './history.ts';
import { CAUSAL, type CausalViolation, ORDER } from './model.ts';
import { cycleOf, initialReadSentence, violation } from './patterns.ts';

export type MemoryResult =
  | { readonly type: 'done'; readonly violations: readonly CausalViolation[] }
  | { readonly type: 'gave-up' };

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
  let cells = 0;
  const violations: CausalViolation[] = [];
  for (const reads of readsByChain.values()) {
    const edges = new Map<string, readonly [number, number, number]>();
    for (let grew = true; grew; ) {
      cells += history.accesses.length * history.chains.length;
      if (cells > maxCells) return violations.length > 0 ? { type: 'done', violations } : { type: 'gave-up' };
      const graph = graphWith(history, edges.values());
      const clocks = Clocks.of(graph, ALL, history);
      if (clocks === null) {
        violations.push(cycleOf('CyclicHB', history, graph, ORDER.happenedBefore, ALL));
        break;
      }
      const initial = findInitialRead(history, reads, graph, clocks);
      if (initial !== null) {
        violations.push(initial);
        break;
      }
      grew = addForced(history, reads, clocks, edges);
    }
  }
  return { type: 'done', violations };
}

function graphWith(history: CausalHistory, edges: Iterable<readonly [number, number, number]>): Digraph {
  const builder = history.causalGraph();
  for (const [from, to, read] of edges) builder.addEdge(from, to, ORDER.happenedBefore, read);
  return builder.build();
}

function findInitialRead(
  history: CausalHistory,
  reads: readonly Access[],
  graph: Digraph,
  clocks: Clocks,
): CausalViolation | null {
  for (const read of reads) {
    if (history.source(read) !== null) continue;
    for (const writes of history.writesOf(read.key).values()) {
      const write = clocks.latest(read, writes);
      if (write === null) continue;
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
  edges: Map<string, readonly [number, number, number]>,
): boolean {
  const before = edges.size;
  for (const read of reads) {
    const source = history.source(read);
    if (!source) continue;
    for (const writes of history.writesOf(read.key).values()) {
      const write = clocks.latest(read, writes);
      if (write === null || write === source || clocks.includes(source, write)) continue;
      edges.set(`${write.id} ${source.id}`, [write.id, source.id, read.id]);
    }
  }
  return edges.size > before;
}
