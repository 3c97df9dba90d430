import { defined } from '../../base/assert.ts';

/** More kinds of unknown operations in one search than this do not fit the keys of the table. */
const MAX_KINDS = 2 ** 24;

/** Which unknown operations a configuration used, as a small number: sorted kinds, one entry for each use; 0 is none. */
export class UsedSets {
  readonly #sets: (readonly number[])[] = [[]];
  readonly #ids = new Map<string, number>([['', 0]]);
  readonly #with = new Map<number, number>();

  get size(): number {
    return this.#sets.length;
  }

  kinds(set: number): readonly number[] {
    return defined(this.#sets[set], 'a used set is one of those made');
  }

  with(set: number, kind: number): number {
    const name = set * MAX_KINDS + kind;
    const known = this.#with.get(name);
    if (known !== undefined) return known;
    const kinds = this.kinds(set);
    const at = kinds.findIndex((other) => other > kind);
    const id = this.id(at < 0 ? [...kinds, kind] : [...kinds.slice(0, at), kind, ...kinds.slice(at)]);
    this.#with.set(name, id);
    return id;
  }

  /** Of sorted kinds. */
  id(kinds: readonly number[]): number {
    const name = kinds.join();
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    this.#ids.set(name, this.#sets.length);
    this.#sets.push(kinds);
    return this.#sets.length - 1;
  }

  count(set: number, kind: number): number {
    if (set === 0) return 0;
    let uses = 0;
    for (const other of this.kinds(set)) if (other === kind) uses++;
    return uses;
  }

  /** Whether `a` used no more than `b` of anything. */
  within(a: number, b: number): boolean {
    if (a === b || a === 0) return true;
    if (b === 0) return false;
    const [small, large] = [this.kinds(a), this.kinds(b)];
    if (small.length > large.length) return false;
    let i = 0;
    for (const kind of large) if (i < small.length && small[i] === kind) i++;
    return i === small.length;
  }
}
