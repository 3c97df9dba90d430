import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, utf8 } from '../../base/bytes.ts';
import { EventQueue, type WorldEvent } from './event-queue.ts';
import { MemberWorld, type SharedWorld } from './member-world.ts';
import { CALM, LOCAL_LATENCY, SimulatedNetwork } from './network.ts';
import { CONCERN, RandomStreams } from './random-streams.ts';

const FRAME = utf8('frame');

function newNetwork(members: number, queue: EventQueue, random: RandomStreams): SimulatedNetwork {
  const damage = (frame: Uint8Array): Uint8Array => frame;
  return new SimulatedNetwork({ members, queue, random, kindOf: () => 0, damage, calm: LOCAL_LATENCY });
}

function makeNetwork(seed = 1): { network: SimulatedNetwork; arrivals: () => number[] } {
  const queue = new EventQueue();
  const network = newNetwork(3, queue, new RandomStreams(seed));
  const arrivals = (): number[] => {
    const members: number[] = [];
    for (let queued = queue.pop(); queued !== null; queued = queue.pop()) members.push(queued.event.member);
    return members;
  };
  return { network, arrivals };
}

describe('the simulated network', () => {
  it('S2: cuts a link one way only when asked to, and heals it', () => {
    const { network, arrivals } = makeNetwork();
    network.block(1, 2);
    network.send(0, 1, 2, FRAME);
    network.send(0, 2, 1, FRAME);
    network.send(0, 1, 3, FRAME);
    expect(arrivals().sort()).toEqual([1, 3]);
    network.unblockAll();
    network.send(0, 1, 2, FRAME);
    expect(arrivals()).toEqual([2]);
  });

  it('loses and duplicates about as many frames as the weather says', () => {
    const { network, arrivals } = makeNetwork();
    network.setWeather({ ...CALM, lossPerMillion: 200_000, duplicatePerMillion: 100_000 });
    for (let i = 0; i < 5_000; i++) network.send(0, 1, 2, FRAME);
    const { lost, duplicated } = network.counts;
    expect(lost).toBeGreaterThan(850);
    expect(lost).toBeLessThan(1_150);
    expect(duplicated).toBeGreaterThan(320);
    expect(duplicated).toBeLessThan(480);
    expect(arrivals().length).toBe(5_000 - lost + duplicated);
  });

  it('holds what a filter holds until it is released, as often as asked', () => {
    const { network, arrivals } = makeNetwork();
    network.filter = (_, to) => (to === 2 ? 'hold' : to === 3 ? 'drop' : 'deliver');
    network.send(0, 1, 2, FRAME);
    network.send(0, 1, 3, FRAME);
    network.send(0, 2, 1, FRAME);
    expect(arrivals()).toEqual([1]);
    expect(network.releaseHeld(0, 2)).toBe(1);
    expect(arrivals()).toEqual([2, 2]);
  });
});

interface Made {
  readonly world: MemberWorld;
  readonly queue: EventQueue;
  readonly complete: () => unknown[];
  readonly pass: (untilUs: number) => void;
}

function makeMember(): Made {
  const queue = new EventQueue();
  const random = new RandomStreams(3);
  let nowUs = 0;
  const shared: SharedWorld = { queue, random, network: newNetwork(1, queue, random), nowUs: () => nowUs };
  const world = new MemberWorld(shared, 1, { minLatencyUs: 10, maxLatencyUs: 90 });
  const complete = (): unknown[] => {
    const completed: unknown[] = [];
    for (let queued = queue.pop(); queued !== null; queued = queue.pop()) {
      nowUs = queued.timeUs;
      const event: WorldEvent = queued.event;
      if (event.type === 'disk' && event.epoch === world.epoch) completed.push(world.completeDisk());
    }
    return completed;
  };
  const pass = (untilUs: number): void => {
    nowUs = untilUs;
  };
  return { world, queue, complete, pass };
}

describe("a member's simulated world", () => {
  it('completes disk operations in order, with their effect at completion', () => {
    const { world, complete } = makeMember();
    world.disk.submit(1, { type: 'append', file: 'log', bytes: utf8('abc') });
    world.disk.submit(2, { type: 'size', file: 'log' });
    expect(world.files.contents('log')).toBeNull();
    expect(complete()).toEqual([
      { token: 1, result: { type: 'done' } },
      { token: 2, result: { type: 'size', sizeBytes: 3 } },
    ]);
  });

  it('completes nothing after a crash that was submitted before it, and keeps what was synced', () => {
    const { world, complete } = makeMember();
    world.disk.submit(1, { type: 'append', file: 'log', bytes: utf8('abc') });
    world.disk.submit(2, { type: 'sync', file: 'log' });
    world.disk.submit(3, { type: 'syncDirectory' });
    complete();
    world.disk.submit(4, { type: 'append', file: 'log', bytes: utf8('def') });
    world.crash();
    expect(complete()).toEqual([]);
    expect(world.files.contents('log')?.slice(0, 3)).toEqual(utf8('abc'));
  });

  it('wakes once, at the last time asked for', () => {
    const { world, queue, pass } = makeMember();
    world.clock.wakeAt(500);
    world.clock.wakeAt(200);
    const wakes: number[] = [];
    for (let queued = queue.pop(); queued !== null; queued = queue.pop()) {
      pass(queued.timeUs);
      if (queued.event.type === 'wake' && world.takeWake(queued.event.atUs)) wakes.push(queued.timeUs);
    }
    expect(wakes).toEqual([200]);
  });

  it('comes back from its bytes with what was in flight', () => {
    const { world, complete } = makeMember();
    world.disk.submit(1, { type: 'append', file: 'log', bytes: utf8('abc') });
    const writer = new ByteWriter();
    world.save(writer);
    const other = makeMember().world;
    other.load(new ByteReader(writer.finish()));
    expect(other.completeDisk()).toEqual(complete()[0]);
    expect(other.files.contents('log')).toEqual(utf8('abc'));
  });
});

describe('random streams', () => {
  it('D1: one more draw in one stream moves no other stream', () => {
    const draws = (extra: number): number[] => {
      const random = new RandomStreams(9);
      for (let i = 0; i < extra; i++) random.below(CONCERN.client, 1, 100);
      return [random.below(CONCERN.client, 2, 1 << 20), random.below(CONCERN.nemesis, 1, 1 << 20)];
    };
    expect(draws(5)).toEqual(draws(0));
  });
});
