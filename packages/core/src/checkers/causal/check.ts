import { assert } from '../../base/assert.ts';
import { inInvocationOrder, type RecordedOperation, verdictOf } from '../recorded.ts';
import { Clocks } from './clocks.ts';
import { CausalHistory } from './history.ts';
import { checkMemory } from './memory.ts';
import { CAUSAL, type CausalModel, type CausalVerdict, type CausalViolation } from './model.ts';
import { findCausalPatterns, findCyclicConflict, findThinAirReads } from './patterns.ts';

export interface CausalOptions {
  readonly model?: CausalModel;
  /** Entries of vector clocks that may be computed, of 4 bytes each; a check of CM computes some more than once. */
  readonly maxCells?: number;
}

const DEFAULT_MAX_CELLS = 100_000_000;

/**
 * Whether a history of registers is causally consistent, by the bad patterns of Bouajjani, Enea, Guerraoui and Hamza
 * (POPL 2017). A process is a session. Each value of a key is written once and none is null, which is the initial
 * value; else the verdict is `unknown`. A cas counts as a read and then a write: that nothing came between is not
 * judged. Throws `MalformedHistory`.
 */
export function checkCausal(operations: readonly RecordedOperation[], options: CausalOptions = {}): CausalVerdict {
  const { model = 'CC', maxCells = DEFAULT_MAX_CELLS } = options;
  assert(Number.isSafeInteger(maxCells) && maxCells >= 1, 'maxCells is a positive integer');
  const history = new CausalHistory(inInvocationOrder(operations));
  const reason = history.unusable ?? whyNothing(operations);
  if (reason !== null) return verdictOf<CausalViolation>([], reason);
  const violations: CausalViolation[] = [...findThinAirReads(history, operations)];
  const tooLarge = `vector clocks of ${history.accesses.length} operations in ${history.chains.length} sessions`;
  const giveUp = `${tooLarge} need more than ${maxCells} cells: raise maxCells, or check a shorter history`;
  if (history.accesses.length * history.chains.length > maxCells) return verdictOf(violations, giveUp);
  const graph = history.causalGraph().build();
  const clocks = Clocks.of(graph, CAUSAL, history);
  violations.push(...findCausalPatterns(history, graph, clocks));
  if (clocks === null) return verdictOf(violations, null);
  if (model === 'CCv') violations.push(...findCyclicConflict(history, clocks));
  if (model !== 'CM') return verdictOf(violations, null);
  const memory = checkMemory(history, maxCells);
  if (memory.type === 'gave-up') return verdictOf(violations, giveUp);
  return verdictOf([...violations, ...memory.violations], null);
}

function whyNothing(operations: readonly RecordedOperation[]): string | null {
  const ok = operations.filter(({ outcome }) => outcome === 'ok');
  if (ok.length === 0) return 'no operation succeeded: run for longer';
  if (ok.every(({ f }) => f === 'write'))
    return 'no read succeeded, so that nothing shows what the writes did: add reads';
  return null;
}
