import { describe, expect, it } from 'vitest';
import { changed, encodeConfiguration, firstConfiguration, left } from '../configuration.ts';
import type { Configuration, MembershipChange } from '../replica.ts';
import { Bench, directoryOf, of, sends } from './harness.test-support.ts';

const NOTHING = new Uint8Array(0);
const add = (id: number): MembershipChange => ({
  type: 'addLearner',
  id,
  directory: directoryOf(id),
  context: NOTHING,
});

function change(bench: Bench, id: number, ...changes: readonly MembershipChange[]) {
  return bench.step({ type: 'change', id, changes });
}

/** What became of a change. */
function outcome(bench: Bench, id: number): string {
  const [done] = of(bench.effects, 'changed').filter((effect) => effect.id === id);
  const [rejected] = of(bench.effects, 'rejected').filter((effect) => effect.id === id);
  return rejected?.reason ?? (done === undefined ? 'under way' : 'changed');
}

function ids(configuration: Configuration): string {
  return configuration.members.map(({ id, votes, voted }) => `${id}${votes ? 'v' : ''}${voted ? 'o' : ''}`).join(' ');
}

/** Everything in the leader's log is durable here and at these peers. */
function stored(bench: Bench, ...peers: readonly number[]): void {
  bench.persisted();
  for (const peer of peers) bench.appended(peer);
}

/** A leader, member 1 of three, with learners. */
function leaderWith(...learners: readonly number[]): Bench {
  const bench = new Bench().leadCommitted();
  learners.forEach((learner, i) => {
    change(bench, 100 + i, add(learner));
    stored(bench, 2, 3);
    bench.appended(learner);
  });
  return bench;
}

/** A configuration as the entry of a leader. */
function configurationEntry(index: number, term: number, configuration: Configuration) {
  return { index, term, origin: null, command: encodeConfiguration(configuration) };
}

