import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter, utf8 } from '../base/bytes.ts';
import type { Entry } from '../consensus/replica.ts';
import type { StateMachine } from '../consensus/state-machine.ts';
import { encodeKvRequest } from './codec.ts';
import { DurableKvStateMachine } from './durable-state-machine.ts';
import { MemoryStorage } from './memory-storage.test-support.ts';
import type { KvRequest, KvResult } from './request.ts';
import { KvStateMachine } from './state-machine.ts';

const FIRST = 'store-0-0';

function entry(index: number, request: KvRequest): Entry {
  const origin = { member: 1, boot: 1, sequence: index, acknowledgedThrough: 0 };
  return { term: 3, index, origin, command: encodeKvRequest(request) };
}

function put(index: number, key = `k${index % 7}`): Entry {
  return entry(index, { type: 'put', key: utf8(key), value: utf8(`v${index}`) });
}

function bytesOf(machine: StateMachine<KvResult, KvRequest, KvResult>): Uint8Array {
  const writer = new ByteWriter();
  machine.save(writer);
  return writer.finish();
}

function open(storage: MemoryStorage, store = FIRST): DurableKvStateMachine {
  const machine = new DurableKvStateMachine({ storage, maxOverlayBytes: 100_000 });
  machine.open(1, store);
  settle(machine, storage, 'done');
  return machine;
}

function settle(machine: DurableKvStateMachine, storage: MemoryStorage, outcome: 'done' | 'error'): void {
  storage.deliver(outcome);
  machine.settle(outcome);
}

/** Takes a snapshot of four entries piece by piece, and writes in between what has come. */
function stage(machine: DurableKvStateMachine, storage: MemoryStorage, peer: KvStateMachine): void {
  const source = peer.openSnapshot();
  machine.stage(3, 'store-4-3');
  settle(machine, storage, 'done');
  for (let bytes = source.read(50); bytes.length > 0; bytes = source.read(50)) {
    machine.staging.write(bytes);
    machine.flushStage(4);
    settle(machine, storage, 'done');
    expect(machine.stagedBytes).toBe(0);
  }
  machine.finishStage(5, 3);
  settle(machine, storage, 'done');
}

const requests: fc.Arbitrary<KvRequest> = fc.oneof(
  fc.record({
    type: fc.constant('put' as const),
    key: fc.constantFrom('a', 'b', 'c', 'd').map(utf8),
    value: fc.string({ maxLength: 4 }).map(utf8),
  }),
  fc.record({
    type: fc.constant('deleteRange' as const),
    key: fc.constantFrom('a', 'b', 'c').map(utf8),
    rangeEnd: fc.constantFrom('', 'd').map(utf8),
  }),
  fc.record({ type: fc.constant('compact' as const), revision: fc.integer({ min: 1, max: 20 }) }),
);

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: requests },
    { weight: 3, arbitrary: fc.constantFrom('checkpoint', 'done', 'error', 'crash') },
  ),
  { maxLength: 60, size: 'max' },
);

describe('a durable state machine', () => {
  it('R29 T4: after a crash it is as it was at its last durable checkpoint, and goes on from there as one in memory', () => {
    fc.assert(
      fc.property(steps, (list) => {
        const storage = new MemoryStorage();
        let machine = open(storage);
        const log: Entry[] = [];
        let writing = false;
        for (const step of list) {
          if (typeof step === 'object') {
            log.push(entry(log.length + 1, step));
            machine.apply(log.at(-1) as Entry);
          } else if (step === 'checkpoint' && !writing && machine.appliedIndex() > machine.durable.index) {
            machine.checkpoint(2, 3);
            writing = true;
          } else if ((step === 'done' || step === 'error') && writing) {
            settle(machine, storage, step);
            writing = false;
          } else if (step === 'crash') {
            storage.crash();
            const { index } = machine.durable;
            machine = open(storage);
            expect(machine.durable).toEqual({ index, term: index === 0 ? 0 : 3 });
            expect(machine.appliedIndex()).toBe(index);
            expect(bytesOf(machine)).toEqual(bytesOf(inMemory(log.slice(0, index))));
            for (const missed of log.slice(index)) machine.apply(missed);
            writing = false;
          }
          expect(bytesOf(machine)).toEqual(bytesOf(inMemory(log)));
        }
      }),
      { numRuns: 150 },
    );
  });

  it('R29 T5: a peer’s snapshot is a store of its own until it is adopted: a crash before leaves the old one', () => {
    const storage = new MemoryStorage();
    let machine = open(storage);
    machine.apply(put(1));
    machine.checkpoint(2, 3);
    settle(machine, storage, 'done');
    const before = bytesOf(machine);
    const peer = inMemory([1, 2, 3, 4].map((index) => put(index)));
    stage(machine, storage, peer);
    expect(bytesOf(machine)).toEqual(before);
    storage.crash();
    machine = open(storage);
    expect(bytesOf(machine)).toEqual(before);
    expect([...storage.stores.keys()]).toEqual([FIRST]);

    stage(machine, storage, peer);
    machine.adopt();
    expect(bytesOf(machine)).toEqual(bytesOf(peer));
    expect(machine.durable).toEqual({ index: 4, term: 3 });
    storage.crash();
    expect(bytesOf(open(storage, 'store-4-3'))).toEqual(bytesOf(peer));
    expect([...storage.stores.keys()]).toEqual(['store-4-3']);
  });

  it('T6: says when memory is full of what no checkpoint has written, and that it is not when one has', () => {
    const storage = new MemoryStorage();
    const machine = open(storage);
    let index = 0;
    while (machine.mayApply) machine.apply(put(++index, `key ${index}`));
    expect(machine.overlayBytes).toBeLessThan(120_000);
    machine.checkpoint(2, 3);
    expect(machine.mayApply).toBe(false);
    settle(machine, storage, 'done');
    expect(machine.mayApply).toBe(true);
    expect(machine.overlayBytes).toBe(0);
  });

  it('T4: a store of another format is refused', () => {
    const storage = new MemoryStorage();
    storage.stores.set(FIRST, [{ changes: new Map(), record: new Uint8Array([99]) }]);
    expect(() => open(storage)).toThrow(expect.objectContaining({ code: 'UnknownFormat' }));
  });
});

function inMemory(log: readonly Entry[]): KvStateMachine {
  const machine = new KvStateMachine();
  for (const each of log) machine.apply(each);
  return machine;
}
