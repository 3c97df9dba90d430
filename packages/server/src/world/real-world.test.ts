import type { DiskOperation, DiskResult } from '@polder/core';
import { expect, test } from 'vitest';
import { type EventSink, RealClock, RealRandom, RealWorld } from './real-world.ts';

class SilentDisk {
  deliver: (token: number, result: DiskResult) => void = () => {};
  onComplete(deliver: (token: number, result: DiskResult) => void): void {
    this.deliver = deliver;
  }
  submit(_token: number, _operation: DiskOperation): void {}
}

class RecordingSink implements EventSink {
  readonly events: string[] = [];
  onTurn: () => void = () => {};
  onFrame(from: number, frame: Uint8Array, directory: number): void {
    this.events.push(`frame ${from} ${frame.length} ${directory}`);
  }
  onDisk(token: number, result: DiskResult): void {
    this.events.push(`disk ${token} ${result.type}`);
  }
  onUnreachable(): void {}

  onWake(): void {
    this.events.push('wake');
  }
  turn(): void {
    this.events.push('turn');
    this.onTurn();
  }
}

function build() {
  const disk = new SilentDisk();
  const sink = new RecordingSink();
  const failures: unknown[] = [];
  const world = new RealWorld({ network: { send: () => {} }, disk, onFailure: (error) => failures.push(error) });
  world.attach(sink);
  return { disk, sink, failures, world };
}

const turnOf = (sink: RecordingSink): Promise<void> =>
  new Promise((resolve) => {
    sink.onTurn = resolve;
  });

test('events that come together are handled in one turn, later ones in another', async () => {
  const { disk, sink, world } = build();
  world.onFrame(2, 200, new Uint8Array(3));
  disk.deliver(7, { type: 'done' });
  world.run(() => sink.events.push('proposal'));
  expect(sink.events).not.toContain('turn');
  await turnOf(sink);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  disk.deliver(8, { type: 'done' });
  await turnOf(sink);
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve))); // no turn without a cause
  expect(sink.events).toEqual(['frame 2 3 200', 'disk 7 done', 'proposal', 'turn', 'disk 8 done', 'turn']);
});

test('a turn that throws stops the world: nothing reaches the driver any more', async () => {
  const { disk, sink, failures, world } = build();
  sink.onTurn = () => {
    throw new Error('a bug');
  };
  world.schedule();
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  disk.deliver(1, { type: 'done' });
  world.schedule();
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(failures).toEqual([new Error('a bug')]);
  expect(sink.events).toEqual(['turn']);
});

test('the clock wakes once, not before the time asked for last', async () => {
  let wakes = 0;
  let woken = (): void => {};
  const clock = new RealClock(() => {
    wakes++;
    woken();
  });
  const start = clock.monotonicUs();
  clock.wakeAt(start + 1_000);
  clock.wakeAt(start + 20_000);
  await new Promise<void>((resolve) => {
    woken = resolve;
  });
  expect(clock.monotonicUs()).toBeGreaterThanOrEqual(start + 20_000);
  clock.wakeAt(start + 1e15); // beyond what one timer can hold: must not fire at once
  clock.wakeAt(clock.monotonicUs() + 1_000);
  await new Promise<void>((resolve) => {
    woken = resolve;
  });
  expect(wakes).toBe(2);
  clock.wakeAt(clock.monotonicUs());
  clock.wakeAt(Number.POSITIVE_INFINITY);
  await new Promise((resolve) => setTimeout(resolve, 2));
  expect(wakes).toBe(2);
});

test('draws stay within their bound, and one concern does not move another', () => {
  const first = new RealRandom(42);
  const second = new RealRandom(42);
  for (let i = 0; i < 100; i++) second.below(1, 10);
  for (let i = 0; i < 100; i++) {
    const value = first.below(2, 7);
    expect(value).toBe(second.below(2, 7));
    expect(value >= 0 && value < 7).toBe(true);
  }
});
