import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter, compareBytes, utf8 } from '../base/bytes.ts';
import type { Origin } from '../consensus/replica.ts';
import { decodeKvRequest, encodeKvRequest } from './codec.ts';
import { MemoryStore } from './memory-store.ts';
import type { KvRequest } from './request.ts';
import { KvStateMachine } from './state-machine.ts';

function put(value: string): Uint8Array {
  return encodeKvRequest({ type: 'put', key: utf8('k'), value: utf8(value) });
}

function origin(sequence: number, acknowledgedThrough = 0, boot = 1): Origin {
  return { member: 1, boot, sequence, acknowledgedThrough };
}

function valueOf(machine: KvStateMachine): unknown {
  return machine.query({ type: 'range', key: utf8('k') });
}

function saved(machine: KvStateMachine): Uint8Array {
  const writer = new ByteWriter();
  machine.save(writer);
  return writer.finish();
}

const malformed = expect.objectContaining({ code: 'MalformedBytes' });

describe('exactly once', () => {
  test('R27 K10: put A, put B, the late duplicate of A does nothing', () => {
    const machine = new KvStateMachine();
    expect(machine.apply({ term: 1, index: 1, origin: origin(1), command: put('A') })).toMatchObject({ type: 'ok' });
    expect(machine.apply({ term: 1, index: 2, origin: origin(2), command: put('B') })).toMatchObject({ type: 'ok' });
    expect(machine.apply({ term: 2, index: 3, origin: origin(1), command: put('A') })).toBeNull();
    expect(valueOf(machine)).toMatchObject({ response: { kvs: [{ value: utf8('B'), version: 2 }] } });
    expect(machine.revision()).toBe(3);
    expect(machine.appliedIndex()).toBe(3);
  });

  test('R21 K10: an expired session rejects, it never re-executes', () => {
    const machine = new KvStateMachine();
    machine.apply({ term: 1, index: 1, origin: origin(9, 8, 2), command: put('B') });
    expect(machine.apply({ term: 1, index: 2, origin: origin(3, 0, 2), command: put('A') })).toBeNull();
    expect(machine.apply({ term: 1, index: 3, origin: origin(10, 0, 1), command: put('A') })).toBeNull();
    expect(valueOf(machine)).toMatchObject({ response: { kvs: [{ value: utf8('B') }] } });
    expect(machine.contains(1, 2, 9)).toBe(true);
    expect(machine.contains(1, 1, 10)).toBe(false);
  });

  test('R27 K11: sessions are part of the saved state: a duplicate after a reload does nothing', () => {
    const machine = new KvStateMachine();
    machine.apply({ term: 1, index: 1, origin: origin(1), command: put('A') });
    machine.apply({ term: 1, index: 2, origin: origin(2), command: put('B') });
    const copy = new KvStateMachine();
    const reader = new ByteReader(saved(machine));
    copy.load(reader);
    reader.end();
    expect(copy.appliedIndex()).toBe(2);
    expect(copy.apply({ term: 2, index: 3, origin: origin(1), command: put('A') })).toBeNull();
    machine.apply({ term: 2, index: 3, origin: origin(1), command: put('A') });
    expect(saved(copy)).toEqual(saved(machine));
  });

  test('a refused request is settled too: its duplicate is not executed when it would succeed', () => {
    const machine = new KvStateMachine();
    const command = encodeKvRequest({ type: 'put', key: utf8('k'), ignoreValue: true });
    expect(machine.apply({ term: 1, index: 1, origin: origin(1), command })).toMatchObject({ code: 'keyNotFound' });
    machine.apply({ term: 1, index: 2, origin: origin(2), command: put('B') });
    expect(machine.apply({ term: 1, index: 3, origin: origin(1), command })).toBeNull();
    expect(machine.revision()).toBe(2);
  });
});

describe('the applied index', () => {
  test('a no-op moves it and nothing else; an entry out of order is a bug', () => {
    const machine = new KvStateMachine();
    expect(machine.apply({ term: 1, index: 1, origin: null, command: new Uint8Array(0) })).toBeNull();
    expect([machine.appliedIndex(), machine.revision()]).toEqual([1, 1]);
    expect(() => machine.apply({ term: 1, index: 1, origin: null, command: new Uint8Array(0) })).toThrow();
    expect(() => machine.apply({ term: 1, index: 3, origin: null, command: new Uint8Array(0) })).toThrow();
  });
});

