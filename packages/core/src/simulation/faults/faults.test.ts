import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecorderWorld } from '../participants/recorder.test-support.ts';
import { CALM, type Weather } from '../world/network.ts';
import { applyFault, describeFault, FAULTS, type Fault, type FaultType } from './fault.ts';
import { recoverAll } from './nemesis.ts';

const MS = 1_000;
const MEMBERS = 3;

const member = fc.integer({ min: 1, max: MEMBERS });
const perMillion = fc.nat(1_000_000);
const weather: fc.Arbitrary<Weather> = fc.record({
  latency: fc.oneof(
    fc.constant(null),
    fc.record({ type: fc.constant('exponential' as const), minUs: fc.nat(1_000), meanUs: fc.nat(50_000) }),
    fc.record({
      type: fc.constant('pareto' as const),
      minUs: fc.integer({ min: 1, max: 1_000 }),
      alphaThousandths: fc.integer({ min: 500, max: 4_000 }),
    }),
  ),
  lossPerMillion: perMillion,
  duplicatePerMillion: perMillion,
  corruptPerMillion: perMillion,
  spikePerMillion: perMillion,
  spikeUs: fc.nat(500_000),
  bytesPerSecond: fc.oneof(fc.constant(0), fc.integer({ min: 1_000, max: 100_000 })),
});
const link = fc.tuple(member, member).filter(([from, to]) => from !== to);
const place = { member, file: fc.constantFrom('values', 'nothing'), offset: fc.nat(2_000) };

/** Each kind of fault, whatever its moment: members that are down are paused, living ones started. */
const BY_TYPE: { readonly [type in FaultType]: fc.Arbitrary<Fault> } = {
  partition: fc.record({
    type: fc.constant('partition' as const),
    shape: fc.constantFrom('split' as const, 'ring' as const),
    links: fc.array(link, { maxLength: 6 }),
  }),
  heal: fc.constant({ type: 'heal' }),
  weather: fc.record({ type: fc.constant('weather' as const), weather }),
  crash: fc.record({ type: fc.constant('crash' as const), member, power: fc.boolean() }),
  restart: fc.record({ type: fc.constant('restart' as const), member }),
  wipe: fc.record({ type: fc.constant('wipe' as const), member }),
  pause: fc.record({ type: fc.constant('pause' as const), member }),
  resume: fc.record({ type: fc.constant('resume' as const), member }),
  clock: fc.record({
    type: fc.constant('clock' as const),
    member,
    driftPpm: fc.integer({ min: -100_000, max: 100_000 }),
    stepMs: fc.integer({ min: -100_000, max: 100_000 }),
  }),
  diskError: fc.record({
    type: fc.constant('diskError' as const),
    member,
    operation: fc.constantFrom('append' as const, 'sync' as const, 'read' as const, 'list' as const, 'rename' as const),
    code: fc.constantFrom('EIO', 'ENOSPC'),
  }),
  diskFull: fc.record({ type: fc.constant('diskFull' as const), member, full: fc.boolean() }),
  diskSlow: fc.record({ type: fc.constant('diskSlow' as const), member, times: fc.integer({ min: 1, max: 10_000 }) }),
  rot: fc.record({ type: fc.constant('rot' as const), ...place, bit: fc.nat(7) }),
  misdirect: fc.record({ type: fc.constant('misdirect' as const), ...place }),
  control: fc.record({
    type: fc.constant('control' as const),
    member,
    command: fc.constant({ type: 'unheard of', to: 1 }),
  }),
};
const fault: fc.Arbitrary<Fault> = fc.oneof(...Object.values(BY_TYPE));

function work(world: RecorderWorld, round: number): void {
  for (const id of world.simulation.ids) {
    world.ask(id, 'tell', round);
    world.ask(id, 'store', [`value ${round}`, 'x'.repeat(200)]);
    world.ask(id, 'timer', ['t', 5 * MS]);
  }
}

/** As a run does when its faults end. */
function mend({ simulation }: RecorderWorld): void {
  simulation.setWeather(CALM);
  simulation.heal();
  for (const id of simulation.ids) {
    simulation.member(id).world.files.calm();
    simulation.member(id).world.setDiskSlowness(1);
  }
  for (const mending of recoverAll(simulation)) applyFault(simulation, mending);
}

