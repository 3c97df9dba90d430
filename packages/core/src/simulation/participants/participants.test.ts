import { describe, expect, it } from 'vitest';
import { applyFault } from '../faults/index.ts';
import type { Json } from '../protocol.ts';
import { Simulation } from '../simulation.ts';
import { RecorderWorld, recorders } from './recorder.test-support.ts';

const MS = 1_000;

/** One member that runs and has read its disk. */
function started(seed = 1, members = 1): RecorderWorld {
  const world = new RecorderWorld(members, seed);
  world.simulation.run(10 * MS);
  return world;
}

describe("a participant's timers", () => {
  it('are due once, in the order of their times', () => {
    const world = started();
    for (const [name, afterMs] of [
      ['late', 9],
      ['early', 3],
      ['middle', 6],
    ] as const) {
      world.ask(1, 'timer', [name, afterMs * MS]);
    }
    world.simulation.run(50 * MS);
    expect(world.heard(1)).toEqual(['timer early', 'timer middle', 'timer late']);
  });

  it('take the place of the one of the same name', () => {
    const world = started();
    world.ask(1, 'timer', ['a', 5 * MS]);
    world.simulation.run(MS);
    world.ask(1, 'timer', ['a', 20 * MS]);
    world.simulation.run(19 * MS);
    expect(world.heard(1)).toEqual([]);
    world.simulation.run(50 * MS);
    expect(world.heard(1)).toEqual(['timer a']);
  });

  it('that are cancelled never come', () => {
    const world = started();
    world.ask(1, 'timer', ['a', 5 * MS]);
    world.ask(1, 'cancel', 'a');
    world.simulation.run(50 * MS);
    expect(world.heard(1)).toEqual([]);
  });

  it('that are overdue come in their order, and may cancel those behind them', () => {
    const world = started();
    world.ask(1, 'timer', ['second', 5 * MS + 1]);
    world.ask(1, 'timer', ['first', 5 * MS]);
    // Paused, so that both are overdue when it goes on.
    world.simulation.run(MS);
    world.simulation.pause(1);
    world.simulation.run(20 * MS);
    world.simulation.resume(1);
    world.simulation.run(MS);
    expect(world.heard(1)).toEqual(['timer first']);
  });

  it('end with the life that set them', () => {
    const world = started();
    world.ask(1, 'timer', ['a', 5 * MS]);
    world.simulation.run(MS);
    world.simulation.crash(1, false);
    world.simulation.restart(1);
    world.simulation.run(50 * MS);
    expect(world.heard(1)).toEqual([]);
  });

  it("run by the member's own clock", () => {
    const world = started(1, 2);
    applyFault(world.simulation, { type: 'clock', member: 1, driftPpm: -100_000, stepMs: 0 });
    for (const member of [1, 2]) world.ask(member, 'timer', ['a', 100 * MS]);
    world.simulation.run(105 * MS);
    expect([world.heard(1), world.heard(2)]).toEqual([[], ['timer a']]);
    world.simulation.run(10 * MS);
    expect(world.heard(1)).toEqual(['timer a']);
  });
});