describe('a change of membership', () => {
  it('is made by the leader only', () => {
    const follower = new Bench();
    change(follower, 1, add(4));
    expect(outcome(follower, 1)).toBe('NotLeader');
  });

  it('R13 RI24: waits until the leader has committed an entry of its own term', () => {
    const leader = new Bench({ log: [1, 1] }).lead();
    change(leader, 1, add(4));
    expect(outcome(leader, 1)).toBe('ChangeUnderWay');
    stored(leader, 2);
    change(leader, 2, add(4));
    stored(leader, 2);
    expect(outcome(leader, 2)).toBe('changed');
  });

  it('RI24: waits for the one before it to be committed', () => {
    const leader = new Bench().leadCommitted();
    change(leader, 1, add(4));
    change(leader, 2, add(5));
    expect([outcome(leader, 1), outcome(leader, 2)]).toEqual(['under way', 'ChangeUnderWay']);
  });

  it('that does not fit is refused, and nothing is appended', () => {
    const leader = new Bench().leadCommitted();
    const { lastIndex } = leader;
    change(leader, 1, { type: 'promote', id: 9 });
    expect([outcome(leader, 1), leader.lastIndex]).toEqual(['InvalidChange', lastIndex]);
  });

  it('of a learner that lags is refused: it would count in majorities that it cannot help to reach', () => {
    const leader = leaderWith(4);
    for (let id = 1; id <= 1100; id++) leader.propose(1000 + id);
    stored(leader, 2, 3);
    change(leader, 9001, { type: 'promote', id: 4 });
    expect(outcome(leader, 9001)).toBe('LearnerBehind');
    leader.appended(4);
    change(leader, 9002, { type: 'promote', id: 4 });
    expect(outcome(leader, 9002)).toBe('under way');
  });

  it('of a learner that has acknowledged nothing is refused, however short the log', () => {
    const leader = new Bench().leadCommitted();
    change(leader, 1, add(4));
    stored(leader, 2, 3);
    change(leader, 2, { type: 'promote', id: 4 });
    expect(outcome(leader, 2)).toBe('LearnerBehind');
  });

  it('R14 RI25: of voters is committed by both majorities, then left, and complete when that is committed', () => {
    const leader = leaderWith(4, 5);
    change(
      leader,
      1,
      { type: 'promote', id: 4 },
      { type: 'promote', id: 5 },
      { type: 'remove', id: 2 },
      { type: 'remove', id: 3 },
    );
    const joint = leader.lastIndex;
    // The new voters alone are three of five, and no majority of the old ones.
    stored(leader, 4, 5);
    expect(leader.commitIndex).toBeLessThan(joint);
    leader.appended(2);
    expect(leader.commitIndex).toBe(joint);
    expect(ids(leader.raft.status().configuration)).toBe('1v 4v 5v');
    expect(outcome(leader, 1)).toBe('under way');
    stored(leader, 4);
    expect(outcome(leader, 1)).toBe('changed');
  });

  it('R14 RI25: a leader of a joint configuration is elected by both majorities', () => {
    const joint = changed(firstConfiguration([1, 2, 3]), [
      { type: 'remove', id: 2 },
      { type: 'remove', id: 3 },
    ]);
    const member = new Bench();
    member.append(2, { entries: [configurationEntry(1, member.term, joint)] });
    member.campaign();
    expect(member.role).toBe('precandidate');
    member.vote(3, true);
    member.persisted();
    expect(member.role).toBe('candidate');
    member.vote(2);
    expect(member.role).toBe('leader');
  });

  it('R14 RI25: a new leader leaves a joint configuration that it finds', () => {
    const leader = leaderWith(4);
    const joint = changed(leader.raft.status().configuration, [{ type: 'promote', id: 4 }]);
    const heir = new Bench({ member: 2 });
    heir.append(1, { entries: [configurationEntry(1, heir.term, joint)] });
    heir.campaign([1, 3]);
    heir.persisted();
    for (const voter of [1, 3, 4]) heir.vote(voter);
    expect(heir.role).toBe('leader');
    stored(heir, 1, 3, 4);
    expect(ids(heir.raft.status().configuration)).toBe('1v 2v 3v 4v');
  });

  it('R14 RI26: is undone when its entry is truncated', () => {
    const member = new Bench({ term: 1 });
    const joint = changed(firstConfiguration([1, 2, 3]), [{ type: 'remove', id: 3 }]);
    member.append(2, { entries: [configurationEntry(1, 1, joint)] });
    expect(member.raft.status().configuration.joint).toBe(true);
    member.append(3, { term: 2, entries: [{ index: 1, term: 2, origin: null, command: NOTHING }] });
    expect(ids(member.raft.status().configuration)).toBe('1v 2v 3v');
  });

  it('is unknown to who asked when leadership is lost before it is complete', () => {
    const leader = new Bench().leadCommitted();
    change(leader, 1, add(4));
    leader.append(2, { term: leader.term + 1 });
    expect(outcome(leader, 1)).toBe('Unknown');
  });
});

describe('a leader that removes itself', () => {
  it('R16 RI27: leads until that is committed, without counting itself; then hands over and stops', () => {
    const leader = new Bench().leadCommitted();
    change(leader, 1, { type: 'remove', id: 1 });
    stored(leader, 2, 3);
    expect(leader.raft.status().configuration.joint).toBe(false);
    leader.persisted();
    // Of {2, 3} one is no majority, whatever is stored here.
    leader.appended(2);
    expect(leader.role).toBe('leader');
    const effects = leader.appended(3);
    expect(outcome(leader, 1)).toBe('changed');
    expect(sends(effects, 'timeoutNow')).toHaveLength(1);
    expect(of(effects, 'stop')[0]?.code).toBe('Removed');
  });

  it('R16 RI27: campaigns once more if it alone has the configuration without it, and not when that is committed', () => {
    const last = left(changed(firstConfiguration([1, 2, 3]), [{ type: 'remove', id: 1 }]));
    const bench = new Bench();
    bench.append(2, { entries: [configurationEntry(1, bench.term, last)] });
    bench.campaign();
    expect(bench.role).toBe('precandidate');
    const other = new Bench();
    const effects = other.append(2, { entries: [configurationEntry(1, other.term, last)], commitIndex: 1 });
    expect(of(effects, 'stop')[0]?.code).toBe('Removed');
  });
});

