import type { Dependencies, Update } from './dependencies.ts';
import type { Findings } from './findings.ts';
import type { Transaction } from './model.ts';
import { INITIAL, type Interned, NOBODY, type TransactionHistory } from './parse.ts';
import { alone, elementShown, keyShown, nameOf, readShown, writeShown } from './words.ts';

interface RegisterKey {
  readonly key: number;
  /** Who saw which version. */
  readonly readers: Map<number, Transaction[]>;
  /** Final writes by the version that their transaction had read before; those of others are blind. */
  readonly replacements: Map<number, number[]>;
  readonly blind: number[];
}

/**
 * Registers hide their history, so only this order of versions is inferred: nothing comes before every write, and the
 * version that a transaction read comes before the one that it wrote. The second follows from serializability, and
 * from PL-2 already: were it the other way round, the transaction would both follow and precede the writer of what it
 * read (G1c). Where writes are blind, anomalies may go unnoticed; none is made up.
 */
export class RegisterAnalysis {
  readonly #transactions: readonly Transaction[];
  readonly #interned: Interned;
  readonly #dependencies: Dependencies;
  readonly #findings: Findings;
  readonly #keys: RegisterKey[];

  constructor({ transactions, interned }: TransactionHistory, dependencies: Dependencies, findings: Findings) {
    this.#transactions = transactions;
    this.#interned = interned;
    this.#dependencies = dependencies;
    this.#findings = findings;
    this.#keys = interned.keyNames.map((_, key) => ({ key, readers: new Map(), replacements: new Map(), blind: [] }));
  }

  /** Adds the dependencies and the anomalies that need no cycle; returns the updates. */
  run(): Update[] {
    const updates: Update[] = [];
    for (const transaction of this.#transactions) this.#sortSteps(transaction, updates);
    for (const register of this.#keys) this.#addOrder(register);
    return updates;
  }

  #sortSteps(transaction: Transaction, updates: Update[]): void {
    /** What each key must read as, and what it read as before the transaction wrote it. */
    const local = new Map<number, { due: number; replaced: number | null; isOwn: boolean }>();
    for (const step of transaction.steps) {
      const { key } = step;
      const register = this.#keys[key];
      if (register === undefined) continue;
      const state = local.get(key);
      if (step.type === 'write') {
        const replaced = state === undefined ? null : state.isOwn ? state.replaced : state.due;
        if (state?.isOwn === false) updates.push({ transaction, key, version: state.due });
        if (this.#interned.isFinal[step.element]) addWrite(register, step.element, replaced);
        local.set(key, { due: step.element, replaced, isOwn: true });
      } else if (step.type === 'read') {
        const { element } = step;
        if (state === undefined) this.#checkFuture(transaction, key, element);
        else if (state.due !== element) {
          this.#findings.add('internal', () => {
            const saw = readShown(this.#interned, transaction, key, elementShown(this.#interned, element));
            const what = elementShown(this.#interned, state.due);
            return alone([transaction], `${saw}, but after its own steps it should have read ${what}.`);
          });
        }
        if (state?.due === element) continue;
        append(register.readers, element, transaction);
        this.#checkWriter(transaction, key, element);
        local.set(key, { due: element, replaced: state?.replaced ?? null, isOwn: state?.isOwn ?? false });
      }
    }
  }

  #checkFuture(transaction: Transaction, key: number, element: number): void {
    if (this.#writerOf(element) !== transaction) return;
    this.#findings.add('internal', () => {
      const saw = readShown(this.#interned, transaction, key, elementShown(this.#interned, element));
      return alone([transaction], `${saw}, before it wrote that itself.`);
    });
  }

  #checkWriter(transaction: Transaction, key: number, element: number): void {
    if (element === INITIAL) return;
    const interned = this.#interned;
    const writer = this.#writerOf(element);
    if (writer === transaction) return;
    const saw = (): string => readShown(interned, transaction, key, elementShown(interned, element));
    if (writer === null) {
      this.#findings.add('thin-air-read', () => alone([transaction], `${saw()}, which nobody wrote.`));
    } else if (writer.outcome === 'fail') {
      this.#findings.add('G1a', () =>
        alone([writer, transaction], `${saw()}, which ${nameOf(writer)} wrote and failed.`),
      );
    } else if (!interned.isFinal[element]) {
      const sentence = `which ${nameOf(writer)} overwrote itself before it was done`;
      this.#findings.add('G1b', () => alone([writer, transaction], `${saw()}, ${sentence}.`));
    }
  }

  #addOrder({ key, readers, replacements, blind }: RegisterKey): void {
    const dependencies = this.#dependencies;
    const first: number[] = [];
    const certain = (element: number): boolean => dependencies.hasHappened(dependencies.writer(element));
    for (const element of blind) if (certain(element)) first.push(element);
    for (const [version, elements] of replacements) {
      if (!dependencies.isLive(version)) {
        for (const element of elements) if (certain(element)) first.push(element);
        this.#checkDirtyUpdate(key, version, elements);
        continue;
      }
      for (const element of elements) if (certain(element)) dependencies.follows(version, element);
      dependencies.overwritten(readers.get(version) ?? [], version, elements.filter(certain));
    }
    dependencies.overwritten(readers.get(INITIAL) ?? [], INITIAL, first);
    for (const [version, transactions] of readers) {
      if (!dependencies.isLive(version)) continue;
      for (const transaction of transactions) dependencies.observed(version, transaction);
    }
  }

  #checkDirtyUpdate(key: number, version: number, elements: readonly number[]): void {
    const loser = this.#writerOf(version);
    if (loser === null) return;
    for (const element of elements) {
      const writer = this.#writerOf(element);
      if (writer === null || writer.outcome === 'fail') continue;
      this.#findings.add('dirty-update', () => {
        const lost = writeShown(this.#interned, loser, version);
        const kept = `${nameOf(writer)} read that at ${keyShown(this.#interned, key)} and replaced it`;
        return alone([loser, writer], `${lost} and failed, yet ${kept}.`);
      });
    }
  }

  #writerOf(element: number): Transaction | null {
    const writer = this.#interned.writerOf[element] ?? NOBODY;
    return writer === NOBODY ? null : (this.#transactions[writer] ?? null);
  }
}

function addWrite({ blind, replacements }: RegisterKey, element: number, replaced: number | null): void {
  if (replaced === null) blind.push(element);
  else append(replacements, replaced, element);
}

function append<Item>(lists: Map<number, Item[]>, name: number, item: Item): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [item]);
  else list.push(item);
}
