import { describe, expect, it } from 'vitest';
import { Bench, entry, of, persists, sends } from './harness.test-support.ts';
import { RAFT_RULES, type RaftRules } from './index.ts';
import { RaftLog } from './raft-log.ts';

describe('commitment', () => {
  it('R1 RI6: the leader of a later term does not commit an older entry by counting (Figure 8)', () => {
    const withOldEntryEverywhere = (rules: Partial<RaftRules>): Bench => {
      const leader = new Bench({ log: [1, 2], term: 3, rules }).lead();
      expect(leader.raft.status()).toMatchObject({ term: 4, lastIndex: 3 });
      leader.appended(2, 2);
      leader.appended(3, 2);
      return leader;
    };
    const leader = withOldEntryEverywhere({});
    expect(leader.commitIndex).toBe(0);
    expect(withOldEntryEverywhere({ mayCommit: () => true }).commitIndex).toBe(2);
    // An entry of its own term takes the older ones with it.
    leader.appended(2, 3);
    expect(leader.commitIndex).toBe(0);
    leader.persisted();
    expect(leader.commitIndex).toBe(3);
  });

  it('R2 RI7: the leader counts its own copy only once it is durable', () => {
    const leader = new Bench({ members: 5 }).lead();
    leader.appended(2);
    leader.appended(3, 0);
    expect(leader.commitIndex).toBe(0);
    leader.persisted();
    leader.appended(3, 0);
    expect(leader.commitIndex).toBe(0);
    leader.appended(3);
    expect(leader.commitIndex).toBe(1);
  });

  it('R28 RI15: an entry is applied with the mark of its own persist', () => {
    const leader = new Bench().lead();
    leader.propose(1);
    // Both followers have it before this member does.
    leader.appended(2);
    const applied = of(leader.appended(3), 'apply');
    const marks = persists(leader.effects, 'entry').map((persist) => persist.mark);
    expect(applied.map((apply) => apply.after)).toEqual(marks);
    expect(applied.map((apply) => apply.entry.index)).toEqual([1, 2]);

    const follower = new Bench({ term: 1 });
    const effects = follower.append(2, { entries: [entry(1, 1), entry(2, 1)], commitIndex: 1 });
    const [first, second] = persists(effects, 'entry');
    expect(of(effects, 'apply').map((apply) => apply.after)).toEqual([first?.mark]);
    expect(first?.mark).not.toBe(second?.mark);
  });
});

describe('a follower', () => {
  it('R2 RI7: acknowledges entries with the mark that makes the last of them durable', () => {
    const follower = new Bench({ term: 1 });
    const effects = follower.append(2, { entries: [entry(1, 1), entry(2, 1)] });
    const [reply] = sends(effects, 'appended', 2);
    expect(reply?.after).toBe(persists(effects, 'entry').at(-1)?.mark);
    // The second copy adds nothing, and is answered no earlier than the first is durable.
    expect(sends(follower.append(2, { entries: [entry(1, 1)] }), 'appended')[0]?.after).toBe(follower.lastMark);
  });

  it('R5 RI8: a stale or reordered append truncates nothing', () => {
    const afterStale = (rules: Partial<RaftRules>): number => {
      const follower = new Bench({ log: [1, 1, 1], rules });
      follower.append(2, { entries: [entry(1, 1)] });
      return follower.lastIndex;
    };
    expect(afterStale({})).toBe(3);
    expect(afterStale({ mayTruncate: (existing) => existing > 0 })).toBe(1);
    const follower = new Bench({ log: [1, 1, 1] });
    expect(of(follower.append(2, { entries: [entry(1, 1), entry(2, 1)] }), 'persist')).toEqual([]);
  });

  it('R5 RI8: only an entry of another term is replaced, with all that follow it', () => {
    const afterConflict = (rules: Partial<RaftRules>): Bench => {
      const follower = new Bench({ log: [1, 1, 1], term: 2, rules });
      follower.append(2, { previousIndex: 1, previousTerm: 1, entries: [entry(2, 2)], commitIndex: 2 });
      return follower;
    };
    const follower = afterConflict({});
    expect(follower.lastIndex).toBe(2);
    expect(of(follower.effects, 'apply').map((apply) => apply.entry.term)).toEqual([1, 2]);
    const broken = afterConflict({ conflicts: () => false, mayTruncate: () => false });
    expect(of(broken.effects, 'apply').map((apply) => apply.entry.term)).toEqual([1, 1]);
  });

  it('R5 RI8: refuses to go on rather than truncate what is committed', () => {
    const follower = new Bench({ log: [1, 1, 1], term: 2 });
    follower.append(2, { previousIndex: 2, previousTerm: 1, commitIndex: 2 });
    expect(follower.commitIndex).toBe(2);
    const conflict = { previousIndex: 1, previousTerm: 1, entries: [entry(2, 2)] };
    expect(() => follower.append(2, conflict)).toThrow('a committed entry is never truncated');
  });

  it('R6 RI9: commits nothing beyond what it has verified against this leader', () => {
    const afterHeartbeat = (rules: Partial<RaftRules>): number => {
      const follower = new Bench({ log: [1, 1, 1], term: 2, rules });
      follower.append(2, { previousIndex: 1, previousTerm: 1, commitIndex: 3 });
      return follower.commitIndex;
    };
    expect(afterHeartbeat({})).toBe(1);
    expect(afterHeartbeat({ followerCommit: (leaderCommit) => leaderCommit })).toBe(3);
  });

  it('R7 RI10: acknowledges previous + length, not the end of its own log', () => {
    const acknowledged = (rules: Partial<RaftRules>): number | undefined => {
      const follower = new Bench({ log: [1, 1, 1, 1], rules });
      const effects = follower.append(2, { previousIndex: 1, previousTerm: 1, entries: [entry(2, 1)] });
      return sends(effects, 'appended')[0]?.message.matchIndex;
    };
    expect(acknowledged({})).toBe(2);
    expect(acknowledged({ matchIndex: (previous, length) => previous + length + 2 })).toBe(4);
  });

  it('R7 RI10: tells where its log may agree when the previous entry is missing or of another term', () => {
    const follower = new Bench({ log: [1, 2, 2], term: 4 });
    const hint = (previousIndex: number, previousTerm: number) =>
      sends(follower.append(2, { previousIndex, previousTerm }), 'conflict')[0]?.message;
    expect(hint(7, 4)).toMatchObject({ previousIndex: 7, hintTerm: 0, hintIndex: 4 });
    expect(hint(3, 3)).toMatchObject({ previousIndex: 3, hintTerm: 2, hintIndex: 2 });
    expect(follower.lastIndex).toBe(3);
  });

  it('R18 RI17: takes an append from below what it compacted for what it is: already there', () => {
    const follower = new Bench({ log: [1, 1, 1, 1] });
    follower.append(2, { previousIndex: 4, previousTerm: 1, commitIndex: 3 });
    follower.step({ type: 'applied', index: 3 });
    follower.step({ type: 'compacted', index: 3, term: 1, through: 3 });
    const effects = follower.append(2, { previousIndex: 1, previousTerm: 1, entries: [entry(2, 1), entry(3, 1)] });
    expect(sends(effects, 'conflict')).toEqual([]);
    expect(sends(effects, 'appended')[0]?.message.matchIndex).toBe(3);
    expect(follower.raft.status()).toMatchObject({ firstIndex: 4, lastIndex: 4 });
  });
});

