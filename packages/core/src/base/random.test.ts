import fc from 'fast-check';
import { expect, test } from 'vitest';
import { draw, scaled } from './random.ts';

const u32 = fc.nat(0xffffffff);

test('D1: a draw depends on its coordinates alone, whatever else was drawn before', () => {
  fc.assert(
    fc.property(u32, u32, u32, fc.maxSafeNat(), fc.array(u32, { maxLength: 10 }), (seed, concern, key, n, others) => {
      const before = draw(seed, concern, key, n);
      for (const other of others) draw(other, concern, key, n);
      expect(draw(seed, concern, key, n)).toBe(before);
      expect(Number.isInteger(before) && before >= 0 && before <= 0xffffffff).toBe(true);
    }),
  );
});

test('D1: the draws of a seed never change from version to version', () => {
  expect([draw(0, 0, 0, 0), draw(1, 2, 3, 4), draw(0xffffffff, 1, 1, 2 ** 40)]).toMatchInlineSnapshot(`
    [
      547014495,
      342406187,
      2437384136,
    ]
  `);
});

test('D1: each coordinate, and the part of the counter above 2^32, changes half of the bits', () => {
  const base = [7, 11, 13, 17] as const;
  const neighbours = (i: number): [number, number, number, number] => [7 + i, 11, 13, 17];
  const moves: [string, (i: number) => readonly [number, number, number, number]][] = [
    ['seed', neighbours],
    ['concern', (i) => [7, 11 + i, 13, 17]],
    ['key', (i) => [7, 11, 13 + i, 17]],
    ['n', (i) => [7, 11, 13, 17 + i]],
    ['n above 2^32', (i) => [7, 11, 13, 17 + i * 0x100000000]],
  ];
  for (const [name, move] of moves) {
    let changed = 0;
    for (let i = 1; i <= 1000; i++) {
      for (let x = (draw(...base) ^ draw(...move(i))) >>> 0; x !== 0; x >>>= 1) changed += x & 1;
    }
    expect(changed / 1000, name).toBeGreaterThan(15);
    expect(changed / 1000, name).toBeLessThan(17);
  }
});

test('D1: neighbouring streams do not follow one another', () => {
  let equal = 0;
  for (let n = 0; n < 10_000; n++) {
    if (scaled(draw(1, 1, 1, n), 2) === scaled(draw(1, 1, 2, n), 2)) equal++;
  }
  expect(Math.abs(equal - 5000)).toBeLessThan(250);
});

test('draws of one stream are spread evenly', () => {
  const buckets = new Array<number>(16).fill(0);
  for (let n = 0; n < 16_000; n++) {
    const bucket = scaled(draw(42, 1, 0, n), 16);
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  for (const size of buckets) expect(Math.abs(size - 1000)).toBeLessThan(150);
});

test('a scaled draw is an integer below the bound, and reaches both ends', () => {
  fc.assert(
    fc.property(u32, fc.integer({ min: 1, max: 2 ** 21 }), (value, bound) => {
      const result = scaled(value, bound);
      expect(Number.isInteger(result) && result >= 0 && result < bound).toBe(true);
      expect(scaled(0, bound)).toBe(0);
      expect(scaled(0xffffffff, bound)).toBe(bound - 1);
    }),
  );
});
