import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import { type Causality, MAX_CLOCK_MEMBERS, VectorClock } from './vector-clock.ts';
import { decodeVectorClock, encodeVectorClock, MAX_CLOCK_TEXT_LENGTH, parseVectorClock } from './vector-clock-codec.ts';

/** Ids that have broken clocks kept in objects, integer-like ones and ordinary ones. */
const HOSTILE = [
  '__proto__',
  'constructor',
  'clock',
  'toString',
  'hasOwnProperty',
  '10',
  '9',
  'a',
  'b',
  'ü',
  '\ufeffx',
  ' ',
];
const id = fc.constantFrom(...HOSTILE);
const anyModel = fc.uniqueArray(fc.tuple(id, fc.nat(4)), { selector: ([key]) => key, maxLength: 6 });
/** Mostly with equal members, so that clocks meet that differ in their counts alone. */
const likeModel = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 3, maxLength: 3 }).map((counts) => {
  return counts.map((count, i): [string, number] => [HOSTILE[i] as string, count]);
});
const model = fc.oneof(anyModel, likeModel).map((pairs) => new Map(pairs));
type Model = Map<string, number>;

/** Half of them through another path, so that clocks with and without a shared array of ids meet. */
const clock = fc
  .tuple(model, fc.boolean())
  .map(([counts, ticked]) => [counts, ticked ? byTicks(counts) : VectorClock.from(counts)] as const);

function byTicks(counts: Model): VectorClock {
  let made = VectorClock.empty;
  for (const [key, count] of counts) for (let i = 0; i < count; i++) made = made.tick(key);
  return made;
}

/** The definition: component by component, absent = 0. */
function modelCompare(a: Model, b: Model): Causality {
  const keys = [...new Set([...a.keys(), ...b.keys()])];
  const less = keys.some((key) => (a.get(key) ?? 0) < (b.get(key) ?? 0));
  const greater = keys.some((key) => (a.get(key) ?? 0) > (b.get(key) ?? 0));
  return less ? (greater ? 'concurrent' : 'before') : greater ? 'after' : 'equal';
}

function codeOf(action: () => unknown): string {
  try {
    action();
    return 'nothing thrown';
  } catch (error) {
    expect(error).toBeInstanceOf(PolderError);
    return (error as PolderError).code;
  }
}

const leq = (a: VectorClock, b: VectorClock): boolean => ['before', 'equal'].includes(a.compare(b));
const three = fc
  .tuple(clock, clock, clock)
  .map((clocks) => clocks.map(([, made]) => made) as [VectorClock, VectorClock, VectorClock]);

