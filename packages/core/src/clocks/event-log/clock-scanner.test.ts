import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ClockScanner } from './clock-scanner.ts';
import { EventTable } from './event-table.ts';

/** What the scanner sets, or null when it leaves the clock to JSON.parse. */
function scan(...clocks: string[]): Record<string, number> | null {
  const table = new EventTable();
  const scanner = new ClockScanner(table);
  let last: Record<string, number> | null = null;
  for (const json of clocks) {
    const event = table.append(table.slotOf('p'), null, null, '', 0);
    const scanned = scanner.scan(event, json);
    last = scanned ? (table.clockOf(event).toJSON() as Record<string, number>) : null;
    if (!scanned) expect(table.clockOf(event).size).toBe(0);
  }
  return last;
}

const id = fc.oneof(
  fc.constantFrom('a', 'ab', '__proto__', '10', 'x y', 'é', 'p'),
  fc.string({ minLength: 1, maxLength: 4 }),
);
const clock = fc.dictionary(id, fc.nat(300), { maxKeys: 5, noNullPrototype: false });

test('SC1: what it reads is what JSON.parse reads, whatever clock it read before, with spaces or without', () => {
  fc.assert(
    fc.property(fc.array(clock, { minLength: 1, maxLength: 4 }), fc.boolean(), (clocks, spaced) => {
      const texts = clocks.map((each) =>
        spaced ? JSON.stringify(each).replaceAll('":', '" : ') : JSON.stringify(each),
      );
      const read = scan(...texts);
      if (read === null) {
        expect(texts.at(-1)).toMatch(/\\|[\u007f-\u009f]|""/);
        return;
      }
      const parsed = Object.entries(JSON.parse(texts.at(-1) as string) as Record<string, number>);
      expect(new Map(Object.entries(read))).toEqual(new Map(parsed.filter(([, count]) => count !== 0)));
    }),
    { numRuns: 500 },
  );
});

test('SC2: whatever JSON.parse would refuse, or would read as something else, it leaves alone', () => {
  const valid = '{"ab": 12, "c":3}';
  expect(scan(valid)).toEqual(Object.assign(Object.create(null), { ab: 12, c: 3 }));
  fc.assert(
    fc.property(
      fc.nat(valid.length),
      fc.constantFrom('', '"', '0', '-', '.', ',', '{', '}', ':', '\\', ' ', 'e', '\n'),
      fc.boolean(),
      (at, text, replace) => {
        const changed = valid.slice(0, at) + text + valid.slice(replace ? at + 1 : at);
        const read = scan(valid, changed);
        if (read === null) return;
        const parsed = JSON.parse(changed) as Record<string, number>;
        expect(new Map(Object.entries(read))).toEqual(
          new Map(Object.entries(parsed).filter(([, count]) => count !== 0)),
        );
      },
    ),
    { numRuns: 2000 },
  );
});

test('SC3: of an id that is there twice the last counts, as with JSON.parse', () => {
  expect(scan('{"a":1,"a":2}')?.['a']).toBe(2);
  expect(scan('{"a":1,"a":0}')?.['a']).toBeUndefined();
});

test('SC4: a count above 32 bits is left to be refused by name', () => {
  expect(scan('{"a":4294967295}')?.['a']).toBe(4294967295);
  expect(scan('{"a":4294967296}')).toBeNull();
  expect(scan('{"a":99999999999}')).toBeNull();
});