describe('a leader', () => {
  it('R7 RI10: a late conflict moves nothing', () => {
    const leader = new Bench({ log: [1, 1, 1] }).leadCommitted();
    expect(sends(leader.propose(1), 'append', 2)[0]?.message).toMatchObject({ previousIndex: 4 });
    // The entry is under way: it is not sent again, and the next one follows it without waiting.
    const late = { round: 0, previousIndex: 3, hintTerm: 0, hintIndex: 1 };
    expect(leader.receive(2, { type: 'conflict', term: leader.term, ...late })).toEqual([]);
    const [next] = sends(leader.propose(2), 'append', 2);
    expect(next?.message).toMatchObject({ previousIndex: 5, entries: [{ index: 6 }] });
  });

  it('R7 RI10: a late acknowledgement takes nothing back', () => {
    const leader = new Bench().leadCommitted();
    leader.propose(1);
    leader.appended(2, 2);
    leader.appended(2, 1);
    expect(leader.commitIndex).toBe(1);
    leader.persisted();
    expect(leader.commitIndex).toBe(2);
  });

  it('R7 RI10: goes back to where the logs may agree on a conflict, and no further than match', () => {
    const leader = new Bench({ log: [1, 2, 2, 3], term: 4 }).lead();
    const { term } = leader;
    const effects = leader.receive(2, {
      type: 'conflict',
      term,
      round: 0,
      previousIndex: 4,
      hintTerm: 0,
      hintIndex: 2,
    });
    const [probe] = sends(effects, 'append', 2);
    expect(probe?.message).toMatchObject({ previousIndex: 1, previousTerm: 1 });
    leader.appended(2, 4);
    const again = sends(leader.appended(2, 4), 'append', 2);
    expect(again.every((send) => send.message.previousIndex >= 4)).toBe(true);
  });

  it('R18 RI17: gives a peer behind its compaction a snapshot, and claims nothing about the log meanwhile', () => {
    // A peer that lost touch asks from index 1 on.
    const behind = new Bench({ log: [1, 1, 1] }).lead();
    behind.persisted();
    behind.appended(2);
    behind.step({ type: 'compacted', index: 4, term: behind.term, through: 4 });
    const conflict = { round: 0, previousIndex: 3, hintTerm: 0, hintIndex: 1 };
    const effects = behind.receive(3, { type: 'conflict', term: behind.term, ...conflict });
    expect(of(effects, 'readSnapshot')).toMatchObject([{ to: 3, index: 0, offset: 0 }]);
    const heartbeats = sends(behind.pass(100_000), 'append', 3);
    expect(heartbeats.map(({ message }) => [message.previousIndex, message.entries.length])).toEqual([[0, 0]]);
  });
});

describe('the log in memory', () => {
  it('R19 RI16: a late persist of a truncated entry does not make its successor durable', () => {
    const log = new RaftLog();
    log.append(entry(1, 1), 1);
    log.append(entry(2, 1), 2);
    log.truncateFrom(2);
    log.append(entry(2, 2), 4);
    log.onPersisted(2);
    expect(log.durableIndex).toBe(1);
    log.onPersisted(4);
    expect(log.durableIndex).toBe(2);
    log.truncateFrom(2);
    expect(log.durableIndex).toBe(1);
  });
});

describe('the rules', () => {
  it('S1 RI22: a majority is more than half, for every size', () => {
    expect([1, 2, 3, 4, 5, 6, 7].map((members) => RAFT_RULES.majority(members, 'commit'))).toEqual([
      1, 2, 2, 3, 3, 4, 4,
    ]);
  });
});
