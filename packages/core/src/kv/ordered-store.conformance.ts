/**
 * What an OrderedStore promises, checked against a sorted array. It takes a list of numbers, which a property test
 * draws and shrinks, and turns it into steps; a difference throws.
 */
import { assert } from '../base/assert.ts';
import { compareBytes, equalBytes } from '../base/bytes.ts';
import type { OrderedStore } from './ordered-store.ts';

/** No key that is tried is longer. */
export const MAX_CONFORMANCE_KEY_BYTES = 20_000;

/** Lengths around which stores with a limit on keys may go wrong: LMDB's own are 511 and 1,978. */
const LENGTHS = [
  1, 1, 1, 2, 2, 3, 5, 510, 511, 512, 1_023, 1_024, 1_899, 1_900, 1_901, 1_978, 1_979, 3_800, 3_801, 9_999,
];
const FILLS = [0x00, 0x01, 0x61, 0xfe, 0xff];
const VALUE_LENGTHS = [0, 1, 7, 63, 64, 300, 4_096, 40_000];
const MOST_SNAPSHOTS = 3;

interface Pair {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

interface Tried {
  readonly store: OrderedStore<Uint8Array>;
  /** Sorted. */
  readonly model: Pair[];
}

/**
 * Runs the steps that `numbers` stand for. Snapshots are tried beside the store that they were taken of. Yields a
 * number now and then: the moment for something around the store that must not show, as a commit that begins or fails.
 */
export function* checkOrderedStore(
  store: OrderedStore<Uint8Array>,
  numbers: readonly number[],
): Generator<number, void, void> {
  const draws = new Draws(numbers);
  const tried: Tried[] = [{ store, model: [] }];
  while (draws.left) {
    const one = tried[draws.below(tried.length)] as Tried;
    const kind = draws.below(16);
    if (kind < 6) put(one, draws.key(), draws.value());
    else if (kind < 8) remove(one, draws.key());
    else if (kind < 9) removeRange(one, draws.key());
    else if (kind < 10) get(one, draws.key());
    else if (kind < 13) range(one, draws.bound(), draws.below(4) === 0 ? null : draws.bound(), draws.below(5));
    else if (kind < 14) yield draws.below(8);
    else if (tried.length <= MOST_SNAPSHOTS) tried.push({ store: one.store.snapshot(), model: one.model.slice() });
    else (tried.splice(1, 1)[0] as Tried).store.close();
    assert(one.store.size === one.model.length, 'size is the number of keys');
  }
  for (const one of tried) everything(one);
  for (const snapshot of tried.slice(1)) snapshot.store.close();
}

function put({ store, model }: Tried, key: Uint8Array, value: Uint8Array): void {
  store.put(key, value);
  const at = lowerBound(model, key);
  const found = model[at];
  model.splice(at, found !== undefined && equalBytes(found.key, key) ? 1 : 0, { key, value });
}

function remove({ store, model }: Tried, key: Uint8Array): void {
  const at = lowerBound(model, key);
  const found = model[at];
  const was = found !== undefined && equalBytes(found.key, key);
  if (was) model.splice(at, 1);
  assert(store.delete(key) === was, 'delete says whether the key was there');
}

/** Several keys in a row go, so that structures shrink. */
function removeRange(tried: Tried, from: Uint8Array): void {
  for (const { key } of tried.model.slice(lowerBound(tried.model, from)).slice(0, 5)) remove(tried, key);
}

function get({ store, model }: Tried, key: Uint8Array): void {
  const found = model[lowerBound(model, key)];
  const expected = found !== undefined && equalBytes(found.key, key) ? found.value : undefined;
  const value = store.get(key);
  assert(same(value, expected), 'get gives what was put last');
}

function range({ store, model }: Tried, from: Uint8Array, to: Uint8Array | null, limit: number): void {
  const start = lowerBound(model, from);
  const expected = model.slice(start, Math.max(start, to === null ? model.length : lowerBound(model, to)));
  assert(store.count(from, to) === expected.length, 'count is the number of keys in the range');
  for (const direction of ['scan', 'scanBackward'] as const) {
    const wanted = direction === 'scan' ? expected : expected.slice().reverse();
    // limit 0: to the end
    const shown = limit === 0 ? wanted : wanted.slice(0, limit);
    let visited = 0;
    store[direction](from, to, (key, value) => {
      const pair = shown[visited++];
      assert(pair !== undefined, 'a scan visits nothing beyond its range, nor after it was told to stop');
      assert(equalBytes(pair.key, key), 'a scan visits the keys of its range in order');
      assert(equalBytes(pair.value, value), 'a scan gives each key’s value');
      return visited !== limit;
    });
    assert(visited === shown.length, 'a scan visits every key of its range');
  }
}

function everything(tried: Tried): void {
  range(tried, new Uint8Array(0), null, 0);
  for (const { key } of tried.model) get(tried, key);
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b);
}

function lowerBound(model: readonly Pair[], key: Uint8Array): number {
  let low = 0;
  let high = model.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes((model[middle] as Pair).key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

class Draws {
  readonly #numbers: readonly number[];
  #next = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  get left(): boolean {
    return this.#next < this.#numbers.length;
  }

  below(bound: number): number {
    return (this.#numbers[this.#next++] ?? 0) % bound;
  }

  /** From a small pool: the same byte many times and two that differ at the end, so that prefixes are shared. */
  key(): Uint8Array {
    const length = LENGTHS[this.below(LENGTHS.length)] as number;
    const key = new Uint8Array(length).fill(FILLS[this.below(FILLS.length)] as number);
    if (length > 1) key[length - 2] = this.below(256);
    key[length - 1] = FILLS[this.below(FILLS.length)] as number;
    return key;
  }

  /** Also no key: before all. */
  bound(): Uint8Array {
    return this.below(6) === 0 ? new Uint8Array(0) : this.key();
  }

  value(): Uint8Array {
    return new Uint8Array(VALUE_LENGTHS[this.below(VALUE_LENGTHS.length)] as number).fill(this.below(256));
  }
}
