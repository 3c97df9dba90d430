import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../base/bytes.ts';
import { MemoryEngine } from './memory-engine.ts';
import { MemoryStore } from './memory-store.ts';
import { checkOrderedStore } from './ordered-store.conformance.ts';
import type { OrderedStore } from './ordered-store.ts';
import { OverlayStore, type ValueCodec } from './overlay-store.ts';

const BYTES: ValueCodec<Uint8Array> = {
  encode: (value) => value,
  decode: (_, bytes) => bytes,
  sizeOf: (value) => value.length,
};

interface Subject {
  readonly store: OrderedStore<Uint8Array>;
  readonly around: (choice: number) => void;
}

function check({ store, around }: Subject, numbers: readonly number[]): void {
  for (const choice of checkOrderedStore(store, numbers)) around(choice);
}

const inMemory = (): Subject => ({ store: new MemoryStore<Uint8Array>(), around: () => undefined });

/** An overlay whose layers are frozen, settle and thaw as it pleases the test. */
function overlay(): Subject & { readonly store: OverlayStore<Uint8Array> } {
  const engine = new MemoryEngine(() => undefined);
  const store = new OverlayStore(engine.tree('t'), BYTES);
  let frozen = false;
  const around = (choice: number): void => {
    if (!frozen) engine.commit(1, { changes: new Map([['t', store.freeze()]]), record: utf8('r') });
    else if (choice === 0) {
      engine.settle('error');
      store.thaw();
    } else {
      engine.settle('done');
      store.settled(engine.tree('t'));
    }
    frozen = !frozen;
  };
  return { store, around };
}

const SUBJECTS: [string, () => Subject][] = [
  ['MemoryStore', inMemory],
  ['OverlayStore', overlay],
];

describe('an OrderedStore', () => {
  it.each(SUBJECTS)('T1: %s answers as a sorted array, and so do its snapshots', (_, create) => {
    const numbers = fc.array(fc.nat({ max: 0xffff }), { maxLength: 400, size: 'max' });
    fc.assert(
      fc.property(numbers, (list) => check(create(), list)),
      { numRuns: 150 },
    );
  });

  it('T1: a MemoryStore of thousands of keys splits and joins its chunks unseen', () => {
    const numbers = fc.array(fc.nat({ max: 0xffff }), { minLength: 5_000, maxLength: 10_000, size: 'max' });
    fc.assert(
      fc.property(numbers, (list) => check(inMemory(), list)),
      { numRuns: 3 },
    );
  });
});

describe('an overlay', () => {
  it('T2: gives what it froze as changes that know what they change', () => {
    const { store, around } = overlay();
    store.put(utf8('kept'), utf8('1'));
    store.put(utf8('gone'), utf8('1'));
    around(1);
    around(1);
    store.put(utf8('kept'), utf8('2'));
    store.delete(utf8('gone'));
    store.put(utf8('new'), utf8('1'));
    store.put(utf8('passing'), utf8('1'));
    store.delete(utf8('passing'));
    expect(store.freeze()).toEqual([
      { key: utf8('gone'), bytes: null, existed: true },
      { key: utf8('kept'), bytes: utf8('2'), existed: true },
      { key: utf8('new'), bytes: utf8('1'), existed: false },
    ]);
  });

  it('T2: takes memory only for what is not in the tree yet', () => {
    const { store, around } = overlay();
    store.put(utf8('key'), new Uint8Array(1_000));
    expect(store.overlayBytes).toBeGreaterThan(1_000);
    around(1);
    expect(store.activeBytes).toBe(0);
    around(1);
    expect(store.overlayBytes).toBe(0);
    expect(store.get(utf8('key'))).toEqual(new Uint8Array(1_000));
  });
});
