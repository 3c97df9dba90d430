import type { Dependencies, Update } from './dependencies.ts';
import type { Findings } from './findings.ts';
import type { Transaction } from './model.ts';
import { INITIAL, type Interned, NOBODY, type TransactionHistory } from './parse.ts';
import { alone, elementShown, keyShown, listShown, nameOf, readShown, writeShown } from './words.ts';

interface ListRead {
  readonly transaction: Transaction;
  /** Up to the transaction's own appends: what others had committed. */
  readonly elements: readonly number[];
}

interface ListKey {
  readonly key: number;
  readonly reads: ListRead[];
  readonly appends: { readonly transaction: Transaction; readonly element: number }[];
}

/**
 * Lists show their own history: a read of [1, 2, 3] proves that 1 was appended before 2 and 2 before 3 (Kingsbury and
 * Alvaro, section 4.2). So the longest read of a key is the order of its versions, and what was certainly appended
 * but is not in it comes later.
 */
export class ListAnalysis {
  readonly #transactions: readonly Transaction[];
  readonly #interned: Interned;
  readonly #dependencies: Dependencies;
  readonly #findings: Findings;
  readonly #keys: ListKey[];

  constructor({ transactions, interned }: TransactionHistory, dependencies: Dependencies, findings: Findings) {
    this.#transactions = transactions;
    this.#interned = interned;
    this.#dependencies = dependencies;
    this.#findings = findings;
    this.#keys = interned.keyNames.map((_, key) => ({ key, reads: [], appends: [] }));
  }

