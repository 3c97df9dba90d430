import { describe, expect, it } from 'vitest';
import { ByteWriter } from '../base/bytes.ts';
import { Fingerprint } from './fingerprint.ts';
import { NONE, VisitedEncodings, VisitedFingerprints } from './visited.ts';

/** Much alike, as the states of one model are: a few small numbers, few of them different. */
function encodings(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const writer = new ByteWriter(24);
    for (const base of [3, 7, 20]) writer.varint(i % base);
    writer.varint(Math.floor(i / 420));
    writer.varint(5);
    for (let digit = i; digit > 0; digit >>= 3) writer.varint(digit & 7);
    return writer.finish();
  });
}

describe('the set of visited states', () => {
  it('E2: numbers states as they come, finds each again, and knows from where it was discovered', () => {
    const all = encodings(30_000);
    for (const visited of [new VisitedFingerprints(), new VisitedEncodings()]) {
      all.forEach((encoding, i) => {
        expect(visited.find(encoding)).toBe(NONE);
        visited.append(i === 0 ? NONE : i >> 1);
      });
      expect(visited.size).toBe(all.length);
      expect(all.every((encoding, i) => visited.find(encoding) === i)).toBe(true);
      expect(visited.parentOf(0)).toBe(NONE);
      expect(visited.parentOf(20_001)).toBe(10_000);
    }
  });

  it('E10: costs between 18 and 24 bytes a state, once there are many', () => {
    const visited = new VisitedFingerprints();
    for (let i = 0; i < 400_000; i++) {
      visited.find(`${i}`);
      visited.append(NONE);
      if (i < 100_000 || i % 1_000 !== 0) continue;
      const bytes = visited.memoryBytes / visited.size;
      expect(bytes).toBeGreaterThan(17);
      // A page that was just begun counts whole.
      expect(bytes).toBeLessThan(26);
    }
  });
});

describe('a fingerprint', () => {
  it('E10: of encodings much alike collides in each half about as often as chance does, and never as a whole', () => {
    const fingerprint = new Fingerprint();
    const count = 300_000;
    const [low, high, both] = [new Set<number>(), new Set<number>(), new Set<string>()];
    for (const encoding of encodings(count)) {
      fingerprint.of(encoding);
      low.add(fingerprint.low);
      high.add(fingerprint.high);
      both.add(`${fingerprint.low} ${fingerprint.high}`);
    }
    const expected = count ** 2 / 2 ** 33;
    for (const half of [low, high]) {
      expect(count - half.size).toBeLessThan(expected * 3);
      expect(count - half.size).toBeGreaterThan(expected / 4);
    }
    expect(both.size).toBe(count);
  });

  it('E10: of integers that differ in their highest bits alone does not collide', () => {
    const fingerprint = new Fingerprint();
    const prints = new Set<string>();
    for (let i = 0; i < 1 << 12; i++) {
      const digits = [i & 15, (i >> 4) & 15, i >> 8];
      fingerprint.of(digits.map((digit) => (digit << 28) >>> 0));
      prints.add(`${fingerprint.low}`).add(`h${fingerprint.high}`);
    }
    expect(prints.size).toBe(2 << 12);
  });

  it('E10: depends on every unit, on the length, and on the order', () => {
    const prints = [[], [0], [0, 0], [1, 2], [2, 1], [1, 3]].map((bytes) => {
      const fingerprint = new Fingerprint();
      fingerprint.of(Uint8Array.from(bytes));
      return `${fingerprint.low} ${fingerprint.high}`;
    });
    expect(new Set(prints).size).toBe(prints.length);
  });
});
