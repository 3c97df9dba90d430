import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter, compareBytes } from '../base/bytes.ts';
import {
  compareHybridTimes,
  HYBRID_TIME_ZERO,
  HybridClock,
  type HybridReading,
  type HybridTime,
  MAX_LOGICAL,
  MAX_PHYSICAL_MS,
  packHybridTime,
  readHybridTime,
  successorOf,
  unpackHybridTime,
  writeHybridTime,
} from './hybrid-clock.ts';

const time: fc.Arbitrary<HybridTime> = fc.record({
  physicalMs: fc.oneof(
    fc.nat(5),
    fc.maxSafeNat().map((n) => n % (MAX_PHYSICAL_MS + 1)),
    fc.constant(MAX_PHYSICAL_MS),
  ),
  logical: fc.oneof(fc.nat(3), fc.constantFrom(MAX_LOGICAL - 1, MAX_LOGICAL)),
});

function accepted(reading: HybridReading): HybridTime {
  if (reading.type === 'drift') throw new Error(`refused: ${reading.aheadMs} ms ahead`);
  return reading.time;
}

function bytesOf(value: HybridTime): Uint8Array {
  const writer = new ByteWriter();
  writeHybridTime(writer, value);
  return writer.finish();
}

describe('the clock', () => {
  test('HC1: every accepted time is later than all before it and than what was received, and within the bound', () => {
    const step = fc.oneof(
      fc.record({ type: fc.constant('send' as const), physicalMs: fc.nat(60) }),
      fc.record({
        type: fc.constant('receive' as const),
        physicalMs: fc.nat(60),
        remote: fc.record({ physicalMs: fc.nat(90), logical: fc.oneof(fc.nat(3), fc.constant(MAX_LOGICAL)) }),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.nat(20), (steps, maxDriftMs) => {
        const clock = new HybridClock({ maxDriftMs });
        let refused = 0;
        for (const each of steps) {
          const before = clock.last;
          const remote = each.type === 'receive' ? each.remote : HYBRID_TIME_ZERO;
          const reading = each.type === 'send' ? clock.send(each.physicalMs) : clock.receive(remote, each.physicalMs);
          if (reading.type === 'drift') {
            refused++;
            expect(reading.aheadMs).toBeGreaterThan(maxDriftMs);
            expect(clock.last).toEqual(before);
          } else {
            expect(compareHybridTimes(reading.time, before)).toBeGreaterThan(0);
            if (each.type === 'receive') expect(compareHybridTimes(reading.time, remote)).toBeGreaterThan(0);
            expect(reading.time.physicalMs).toBeGreaterThanOrEqual(each.physicalMs);
            expect(reading.time.physicalMs - each.physicalMs).toBeLessThanOrEqual(maxDriftMs);
            expect(clock.last).toEqual(reading.time);
          }
        }
        expect(clock.refusedSends + clock.refusedReceives).toBe(refused);
      }),
      { numRuns: 1000 },
    );
  });

  test('HC2: follows the paper: physical time when that is ahead, else the counter', () => {
    const clock = new HybridClock({ maxDriftMs: 10 });
    expect(accepted(clock.send(100))).toEqual({ physicalMs: 100, logical: 0 });
    expect(accepted(clock.send(100))).toEqual({ physicalMs: 100, logical: 1 });
    expect(accepted(clock.receive({ physicalMs: 100, logical: 7 }, 99))).toEqual({ physicalMs: 100, logical: 8 });
    expect(accepted(clock.receive({ physicalMs: 105, logical: 3 }, 101))).toEqual({ physicalMs: 105, logical: 4 });
    expect(accepted(clock.receive({ physicalMs: 101, logical: 9 }, 102))).toEqual({ physicalMs: 105, logical: 5 });
    expect(accepted(clock.receive({ physicalMs: 90, logical: 0 }, 200))).toEqual({ physicalMs: 200, logical: 0 });
  });

  test('G10: a time from beyond the bound is refused and counted on receive, and moves nothing', () => {
    const clock = new HybridClock({ maxDriftMs: 500 });
    clock.send(1_000);
    expect(clock.receive({ physicalMs: 1_501, logical: 0 }, 1_000)).toEqual({
      type: 'drift',
      aheadMs: 501,
      maxDriftMs: 500,
    });
    expect(clock.receive({ physicalMs: MAX_PHYSICAL_MS, logical: MAX_LOGICAL }, 1_000).type).toBe('drift');
    expect([clock.refusedReceives, clock.refusedSends]).toEqual([2, 0]);
    expect(accepted(clock.send(1_000))).toEqual({ physicalMs: 1_000, logical: 1 });
    expect(accepted(clock.receive({ physicalMs: 1_500, logical: 0 }, 1_000)).physicalMs).toBe(1_500);
  });

  test('G10: after physical time went back beyond the bound nothing is sent, and that is counted, until it has caught up', () => {
    const clock = new HybridClock({ maxDriftMs: 500 });
    clock.send(10_000);
    expect(clock.send(9_499)).toEqual({ type: 'drift', aheadMs: 501, maxDriftMs: 500 });
    expect([clock.refusedReceives, clock.refusedSends]).toEqual([0, 1]);
    expect(accepted(clock.send(9_500))).toEqual({ physicalMs: 10_000, logical: 1 });
  });

  test('HC3: a full counter carries into the milliseconds, which counts as drift', () => {
    const full = { physicalMs: 1_000, logical: MAX_LOGICAL };
    expect(accepted(new HybridClock({ maxDriftMs: 1 }).receive(full, 1_000))).toEqual({
      physicalMs: 1_001,
      logical: 0,
    });
    expect(new HybridClock({ maxDriftMs: 0 }).receive(full, 1_000)).toEqual({
      type: 'drift',
      aheadMs: 1,
      maxDriftMs: 0,
    });
  });

  test('HC3: the last of all times has no successor', () => {
    const last = { physicalMs: MAX_PHYSICAL_MS, logical: MAX_LOGICAL };
    expect(() => successorOf(last)).toThrow(expect.objectContaining({ code: 'ClockOverflow' }));
    expect(new HybridClock({ maxDriftMs: 10 }).receive(last, MAX_PHYSICAL_MS).type).toBe('drift');
  });

  test('HC4: saved and loaded, it goes on where it was', () => {
    const clock = new HybridClock({ maxDriftMs: 5 });
    clock.send(100);
    clock.send(10);
    clock.receive({ physicalMs: 900, logical: 0 }, 100);
    const writer = new ByteWriter();
    clock.save(writer);
    const loaded = new HybridClock({ maxDriftMs: 5 });
    loaded.load(new ByteReader(writer.finish()));
    expect([loaded.last, loaded.refusedSends, loaded.refusedReceives]).toEqual([{ physicalMs: 100, logical: 0 }, 1, 1]);
  });
});

describe('the 64-bit form', () => {
  test('HC5: gives the time back, and orders as the times do, as an integer and as bytes', () => {
    fc.assert(
      fc.property(time, time, (a, b) => {
        expect(unpackHybridTime(packHybridTime(a))).toEqual(a);
        expect(readHybridTime(new ByteReader(bytesOf(a)))).toEqual(a);
        expect(bytesOf(a).length).toBe(8);
        const order = Math.sign(compareHybridTimes(a, b));
        const [x, y] = [packHybridTime(a), packHybridTime(b)];
        expect(x < y ? -1 : x > y ? 1 : 0).toBe(order);
        expect(Math.sign(compareBytes(bytesOf(a), bytesOf(b)))).toBe(order);
      }),
    );
    expect(packHybridTime({ physicalMs: MAX_PHYSICAL_MS, logical: MAX_LOGICAL })).toBe(2n ** 64n - 1n);
  });

  test('HC5: more than 64 bits is refused', () => {
    for (const packed of [-1n, 2n ** 64n]) {
      expect(() => unpackHybridTime(packed)).toThrow(expect.objectContaining({ code: 'MalformedHybridTime' }));
    }
  });
});