describe('faults', () => {
  it('each kind alone is harmless at any moment, twice, on members that run, are paused or are down', () => {
    for (const [type, arbitrary] of Object.entries(BY_TYPE)) {
      fc.assert(
        fc.property(arbitrary, fc.constantFrom('up', 'paused', 'down', 'starting'), (each, how) => {
          const world = new RecorderWorld(MEMBERS, 1, { mayStop: true });
          if (how !== 'starting') world.simulation.run(10 * MS);
          work(world, 1);
          for (const id of world.simulation.ids) {
            if (how === 'paused') world.simulation.pause(id);
            if (how === 'down') world.simulation.crash(id, false);
          }
          for (let i = 0; i < 2; i++) applyFault(world.simulation, each);
          world.simulation.run(5 * MS);
          applyFault(world.simulation, each);
          world.simulation.run(20 * MS);
          expect(describeFault(each), type).not.toBe('');
        }),
        { numRuns: 12 },
      );
    }
  });

  it('S14: act on messages, disks and members themselves; afterwards every member runs again, and every run repeats', () => {
    const list = fc.array(fc.record({ fault, afterUs: fc.nat(20 * MS) }), { maxLength: 25 });
    const play = (faults: readonly { readonly fault: Fault; readonly afterUs: number }[], seed: number) => {
      const world = new RecorderWorld(MEMBERS, seed, { mayStop: true });
      world.simulation.run(5 * MS);
      for (const [round, { fault: each, afterUs }] of faults.entries()) {
        work(world, round);
        world.simulation.run(afterUs);
        applyFault(world.simulation, each);
      }
      mend(world);
      // Frames and disks that were made slow come to an end.
      world.simulation.run(2_000 * MS);
      mend(world);
      world.simulation.run(50 * MS);
      const ids = world.simulation.ids.map((id) => world.ask(id, 'time'));
      world.simulation.run(10 * MS);
      const answers = ids.map((id) => world.answers.get(id)?.completion);
      return { answers, hash: world.simulation.hash, states: world.simulation.status() };
    };
    fc.assert(
      fc.property(list, fc.nat(1_000), (faults, seed) => {
        const first = play(faults, seed);
        expect(first.answers).toEqual(['ok', 'ok', 'ok']);
        expect(play(faults, seed)).toEqual(first);
      }),
      { numRuns: 60 },
    );
  });

  it('S14: that cut, lose, crash and wipe leave their mark on what members hear and keep', () => {
    const world = new RecorderWorld(MEMBERS);
    const { simulation } = world;
    simulation.run(10 * MS);
    applyFault(simulation, { type: 'partition', shape: 'one-way', links: [[1, 2]] });
    world.ask(1, 'tell', 'cut');
    world.ask(1, 'store', ['a', 1]);
    simulation.run(10 * MS);
    expect([world.heard(2), world.heard(3)]).toEqual([[], ['heard 1: "cut"']]);
    applyFault(simulation, { type: 'heal' });
    applyFault(simulation, { type: 'weather', weather: { ...CALM, lossPerMillion: 1_000_000 } });
    world.ask(1, 'tell', 'lost');
    simulation.run(10 * MS);
    applyFault(simulation, { type: 'weather', weather: CALM });
    applyFault(simulation, { type: 'pause', member: 2 });
    world.ask(1, 'tell', 'late');
    simulation.run(10 * MS);
    expect(world.heard(2)).toEqual([]);
    applyFault(simulation, { type: 'resume', member: 2 });
    simulation.run(10 * MS);
    expect(world.heard(2)).toEqual(['heard 1: "late"']);
    const found = (): unknown => world.state(1).found;
    for (const [type, kept] of [
      ['crash', { a: 1 }],
      ['wipe', {}],
    ] as const) {
      applyFault(simulation, type === 'crash' ? { type, member: 1, power: true } : { type, member: 1 });
      expect(simulation.member(1).alive).toBe(false);
      applyFault(simulation, { type: 'restart', member: 1 });
      simulation.run(10 * MS);
      expect(found()).toEqual(kept);
    }
  });

  it('say of every kind what it strains and what it costs', () => {
    expect(Object.keys(FAULTS).sort()).toEqual(Object.keys(BY_TYPE).sort());
    const costly = Object.entries(FAULTS).filter(([, { costs }]) => costs === 'damage');
    expect(costly.map(([type]) => type).sort()).toEqual(['diskError', 'diskFull', 'misdirect', 'rot', 'wipe']);
  });
});
