import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { DottedVersionVectorSet, MAX_SIBLINGS_PER_ID } from './dotted-version-vector-set.ts';
import { VectorClock } from './vector-clock.ts';

type Set_ = DottedVersionVectorSet<number>;

/** The specification: every dot ever seen, and which of them still have their value. */
class Histories {
  seen = new Set<string>();
  live = new Map<string, number>();

  copy(): Histories {
    const copy = new Histories();
    copy.seen = new Set(this.seen);
    copy.live = new Map(this.live);
    return copy;
  }

  /** `context` is a copy of what a client read earlier. */
  write(context: ReadonlySet<string>, id: string, value: number): void {
    for (const dot of context) {
      this.seen.add(dot);
      this.live.delete(dot);
    }
    let count = 1;
    while (this.seen.has(`${id}:${count}`)) count++;
    this.seen.add(`${id}:${count}`);
    this.live.set(`${id}:${count}`, value);
  }

  sync(other: Histories): void {
    const kept = new Map<string, number>();
    for (const [dot, value] of this.live) if (other.live.has(dot) || !other.seen.has(dot)) kept.set(dot, value);
    for (const [dot, value] of other.live) if (!this.seen.has(dot)) kept.set(dot, value);
    this.live = kept;
    for (const dot of other.seen) this.seen.add(dot);
  }
}

const IDS = ['a#1', '__proto__', '10'];
const step = fc.record({
  type: fc.constantFrom('write', 'read', 'sync'),
  at: fc.nat(2),
  from: fc.nat(2),
  client: fc.nat(2),
});

const sorted = (values: Iterable<number>): number[] => [...values].sort((x, y) => x - y);

function run(steps: readonly { type: string; at: number; from: number; client: number }[]): {
  sets: Set_[];
  models: Histories[];
} {
  const sets = IDS.map(() => DottedVersionVectorSet.empty<number>());
  const models = IDS.map(() => new Histories());
  const contexts = IDS.map(() => ({ clock: VectorClock.empty, dots: new Set<string>() as ReadonlySet<string> }));
  let value = 0;
  for (const { type, at, from, client } of steps) {
    const [set, model, context] = [sets[at] as Set_, models[at] as Histories, contexts[client]];
    if (context === undefined) throw new Error('a client has a context');
    if (type === 'write') {
      value++;
      sets[at] = set.update(context.clock, IDS[at] as string, value);
      model.write(context.dots, IDS[at] as string, value);
    } else if (type === 'read') contexts[client] = { clock: set.join(), dots: new Set(model.seen) };
    else {
      sets[at] = set.sync(sets[from] as Set_);
      model.sync((models[from] as Histories).copy());
    }
  }
  return { sets, models };
}

describe('dotted version vector sets', () => {
  test('DV1: hold exactly the values that nobody who knew them has replaced, as explicit histories do', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { sets, models } = run(steps);
        sets.forEach((set, i) => {
          const model = models[i] as Histories;
          expect(sorted(set.values())).toEqual(sorted(model.live.values()));
          expect(
            set
              .dots()
              .map(({ id, count }) => `${id}:${count}`)
              .sort(),
          ).toEqual([...model.live.keys()].sort());
          expect(
            set
              .join()
              .entries()
              .reduce((sum, [, count]) => sum + count, 0),
          ).toBe(model.seen.size);
        });
      }),
      { numRuns: 1000 },
    );
  });

  test('DV2: sync is idempotent, commutative and associative, and equal states give equal bytes', () => {
    const bytes = (set: Set_): string => {
      const writer = new ByteWriter();
      set.write(writer, (value) => writer.varint(value));
      return writer.finish().join();
    };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const [a, b, c] = run(steps).sets as [Set_, Set_, Set_];
        expect(bytes(a.sync(a))).toBe(bytes(a));
        expect(bytes(a.sync(b))).toBe(bytes(b.sync(a)));
        expect(bytes(a.sync(b).sync(c))).toBe(bytes(a.sync(b.sync(c))));
      }),
    );
  });

  test('DV3: what is written is read back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        for (const set of run(steps).sets) {
          const writer = new ByteWriter();
          set.write(writer, (value) => writer.varint(value));
          const reader = new ByteReader(writer.finish());
          const read = DottedVersionVectorSet.read(reader, () => reader.varint());
          reader.end();
          expect(read.dots()).toEqual(set.dots());
          expect(read.join().compare(set.join())).toBe('equal');
        }
      }),
    );
  });

  test('DV4: the example of the paper: two clients write at one member without seeing each other, a third resolves', () => {
    const first = DottedVersionVectorSet.new(VectorClock.empty, 'a', 'v1');
    const both = first.update(VectorClock.empty, 'a', 'v2');
    expect(both.values()).toEqual(['v2', 'v1']);
    expect(both.join().toString()).toBe('{"a":2}');
    // A writer who saw v1 alone replaces v1 alone: a plain version vector would have dropped v2 or kept v1.
    expect(both.update(first.join(), 'a', 'v3').values()).toEqual(['v3', 'v2']);
    expect(both.update(both.join(), 'b', 'v4').values()).toEqual(['v4']);
  });

  test('DV5: bytes that no set would write, too many values and too many ids are refused with a code', () => {
    const read = (...numbers: (number | string)[]): (() => unknown) => {
      const writer = new ByteWriter();
      for (const each of numbers) {
        if (typeof each === 'string') writer.string(each);
        else writer.varint(each);
      }
      const reader = new ByteReader(writer.finish());
      return () => DottedVersionVectorSet.read(reader, () => reader.varint());
    };
    const code = (expected: string): unknown => expect.objectContaining({ code: expected });
    expect(read(1, 'a', 2, 1, 7)).not.toThrow();
    expect(read(1, 'a', 1, 2, 7, 7)).toThrow(code('MalformedClock'));
    expect(read(1, 'a', 0, 0)).toThrow(code('MalformedClock'));
    expect(read(2, 'b', 1, 0, 'a', 1, 0)).toThrow(code('MalformedClock'));
    expect(read(1, '', 1, 0)).toThrow(code('InvalidMemberId'));
    expect(read(1_000_000)).toThrow(code('ClockLimit'));
    expect(read(1, 'a', 1_000_000, 1_000_000)).toThrow(code('SiblingLimit'));
    let set = DottedVersionVectorSet.empty<number>();
    for (let i = 0; i < MAX_SIBLINGS_PER_ID; i++) set = set.update(VectorClock.empty, 'a', i);
    expect(() => set.update(VectorClock.empty, 'a', 0)).toThrow(code('SiblingLimit'));
    expect(set.update(set.join(), 'a', 0).values()).toEqual([0]);
  });
});
