import { describe, expect, it } from 'vitest';
import { SimulatedCluster } from '../raft/cluster.ts';
import { generalRaft } from '../raft/general.ts';
import { EventQueue } from '../world/event-queue.ts';
import { CONCERN, RandomStreams } from '../world/random-streams.ts';
import { Run } from './run.ts';
import { formatTrace, parseTrace } from './trace.ts';

const { spec } = generalRaft();

describe('a simulated run', () => {
  it('D2: is the same run when its seed runs again in one process, with another seed in between', () => {
    const first = generalRaft().record(7);
    generalRaft().record(8);
    expect(generalRaft().record(7)).toEqual(first);
  });

  it('differs between seeds', () => {
    expect(generalRaft().record(8).hash).not.toBe(generalRaft().record(10).hash);
  });

  it.each([1, 2, 3, 4])('goes on with the same hash after it is saved and loaded at random steps (seed %i)', (seed) => {
    const straight = new Run(spec, seed);
    let current = new Run(spec, seed);
    const places = new RandomStreams(seed);
    for (let round = 0; round < 4; round++) {
      const steps = 100 + places.below(CONCERN.plan, 0, 4_000);
      for (const run of [straight, current]) for (let i = 0; i < steps; i++) run.step();
      const bytes = current.save();
      current = new Run(spec, seed);
      current.load(bytes);
      expect(current.save()).toEqual(bytes);
    }
    expect(current.simulation.steps).toBe(straight.simulation.steps);
    expect(current.simulation.hash).toBe(straight.simulation.hash);
    expect(current.clients?.history).toEqual(straight.clients?.history);
  });

  it('is the same run, to the last event, when its trace is played back', () => {
    for (let seed = 1; seed <= 12; seed++) {
      const recorded = generalRaft().record(seed);
      const { trace } = recorded;
      if (trace === null) throw new Error('a recorded run has a trace');
      const replayed = generalRaft().replay(parseTrace(formatTrace(trace)));
      expect(replayed.hashes, `seed ${seed}`).toEqual(recorded.hashes);
      expect(replayed.hash, `seed ${seed}`).toBe(recorded.hash);
      expect(replayed.history).toEqual(recorded.history);
    }
  });

  it('D1: one more draw in one place moves nothing elsewhere', () => {
    const events = (extra: boolean): string[] => {
      const cluster = new SimulatedCluster({ seed: 5, members: 3 });
      const seen: string[] = [];
      cluster.trace = ({ timeUs, sequence, event }) => seen.push(`${timeUs} ${sequence} ${event.member} ${event.type}`);
      cluster.run(300_000);
      if (extra) cluster.member(2).world.random.below(999, 10);
      if (extra) cluster.random.below(CONCERN.nemesis, 0, 10);
      cluster.run(700_000);
      return seen;
    };
    const plain = events(false);
    expect(plain.length).toBeGreaterThan(100);
    expect(events(true)).toEqual(plain);
  });
});

describe('the event queue', () => {
  it('gives events by time, timers first, and the rest of one microsecond in the order in which they were pushed', () => {
    const queue = new EventQueue();
    const random = new RandomStreams(1);
    for (let i = 0; i < 500; i++) {
      const timeUs = random.below(1, 0, 50);
      if (random.below(2, 0, 2) === 0) queue.push(timeUs, { type: 'timer', member: 0, owner: 0, token: i });
      else queue.push(timeUs, { type: 'turn', member: 1, epoch: i });
    }
    let last = { timeUs: -1, timer: true, sequence: 0 };
    for (let queued = queue.pop(); queued !== null; queued = queue.pop()) {
      const now = { timeUs: queued.timeUs, timer: queued.event.type === 'timer', sequence: queued.sequence };
      const sameLane = now.timer === last.timer;
      const ordered = sameLane ? now.sequence > last.sequence : last.timer;
      expect(now.timeUs > last.timeUs || (now.timeUs === last.timeUs && ordered)).toBe(true);
      last = now;
    }
    expect(queue.size).toBe(0);
  });
});
