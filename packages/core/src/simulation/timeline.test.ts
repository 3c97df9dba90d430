import { describe, expect, it } from 'vitest';
import {
  crash,
  direct,
  type Fault,
  type Participant,
  type ParticipantTypes,
  participants,
  type Scenario,
  type Self,
  scenario,
  seconds,
  swarm,
} from './index.ts';
import { generalRaft } from './raft/general.ts';
import { HASH_EVERY, Run } from './scenario/run.ts';
import { Timeline } from './timeline.ts';
import { CONCERN, RandomStreams } from './world/random-streams.ts';
import { hashOf } from './world/rolling-hash.ts';

type Ping = { readonly type: 'ping'; readonly round: number };

/** Members that count pings; with a `leak`, they also count where no checkpoint looks. */
function pings(leak = false): Scenario<ParticipantTypes> {
  class Member implements Participant<Ping> {
    state = { round: 0 };
    #outside = 0;
    readonly #self: Self<Ping>;

    constructor(self: Self<Ping>) {
      this.#self = self;
    }

    onStart(): void {
      this.#self.setTimer('next', 5_000);
    }

    onMessage(from: number, { round }: Ping): void {
      this.#outside++;
      if (round % 2 === 0) this.#self.send(from, { type: 'ping', round: round + 1 });
      if (leak && this.#outside % 10 === 0) this.#self.broadcast({ type: 'ping', round: 1 });
    }

    onOperation(id: number): void {
      this.#self.ok(id, this.state.round);
    }

    onTimer(): void {
      this.state.round += 2;
      this.#self.broadcast({ type: 'ping', round: this.state.round + this.#self.draw(2) });
      this.#self.setTimer('next', 5_000 + this.#self.draw(5_000));
    }
  }
  return scenario({
    replicas: participants<Ping, { round: number }>({
      name: 'pings',
      members: 3,
      messages: ['ping'],
      create: (self) => new Member(self),
    }),
    troubleUs: seconds(1),
  })
    .workload(direct('rounds', 'none', () => ({ f: 'read', key: '', value: null })))
    .faults(swarm(crash()))
    .eventually('something was answered', { withinUs: seconds(1), holds: ({ operations }) => operations.ok > 0 });
}

const CRASH: Fault = { type: 'crash', member: 1, power: true };

/** Right after each of these events, and at the end, what a run that is never loaded would save and report. */
function straight(spec: Scenario<never>['spec'], seed: number, events: readonly number[]) {
  const run = new Run(spec, seed, { record: true });
  const saved = new Map<number, string>();
  let at = -1;
  do {
    const { events: now } = run.simulation;
    if (now !== at && events.includes(now)) saved.set(now, hashOf(run.save()));
    at = now;
  } while (run.step());
  return { saved, events: run.simulation.events, report: run.report() };
}

describe('a timeline', () => {
  it.each([
    ['Raft', generalRaft(), [1, 2, 3, 8]],
    ['participants', pings(), [1, 2]],
  ] as const)('is at any event exactly what a run is that goes straight there (%s)', (_, scenario, seeds) => {
    for (const seed of seeds) {
      const { spec } = scenario as unknown as Scenario<never>;
      const { events } = new Run(spec, seed).play();
      const places = new RandomStreams(seed);
      const visits = Array.from({ length: 16 }, () => places.below(CONCERN.plan, 0, events));
      visits.push(0, events - 1, 1, events);
      const { saved, report } = straight(spec, seed, visits);
      const timeline = new Timeline(() => new Run(spec, seed, { record: true }), { checkpointEvents: 500 });
      for (const event of visits) {
        expect(timeline.seek(event)).toBe(event);
        expect(hashOf(timeline.run.save()), `seed ${seed}, event ${event}`).toBe(saved.get(event));
      }
      expect(timeline.end()).toEqual(report);
      timeline.seek(events);
      expect(hashOf(timeline.run.save()), 'the last event, and nothing after it').toBe(saved.get(events));
      timeline.seek(visits[0] as number);
      expect(timeline.end(), 'again, from a checkpoint').toEqual(report);
    }
  });

  it('ends with the violation that the run ends with, also after it was sought', () => {
    const never = generalRaft().always({ name: 'Two', holds: ({ operations }) => operations.ok < 200 || 'too many' });
    const { violation, events } = never.record(5);
    const timeline = never.timeline(5);
    expect(violation).toMatchObject({ rule: 'Two' });
    expect(timeline.end().violation).toEqual(violation);
    timeline.seek(100);
    expect(timeline.run.report().violation).toBeNull();
    expect(timeline.seek(1_000_000)).toBe(events);
    expect(timeline.run.report().violation).toEqual(violation);
  });

  it('knows the hash of every event, the same that reports note', () => {
    const { hashes, events } = generalRaft().record(4);
    const timeline = generalRaft().timeline(4);
    for (const [i, hash] of hashes.entries()) {
      timeline.seek((i + 1) * HASH_EVERY);
      expect(Number.parseInt(timeline.run.simulation.hash.slice(0, 12), 16)).toBe(hash);
    }
    expect(timeline.reaches(events)).toBe(true);
    expect(timeline.reaches(events + 1)).toBe(false);
    expect(timeline.stepsAt(700).at(-1)).toMatchObject({ events: 700, fingerprint: timeline.hashAt(700) });
  });

  it('keeps within its memory, and seeks as exactly', () => {
    const roomy = generalRaft().timeline(4);
    roomy.end();
    const memoryBytesMax = 2_000_000;
    const tight = generalRaft().timeline(4, { checkpointEvents: 100, memoryBytesMax });
    tight.end();
    expect(tight.memoryBytes).toBeLessThanOrEqual(memoryBytesMax);
    expect(tight.memoryBytes).toBeGreaterThan(memoryBytesMax / 4);
    for (const event of [6_789, 777, 3_333]) {
      for (const timeline of [roomy, tight]) timeline.seek(event);
      expect(hashOf(tight.run.save())).toBe(hashOf(roomy.run.save()));
    }
  });

  it('plays a trace and seeks in it', () => {
    const recorded = generalRaft().record(6);
    if (recorded.trace === null) throw new Error('a recorded run has a trace');
    const timeline = generalRaft().timeline(6, { trace: recorded.trace });
    timeline.end();
    timeline.seek(2_500);
    expect(timeline.end()).toEqual(generalRaft().replay(recorded.trace));
  });

  it('says so when a process keeps something where no checkpoint has it', () => {
    const timeline = pings(true).timeline(1, { checkpointEvents: 25 });
    timeline.end();
    const seekAll = (): void => {
      for (let event = timeline.known - 1; event > 0; event -= 20) timeline.seek(event);
    };
    expect(seekAll).toThrow(expect.objectContaining({ code: 'RunDiffers' }));
  });
});

describe('a fork', () => {
  it('goes its own way after a change, and leaves the other as it was', () => {
    const timeline = generalRaft().timeline(5);
    const before = timeline.end();
    timeline.seek(1_234);
    const fork = timeline.fork();
    fork.change((run) => run.inject(CRASH));
    const after = fork.end();
    expect(after.hash).not.toBe(before.hash);
    expect(after.faults.crash).toBeGreaterThanOrEqual(1);
    expect(after.faultTimes).toContainEqual({ atUs: timeline.run.simulation.nowUs, fault: CRASH });
    expect(timeline.end()).toEqual(before);
    expect(fork.hashAt(1_233)).toBe(timeline.hashAt(1_233));
  });

  it('is the same as its origin when nothing is changed', () => {
    const timeline = generalRaft().timeline(5);
    timeline.seek(2_000);
    expect(timeline.fork().end()).toEqual(timeline.end());
  });

  it('can be sought on both sides of its changes', () => {
    const fork = generalRaft().timeline(5).fork();
    for (const [event, member] of [
      [0, 1],
      [1_000, 1],
      [2_000, 2],
      [2_000, 3],
    ] as const) {
      fork.seek(event);
      fork.change((run) => run.inject({ type: 'clock', member, driftPpm: 77, stepMs: 0 }));
    }
    const end = fork.end();
    const changes = [0, 999, 2_001, 1_000, 1_999, 2_000].map((event) => {
      fork.seek(event);
      const { faultTimes } = fork.run.report();
      return [event, faultTimes.filter(({ fault }) => fault.type === 'clock' && fault.driftPpm === 77).length];
    });
    expect(Object.fromEntries(changes)).toEqual({ 0: 1, 999: 1, 1_000: 2, 1_999: 2, 2_000: 4, 2_001: 4 });
    expect(fork.end()).toEqual(end);
  });

  it('forgets the future that a change has made another', () => {
    const paths = [[1_900, 1_200], [1_200]].map((before) => {
      const timeline = generalRaft().timeline(5);
      if (before.length > 1) timeline.end();
      for (const event of before) timeline.seek(event);
      timeline.change((run) => run.inject(CRASH));
      timeline.seek(1_800);
      return hashOf(timeline.run.save());
    });
    expect(paths[0]).toBe(paths[1]);
  });

  it('cannot be changed where it is over', () => {
    const timeline = pings().timeline(1);
    timeline.end();
    expect(() => timeline.change(() => {})).toThrow(expect.objectContaining({ code: 'RunIsOver' }));
  });
});