  /** Adds the dependencies and the anomalies that need no cycle; returns the updates. */
  run(): Update[] {
    const updates: Update[] = [];
    for (const transaction of this.#transactions) this.#sortSteps(transaction, updates);
    for (const list of this.#keys) {
      this.#checkWriters(list);
      for (const { transaction, elements } of list.reads) {
        const seen = elements.findLast((element) => this.#dependencies.isLive(element));
        if (seen !== undefined) this.#dependencies.observed(seen, transaction);
      }
      const order = this.#orderOf(list);
      if (order !== null) this.#addOrder(list, order);
    }
    return updates;
  }

  /** Puts the steps of a transaction with their keys, and holds its reads against its own earlier steps. */
  #sortSteps(transaction: Transaction, updates: Update[]): void {
    const local = new Map<number, { base: readonly number[] | null; own: number[] }>();
    const done = new Set<number>();
    for (const step of transaction.steps) {
      const { key } = step;
      const list = this.#keys[key];
      const state = local.get(key);
      if (step.type === 'append') {
        list?.appends.push({ transaction, element: step.element });
        if (state === undefined) local.set(key, { base: null, own: [step.element] });
        else state.own.push(step.element);
        if (state?.base?.every((element) => !done.has(element)) && state.own.length === 1) {
          updates.push({ transaction, key, version: state.base.at(-1) ?? INITIAL });
        }
        done.add(step.element);
      } else if (step.type === 'list') {
        const { elements } = step;
        const firstOwn = elements.findIndex((element) => this.#interned.writerOf[element] === transaction.id);
        list?.reads.push({ transaction, elements: firstOwn < 0 ? elements : elements.slice(0, firstOwn) });
        if (firstOwn >= 0) this.#checkOwn(transaction, key, elements, done);
        if (state !== undefined && !expected(elements, state.base, state.own)) {
          this.#findings.add('internal', () => {
            const saw = readShown(this.#interned, transaction, key, listShown(this.#interned, elements));
            const due = listShown(this.#interned, [...(state.base ?? []), ...state.own]);
            const what = state.base === null ? `a list that ends with ${due}` : due;
            return alone([transaction], `${saw}, but after its own steps it should have read ${what}.`);
          });
        }
        local.set(key, { base: elements, own: [] });
      }
    }
  }

  /** A transaction's own appends must not be read before they are made, nor twice. */
  #checkOwn(transaction: Transaction, key: number, elements: readonly number[], done: ReadonlySet<number>): void {
    if (new Set(elements).size < elements.length) this.#addDuplicate(transaction, key, elements);
    for (const element of elements) {
      if (this.#interned.writerOf[element] !== transaction.id || done.has(element)) continue;
      this.#findings.add('internal', () => {
        const saw = readShown(this.#interned, transaction, key, listShown(this.#interned, elements));
        const what = elementShown(this.#interned, element);
        return alone([transaction], `${saw}, before it appended ${what} itself.`);
      });
    }
  }

  /** Reads of what failed, of what nobody wrote, and of what its writer had not finished. */
  #checkWriters({ key, reads }: ListKey): void {
    const interned = this.#interned;
    for (const { transaction, elements } of reads) {
      for (const element of elements) {
        const writer = this.#writerOf(element);
        if (writer !== null && writer.outcome !== 'fail') continue;
        const saw = `${nameOf(transaction)} read ${elementShown(interned, element)} in ${keyShown(interned, key)}`;
        if (writer === null) {
          this.#findings.add('thin-air-read', () => alone([transaction], `${saw}, which nobody appended.`));
        } else {
          const sentence = `${saw}, which ${nameOf(writer)} appended, and that one failed.`;
          this.#findings.add('G1a', () => alone([writer, transaction], sentence));
        }
      }
      const last = elements.at(-1) ?? INITIAL;
      const writer = this.#writerOf(last);
      if (writer === null || writer === transaction || writer.outcome === 'fail' || interned.isFinal[last]) continue;
      this.#findings.add('G1b', () => {
        const saw = readShown(interned, transaction, key, listShown(interned, elements));
        return alone([writer, transaction], `${saw}, in the middle of ${nameOf(writer)}, which appended more there.`);
      });
    }
  }

  /** The order of the key's versions, or null when its reads do not agree on one. */
  #orderOf({ key, reads }: ListKey): readonly number[] | null {
    const interned = this.#interned;
    let longest: ListRead | null = null;
    for (const read of reads) if (read.elements.length > (longest?.elements.length ?? -1)) longest = read;
    if (longest === null) return [];
    let agreed = true;
    for (const read of reads) {
      const isPrefix = read.elements.every((element, at) => element === longest.elements[at]);
      if (isPrefix && read !== longest) continue;
      if (new Set(read.elements).size < read.elements.length) {
        agreed = false;
        this.#addDuplicate(read.transaction, key, read.elements);
      } else if (!isPrefix) {
        agreed = false;
        this.#findings.add('incompatible-order', () => {
          const saw = [read, longest].map(({ transaction, elements }) => {
            return readShown(interned, transaction, key, listShown(interned, elements));
          });
          return alone(
            [read.transaction, longest.transaction],
            `${saw.join(', and ')}: neither grew out of the other.`,
          );
        });
      }
    }
    return agreed ? longest.elements : null;
  }

  #addDuplicate(transaction: Transaction, key: number, elements: readonly number[]): void {
    this.#findings.add('duplicate-elements', () => {
      const saw = readShown(this.#interned, transaction, key, listShown(this.#interned, elements));
      return alone([transaction], `${saw}: one append took effect twice.`);
    });
  }

  #addOrder({ reads, appends }: ListKey, order: readonly number[]): void {
    const dependencies = this.#dependencies;
    this.#checkDirtyUpdate(order);
    this.#checkOwnOrder(order);
    const observed = new Set(order);
    const live = order.filter((element) => dependencies.isLive(element));
    for (const [at, element] of live.entries()) if (at > 0) dependencies.follows(live[at - 1] ?? INITIAL, element);
    const late: number[] = [];
    for (const { transaction, element } of appends) {
      if (dependencies.hasHappened(transaction.id) && !observed.has(element)) late.push(element);
    }
    const end = live.at(-1);
    if (end !== undefined) for (const element of late) dependencies.follows(end, element);
    const readersOf: Transaction[][] = Array.from({ length: order.length + 1 }, () => []);
    for (const { transaction, elements } of reads) readersOf[elements.length]?.push(transaction);
    let next: readonly number[] = late;
    for (let length = order.length; length >= 0; length--) {
      dependencies.overwritten(readersOf[length] ?? [], order[length - 1] ?? INITIAL, next);
      const element = order[length - 1] ?? INITIAL;
      if (dependencies.isLive(element)) next = [element];
    }
  }

  /** What one transaction appended to a key stands there in the order in which it did so, without holes. */
  #checkOwnOrder(order: readonly number[]): void {
    const appended = new Map<number, number>();
    for (const element of order) {
      const writer = this.#writerOf(element);
      if (writer === null) continue;
      const due = appended.get(writer.id) ?? 0;
      const ordinal = this.#interned.ordinalOf[element] ?? 0;
      appended.set(writer.id, due + 1);
      if (ordinal === due) continue;
      const what = writeShown(this.#interned, writer, element, 'appended');
      const sentence = `${what} as number ${ordinal + 1} of its appends there, but reads show it as number ${due + 1}.`;
      this.#findings.add('incompatible-order', () => alone([writer], sentence));
      return;
    }
  }

  #checkDirtyUpdate(order: readonly number[]): void {
    let failed: number | null = null;
    for (const element of order) {
      const writer = this.#writerOf(element);
      if (writer?.outcome === 'fail') failed ??= element;
      if (failed === null || writer === null || writer.outcome === 'fail') continue;
      const loser = this.#writerOf(failed);
      if (loser === null) continue;
      const lost = writeShown(this.#interned, loser, failed, 'appended');
      const kept = writeShown(this.#interned, writer, element, 'appended');
      this.#findings.add('dirty-update', () => alone([loser, writer], `${lost} and failed, yet ${kept} behind it.`));
      return;
    }
  }

  #writerOf(element: number): Transaction | null {
    const writer = this.#interned.writerOf[element] ?? NOBODY;
    return writer === NOBODY ? null : (this.#transactions[writer] ?? null);
  }
}

/** What a read must show after the transaction's own steps: what it read before, if it did, and its appends since. */
function expected(elements: readonly number[], base: readonly number[] | null, own: readonly number[]): boolean {
  const before = elements.length - own.length;
  if (base !== null && (before !== base.length || !base.every((element, at) => element === elements[at]))) return false;
  return before >= 0 && own.every((element, at) => element === elements[before + at]);
}