describe('who is no member', () => {
  const removedThree = left(changed(firstConfiguration([1, 2, 3]), [{ type: 'remove', id: 3 }]));

  it('R12 RI28: once that is committed is not listened to, and told', () => {
    const bench = new Bench();
    bench.append(2, { entries: [configurationEntry(1, bench.term, removedThree)], commitIndex: 1 });
    const { term } = bench;
    const effects = bench.receive(3, {
      type: 'requestVote',
      term: term + 9,
      preVote: false,
      transfer: true,
      lastLogIndex: 99,
      lastLogTerm: 99,
    });
    expect(bench.term).toBe(term);
    expect(effects.map((effect) => effect.type === 'send' && effect.message.type)).toEqual(['removed']);
  });

  it('RI28: is listened to while that may still be undone', () => {
    const bench = new Bench();
    bench.append(2, { entries: [configurationEntry(1, bench.term, removedThree)] });
    const effects = bench.receive(3, {
      type: 'requestVote',
      term: bench.term + 1,
      preVote: true,
      transfer: true,
      lastLogIndex: 99,
      lastLogTerm: 99,
    });
    expect(sends(effects, 'voteReply')[0]?.message.granted).toBe(true);
  });

  it('RI28: stops when it is told', () => {
    expect(of(new Bench().receive(2, { type: 'removed' }), 'stop')[0]?.code).toBe('Removed');
  });

  it('RI28: a learner that hears no leader asks whether it was removed, and raises no term', () => {
    const bench = new Bench();
    const learner = left(changed(firstConfiguration([1, 2, 3]), [{ type: 'demote', id: 1 }]));
    bench.append(2, { entries: [configurationEntry(1, bench.term, learner)], commitIndex: 1 });
    const { term } = bench;
    const effects = bench.campaign();
    expect([bench.role, bench.term]).toEqual(['follower', term]);
    expect(new Set(sends(effects, 'register').map(({ to }) => to))).toEqual(new Set([2, 3]));
  });

  it('R26 RI29: another directory under the number of an added member is refused, whoever asks', () => {
    const leader = leaderWith(4);
    const effects = leader.step({
      type: 'receive',
      from: 4,
      directory: 999,
      message: { type: 'appended', term: leader.term, round: 0, matchIndex: 1 },
    });
    expect(sends(effects, 'refused')[0]).toMatchObject({ to: 4, message: { directory: 999 } });
  });
});

describe('a member that is to be added', () => {
  const joiner = (): Bench => new Bench({ member: 4, members: 0, registered: true });

  it('has no voice: it neither campaigns nor raises a term', () => {
    const bench = joiner();
    expect(bench.campaign()).toEqual([]);
    expect([bench.role, bench.term]).toEqual(['follower', 0]);
  });

  it('takes what a leader sends it, and finds itself in a configuration', () => {
    const bench = joiner();
    const configuration = changed(firstConfiguration([1, 2, 3]), [add(4)]);
    bench.append(1, { term: 1, entries: [configurationEntry(1, 1, configuration)] });
    bench.persisted();
    expect(bench.sent('appended', 1).at(-1)).toMatchObject({ matchIndex: 1 });
    expect(ids(bench.raft.status().configuration)).toBe('1v 2v 3v 4');
  });

  it('R26 RI29: stops where another directory has its number, be it of a first member', () => {
    const bench = joiner();
    const configuration = firstConfiguration([1, 2, 4]);
    const effects = bench.append(1, { term: 1, entries: [configurationEntry(1, 1, configuration)] });
    expect(of(effects, 'stop')[0]?.code).toBe('DirectoryReplaced');
  });

  it('R26 RI29: stops when it is refused', () => {
    const bench = joiner();
    const effects = bench.receive(1, { type: 'refused', directory: directoryOf(4) });
    expect(of(effects, 'stop')[0]?.code).toBe('DirectoryReplaced');
  });
});
