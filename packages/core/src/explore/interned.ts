import { defined } from '../base/assert.ts';

/** Gives equal values one number, from 0 up; they are equal if their keys are. */
export class Interned<T> {
  readonly #numbers = new Map<string, number>();
  readonly #values: T[] = [];

  get size(): number {
    return this.#values.length;
  }

  numberOf(key: string, make: () => T): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#values.length;
    this.#numbers.set(key, number);
    this.#values.push(make());
    return number;
  }

  at(number: number): T {
    return defined(this.#values[number], 'a number was given out');
  }
}

/** One UTF-16 unit a byte: a key for a Map. */
export function byteKey(bytes: Uint8Array): string {
  let key = '';
  for (let i = 0; i < bytes.length; i++) key += String.fromCharCode(bytes[i] as number);
  return key;
}
