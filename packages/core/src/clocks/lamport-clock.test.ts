import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { LamportClock } from './lamport-clock.ts';
import { VectorClock } from './vector-clock.ts';

test('LC1: what happened before has a smaller time, in every run of messages', () => {
  const step = fc.record({ at: fc.nat(2), from: fc.nat(2), type: fc.constantFrom('local', 'message') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const lamport = [0, 1, 2].map(() => new LamportClock());
      const vector = [VectorClock.empty, VectorClock.empty, VectorClock.empty];
      const events: { time: number; clock: VectorClock }[] = [];
      const log = (at: number, time: number): void => {
        const clock = (vector[at] as VectorClock).tick(`p${at}`);
        vector[at] = clock;
        events.push({ time, clock });
      };
      for (const { at, from, type } of steps) {
        const sender = lamport[from] as LamportClock;
        if (type === 'local') log(at, (lamport[at] as LamportClock).tick());
        else {
          log(from, sender.tick());
          vector[at] = (vector[at] as VectorClock).merge(vector[from] as VectorClock);
          log(at, (lamport[at] as LamportClock).receive(sender.time));
        }
      }
      for (const a of events)
        for (const b of events) if (a.clock.compare(b.clock) === 'before') expect(a.time).toBeLessThan(b.time);
    }),
  );
});

test('LC2: a time without a successor, or that is none, is refused and changes nothing', () => {
  const clock = new LamportClock(5);
  for (const hostile of [Number.MAX_SAFE_INTEGER, -1, 1.5, Number.NaN, 1e300]) {
    expect(() => clock.receive(hostile)).toThrow(expect.objectContaining({ code: 'ClockOverflow' }));
  }
  expect(clock.time).toBe(5);
  expect(() => new LamportClock(-1)).toThrow(expect.objectContaining({ code: 'ClockOverflow' }));
  expect(() => new LamportClock(Number.MAX_SAFE_INTEGER).tick()).toThrow(
    expect.objectContaining({ code: 'ClockOverflow' }),
  );
  expect(new LamportClock(0).receive(7)).toBe(8);
});

test('LC3: saved and loaded, it goes on where it was', () => {
  const writer = new ByteWriter();
  new LamportClock(41).save(writer);
  const loaded = new LamportClock();
  loaded.load(new ByteReader(writer.finish()));
  expect(loaded.tick()).toBe(42);
});
