import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { MAX_DRIFT_PPM, MemberClock } from './member-clock.ts';

const SECOND_US = 1_000_000;
const EPOCH_MS = Date.UTC(2024, 0, 1);

const ppm = fc.integer({ min: -MAX_DRIFT_PPM, max: MAX_DRIFT_PPM });
/** Changes of pace, each so long after the one before. */
const changes = fc.array(fc.record({ afterUs: fc.nat(10 * SECOND_US), driftPpm: ppm }), { maxLength: 6 });
type Changes = readonly { readonly afterUs: number; readonly driftPpm: number }[];

function changed(list: Changes): { clock: MemberClock; nowUs: number } {
  const clock = new MemberClock();
  let nowUs = 0;
  for (const { afterUs, driftPpm } of list) {
    nowUs += afterUs;
    clock.setDrift(nowUs, driftPpm);
  }
  return { clock, nowUs };
}

describe("a member's clock", () => {
  it.each([
    [500, 1_000_500],
    [-500, 999_500],
    [0, 1_000_000],
  ])('that drifts by %i ppm shows %i µs after a second', (driftPpm, shownUs) => {
    const clock = new MemberClock();
    clock.setDrift(0, driftPpm);
    expect(clock.monotonicUs(SECOND_US)).toBe(shownUs);
  });

  it('keeps the time it had when its pace changes', () => {
    const clock = new MemberClock();
    clock.setDrift(0, 100_000);
    clock.setDrift(10 * SECOND_US, -100_000);
    expect(clock.monotonicUs(10 * SECOND_US)).toBe(11 * SECOND_US);
    expect(clock.monotonicUs(20 * SECOND_US)).toBe(20 * SECOND_US);
  });

  it('never goes back, however its pace changes', () => {
    fc.assert(
      fc.property(changes, fc.nat(SECOND_US), (list, laterUs) => {
        const clock = new MemberClock();
        let [nowUs, shownUs] = [0, 0];
        for (const { afterUs, driftPpm } of [...list, { afterUs: laterUs, driftPpm: 0 }]) {
          nowUs += afterUs;
          expect(clock.monotonicUs(nowUs)).toBeGreaterThanOrEqual(shownUs);
          shownUs = clock.monotonicUs(nowUs);
          clock.setDrift(nowUs, driftPpm);
          expect(clock.monotonicUs(nowUs)).toBe(shownUs);
        }
      }),
    );
  });

  it('knows the first moment of the world at which it will show a time', () => {
    fc.assert(
      fc.property(changes, fc.nat(100 * SECOND_US), (list, aheadUs) => {
        const { clock, nowUs } = changed(list);
        const localUs = clock.monotonicUs(nowUs) + aheadUs;
        const atUs = clock.whenUs(localUs);
        expect(atUs).toBeGreaterThanOrEqual(nowUs);
        expect(clock.monotonicUs(atUs)).toBeGreaterThanOrEqual(localUs);
        if (atUs > nowUs) expect(clock.monotonicUs(atUs - 1)).toBeLessThan(localUs);
      }),
    );
  });

  it('is set forward and back on the wall only', () => {
    const clock = new MemberClock();
    expect(clock.wallMs(0)).toBe(EPOCH_MS);
    clock.step(60_000);
    expect(clock.wallMs(SECOND_US)).toBe(EPOCH_MS + 61_000);
    clock.step(-90_000);
    expect(clock.wallMs(SECOND_US)).toBe(EPOCH_MS - 29_000);
    expect(clock.monotonicUs(SECOND_US)).toBe(SECOND_US);
  });

  it('comes back from its bytes', () => {
    fc.assert(
      fc.property(changes, fc.integer({ min: -100_000, max: 100_000 }), fc.nat(SECOND_US), (list, stepMs, laterUs) => {
        const { clock, nowUs } = changed(list);
        clock.step(stepMs);
        const writer = new ByteWriter();
        clock.save(writer);
        const copy = new MemberClock();
        copy.load(new ByteReader(writer.finish()));
        expect(copy.driftPpm).toBe(clock.driftPpm);
        for (const atUs of [nowUs, nowUs + laterUs]) {
          expect(copy.monotonicUs(atUs)).toBe(clock.monotonicUs(atUs));
          expect(copy.wallMs(atUs)).toBe(clock.wallMs(atUs));
        }
      }),
    );
  });

  it('does not run a tenth faster or slower', () => {
    expect(() => new MemberClock().setDrift(0, MAX_DRIFT_PPM + 1)).toThrow('at most a tenth');
  });
});
