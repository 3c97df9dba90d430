import { describe, expect, it } from 'vitest';
import { QUICK, SimulatedCluster } from '../../simulation/index.ts';
import { Bench, directoryOf, HEARTBEAT_US, of, persists, sends } from './harness.test-support.ts';

const UNKNOWN = new Map<number, number>();

describe('a data directory', () => {
  it('R26 RI20: says nothing but its name until enough members have bound it durably', () => {
    const fresh = new Bench({ registered: false, directories: UNKNOWN });
    for (let i = 0; i < 50; i++) fresh.pass(HEARTBEAT_US);
    expect(new Set(of(fresh.effects, 'send').map((send) => send.message.type))).toEqual(new Set(['register']));
    expect(fresh.raft.status()).toMatchObject({ role: 'follower', term: 0 });
    const request = { type: 'requestVote', term: 5, preVote: false, transfer: false } as const;
    expect(fresh.receive(2, { ...request, lastLogIndex: 9, lastLogTerm: 4 })).toEqual([]);

    fresh.receive(2, { type: 'registered', directory: directoryOf(1) });
    fresh.pass(HEARTBEAT_US);
    expect(persists(fresh.effects, 'registered')).toEqual([]);
    fresh.receive(3, { type: 'registered', directory: directoryOf(1) });
    fresh.pass(HEARTBEAT_US);
    expect(persists(fresh.effects, 'registered')).toHaveLength(1);
    fresh.campaign();
    expect(fresh.role).toBe('follower');
    fresh.persisted();
    fresh.campaign();
    expect(fresh.role).toBe('precandidate');
  });

  it('R26 RI20: is bound once, durably, and any other under the same name is refused', () => {
    const member = new Bench({ registered: false, directories: UNKNOWN });
    const register = (directory: number) =>
      member.step({ type: 'receive', from: 2, directory, message: { type: 'register' } });
    const first = register(7);
    const [bound] = persists(first, 'directory');
    expect(bound?.record).toEqual({ type: 'directory', member: 2, directory: 7 });
    expect(sends(first, 'registered', 2).map((send) => send.after)).toEqual([bound?.mark]);
    expect(sends(register(8), 'refused', 2)).toHaveLength(1);
    expect(persists(register(7), 'directory')).toEqual([]);
    expect(sends(register(7), 'registered', 2)).toHaveLength(1);
  });

  it('R26 RI20: that is another than the bound one is not listened to', () => {
    const voter = new Bench({ term: 4 });
    const fields = { term: 5, preVote: false, transfer: false, lastLogIndex: 9, lastLogTerm: 4 };
    const request = { type: 'requestVote', ...fields } as const;
    const ask = (directory: number) => voter.step({ type: 'receive', from: 2, directory, message: request });
    expect(ask(999)).toEqual([]);
    expect(voter.term).toBe(4);
    expect(sends(ask(directoryOf(2)), 'voteReply')[0]?.message.granted).toBe(true);
  });

  it('R26 RI20: that is refused stops its member with DirectoryReplaced, unless it may vote already', () => {
    const wiped = new Bench({ registered: false, directories: UNKNOWN });
    const [stop] = of(wiped.receive(2, { type: 'refused', directory: directoryOf(1) }), 'stop');
    expect(stop?.code).toBe('DirectoryReplaced');
    expect(stop?.message).toContain('member 1');
    expect(new Bench().receive(2, { type: 'refused', directory: directoryOf(1) })).toEqual([]);
  });

  it('R26 RI20: takes no late answer to an earlier directory for one of its own', () => {
    const fresh = new Bench({ registered: false, directories: UNKNOWN });
    fresh.pass(HEARTBEAT_US);
    expect(fresh.receive(2, { type: 'refused', directory: 999 })).toEqual([]);
    fresh.receive(2, { type: 'registered', directory: 999 });
    fresh.receive(3, { type: 'registered', directory: 999 });
    fresh.pass(HEARTBEAT_US);
    expect(persists(fresh.effects, 'registered')).toEqual([]);
  });

  it.each([1, 2, 3, 4, 5, 6, 7])('R26 RI20: two of one member can never both register (%i members)', (members) => {
    const fresh = new Bench({ members, registered: false, directories: UNKNOWN });
    let needed = 0;
    fresh.pass(HEARTBEAT_US);
    while (persists(fresh.effects, 'registered').length === 0) {
      fresh.receive(++needed + 1, { type: 'registered', directory: directoryOf(1) });
      fresh.pass(HEARTBEAT_US);
    }
    expect(needed).toBeLessThanOrEqual(members - 1);
    // Each other member binds one of the two: both would need more others than there are.
    if (members > 1) expect(2 * needed).toBeGreaterThan(members - 1);
  });

  it('R26 RI20: that was wiped is refused by the cluster, which goes on without it', () => {
    const cluster = new SimulatedCluster({ seed: 26, members: 3, timing: QUICK, mayStop: true });
    expect(cluster.runUntil(() => cluster.leader() !== 0, 2_000_000)).toBe(true);
    const victim = cluster.leader();
    cluster.crash(victim);
    cluster.wipe(victim);
    cluster.restart(victim);
    expect(cluster.runUntil(() => cluster.stopped.has(victim), 5_000_000)).toBe(true);
    expect(cluster.stopped.get(victim)?.message).toContain('another data directory');
    expect(cluster.runUntil(() => cluster.leader() !== 0, 5_000_000)).toBe(true);
    expect(cluster.leader()).not.toBe(victim);
  });
});
