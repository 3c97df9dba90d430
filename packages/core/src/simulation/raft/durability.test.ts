import { describe, expect, it } from 'vitest';
import { text, utf8 } from '../../base/bytes.ts';
import { SimulatedCluster } from './cluster.ts';

const SEEDS = Array.from({ length: 12 }, (_, i) => i + 1);
const SLOW = { minLatencyUs: 2_000, maxLatencyUs: 6_000 };
const put = (value: string) => ({ type: 'put', key: utf8('k'), value: utf8(value) }) as const;

function valueAt(cluster: SimulatedCluster): string {
  let id = 0;
  const answered = (): boolean => {
    if (id !== 0 && cluster.outcome(id).type === 'answer') return true;
    if ((id === 0 || cluster.outcome(id).type === 'rejected') && cluster.leader() !== 0) {
      id = cluster.read(cluster.leader(), { type: 'range', key: utf8('k') });
    }
    return false;
  };
  if (!cluster.runUntil(answered, 5_000_000)) return 'no answer';
  const outcome = cluster.outcome(id);
  if (outcome.type !== 'answer' || outcome.answer.type !== 'ok' || outcome.answer.response.type !== 'range') return '?';
  const [found] = outcome.answer.response.kvs;
  return found === undefined ? 'nothing' : text(found.value);
}

function write(cluster: SimulatedCluster, value: string): boolean {
  if (!cluster.runUntil(() => cluster.leader() !== 0, 3_000_000)) return false;
  const id = cluster.propose(cluster.leader(), put(value));
  return cluster.runUntil(() => cluster.outcome(id).type === 'applied', 2_000_000);
}

function restartAll(cluster: SimulatedCluster): void {
  for (const id of cluster.ids) if (cluster.member(id).alive) cluster.crash(id);
  for (const id of cluster.ids) cluster.restart(id);
}

describe('on a slow disk', () => {
  it.each([1, 3])('an acknowledged write survives the crash of all %i members in that instant', (members) => {
    for (const seed of SEEDS) {
      const cluster = new SimulatedCluster({ seed, members, diskSpeed: SLOW });
      for (const value of ['one', 'two']) {
        expect(write(cluster, value), `seed ${seed}`).toBe(true);
        restartAll(cluster);
        expect(valueAt(cluster), `seed ${seed}`).toBe(value);
      }
    }
  });

  it('R2: a vote that left survives the crash of its voter in that instant', () => {
    for (const seed of SEEDS) {
      const cluster = new SimulatedCluster({ seed, members: 3, diskSpeed: SLOW });
      let voter = 0;
      let term = 0;
      cluster.filter = (from, _, message) => {
        if (voter === 0 && message.type === 'voteReply' && message.granted && !message.preVote) {
          voter = from;
          term = message.term;
        }
        return 'deliver';
      };
      expect(
        cluster.runUntil(() => voter !== 0, 3_000_000),
        `seed ${seed}`,
      ).toBe(true);
      cluster.crash(voter);
      cluster.restart(voter);
      cluster.filter = () => 'drop';
      cluster.runUntil(() => cluster.member(voter).status()?.phase === 'running', 1_000_000);
      expect(cluster.member(voter).status()?.term, `seed ${seed}`).toBeGreaterThanOrEqual(term);
    }
  });

  it('R28: no member applies what a crash could still take from its own log', () => {
    for (const seed of SEEDS) {
      const cluster = new SimulatedCluster({ seed, members: 3, diskSpeed: SLOW });
      const leads = cluster.runUntil(() => cluster.leader() !== 0, 3_000_000);
      expect(leads, `seed ${seed}`).toBe(true);
      const leader = cluster.leader();
      const before = cluster.member(leader).status()?.appliedIndex ?? 0;
      for (let i = 0; i < 20; i++) cluster.propose(leader, put(`${i}`));
      const applied = (): number => cluster.member(leader).status()?.appliedIndex ?? 0;
      expect(
        cluster.runUntil(() => applied() > before, 2_000_000),
        `seed ${seed}`,
      ).toBe(true);
      const index = applied();
      cluster.crash(leader);
      cluster.restart(leader);
      cluster.filter = () => 'drop';
      cluster.runUntil(() => cluster.member(leader).status()?.phase === 'running', 1_000_000);
      expect(cluster.member(leader).status()?.lastIndex, `seed ${seed}`).toBeGreaterThanOrEqual(index);
    }
  });
});

