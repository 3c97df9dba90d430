import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Watermark } from './watermark.ts';

const step = fc.record({ by: fc.integer({ min: 1, max: 5 }), afterUs: fc.integer({ min: 20, max: 1_000 }) });

describe('a watermark', () => {
  it('tells of every position the time at which it was first reached', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const watermark = new Watermark();
        const expected = new Map<number, number>();
        let [position, nowUs] = [0, 0];
        for (const { by, afterUs } of steps) {
          nowUs += afterUs;
          for (let i = 1; i <= by; i++) expected.set(position + i, nowUs);
          position += by;
          watermark.reach(position, nowUs);
        }
        for (const [reached, timeUs] of expected) expect(watermark.timeOf(reached)).toBe(timeUs);
        expect(watermark.timeOf(position + 1)).toBeNull();
        expect(watermark.position).toBe(position);
      }),
    );
  });

  it('takes steps of one turn as one, at the time of the first', () => {
    const watermark = new Watermark();
    watermark.reach(1, 100);
    watermark.reach(2, 110);
    watermark.reach(3, 119);
    watermark.reach(4, 120);
    expect([1, 2, 3, 4].map((position) => watermark.timeOf(position))).toEqual([100, 100, 100, 120]);
  });

  it('forgets what was taken back, until it is reached again', () => {
    const watermark = new Watermark();
    for (let position = 1; position <= 5; position++) watermark.reach(position, position * 100);
    watermark.rewind(2);
    expect(watermark.timeOf(3)).toBeNull();
    watermark.reach(4, 900);
    expect([2, 3, 4, 5].map((position) => watermark.timeOf(position))).toEqual([200, 900, 900, null]);
  });

  it('keeps, of a step that is taken back in part, what was not', () => {
    const watermark = new Watermark();
    watermark.reach(5, 100);
    watermark.rewind(3);
    expect([3, 4].map((position) => watermark.timeOf(position))).toEqual([100, null]);
    watermark.rewind(0);
    expect(watermark.position).toBe(0);
  });

  it('says that it does not know rather than guess, once a time is too long ago', () => {
    const watermark = new Watermark();
    for (let position = 1; position <= 10_000; position++) watermark.reach(position, position * 100);
    expect(watermark.timeOf(1)).toBeNull();
    expect(watermark.timeOf(9_999)).toBe(999_900);
  });
});