describe('compare', () => {
  test('VC1 C1 C2: answers as the definition does, with equal and concurrent apart and absent as zero', () => {
    fc.assert(
      fc.property(clock, clock, ([a, x], [b, y]) => {
        const expected = modelCompare(a, b);
        expect(x.compare(y)).toBe(expected);
        // Again: the first comparison may have made them share their ids.
        expect(x.compare(y)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test('C1: equal clocks are equal and never concurrent, however they came about', () => {
    const a = VectorClock.empty.tick('a').tick('b');
    const b = VectorClock.empty.tick('b').tick('a');
    expect(a.compare(b)).toBe('equal');
    expect(a.tick('a').compare(b.tick('b'))).toBe('concurrent');
  });

  test('C2: {a: 0} is the empty clock, in every form', () => {
    const zero = VectorClock.from([['a', 0]]);
    expect(zero.compare(VectorClock.empty)).toBe('equal');
    expect(zero.size).toBe(0);
    expect(zero.toString()).toBe('{}');
    expect(encodeVectorClock(zero)).toEqual(encodeVectorClock(VectorClock.empty));
  });

  test('VC2: is a partial order: reflexive, antisymmetric, transitive, and its converse is itself mirrored', () => {
    const mirror = { before: 'after', after: 'before', equal: 'equal', concurrent: 'concurrent' } as const;
    fc.assert(
      fc.property(three, ([x, y, z]) => {
        expect(x.compare(x)).toBe('equal');
        expect(y.compare(x)).toBe(mirror[x.compare(y)]);
        if (leq(x, y) && leq(y, z)) expect(leq(x, z)).toBe(true);
        if (leq(x, y) && leq(y, x)) expect(x.toString()).toBe(y.toString());
      }),
    );
  });
});

describe('merge and tick', () => {
  test('VC3: merge is the least upper bound: idempotent, commutative, associative, above both and no higher', () => {
    fc.assert(
      fc.property(three, ([x, y, z]) => {
        const text = (value: VectorClock): string => value.toString();
        expect(text(x.merge(x))).toBe(text(x));
        expect(text(x.merge(y))).toBe(text(y.merge(x)));
        expect(text(x.merge(y).merge(z))).toBe(text(x.merge(y.merge(z))));
        expect(leq(x, x.merge(y)) && leq(y, x.merge(y))).toBe(true);
        if (leq(x, z) && leq(y, z)) expect(leq(x.merge(y), z)).toBe(true);
        if (leq(x, y)) expect(leq(x.merge(z), y.merge(z))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('VC4: a tick is strictly after, by one, and touches no other member', () => {
    fc.assert(
      fc.property(clock, id, ([counts, made], key) => {
        const ticked = made.tick(key);
        expect(made.compare(ticked)).toBe('before');
        for (const each of HOSTILE) expect(ticked.get(each)).toBe((counts.get(each) ?? 0) + (each === key ? 1 : 0));
      }),
    );
  });

  test('VC5: a clock never changes, whatever is done with it', () => {
    fc.assert(
      fc.property(clock, clock, id, ([, x], [, y], key) => {
        const before = [x.toString(), y.toString()];
        x.tick(key);
        x.merge(y);
        y.merge(x);
        x.compare(y);
        expect([x.toString(), y.toString()]).toEqual(before);
      }),
    );
  });

  test('S10: a member that joins is known by everyone who hears of it, however indirectly', () => {
    const joined = VectorClock.empty.tick('d');
    const a = VectorClock.empty.tick('a').merge(joined).tick('a');
    const b = VectorClock.empty.tick('b').tick('b').merge(a).tick('b');
    expect(b.get('d')).toBe(1);
    expect(joined.compare(b)).toBe('before');
    expect(joined.tick('d').compare(b)).toBe('concurrent');
  });
});

describe('hostile and impossible input', () => {
  test('C3: ids such as __proto__ are ordinary ids, in every form, and pollute nothing', () => {
    const made = byTicks(new Map(HOSTILE.map((key, i) => [key, i + 1])));
    HOSTILE.forEach((key, i) => expect(made.get(key)).toBe(i + 1));
    expect(made.size).toBe(HOSTILE.length);
    for (const copy of [
      decodeVectorClock(encodeVectorClock(made)),
      parseVectorClock(made.toString()),
      parseVectorClock(JSON.stringify(made)),
      VectorClock.fromJson(made.toJSON()),
    ]) {
      expect(copy.compare(made)).toBe('equal');
    }
    expect(VectorClock.empty.get('constructor')).toBe(0);
    expect(({} as Record<string, unknown>)['10']).toBeUndefined();
  });

  test('VC6: what is written is read back, and equal clocks have equal bytes and equal text', () => {
    fc.assert(
      fc.property(clock, clock, ([, x], [, y]) => {
        expect(decodeVectorClock(encodeVectorClock(x)).compare(x)).toBe('equal');
        expect(parseVectorClock(x.toString()).compare(x)).toBe('equal');
        const equal = x.compare(y) === 'equal';
        expect(x.toString() === y.toString()).toBe(equal);
        expect([...encodeVectorClock(x)].join() === [...encodeVectorClock(y)].join()).toBe(equal);
      }),
    );
  });

  test('VC7: bytes that no clock would write are refused with a code', () => {
    const bytes = (...pairs: [string, number][]): Uint8Array => {
      const writer = new ByteWriter();
      writer.varint(pairs.length);
      for (const [key, count] of pairs) {
        writer.string(key);
        writer.varint(count);
      }
      return writer.finish();
    };
    expect(decodeVectorClock(bytes(['a', 1], ['b', 2])).toString()).toBe('{"a":1,"b":2}');
    expect(codeOf(() => decodeVectorClock(bytes(['b', 1], ['a', 2])))).toBe('MalformedClock');
    expect(codeOf(() => decodeVectorClock(bytes(['a', 1], ['a', 2])))).toBe('MalformedClock');
    expect(codeOf(() => decodeVectorClock(bytes(['a', 0])))).toBe('MalformedClock');
    expect(codeOf(() => decodeVectorClock(bytes(['', 1])))).toBe('MalformedClock');
    expect(codeOf(() => decodeVectorClock(bytes(['x'.repeat(256), 1])))).toBe('InvalidMemberId');
    expect(codeOf(() => decodeVectorClock(Uint8Array.of(0, 0)))).toBe('MalformedBytes');
    const many = new ByteWriter();
    many.varint(MAX_CLOCK_MEMBERS + 1);
    expect(codeOf(() => decodeVectorClock(many.finish()))).toBe('ClockLimit');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (hostile) => {
        const code = codeOf(() => decodeVectorClock(hostile));
        expect(['nothing thrown', 'MalformedBytes', 'MalformedClock', 'InvalidMemberId', 'ClockLimit']).toContain(code);
      }),
      { numRuns: 1000 },
    );
  });

  test('VC7: a clock that is probably alike speeds decoding up and changes nothing, also for hostile bytes', () => {
    const outcome = (bytes: Uint8Array, known?: VectorClock): string => {
      try {
        return decodeVectorClock(bytes, known).toString();
      } catch (error) {
        return (error as PolderError).code;
      }
    };
    fc.assert(
      fc.property(clock, clock, fc.nat(), fc.nat(255), ([, x], [, y], where, byte) => {
        const bytes = encodeVectorClock(x);
        expect(outcome(bytes, y)).toBe(x.toString());
        expect(outcome(bytes, x)).toBe(x.toString());
        const other = bytes.slice();
        other[where % other.length] = byte;
        expect(outcome(other, x)).toBe(outcome(other));
        const cut = bytes.slice(0, where % bytes.length);
        expect(outcome(cut, x)).toBe(outcome(cut));
        expect(outcome(new Uint8Array([...bytes, byte]), x)).toBe('MalformedBytes');
      }),
      { numRuns: 1000 },
    );
  });

  test('VC7: JSON that is no clock is refused with a code', () => {
    for (const json of [
      '',
      '[]',
      'null',
      '7',
      '"a"',
      '{"a":-1}',
      '{"a":1.5}',
      '{"a":"1"}',
      '{"a":null}',
      '{"a":1e99}',
    ]) {
      expect(
        codeOf(() => parseVectorClock(json)),
        json,
      ).toBe('MalformedClock');
    }
    expect(codeOf(() => parseVectorClock('{"":1}'))).toBe('InvalidMemberId');
    expect(codeOf(() => parseVectorClock('{"\\ud800":1}'))).toBe('InvalidMemberId');
    expect(codeOf(() => parseVectorClock(' '.repeat(MAX_CLOCK_TEXT_LENGTH + 1)))).toBe('ClockLimit');
    // A property of a prototype is nobody's count.
    expect(VectorClock.fromJson(Object.create({ a: 1 })).size).toBe(0);
  });

  test('VC8: more members than the limit, an id that cannot travel, a count that cannot grow: refused with a code', () => {
    const full = VectorClock.from(Array.from({ length: MAX_CLOCK_MEMBERS }, (_, i) => [`m${i}`, 1] as const));
    expect(codeOf(() => full.tick('one more'))).toBe('ClockLimit');
    expect(codeOf(() => full.merge(VectorClock.empty.tick('one more')))).toBe('ClockLimit');
    expect(codeOf(() => VectorClock.from([...full.entries(), ['one more', 1]]))).toBe('ClockLimit');
    expect(full.tick('m7').get('m7')).toBe(2);
    expect(decodeVectorClock(encodeVectorClock(full)).compare(full)).toBe('equal');
    expect(codeOf(() => VectorClock.empty.tick(''))).toBe('InvalidMemberId');
    expect(codeOf(() => VectorClock.empty.tick('é'.repeat(128)))).toBe('InvalidMemberId');
    expect(VectorClock.empty.tick('é'.repeat(127)).size).toBe(1);
    expect(codeOf(() => VectorClock.empty.tick('\udc00'))).toBe('InvalidMemberId');
    expect(codeOf(() => VectorClock.from([['a', Number.MAX_SAFE_INTEGER]]).tick('a'))).toBe('ClockOverflow');
    expect(
      codeOf(() =>
        VectorClock.from([
          ['a', 1],
          ['a', 2],
        ]),
      ),
    ).toBe('MalformedClock');
  });

  test('VC8: the largest clock with the longest ids fits the limit on text', () => {
    const longest = Array.from(
      { length: MAX_CLOCK_MEMBERS },
      (_, i) => `${String(i).padStart(4, '0')}${'"'.repeat(251)}`,
    );
    const largest = VectorClock.from(longest.map((each) => [each, Number.MAX_SAFE_INTEGER] as const));
    expect(parseVectorClock(largest.toString()).compare(largest)).toBe('equal');
  });
});