describe('a disk that fails', () => {
  it.each([
    ['sync', 'EIO'],
    ['append', 'ENOSPC'],
  ] as const)('R24: %s with %s stops the leader, the others go on, and nothing acknowledged is lost', (type, code) => {
    for (const seed of [1, 2, 3]) {
      const cluster = new SimulatedCluster({ seed, members: 3, mayStop: true });
      expect(write(cluster, 'kept'), `seed ${seed}`).toBe(true);
      const leader = cluster.leader();
      cluster.member(leader).world.files.failNext(type, code);
      const lost = cluster.propose(leader, put('in doubt'));
      expect(
        cluster.runUntil(() => cluster.stopped.has(leader), 1_000_000),
        `seed ${seed}`,
      ).toBe(true);
      expect(cluster.stopped.get(leader)?.message).toContain(code);
      expect(cluster.outcome(lost)).toEqual({ type: 'rejected', reason: 'Unknown' });
      expect(['kept', 'in doubt']).toContain(valueAt(cluster));
      expect(write(cluster, 'later'), `seed ${seed}`).toBe(true);
      cluster.restart(leader);
      cluster.run(1_000_000);
      expect(valueAt(cluster), `seed ${seed}`).toBe('later');
      expect(cluster.member(leader).status()?.appliedIndex).toBe(cluster.invariants.appliedIndex);
    }
  });

  it('R20: a log that is corrupt in its middle refuses to start, and names file and offset', () => {
    const cluster = new SimulatedCluster({ seed: 1, members: 3, mayStop: true });
    for (let i = 0; i < 10; i++) expect(write(cluster, `${i}`)).toBe(true);
    cluster.run(500_000);
    const victim = cluster.ids.find((id) => id !== cluster.leader()) as number;
    cluster.crash(victim);
    const { files } = cluster.member(victim).world;
    files.corrupt('log-1.wal', (files.contents('log-1.wal') as Uint8Array).length >> 1);
    cluster.restart(victim);
    cluster.run(1_000_000);
    expect(cluster.stopped.get(victim)).toMatchObject({ code: 'CorruptLog' });
    expect(cluster.stopped.get(victim)?.message).toMatch(/log-1\.wal.*[0-9]+/);
    expect(write(cluster, 'the others go on')).toBe(true);
  });

  it('R23: a write whose leader died after its append is Unknown or applied, never NotApplied', () => {
    let appliedLater = 0;
    for (const seed of SEEDS) {
      const cluster = new SimulatedCluster({ seed, members: 3 });
      expect(write(cluster, 'before'), `seed ${seed}`).toBe(true);
      const leader = cluster.leader();
      const asked = cluster.ids.find((id) => id !== leader) as number;
      let appended = false;
      cluster.filter = (from, _, message) => {
        if (from === leader && message.type === 'append' && message.entries.length > 0) appended = true;
        return 'deliver';
      };
      const id = cluster.propose(asked, put('in doubt'));
      expect(
        cluster.runUntil(() => appended, 1_000_000),
        `seed ${seed}`,
      ).toBe(true);
      cluster.run(seed * 50);
      if (cluster.outcome(id).type === 'pending') cluster.crash(leader);
      expect(
        cluster.runUntil(() => cluster.outcome(id).type !== 'pending', 3_000_000),
        `seed ${seed}`,
      ).toBe(true);
      const outcome = cluster.outcome(id);
      const found = valueAt(cluster);
      if (found === 'in doubt') appliedLater++;
      if (outcome.type === 'applied') expect(found, `seed ${seed}`).toBe('in doubt');
      else if (found === 'in doubt') expect(outcome, `seed ${seed}`).toEqual({ type: 'rejected', reason: 'Unknown' });
    }
    expect(appliedLater).toBeGreaterThan(0);
  });

  it('R23: a write forwarded to a leader that appended it, and then not heard of again, is Unknown, and is applied', () => {
    const cluster = new SimulatedCluster({ seed: 1, members: 3 });
    expect(write(cluster, 'before')).toBe(true);
    cluster.run(100_000);
    const leader = cluster.leader();
    const asked = cluster.ids.find((id) => id !== leader) as number;
    let appended = false;
    cluster.filter = (from, to, message) => {
      if (from === leader && message.type === 'append' && message.entries.length > 0) appended = true;
      return to === asked ? 'drop' : 'deliver';
    };
    const id = cluster.propose(asked, put('in doubt'));
    expect(cluster.runUntil(() => appended, 1_000_000)).toBe(true);
    expect(cluster.runUntil(() => cluster.outcome(id).type !== 'pending', 3_000_000)).toBe(true);
    expect(cluster.outcome(id)).toEqual({ type: 'rejected', reason: 'Unknown' });
    cluster.filter = null;
    expect(valueAt(cluster)).toBe('in doubt');
  });
});
