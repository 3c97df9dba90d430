import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DiskResult, utf8 } from '@polder/core';
import { checkOrderedStore, OverlayStore, type ValueCodec } from '@polder/core/kv';
import fc from 'fast-check';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LmdbEngine } from './index.ts';

const BYTES: ValueCodec<Uint8Array> = {
  encode: (value) => value,
  decode: (_, bytes) => bytes,
  sizeOf: (value) => value.length,
};

let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'polder-lmdb-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** An engine whose outcomes are awaited. */
class Subject {
  readonly engine: LmdbEngine;
  readonly store: OverlayStore<Uint8Array>;
  #outcome: Promise<DiskResult> | null = null;
  #deliver: (result: DiskResult) => void;

  private constructor(engine: LmdbEngine, deliveries: { to: (result: DiskResult) => void }) {
    this.engine = engine;
    this.store = new OverlayStore(engine.tree('tree'), BYTES);
    this.#deliver = () => undefined;
    deliveries.to = (result) => this.#deliver(result);
  }

  static async open(path = join(directory, 'store-0-0'), owner = 'me'): Promise<Subject> {
    const deliveries: { to: (result: DiskResult) => void } = { to: () => undefined };
    const deliver = (_: number, result: DiskResult): void => deliveries.to(result);
    return new Subject(await LmdbEngine.open({ path, owner, trees: ['tree'], deliver }), deliveries);
  }

  begin(record: Uint8Array = utf8('record')): void {
    this.#outcome = new Promise((resolve) => {
      this.#deliver = resolve;
    });
    this.engine.commit(1, { changes: new Map([['tree', this.store.freeze()]]), record });
  }

  async end(): Promise<DiskResult | null> {
    if (this.#outcome === null) return null;
    const result = await this.#outcome;
    this.#outcome = null;
    this.engine.settle(result.type === 'done' ? 'done' : 'error');
    if (result.type === 'done') this.store.settled(this.engine.tree('tree'));
    else this.store.thaw();
    return result;
  }

  /** Begins a commit, or ends the one that is under way. */
  async around(): Promise<void> {
    if ((await this.end()) === null) this.begin();
  }

  async close(): Promise<void> {
    await this.end();
    this.store.close();
    await this.engine.close();
  }
}

describe('an overlay over LMDB', () => {
  it('T1 T3: answers as a sorted array, and so do its snapshots, whatever the length of keys', async () => {
    const numbers = fc.array(fc.nat({ max: 0xffff }), { maxLength: 300, size: 'max' });
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(numbers, async (list) => {
        const subject = await Subject.open(join(directory, `store-${runs++}`));
        for (const _ of checkOrderedStore(subject.store, list)) await subject.around();
        await subject.close();
      }),
      { numRuns: 60 },
    );
  });
});

describe('a store in LMDB', () => {
  const LONG = new Uint8Array(60_000).fill(0x61);

  it('R29 T4: gives back, opened again, what its last transaction wrote: data, record and sizes together', async () => {
    const subject = await Subject.open();
    subject.store.put(utf8('one'), utf8('1'));
    subject.store.put(LONG, utf8('long'));
    subject.begin(utf8('first'));
    await subject.end();
    subject.store.put(utf8('two'), utf8('2'));
    await subject.close();
    const again = await Subject.open();
    expect(again.engine.record).toEqual(utf8('first'));
    expect(again.store.size).toBe(2);
    expect(again.store.get(LONG)).toEqual(utf8('long'));
    expect(again.store.get(utf8('two'))).toBeUndefined();
    await again.close();
  });

  it('T3: keeps nothing of long keys that are gone, not even what led to them', async () => {
    const subject = await Subject.open();
    const keys = [1_900, 1_901, 3_800, 20_000].map((length) => LONG.subarray(0, length));
    for (const key of keys) subject.store.put(key, utf8('x'));
    subject.begin();
    await subject.end();
    expect(await entries(subject)).toBeGreaterThan(4);
    for (const key of keys) expect(subject.store.delete(key)).toBe(true);
    subject.begin();
    await subject.end();
    expect(await entries(subject)).toBe(0);
    await subject.close();
  });

  it('T2: reads do not move under a transaction that was begun: they see it once it has settled', async () => {
    const subject = await Subject.open();
    const before = subject.engine.tree('tree');
    subject.store.put(utf8('key'), utf8('1'));
    subject.begin();
    await new Promise((resolve) => setImmediate(resolve));
    expect(before.get(utf8('key'))).toBeUndefined();
    await subject.end();
    expect(before.get(utf8('key'))).toBeUndefined();
    const after = subject.engine.tree('tree');
    expect(after.get(utf8('key'))).toEqual(utf8('1'));
    before.close();
    after.close();
    await subject.close();
  });

  it('T7: refuses a file that is not LMDB’s, a store of another owner, and tables that it does not know', async () => {
    await writeFile(join(directory, 'text'), 'x'.repeat(10_000));
    await expect(Subject.open(join(directory, 'text'))).rejects.toMatchObject({ code: 'ForeignStore' });
    const mine = await Subject.open();
    await mine.close();
    await expect(Subject.open(undefined, 'another')).rejects.toMatchObject({
      code: 'ForeignStore',
      message: expect.stringContaining('belongs to me, not to another'),
    });
    const path = join(directory, 'foreign');
    const foreign = open({ path, noSubdir: true });
    await foreign.put('key', 'value');
    await foreign.close();
    await expect(Subject.open(path)).rejects.toMatchObject({ code: 'ForeignStore' });
  });
});

async function entries(subject: Subject): Promise<number> {
  await subject.end();
  const path = join(directory, 'store-0-0');
  const root = open({ path, noSubdir: true, readOnly: true, keyEncoding: 'binary', encoding: 'binary' });
  let count = 0;
  for (const name of ['tree', 'tree long']) {
    count += root.openDB(name, { keyEncoding: 'binary', encoding: 'binary' }).getKeysCount();
  }
  await root.close();
  return count;
}
