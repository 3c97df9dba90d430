import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DiskResult } from '@polder/core';
import { checkOrderedStore, OverlayStore, type ValueCodec } from '@polder/core/kv';
import fc from 'fast-check';
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

  begin(record = new Uint8Array([1])): void {
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