describe("a participant's stored values", () => {
  const restart = (world: RecorderWorld): Readonly<Record<string, Json>> => {
    world.simulation.crash(1);
    world.simulation.restart(1);
    world.simulation.run(20 * MS);
    return world.state(1).found ?? {};
  };

  it('survive a loss of power once it is told so, the last of each name', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const world = started(seed);
      for (const [name, value] of [
        ['a', 1],
        ['b', { deep: [null, 'x'] }],
        ['a', 2],
      ] as const) {
        world.ask(1, 'store', [name, value]);
      }
      world.simulation.run(50 * MS);
      expect(world.heard(1)).toEqual(['stored a', 'stored b', 'stored a']);
      expect(restart(world), `seed ${seed}`).toEqual({ a: 2, b: { deep: [null, 'x'] } });
    }
  });

  it('before that may be lost or kept, but whole and in order; and what is torn is cut, so that later ones last', () => {
    const kept = new Set<number>();
    for (let seed = 1; seed <= 150; seed++) {
      const world = started(seed);
      const value = 'x'.repeat(700);
      for (let i = 0; i < 6; i++) world.ask(1, 'store', [`v${i}`, value]);
      world.simulation.run(seed * 20);
      const promised = world.heard(1).length;
      const found = restart(world);
      const names = Object.keys(found);
      expect(names, `seed ${seed}`).toEqual(['v0', 'v1', 'v2', 'v3', 'v4', 'v5'].slice(0, names.length));
      expect(Object.values(found).every((each) => each === value)).toBe(true);
      // What it was told to be durable is there.
      expect(names.length).toBeGreaterThanOrEqual(promised);
      kept.add(names.length - promised);
      world.ask(1, 'store', ['after', seed]);
      world.simulation.run(20 * MS);
      expect(restart(world), `seed ${seed}`).toEqual({ ...found, after: seed });
    }
    expect(kept.size).toBeGreaterThan(2);
  });

  it('are gone with the disk', () => {
    const world = started();
    world.ask(1, 'store', ['a', 1]);
    world.simulation.run(20 * MS);
    world.simulation.wipe(1);
    expect(restart(world)).toEqual({});
  });
});

describe('a participant', () => {
  it('hears nothing and takes no operation before it has read its values', () => {
    const world = new RecorderWorld(2);
    world.simulation.run(10 * MS);
    applyFault(world.simulation, { type: 'diskSlow', member: 1, times: 1_000 });
    world.simulation.crash(1, false);
    world.simulation.restart(1);
    world.ask(2, 'tell', 'early');
    const id = world.ask(1, 'time');
    world.simulation.run(5 * MS);
    expect(world.answers.get(id)).toEqual({ completion: 'fail', value: 'starting' });
    expect(world.state(1)).toEqual({ heard: [], found: null });
  });

  it('is asked through its door only while it lives, and leaves what it was asked in doubt when it dies', () => {
    const world = started();
    const open = world.ask(1, 'stay');
    world.simulation.run(MS);
    expect(world.answers.get(open)).toBeUndefined();
    world.simulation.crash(1);
    expect(world.answers.get(open)).toEqual({ completion: 'info', value: 'the member died' });
    expect(world.ask(1, 'time')).toBe(0);
  });

  it('stops when its disk fails, and nothing is tried again', () => {
    const world = new RecorderWorld(1, 1, { mayStop: true });
    world.simulation.run(10 * MS);
    applyFault(world.simulation, { type: 'diskError', member: 1, operation: 'sync', code: 'EIO' });
    world.ask(1, 'store', ['a', 1]);
    world.simulation.run(20 * MS);
    expect(world.simulation.member(1).alive).toBe(false);
    expect(world.simulation.stopped.get(1)?.message).toContain('EIO');
  });

  it('may send only what its protocol lists, and not to itself', () => {
    const { simulation } = new RecorderWorld(1);
    const odd = new Simulation({ protocol: recorders(2, { messages: [] }), seed: 1 });
    odd.run(10 * MS);
    odd.ask(1, { f: 'tell', key: '', value: 1 });
    expect(() => odd.run(10 * MS)).toThrow('every type of message is listed');
    expect(() => simulation.network.send(0, 1, 1, new Uint8Array([0]))).toThrow('does not send to itself');
  });

  it('goes on from its bytes in the middle of storing, with its timers', () => {
    const world = started(3, 2);
    world.ask(1, 'timer', ['a', 5 * MS]);
    world.ask(1, 'store', ['x', 1]);
    world.ask(2, 'tell', 'hello');
    world.simulation.run(150);
    const bytes = world.simulation.save();
    const copy = new RecorderWorld(2, 3);
    copy.simulation.load(bytes);
    for (const each of [world, copy]) each.simulation.run(30 * MS);
    expect(copy.heard(1)).toEqual(world.heard(1));
    expect([...copy.heard(1)].sort()).toEqual(['heard 2: "hello"', 'stored x', 'timer a']);
    expect(copy.simulation.hash).toBe(world.simulation.hash);
  });
});
