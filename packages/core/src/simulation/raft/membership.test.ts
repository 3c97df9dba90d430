import { describe, expect, it } from 'vitest';
import { utf8 } from '../../base/bytes.ts';
import { exchangeBehindAPartition } from '../zoo/schedules.ts';
import { cluster, type SimulatedCluster } from './cluster.ts';
import { raftMembershipStorm, raftMembershipWalk } from './general.ts';
import { NO_SABOTAGE } from './sabotage.ts';

const SECOND_US = 1_000_000;

function started(initial: number, members: number, options: { snapshotEntries?: number } = {}): SimulatedCluster {
  const cut = { trailingEntries: 5, ...options };
  const made = cluster(members, { seed: 7, initial, ...cut });
  led(made);
  return made;
}

/** Somebody leads, and whoever runs and is a member follows. */
function led(made: SimulatedCluster): number {
  const agreed = () => {
    const leader = made.leader();
    const voters = leader === 0 ? [] : made.voters(leader);
    return voters.length > 0 && voters.every((id) => [leader, undefined].includes(made.member(id).status()?.leader));
  };
  expect(made.runUntil(agreed, 10 * SECOND_US)).toBe(true);
  return made.leader();
}

function put(made: SimulatedCluster, value: string): void {
  const id = made.propose(led(made), { type: 'put', key: utf8('k'), value: utf8(value) });
  expect(made.runUntil(() => made.outcome(id).type !== 'pending', 10 * SECOND_US)).toBe(true);
  expect(made.outcome(id).type).toBe('applied');
}

/** Asks until it is done: a learner may have to catch up first. */
function change(made: SimulatedCluster, done: () => boolean, ...changes: readonly string[]): void {
  for (let i = 0; i < 20 && !done(); i++) {
    made.changeMembership(led(made), ...changes);
    made.runUntil(done, SECOND_US);
  }
  expect(done()).toBe(true);
}

const knows = (made: SimulatedCluster, member: number): boolean =>
  made
    .member(member)
    .status()
    ?.configuration.members.some(({ id }) => id === member) === true;

function grow(made: SimulatedCluster, id: number): void {
  change(made, () => knows(made, id), `add ${id}`);
  change(made, () => made.voters(made.leader()).includes(id), `promote ${id}`);
}

describe('a cluster whose members change', () => {
  it('R15: grows from one to two and loses its leader right after: it waits, and goes on when the leader is back', () => {
    const made = started(1, 2);
    grow(made, 2);
    made.crash(1);
    made.run(2 * SECOND_US);
    expect(made.leader()).toBe(0);
    made.restart(1);
    put(made, 'after');
  });

  it('R15: grows from three to four and loses its leader right after: three of four go on', () => {
    const made = started(3, 4);
    grow(made, 4);
    made.crash(led(made));
    put(made, 'after');
  });

  it('R17: brings a new member up by snapshot, its membership included, when the log does not reach back', () => {
    const made = started(3, 4, { snapshotEntries: 10 });
    for (let i = 0; i < 30; i++) put(made, `before ${i}`);
    grow(made, 4);
    expect(made.invariants.snapshotsInstalled).toBeGreaterThan(0);
    made.crash(4);
    made.restart(4);
    put(made, 'after');
    made.run(SECOND_US);
    expect(made.member(4).stateBytes()).toEqual(made.member(led(made)).stateBytes());
    expect(made.voters(4)).toEqual([1, 2, 3, 4]);
  });

  it('R12: a removed member stops by itself, also one that was down, and stops again when it is started again', () => {
    const made = started(3, 3);
    const victim = [1, 2, 3].find((id) => id !== led(made)) as number;
    made.crash(victim);
    change(made, () => made.voters(made.leader()).length === 2, `remove ${victim}`);
    for (let i = 0; i < 2; i++) {
      made.restart(victim);
      expect(made.runUntil(() => !made.member(victim).alive, 5 * SECOND_US)).toBe(true);
      expect(made.stopped.get(victim)).toMatchObject({ code: 'Removed' });
    }
    put(made, 'after');
  });

  it('R16: a leader that removes itself is followed at once, without an election time-out', () => {
    const made = started(3, 3);
    put(made, 'before');
    const first = led(made);
    made.changeMembership(first, `remove ${first}`);
    // Election time-outs are 100 to 200 ms here.
    expect(made.runUntil(() => made.leader() !== 0 && made.leader() !== first, 50_000)).toBe(true);
    expect(made.voters(made.leader())).toHaveLength(2);
  });

  it('R26: an added member that lost its disk is refused under its number', () => {
    const made = cluster(4, { seed: 3, initial: 3, mayStop: true });
    grow(made, 4);
    made.wipe(4);
    made.restart(4);
    expect(made.runUntil(() => !made.member(4).alive, 5 * SECOND_US)).toBe(true);
    expect(made.stopped.get(4)).toMatchObject({ code: 'DirectoryReplaced' });
    put(made, 'after');
  });

  it('R14: an exchange of most voters behind a partition commits nothing', () => {
    for (let seed = 1; seed <= 5; seed++) exchangeBehindAPartition(NO_SABOTAGE, seed);
  });

  it('walks from one member to five, to five others, to one, while the network and the processes fail', () => {
    const report = raftMembershipWalk().run({ seeds: 30 });
    expect(report.violations).toEqual([]);
    expect(report.counts['walked']).toBeGreaterThan(5);
    expect(report.counts['membershipChanges']).toBeGreaterThan(300);
  });

  it('keeps its promises while members come and go all the time', () => {
    const report = raftMembershipStorm().run({ seeds: 30 });
    expect(report.violations).toEqual([]);
    expect(report.counts['membershipChanges']).toBeGreaterThan(100);
  });
});