describe('hostile bytes', () => {
  test('K12: an entry that cannot be decoded throws and changes nothing', () => {
    const machine = new KvStateMachine();
    const before = saved(machine);
    const apply = () => machine.apply({ term: 1, index: 1, origin: origin(1), command: new Uint8Array([1, 99]) });
    expect(apply).toThrow(malformed);
    expect(saved(machine)).toEqual(before);
  });

  test('K12: any bytes decode to a request or throw MalformedBytes, and nothing else', () => {
    const sample = encodeKvRequest({
      type: 'txn',
      compare: [{ key: utf8('k'), target: 'value', result: 'less', value: utf8('v') }],
      success: [
        { type: 'range', key: utf8('k'), sortOrder: 'descend' },
        { type: 'txn', compare: [], success: [], failure: [] },
      ],
      failure: [{ type: 'deleteRange', key: utf8('k') }],
    });
    const flip = fc.tuple(fc.nat(sample.length - 1), fc.nat(255));
    const attempt = (bytes: Uint8Array): void => {
      try {
        decodeKvRequest(bytes);
      } catch (cause) {
        expect(cause).toEqual(malformed);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), attempt));
    fc.assert(
      fc.property(fc.array(flip, { minLength: 1, maxLength: 3 }), fc.nat(sample.length), (flips, length) => {
        const bytes = sample.slice();
        for (const [at, value] of flips) bytes[at] = value;
        attempt(bytes);
        attempt(bytes.subarray(0, length));
      }),
    );
  });

  test('K12: nesting deeper than any checked transaction is refused, without exhausting the stack', () => {
    const writer = new ByteWriter();
    writer.u8(1);
    for (let depth = 0; depth < 100_000; depth++) for (const byte of [4, 0, 1]) writer.u8(byte);
    expect(() => decodeKvRequest(writer.finish())).toThrow(malformed);
  });

  test('K12: a snapshot that is cut short is refused and leaves the state as it was', () => {
    const machine = new KvStateMachine();
    machine.apply({ term: 1, index: 1, origin: origin(1), command: put('A') });
    machine.apply({ term: 1, index: 2, origin: origin(2), command: put('B') });
    const bytes = saved(machine);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => machine.load(new ByteReader(bytes.subarray(0, length)))).toThrow(malformed);
    }
    expect(saved(machine)).toEqual(bytes);
  });
});

test('K13: a request survives its encoding, with defaults filled in and 64-bit integers clamped', () => {
  const request: KvRequest = {
    type: 'range',
    key: utf8('k'),
    rangeEnd: utf8('z'),
    limit: 3,
    revision: -1,
    sortOrder: 'descend',
    sortTarget: 'mod',
    serializable: true,
    keysOnly: true,
    countOnly: true,
    minModRevision: 1,
    maxModRevision: 2 ** 62,
    minCreateRevision: 3,
    maxCreateRevision: 4,
  };
  expect(decodeKvRequest(encodeKvRequest(request))).toEqual({ ...request, maxModRevision: Number.MAX_SAFE_INTEGER });
});

describe('the ordered store', () => {
  test('K14: it keeps byte order under any puts and deletes, both ways, and counts without listing', () => {
    const operation = fc.tuple(fc.boolean(), fc.nat(2000));
    fc.assert(
      fc.property(
        fc.array(operation, { minLength: 800, maxLength: 3000 }),
        fc.nat(2000),
        fc.nat(2000),
        (list, a, b) => {
          const store = new MemoryStore<number>();
          const model = new Map<number, number>();
          const key = (n: number) => new Uint8Array([n >> 8, n & 0xff]);
          list.forEach(([isPut, n], i) => {
            if (isPut || n % 3 > 0) {
              store.put(key(n), i);
              model.set(n, i);
            } else expect(store.delete(key(n))).toBe(model.delete(n));
          });
          const frozen = store.snapshot();
          const expected = [...model].filter(([n]) => n >= a && n < b).sort((x, y) => x[0] - y[0]);
          for (const n of [...model.keys()]) if (n % 2 === 0) store.delete(key(n));
          const collect = (way: 'scan' | 'scanBackward') => {
            const found: [number, number][] = [];
            frozen[way](key(a), key(b), (each, value) => {
              found.push([((each[0] as number) << 8) + (each[1] as number), value]);
              return true;
            });
            return found;
          };
          expect(collect('scan')).toEqual(expected);
          expect(collect('scanBackward')).toEqual(expected.reverse());
          expect(frozen.count(key(a), key(b))).toBe(expected.length);
          expect(frozen.size).toBe(model.size);
          expect(frozen.count(new Uint8Array(0), null)).toBe(model.size);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('K14: order is that of unsigned bytes, a prefix first', () => {
    const store = new MemoryStore<null>();
    const keys = [[255], [0], [127, 0], [128], [127]].map((bytes) => new Uint8Array(bytes));
    for (const key of keys) store.put(key, null);
    const seen: Uint8Array[] = [];
    store.scan(new Uint8Array(0), null, (key) => seen.push(key) > 0);
    expect(seen).toEqual(keys.toSorted(compareBytes));
    expect(seen[0]).toEqual(new Uint8Array([0]));
  });
});
