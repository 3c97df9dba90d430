import { DigraphBuilder } from '../graph/digraph.ts';
import type { DependencyType, Transaction } from './model.ts';
import { INITIAL, type Interned, NOBODY } from './parse.ts';

export const LABELS: Readonly<Record<DependencyType, number>> = { ww: 1, wr: 2, rw: 4, process: 8, realtime: 16 };

/** Beyond so many, transactions that read a version and replaced it are not all compared: each pair is a lost update. */
const MAX_RIVALS = 8;

/** A transaction that read a version of a key and then wrote the key. */
export interface Update {
  readonly transaction: Transaction;
  readonly key: number;
  /** The element that the version ends with, or INITIAL. */
  readonly version: number;
}

/**
 * The graph of direct dependencies (Adya, section 3.1.3): ww from a version's writer to the next one's, wr from a
 * version's writer to its reader, rw from a version's reader to the next one's writer. Evidence is the element before
 * and the element after.
 */
export class Dependencies {
  readonly builder: DigraphBuilder;
  readonly #interned: Interned;
  readonly #transactions: readonly Transaction[];
  readonly #happened: Uint8Array;

  constructor(transactions: readonly Transaction[], interned: Interned) {
    this.builder = new DigraphBuilder(transactions.length);
    this.#interned = interned;
    this.#transactions = transactions;
    this.#happened = new Uint8Array(transactions.length);
    for (const { id, outcome, steps } of transactions) {
      if (outcome !== 'ok') continue;
      this.#happened[id] = 1;
      for (const step of steps) {
        if (step.type === 'list') for (const element of step.elements) this.#witness(element);
        if (step.type === 'read') this.#witness(step.element);
      }
    }
  }

  /** Whether it certainly took effect: it succeeded, or its outcome is unknown but someone saw a part of it. */
  hasHappened(transaction: number): boolean {
    return this.#happened[transaction] === 1;
  }

  #witness(element: number): void {
    const writer = this.writer(element);
    if (writer !== NOBODY && this.#transactions[writer]?.outcome === 'info') this.#happened[writer] = 1;
  }

  /** Whether the element's writer may have committed. */
  isLive(element: number): boolean {
    const writer = this.writer(element);
    return writer !== NOBODY && this.#transactions[writer]?.outcome !== 'fail';
  }

  writer(element: number): number {
    return this.#interned.writerOf[element] ?? NOBODY;
  }

  follows(before: number, after: number): void {
    this.builder.addEdge(this.writer(before), this.writer(after), LABELS.ww, before, after);
  }

  observed(element: number, reader: Transaction): void {
    this.builder.addEdge(this.writer(element), reader.id, LABELS.wr, element, INITIAL);
  }

  /** Each of `readers` saw `version`, which every one of the elements `later` comes after. */
  overwritten(readers: readonly Transaction[], version: number, later: readonly number[]): void {
    if (readers.length === 0 || later.length === 0) return;
    const writers = new Set(later.map((element) => this.writer(element)));
    const outside: Transaction[] = [];
    let rivals = 0;
    for (const reader of readers) {
      if (later.length > 1 && !writers.has(reader.id)) outside.push(reader);
      else if (later.length === 1 || rivals++ < MAX_RIVALS) {
        for (const element of later) {
          this.builder.addEdge(reader.id, this.writer(element), LABELS.rw, version, element);
        }
      }
    }
    if (outside.length === 0) return;
    const junction = this.builder.addJunction();
    for (const reader of outside) this.builder.addEdge(reader.id, junction, LABELS.rw, version, INITIAL);
    for (const element of later) {
      this.builder.addEdge(junction, this.writer(element), LABELS.rw, version, element);
    }
  }
}
