import { defined } from '../../base/assert.ts';
import { atKey, described, identityOf, malformedOperation, type RecordedOperation } from '../recorded.ts';

/** What a read or cas sees and a write or cas leaves, as numbers of (key, value) pairs. */
export interface Step {
  readonly operation: RecordedOperation;
  readonly key: number;
  /** Null: a write sees nothing. */
  readonly sees: number | null;
  /** Null: a read leaves nothing. */
  readonly leaves: number | null;
}

/** An operation of unknown outcome: it may be placed once, after what its process had done before, or never. */
export interface OptionalStep {
  readonly step: Step;
  readonly process: number;
  /** So many operations of the process come before it. */
  readonly after: number;
}

/** A history as each process ran it: what a search for a sequential order needs. */
export class Program {
  readonly processes: Step[][] = [];
  readonly optional: OptionalStep[] = [];
  /** The number of "nothing" at each key, with which it begins. */
  readonly initial: number[] = [];
  /** Of each (key, value): how many operations that must be placed see it, and how many of any kind leave it. */
  readonly observers: number[] = [];
  readonly writers: number[] = [];
  readonly values: unknown[] = [];
  /** A read or cas of what nobody can have written. */
  readonly thinAir: Step[];
  readonly #keys = new Map<string, number>();
  readonly #names: Map<unknown, number>[] = [];
  readonly #processes = new Map<number, number>();

  constructor(operations: readonly RecordedOperation[]) {
    for (const operation of operations) this.#add(operation);
    this.#dropUnobservable();
    for (const { step } of this.optional) this.#count(this.writers, step.leaves);
    const steps = this.processes.flat();
    for (const step of steps) {
      this.#count(this.writers, step.leaves);
      this.#count(this.observers, step.sees);
    }
    this.thinAir = steps.filter(({ key, sees }) => {
      return sees !== null && sees !== this.initial[key] && (this.writers[sees] ?? 0) === 0;
    });
  }

  #add(operation: RecordedOperation): void {
    const { f, key: name, value, process, outcome } = operation;
    checkOperation(operation);
    if (outcome === 'fail' || (outcome === 'info' && f === 'read')) return;
    const key = this.#key(name);
    const [old, next] = f === 'cas' ? (value as [unknown, unknown]) : [value, value];
    const sees = f === 'write' ? null : this.#value(key, old);
    const leaves = f === 'read' ? null : this.#value(key, next);
    const index = this.#process(process);
    const steps = defined(this.processes[index], 'the process is known');
    const step = { operation, key, sees, leaves };
    if (outcome === 'ok') steps.push(step);
    else this.optional.push({ step, process: index, after: steps.length });
  }

  /** An operation that may not have happened, and whose value nobody saw, is placed nowhere: that explains as much. */
  #dropUnobservable(): void {
    for (let before = -1; before !== this.optional.length; ) {
      before = this.optional.length;
      const seen = new Set(
        [...this.processes.flat(), ...this.optional.map(({ step }) => step)].map(({ sees }) => sees),
      );
      const kept = this.optional.filter(({ step }) => seen.has(step.leaves));
      this.optional.splice(0, before, ...kept);
    }
  }

  #key(name: string): number {
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const key = this.initial.length;
    this.#keys.set(name, key);
    this.#names.push(new Map());
    this.initial.push(this.#value(key, null));
    return key;
  }

  #value(key: number, value: unknown): number {
    const names = defined(this.#names[key], 'the key is known');
    const identity = identityOf(value);
    const known = names.get(identity);
    if (known !== undefined) return known;
    names.set(identity, this.values.length);
    this.values.push(value);
    this.observers.push(0);
    this.writers.push(0);
    return this.values.length - 1;
  }

  #process(process: number): number {
    const known = this.#processes.get(process);
    if (known !== undefined) return known;
    this.#processes.set(process, this.processes.length);
    this.processes.push([]);
    return this.processes.length - 1;
  }

  #count(counts: number[], value: number | null): void {
    if (value !== null) counts[value] = (counts[value] ?? 0) + 1;
  }
}

function checkOperation(operation: RecordedOperation): void {
  const { f, key, value } = operation;
  if (f === 'read' || f === 'write') return;
  if (f === 'cas' && Array.isArray(value) && value.length === 2) return;
  const what = `is ${described(operation)}, which is no read, write or cas of [old, new] at ${atKey(key)}`;
  throw malformedOperation(operation, `${what}: this checker knows registers only`);
}
