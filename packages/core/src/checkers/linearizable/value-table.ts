import { canonical } from '../history.ts';

/** Small numbers for JSON values, equal for equal values; 0 is the first one asked for. */
export class ValueTable {
  readonly #plain = new Map<unknown, number>();
  readonly #structured = new Map<string, number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  id(value: unknown): number {
    if (typeof value === 'object' && value !== null) return this.#in(this.#structured, canonical(value));
    return this.#in(this.#plain, value);
  }

  #in<Key>(table: Map<Key, number>, key: Key): number {
    const known = table.get(key);
    if (known !== undefined) return known;
    table.set(key, this.#size);
    return this.#size++;
  }
}
