import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ByteWriter, type DiskResult, type Entry, utf8 } from '@polder/core';
import { DurableKvStateMachine, encodeKvRequest, KvStateMachine } from '@polder/core/kv';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LmdbStorage } from './index.ts';

const FIRST = 'store-0-0';
let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'polder-storage-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

function put(index: number): Entry {
  const request = { type: 'put' as const, key: utf8(`k${index % 7}`), value: utf8(`v${index}`) };
  const origin = { member: 1, boot: 1, sequence: index, acknowledgedThrough: 0 };
  return { term: 3, index, origin, command: encodeKvRequest(request) };
}

function bytesOf(machine: { save(writer: ByteWriter): void }): Uint8Array {
  const writer = new ByteWriter();
  machine.save(writer);
  return writer.finish();
}

/** A machine over LMDB whose outcomes are awaited. */
class Subject {
  readonly storage: LmdbStorage;
  readonly machine: DurableKvStateMachine;
  readonly #results: ((result: DiskResult) => void)[] = [];

  constructor() {
    this.storage = new LmdbStorage({
      directory,
      owner: 'me',
      deliver: (_, result) => this.#results.shift()?.(result),
    });
    this.machine = new DurableKvStateMachine({ storage: this.storage });
  }

  static async open(store = FIRST): Promise<Subject> {
    const subject = new Subject();
    await subject.do((machine) => machine.open(1, store));
    return subject;
  }

  async do(begin: (machine: DurableKvStateMachine) => void): Promise<void> {
    const outcome = this.#next();
    begin(this.machine);
    expect(await outcome).toEqual({ type: 'done' });
    this.machine.settle('done');
  }

  #next(): Promise<DiskResult> {
    return new Promise((resolve) => this.#results.push(resolve));
  }
}

describe('the key-value machine over LMDB', () => {
  it('R29 T4: starts again from its last checkpoint, byte for byte, and applies on', async () => {
    const memory = new KvStateMachine();
    const subject = await Subject.open();
    for (let index = 1; index <= 20; index++)
      for (const machine of [memory, subject.machine]) machine.apply(put(index));
    const at20 = bytesOf(memory);
    await subject.do((machine) => machine.checkpoint(2, 3));
    for (let index = 21; index <= 30; index++)
      for (const machine of [memory, subject.machine]) machine.apply(put(index));
    expect(bytesOf(subject.machine)).toEqual(bytesOf(memory));
    await subject.storage.close();

    const again = await Subject.open();
    expect(again.machine.durable).toEqual({ index: 20, term: 3 });
    expect(bytesOf(again.machine)).toEqual(at20);
    for (let index = 21; index <= 30; index++) again.machine.apply(put(index));
    expect(bytesOf(again.machine)).toEqual(bytesOf(memory));
    await again.storage.close();
  });

  it('R29 T5: adopts a peer’s snapshot as another file, and removes the one before', async () => {
    const peer = new KvStateMachine();
    for (let index = 1; index <= 20; index++) peer.apply(put(index));
    const subject = await Subject.open();
    subject.machine.apply(put(1));
    const source = peer.openSnapshot();
    await subject.do((machine) => machine.stage(3, 'store-20-3'));
    subject.machine.staging.write(source.read(100));
    await subject.do((machine) => machine.flushStage(4));
    subject.machine.staging.write(source.rest());
    await subject.do((machine) => machine.finishStage(5, 3));
    expect(subject.machine.appliedIndex()).toBe(1);
    subject.machine.adopt();
    expect(bytesOf(subject.machine)).toEqual(bytesOf(peer));
    subject.machine.apply(put(21));
    await subject.do((machine) => machine.checkpoint(4, 3));
    await subject.storage.close();
    expect(await readdir(directory)).toEqual(['store-20-3', 'store-20-3-lock']);
    const again = await Subject.open('store-20-3');
    expect(again.machine.durable).toEqual({ index: 21, term: 3 });
    await again.storage.close();
  });
});
