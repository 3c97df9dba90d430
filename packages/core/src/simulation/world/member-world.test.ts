import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, utf8 } from '../../base/bytes.ts';
import { EventQueue } from './event-queue.ts';
import { MemberWorld } from './member-world.ts';
import { LOCAL_LATENCY, SimulatedNetwork } from './network.ts';
import { RandomStreams } from './random-streams.ts';

/** A member's world alone, and the moments at which its wishes come true. */
class Alone {
  nowUs = 0;
  readonly queue = new EventQueue();
  readonly world: MemberWorld;
  readonly wokenAtUs: number[] = [];
  readonly completed: { atUs: number; token: number }[] = [];

  constructor() {
    const { queue } = this;
    const random = new RandomStreams(5);
    const damage = (frame: Uint8Array): Uint8Array => frame;
    const network = new SimulatedNetwork({ members: 1, queue, random, kindOf: () => 0, damage, calm: LOCAL_LATENCY });
    const shared = { queue, random, network, nowUs: () => this.nowUs };
    this.world = new MemberWorld(shared, 1, { minLatencyUs: 10, maxLatencyUs: 90 });
  }

  run(untilUs: number): void {
    while (this.queue.nextTimeUs() <= untilUs) {
      const queued = this.queue.pop();
      if (queued === null) break;
      this.nowUs = queued.timeUs;
      const { event } = queued;
      if (event.type === 'wake' && this.world.takeWake(event.atUs)) this.wokenAtUs.push(this.nowUs);
      if (event.type === 'disk') this.completed.push({ atUs: this.nowUs, token: this.world.completeDisk().token });
    }
    this.nowUs = untilUs;
  }
}

const ppm = fc.integer({ min: -100_000, max: 100_000 });

describe("a member's wake-up", () => {
  it.each([
    [100_000, 909_091],
    [-100_000, 1_111_112],
  ])('comes by its own clock: at %i ppm a second is %i µs of the world', (driftPpm, atUs) => {
    const alone = new Alone();
    alone.world.setDrift(driftPpm);
    alone.world.clock.wakeAt(1_000_000);
    alone.run(2_000_000);
    expect(alone.wokenAtUs).toEqual([atUs]);
  });

  it('comes once, at the first moment at which the clock shows its time, though the pace changes meanwhile', () => {
    const changes = fc.array(fc.record({ afterUs: fc.nat(300_000), driftPpm: ppm }), { maxLength: 5 });
    fc.assert(
      fc.property(changes, fc.integer({ min: 1, max: 1_000_000 }), (list, wishUs) => {
        const alone = new Alone();
        const { clock } = alone.world;
        clock.wakeAt(wishUs);
        // What the clock shows just before and at each wake-up, under the pace of that moment.
        const shown: (readonly [number, number])[] = [];
        const note = (): void => {
          for (const atUs of alone.wokenAtUs.slice(shown.length)) {
            shown.push([alone.world.time.monotonicUs(atUs - 1), alone.world.time.monotonicUs(atUs)]);
          }
        };
        for (const { afterUs, driftPpm } of list) {
          alone.run(alone.nowUs + afterUs);
          note();
          alone.world.setDrift(driftPpm);
        }
        alone.run(alone.nowUs + 2_000_000);
        note();
        expect(shown).toHaveLength(1);
        const [[before, at]] = shown as [readonly [number, number]];
        expect(at).toBeGreaterThanOrEqual(wishUs);
        expect(before).toBeLessThan(wishUs);
      }),
    );
  });

  it('is replaced by a later wish, and taken back', () => {
    const alone = new Alone();
    alone.world.clock.wakeAt(100);
    alone.world.clock.wakeAt(500);
    alone.run(1_000);
    expect(alone.wokenAtUs).toEqual([500]);
    alone.world.clock.wakeAt(1_500);
    alone.world.clock.wakeAt(Number.POSITIVE_INFINITY);
    alone.run(2_000);
    expect(alone.wokenAtUs).toEqual([500]);
  });

  it('dies with the process that wanted it', () => {
    const alone = new Alone();
    alone.world.clock.wakeAt(100);
    alone.world.crash();
    alone.run(1_000);
    expect(alone.wokenAtUs).toEqual([]);
  });
});

describe("a member's disk", () => {
  const tokens = (alone: Alone): number[] => alone.completed.map(({ token }) => token);

  it('that is slow takes so many times as long, and keeps its order', () => {
    const alone = new Alone();
    alone.world.setDiskSlowness(100);
    for (const token of [1, 2, 3]) alone.world.disk.submit(token, { type: 'list' });
    alone.world.setDiskSlowness(1);
    // Behind what is slow, however fast itself.
    alone.world.disk.submit(4, { type: 'list' });
    alone.run(1_000_000);
    expect(tokens(alone)).toEqual([1, 2, 3, 4]);
    let lastUs = 0;
    for (const { atUs, token } of alone.completed) {
      const times = token === 4 ? 1 : 100;
      expect(atUs - lastUs).toBeGreaterThanOrEqual(10 * times);
      expect(atUs - lastUs).toBeLessThanOrEqual(90 * times);
      lastUs = atUs;
    }
  });

  it('is not made faster than it is, nor slower than ten thousand times', () => {
    expect(() => new Alone().world.setDiskSlowness(0)).toThrow('a slow disk');
    expect(() => new Alone().world.setDiskSlowness(10_001)).toThrow('a slow disk');
  });

  it('is another, empty one after a wipe', () => {
    const alone = new Alone();
    alone.world.disk.submit(1, { type: 'append', file: 'log', bytes: utf8('x') });
    alone.run(1_000);
    alone.world.crash(false);
    alone.world.wipe();
    expect(alone.world.files.contents('log')).toBeNull();
  });

  it('and the wish to wake come back from their bytes, with the slowness and the pace', () => {
    const alone = new Alone();
    alone.world.setDrift(-50_000);
    alone.world.setDiskSlowness(7);
    alone.world.clock.wakeAt(1_000);
    const writer = new ByteWriter();
    alone.world.save(writer);
    const bytes = writer.finish();
    const copy = new Alone();
    copy.world.load(new ByteReader(bytes));
    const again = new ByteWriter();
    copy.world.save(again);
    expect(again.finish()).toEqual(bytes);
    expect(copy.world.takeWake(1_053)).toBe(false);
    copy.nowUs = 1_053;
    expect(copy.world.takeWake(1_053)).toBe(true);
  });
});
