import { defined } from '../../base/assert.ts';
import { DigraphBuilder } from '../graph/digraph.ts';
import { canonical } from '../history.ts';
import { described, identityOf, malformedOperation, type RecordedOperation } from '../recorded.ts';
import { ORDER } from './model.ts';

/** A read or a write; a cas that succeeded is a read and, right after it, a write. */
export interface Access {
  readonly id: number;
  readonly operation: RecordedOperation;
  readonly type: 'read' | 'write';
  readonly key: string;
  readonly value: unknown;
  /** Which line of succession it belongs to, and as which member of it. */
  readonly chain: number;
  readonly position: number;
}

/**
 * The accesses of a history, in chains. A process is a chain. A write of unknown outcome that somebody read is one of
 * its own: it comes after what its process had done before, but may have taken effect at any time since, so that
 * nothing comes after it (PITFALLS D6). One that nobody read need not have happened and is left out.
 */
export class CausalHistory {
  readonly accesses: Access[] = [];
  /** Ids by chain and position. */
  readonly chains: number[][] = [];
  /** For each read, the write it reads from; null: the initial value; undefined: nobody's. */
  readonly #sources = new Map<number, Access | null | undefined>();
  readonly #writers = new Map<string, Map<unknown, Access>>();
  /** Writes of a key by chain, in order of position. */
  readonly #writes = new Map<string, Map<number, Access[]>>();
  /** Links from a process to the chain of one of its unknown writes. */
  readonly #branches: (readonly [number, number])[] = [];
  /** Why nothing can be inferred, or null. */
  readonly unusable: string | null;

  constructor(operations: readonly RecordedOperation[]) {
    for (const operation of operations) checkOperation(operation);
    const happened = witnessed(operations);
    const chainOf = new Map<number, number>();
    for (const operation of operations) {
      const { process, outcome } = operation;
      if (outcome === 'fail' || (outcome === 'info' && !happened.has(operation))) continue;
      const own = chainOf.get(process);
      const chain = outcome === 'info' || own === undefined ? this.chains.push([]) - 1 : own;
      if (outcome === 'ok') chainOf.set(process, chain);
      else if (own !== undefined) this.#branches.push([defined(this.chains[own]?.at(-1), 'no chain is empty'), chain]);
      this.#add(operation, chain);
    }
    this.unusable = whyAmbiguous(operations);
    for (const access of this.accesses) {
      if (access.type === 'read') this.#sources.set(access.id, this.#sourceOf(access));
    }
  }

  access(id: number): Access {
    return defined(this.accesses[id], 'an id names an access');
  }

  reads(): Access[] {
    return this.accesses.filter(({ type }) => type === 'read');
  }

  /** The write that the read reads from; null: the initial value; undefined: no write that may have happened. */
  source(read: Access): Access | null | undefined {
    return this.#sources.get(read.id);
  }

  writesOf(key: string): ReadonlyMap<number, readonly Access[]> {
    return this.#writes.get(key) ?? new Map<number, Access[]>();
  }

  /** A graph of program order and reads-from. */
  causalGraph(): DigraphBuilder {
    const builder = new DigraphBuilder(this.accesses.length);
    for (const chain of this.chains) {
      for (const [at, id] of chain.entries()) if (at > 0) builder.addEdge(chain[at - 1] ?? id, id, ORDER.program);
    }
    for (const [from, chain] of this.#branches) builder.addEdge(from, this.chains[chain]?.[0] ?? from, ORDER.program);
    for (const [read, source] of this.#sources) if (source) builder.addEdge(source.id, read, ORDER.readsFrom);
    return builder;
  }

  #add(operation: RecordedOperation, chain: number): void {
    const { f, key, value } = operation;
    const add = (type: Access['type'], accessed: unknown): void => {
      const ids = defined(this.chains[chain], 'the chain was made');
      const access = { id: this.accesses.length, operation, type, key, value: accessed, chain, position: ids.length };
      ids.push(access.id);
      this.accesses.push(access);
      if (type === 'write') this.#addWrite(access);
    };
    if (f === 'cas') {
      const [old, next] = value as [unknown, unknown];
      add('read', old);
      add('write', next);
    } else {
      add(f as Access['type'], value);
    }
  }

  #addWrite(access: Access): void {
    const { key, chain, value } = access;
    const writers = this.#writers.get(key) ?? new Map<unknown, Access>();
    this.#writers.set(key, writers.set(identityOf(value), access));
    const chains = this.#writes.get(key) ?? new Map<number, Access[]>();
    this.#writes.set(key, chains);
    const writes = chains.get(chain);
    if (writes === undefined) chains.set(chain, [access]);
    else writes.push(access);
  }

  #sourceOf({ key, value }: Access): Access | null | undefined {
    return value === null || value === undefined ? null : this.#writers.get(key)?.get(identityOf(value));
  }
}

/** A value that two operations may have written, or that looks like none, does not show whose it is. */
function whyAmbiguous(operations: readonly RecordedOperation[]): string | null {
  const writers = new Map<string, RecordedOperation>();
  for (const operation of operations) {
    const { f, key, outcome } = operation;
    if (f === 'read' || outcome === 'fail') continue;
    const value: unknown = f === 'cas' ? (operation.value as unknown[])[1] : operation.value;
    if (value === null || value === undefined) {
      return `${described(operation)} looks like the initial value: write a value, also to delete`;
    }
    const other = writers.get(nameOf(key, value));
    if (other !== undefined) {
      const both = `${described(other)} and ${described(operation)}`;
      return `${both} write the same: write each value of a key once, so that a read shows whose it is`;
    }
    writers.set(nameOf(key, value), operation);
  }
  return null;
}

/** The operations of unknown outcome that happened, because what they wrote was read, if only by another of them. */
function witnessed(operations: readonly RecordedOperation[]): ReadonlySet<RecordedOperation> {
  const writers = new Map<string, RecordedOperation>();
  for (const operation of operations) {
    const { f, key, value, outcome } = operation;
    if (outcome !== 'info' || f === 'read') continue;
    writers.set(nameOf(key, f === 'cas' ? (value as unknown[])[1] : value), operation);
  }
  const found = new Set<RecordedOperation>();
  const see = (key: string, seen: unknown): void => {
    for (let value = seen; ; ) {
      const writer = writers.get(nameOf(key, value));
      if (writer === undefined || found.has(writer)) return;
      found.add(writer);
      if (writer.f !== 'cas') return;
      value = (writer.value as unknown[])[0];
    }
  };
  for (const { f, key, value, outcome } of operations) {
    if (outcome === 'ok' && f !== 'write') see(key, f === 'cas' ? (value as unknown[])[0] : value);
  }
  return found;
}

function nameOf(key: string, value: unknown): string {
  return JSON.stringify([key, canonical(value)]);
}

function checkOperation(operation: RecordedOperation): void {
  const { f, value } = operation;
  if (f === 'read' || f === 'write') return;
  if (f === 'cas' && Array.isArray(value) && value.length === 2) return;
  const advice = 'this checker knows read, write and cas with [old, new]';
  throw malformedOperation(operation, `has the function ${JSON.stringify(f)}: ${advice}`);
}
