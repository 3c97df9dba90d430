import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VirtualPlatform } from '../testing/support.test-support.ts';
import type { Alarm, Platform } from './runtime.ts';
import { TimerEntry, TimerList } from './timer-list.ts';

class Entry extends TimerEntry {
  readonly #onExpire: () => void;

  constructor(onExpire: () => void) {
    super();
    this.#onExpire = onExpire;
  }

  override expire(): void {
    this.#onExpire();
  }
}

describe('the timer list', () => {
  test('expires each entry at its time, and none that was removed', () => {
    const plan = fc.array(
      fc.record({
        gapMs: fc.integer({ min: 0, max: 80 }),
        delay: fc.constantFrom(50, 100),
        removeAfter: fc.option(fc.integer({ min: 0, max: 150 })),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(plan, (all) => {
        const clock = new VirtualPlatform();
        const list = new TimerList(clock);
        const expired = new Map<number, number>();
        const expected = new Map<number, number>();
        let at = 0;
        for (const [index, { gapMs, delay, removeAfter }] of all.entries()) {
          at += gapMs;
          const entry = new Entry(() => expired.set(index, clock.now()));
          // Removing is asked for before adding, so that it comes first where both fall on one time.
          if (removeAfter !== null) clock.schedule(at + removeAfter, () => list.queue(delay).remove(entry));
          clock.schedule(at, () => list.queue(delay).add(entry, clock.now()));
          if (removeAfter === null || removeAfter === 0 || removeAfter > delay) expected.set(index, at + delay);
          else if (removeAfter < delay) continue;
          else expected.set(index, -1);
        }
        clock.advanceSynchronously(10_000);
        // At exactly its end an entry may go either way.
        for (const [index, due] of expected) if (due !== -1) expect(expired.get(index)).toBe(due);
        for (const index of expired.keys()) expect(expected.has(index)).toBe(true);
        expect(clock.pending).toBe(0);
      }),
    );
  });

  test('P23: ten thousand calls that end in time need one timer of the platform', () => {
    const clock = new VirtualPlatform();
    let timers = 0;
    const counting: Platform = {
      now: () => clock.now(),
      random: () => 0,
      schedule: (delayMs, callback) => {
        timers++;
        return clock.schedule(delayMs, callback);
      },
    };
    const queue = new TimerList(counting).queue(5_000);
    for (let call = 0; call < 10_000; call++) {
      const entry = new Entry(() => {});
      queue.add(entry, clock.now());
      queue.remove(entry);
    }
    expect(timers).toBe(1);
    expect(queue.size).toBe(0);
  });

  test('keeps the process alive only while somebody waits', () => {
    const alive: boolean[] = [];
    const platform: Platform = {
      now: () => 0,
      random: () => 0,
      schedule: (): Alarm => ({ cancel: () => {}, keepAlive: (keep) => void alive.push(keep) }),
    };
    const queue = new TimerList(platform).queue(100);
    const [first, second] = [new Entry(() => {}), new Entry(() => {})];
    queue.add(first, 0);
    queue.add(second, 0);
    queue.remove(first);
    expect(alive).toEqual([]);
    queue.remove(second);
    queue.remove(second);
    queue.add(first, 0);
    expect(alive).toEqual([false, true]);
  });
});
