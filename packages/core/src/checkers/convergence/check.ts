import {
  atKey,
  type ConsistencyVerdict,
  inInvocationOrder,
  type RecordedOperation,
  shown,
  verdictOf,
} from '../recorded.ts';
import { type ConvergenceViolation, differenceOf } from './differences.ts';

export interface ConvergenceOptions {
  /** The position in the history from which on nothing was written; unless given, the last write's end. */
  readonly quietFrom?: number;
  /** Says that no write of unknown outcome can still take effect, so that one excuses no difference. */
  readonly settled?: boolean;
}

export interface ReplicaState {
  readonly name: string;
  readonly entries: Iterable<readonly [key: string, value: unknown]>;
}

export interface ConvergenceVerdict extends ConsistencyVerdict<ConvergenceViolation> {
  /** Keys that two holders at least were compared on. */
  readonly keys: number;
}

/**
 * Whether what each process read last of a key, after the writes had ended, is the same for all (eventual
 * consistency's safety half: Shapiro, Preguiça, Baquero and Zawirski, "Conflict-free replicated data types", 2011). A
 * process stands for the replica that it talks to. A write of unknown outcome may land between two such reads, and so
 * may explain a difference: the answer is then `unknown`, unless `settled`.
 */
export function checkConvergence(
  operations: readonly RecordedOperation[],
  options: ConvergenceOptions = {},
): ConvergenceVerdict {
  const ordered = inInvocationOrder(operations);
  const quietFrom = options.quietFrom ?? endOfWrites(ordered);
  const final = new Map<string, Map<number, unknown>>();
  for (const { process, f, key, value, outcome, invokedAt } of ordered) {
    if (f !== 'read' || outcome !== 'ok' || invokedAt < quietFrom) continue;
    final.set(key, (final.get(key) ?? new Map<number, unknown>()).set(process, value));
  }
  const violations: ConvergenceViolation[] = [];
  const excused: string[] = [];
  let keys = 0;
  let anything = false;
  for (const [key, values] of final) {
    if (values.size < 2) continue;
    keys++;
    for (const value of values.values()) anything ||= value !== null && value !== undefined;
    const held = [...values].map(([process, value]) => ({ holder: `process ${process}`, value }));
    const difference = differenceOf(key, held);
    if (difference === null) continue;
    const late = options.settled === true ? [] : ordered.filter((each) => each.key === key && isLateWrite(each));
    if (mayExplain(late, difference)) excused.push(key);
    else violations.push(difference);
  }
  return { ...verdictOf(violations, whyUnknown(keys, anything, excused)), keys };
}

/** Whether the states of replicas are the same, key by key; a key that a replica does not hold is a difference. */
export function checkReplicaStates(replicas: readonly ReplicaState[]): ConvergenceVerdict {
  const states = replicas.map(({ name, entries }) => ({ name, entries: new Map(entries) }));
  const keys = new Set(states.flatMap(({ entries }) => [...entries.keys()]));
  const violations: ConvergenceViolation[] = [];
  for (const key of keys) {
    const held = states.map(({ name, entries }) => ({ holder: name, value: entries.get(key) }));
    const difference = differenceOf(key, held);
    if (difference !== null) violations.push(difference);
  }
  const few = replicas.length < 2 ? 'there are not two replicas to compare: give all their states' : null;
  const empty = keys.size === 0 ? 'no replica holds anything, so that equal says nothing: write first' : null;
  return { ...verdictOf(violations, few ?? empty), keys: keys.size };
}

/** After this position no operation but reads was under way, as far as their ends are known. */
function endOfWrites(operations: readonly RecordedOperation[]): number {
  let end = 0;
  for (const { f, outcome, invokedAt, completedAt } of operations) {
    if (f !== 'read') end = Math.max(end, outcome === 'info' ? invokedAt : completedAt);
  }
  return end;
}

function isLateWrite({ f, outcome }: RecordedOperation): boolean {
  return f !== 'read' && outcome === 'info';
}

/** Late writes explain a difference when without the values that they may have left only one is left over. */
function mayExplain(late: readonly RecordedOperation[], { groups }: ConvergenceViolation): boolean {
  if (late.length === 0) return false;
  if (late.some(({ f }) => f !== 'write' && f !== 'cas')) return true;
  const left = new Set(late.map(({ f, value }) => shown(f === 'cas' ? (value as unknown[])[1] : value)));
  return groups.filter(({ value }) => !left.has(shown(value))).length <= 1;
}

function whyUnknown(keys: number, anything: boolean, excused: readonly string[]): string | null {
  if (keys === 0) return 'no key was read by two processes after the writes had ended: let each read all at the end';
  if (!anything) return 'every last read found nothing, so that equal says nothing: write first';
  const [first, ...others] = excused;
  if (first === undefined) return null;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  const late = 'a write of unknown outcome may have landed between the last reads';
  return `at ${atKey(first)}${more} ${late}: read again later, or say settled`;
}
