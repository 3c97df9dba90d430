import { assert } from '@polder/core';
import type { Transaction } from 'lmdb';

/** A read transaction that several trees share; it ends with the last of them, so that LMDB may use its pages again. */
export class ReadView {
  readonly options: { readonly transaction: Transaction };
  #sharers = 1;
  #ended = false;

  constructor(transaction: Transaction) {
    this.options = { transaction };
  }

  share(): ReadView {
    assert(!this.#ended, 'a view that has ended is not read');
    this.#sharers++;
    return this;
  }

  release(): void {
    this.#sharers--;
    if (this.#sharers === 0) this.end();
  }

  /** Whoever shares it: the store closes. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.options.transaction.done();
  }

  get ended(): boolean {
    return this.#ended;
  }
}
