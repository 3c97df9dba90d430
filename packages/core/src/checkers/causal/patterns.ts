import { assert } from '../../base/assert.ts';
import { componentsOf } from '../graph/components.ts';
import { CycleSearch } from '../graph/cycles.ts';
import type { Digraph } from '../graph/digraph.ts';
import { identityOf, type RecordedOperation } from '../recorded.ts';
import { Clocks } from './clocks.ts';
import { nameOf, pathBetween, pathInWords } from './explain.ts';
import type { Access, CausalHistory } from './history.ts';
import { CAUSAL, type CausalPattern, type CausalViolation, ORDER } from './model.ts';

const MAX_VISITS = 5_000_000;
/** Of each pattern so many are described. */
const MAX_OF_EACH = 8;

/** Reads of values that no operation wrote which may have happened. */
export function findThinAirReads(
  history: CausalHistory,
  operations: readonly RecordedOperation[],
): readonly CausalViolation[] {
  const thin = history.reads().filter((read) => history.source(read) === undefined);
  return thin.slice(0, MAX_OF_EACH).map((read): CausalViolation => {
    const failed = operations.find(({ f, key, value, outcome }) => {
      const written = f === 'cas' ? (value as unknown[])[1] : value;
      return outcome === 'fail' && f !== 'read' && key === read.key && identityOf(written) === identityOf(read.value);
    });
    const why = failed === undefined ? 'nobody wrote that' : 'the only operation to write that had failed';
    return violation('ThinAirRead', [read], `${nameOf(read)} came out of thin air: ${why}.`);
  });
}

/** The patterns of CC besides thin air, with the causal order's clocks; null clocks: the order is a cycle. */
export function findCausalPatterns(history: CausalHistory, graph: Digraph, clocks: Clocks | null): CausalViolation[] {
  if (clocks === null) return [cycleOf('CyclicCO', history, graph, ORDER.readsFrom, CAUSAL)];
  const found: CausalViolation[] = [];
  const counts = { WriteCOInitRead: 0, WriteCORead: 0 };
  for (const read of history.reads()) {
    const source = history.source(read);
    if (source === undefined) continue;
    for (const writes of history.writesOf(read.key).values()) {
      const write: Access | null = source === null ? first(clocks, read, writes) : clocks.latest(read, writes);
      if (write === null || write === source || (source !== null && !clocks.includes(write, source))) continue;
      const pattern = source === null ? 'WriteCOInitRead' : 'WriteCORead';
      if (counts[pattern]++ < MAX_OF_EACH) found.push(stale(pattern, history, graph, source, write, read));
      break;
    }
  }
  return found;
}

function first(clocks: Clocks, read: Access, writes: readonly Access[]): Access | null {
  const write = clocks.latest(read, writes);
  return write === null ? null : (writes[0] ?? null);
}

function stale(
  pattern: CausalPattern,
  history: CausalHistory,
  graph: Digraph,
  source: Access | null,
  write: Access,
  read: Access,
): CausalViolation {
  const path = pathInWords(history, pathBetween(graph, write.id, read.id, CAUSAL));
  const known = `the read comes causally after ${nameOf(write)}: ${path}`;
  if (source === null) {
    return violation(pattern, [write, read], `${nameOf(read)} saw the initial value, yet ${known}.`);
  }
  const replaced = pathInWords(history, pathBetween(graph, source.id, write.id, CAUSAL));
  const older = `that write itself comes causally after ${nameOf(source)}: ${replaced}`;
  return violation(pattern, [source, write, read], `${nameOf(read)} is stale: ${known}. And ${older}.`);
}

/** Causal convergence: the order in which concurrent writes are resolved, as far as reads show it, must not go round. */
export function findCyclicConflict(history: CausalHistory, clocks: Clocks): CausalViolation[] {
  const builder = history.causalGraph();
  for (const read of history.reads()) {
    const source = history.source(read);
    if (!source) continue;
    for (const writes of history.writesOf(read.key).values()) {
      const write = clocks.latest(read, writes);
      if (write !== null && write !== source) builder.addEdge(write.id, source.id, ORDER.conflict, read.id);
    }
  }
  const graph = builder.build();
  const mask = CAUSAL | ORDER.conflict;
  if (Clocks.of(graph, mask, history) !== null) return [];
  return [cycleOf('CyclicCF', history, graph, ORDER.conflict, mask)];
}

export function cycleOf(
  pattern: CausalPattern,
  history: CausalHistory,
  graph: Digraph,
  start: number,
  mask: number,
): CausalViolation {
  const { of, cyclic } = componentsOf(graph, mask);
  const search = new CycleSearch(graph, MAX_VISITS);
  const cycles = cyclic.map((members) => search.shortest(members, of, { start, rest: mask }, null));
  const cycle = cycles.filter((each) => each !== null).sort((a, b) => a.length - b.length)[0];
  assert(cycle !== undefined, 'edges that cannot be put in an order hold a cycle of the kind that was added');
  const accesses = cycle.map(({ from }) => history.access(from));
  const home = accesses[0];
  assert(home !== undefined, 'a cycle has edges');
  const meaning = meaningOf(pattern, history, cycle[0]?.evidence[0] ?? -1);
  const sentence = `${meaning}: begin with ${nameOf(home)}; ${pathInWords(history, cycle)}.`;
  return violation(pattern, accesses, sentence);
}

function meaningOf(pattern: CausalPattern, history: CausalHistory, reader: number): string {
  if (pattern === 'CyclicCO') return 'causes go round in a circle';
  if (pattern === 'CyclicCF') return 'no single order of concurrent writes explains what was read';
  return `no order explains all that process ${history.access(reader).operation.process} read`;
}

export function violation(pattern: CausalPattern, accesses: readonly Access[], sentence: string): CausalViolation {
  const text = `${sentence.slice(0, 1).toUpperCase()}${sentence.slice(1)}`;
  return { pattern, operations: accesses.map(({ operation }) => operation), sentence: text };
}

export function initialReadSentence(history: CausalHistory, graph: Digraph, write: Access, read: Access): string {
  const path = pathInWords(history, pathBetween(graph, write.id, read.id, CAUSAL | ORDER.happenedBefore));
  const who = `process ${read.operation.process}`;
  return `${nameOf(read)} saw the initial value, yet in all that ${who} read ${nameOf(write)} came before it: ${path}.`;
}
