import { assert } from '@polder/core';
import type { Transaction } from 'lmdb';

/** A read transaction that several trees share; it ends with the last of them, so that LMDB may use its pages again. */
export class ReadView {
  readonly options: { readonly transaction: Transaction };
  #sharers = 1;

  constructor(transaction: Transaction) {
    this.options = { transaction };
  }

  share(): ReadView {
    assert(this.#sharers > 0, 'a view that has ended is not read');
    this.#sharers++;
    return this;
  }

  release(): void {
    assert(this.#sharers > 0, 'a view ends once');
    this.#sharers--;
    if (this.#sharers === 0) this.options.transaction.done();
  }
}
