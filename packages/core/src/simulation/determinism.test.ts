import { describe, expect, it } from 'vitest';
import { equalBytes } from '../base/bytes.ts';
import { Campaign, runCampaign } from './campaign.ts';
import { SimulatedCluster } from './cluster.ts';
import { EventQueue } from './event-queue.ts';
import { CONCERN, RandomStreams } from './random-streams.ts';

describe('a simulated run', () => {
  it('D2: is the same run when its seed runs again in one process, with another seed in between', () => {
    const first = runCampaign(7);
    runCampaign(8);
    expect(runCampaign(7)).toEqual(first);
  });

  it('differs between seeds', () => {
    expect(runCampaign(8).hash).not.toBe(runCampaign(10).hash);
  });

  it.each([1, 2, 3, 4])('goes on with the same hash after it is saved and loaded at random steps (seed %i)', (seed) => {
    const straight = new Campaign(seed);
    let current = new Campaign(seed);
    const places = new RandomStreams(seed);
    for (let round = 0; round < 4; round++) {
      const steps = places.below(CONCERN.plan, 0, 200);
      for (const campaign of [straight, current]) {
        campaign.round();
        for (let i = 0; i < steps; i++) campaign.cluster.step();
      }
      current = reloaded(seed, current);
    }
    expect(current.cluster.steps).toBe(straight.cluster.steps);
    expect(current.cluster.hash).toBe(straight.cluster.hash);
    expect(current.clients.history).toEqual(straight.clients.history);
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

/** The campaign as its saved bytes say, in a cluster that did not live through it. */
function reloaded(seed: number, campaign: Campaign): Campaign {
  const bytes = campaign.cluster.save();
  const fresh = new Campaign(seed);
  fresh.cluster.load(bytes);
  expect(equalBytes(fresh.cluster.save(), bytes)).toBe(true);
  return fresh;
}

describe('the event queue', () => {
  it('gives events by time, and those of one microsecond in the order in which they were pushed', () => {
    const queue = new EventQueue();
    const random = new RandomStreams(1);
    for (let i = 0; i < 500; i++) {
      queue.push(random.below(1, 0, 50), { type: 'timer', member: 0, owner: 0, token: i });
    }
    let last = { timeUs: -1, sequence: 0 };
    for (let queued = queue.pop(); queued !== null; queued = queue.pop()) {
      const ordered = queued.timeUs > last.timeUs || queued.sequence > last.sequence;
      expect(queued.timeUs >= last.timeUs && ordered).toBe(true);
      last = queued;
    }
    expect(queue.size).toBe(0);
  });
});
