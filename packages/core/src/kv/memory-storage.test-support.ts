/** A Storage in memory, for tests: what is committed stays when a machine is made anew, what is under way is lost. */
import { defined } from '../base/assert.ts';
import type { Engine, Transaction } from './engine.ts';
import { MemoryEngine } from './memory-engine.ts';
import type { Storage } from './storage.ts';

export class MemoryStorage implements Storage {
  /** Durable transactions, by engine. */
  readonly stores = new Map<string, Transaction[]>();
  /** Outcomes to be delivered, in order. */
  readonly outcomes: number[] = [];
  readonly #engines = new Map<string, Engine>();
  #pending: { readonly name: string; readonly transaction: Transaction } | null = null;

  open(token: number, name: string): void {
    this.outcomes.push(token);
    const engine = new MemoryEngine((commitToken, transaction) => {
      this.#pending = { name, transaction };
      this.outcomes.push(commitToken);
    });
    const durable = this.stores.get(name) ?? [];
    this.stores.set(name, durable);
    for (const transaction of durable) engine.restore(transaction);
    this.#engines.set(name, engine);
  }

  create(token: number, name: string): void {
    this.stores.delete(name);
    this.open(token, name);
  }

  engine(name: string): Engine {
    return defined(this.#engines.get(name), 'the engine is open');
  }

  keepOnly(name: string): void {
    for (const other of this.stores.keys()) if (other !== name) this.stores.delete(other);
  }

  /** The oldest outcome comes due: what was to be written is durable, or never was. */
  deliver(outcome: 'done' | 'error'): void {
    this.outcomes.shift();
    if (outcome === 'done' && this.#pending !== null) {
      this.stores.get(this.#pending.name)?.push(this.#pending.transaction);
    }
    this.#pending = null;
  }

  /** The power goes: what was under way is lost. */
  crash(): void {
    this.outcomes.length = 0;
    this.#pending = null;
  }
}
