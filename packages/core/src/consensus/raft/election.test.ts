import { describe, expect, it } from 'vitest';
import { Bench, ELECTION_US, type MessageOf, of, persists, sends } from './harness.test-support.ts';
import type { RaftRules } from './index.ts';

function ask(fields: Partial<MessageOf<'requestVote'>> = {}): MessageOf<'requestVote'> {
  return { type: 'requestVote', term: 5, preVote: false, transfer: false, lastLogIndex: 9, lastLogTerm: 4, ...fields };
}

describe('a vote', () => {
  it('R2 RI1: is sent with the mark of the persist that makes it durable', () => {
    const member = new Bench({ term: 4 });
    const effects = member.receive(2, ask());
    const [reply] = sends(effects, 'voteReply', 2);
    const vote = persists(effects, 'vote').at(-1);
    expect(vote?.record).toEqual({ type: 'vote', term: 5, votedFor: 2 });
    expect(reply?.message.granted).toBe(true);
    expect(reply?.after).toBe(vote?.mark);
  });

  it('R2 RI1: of a candidate for itself counts only once it is persisted, and asks for no other before', () => {
    const member = new Bench();
    const asked = sends(member.campaign([2]), 'requestVote').filter((send) => !send.message.preVote);
    expect(asked.map((send) => send.after)).toEqual([member.lastMark, member.lastMark]);
    member.vote(2);
    expect(member.role).toBe('candidate');
    member.persisted(member.lastMark - 1);
    expect(member.role).toBe('candidate');
    member.persisted();
    expect(member.role).toBe('leader');
  });

  it('R2 RI1: is not given to a second candidate of the term, also after a restart', () => {
    const grantedToThird = (rules: Partial<RaftRules>): boolean | undefined => {
      const restarted = new Bench({ term: 5, votedFor: 2, rules });
      return sends(restarted.receive(3, ask()), 'voteReply')[0]?.message.granted;
    };
    expect(grantedToThird({})).toBe(false);
    expect(grantedToThird({ mayGrantVote: () => true })).toBe(true);
    const again = new Bench({ term: 5, votedFor: 2 });
    expect(sends(again.receive(2, ask()), 'voteReply')[0]?.message.granted).toBe(true);
  });

  it.each([
    { lastLogTerm: 3, lastLogIndex: 1, granted: true, why: 'a higher last term wins over a longer log' },
    { lastLogTerm: 1, lastLogIndex: 9, granted: false, why: 'a longer log of a lower last term loses' },
    { lastLogTerm: 2, lastLogIndex: 2, granted: false, why: 'a shorter log of the same last term loses' },
    { lastLogTerm: 2, lastLogIndex: 3, granted: true, why: 'an equal log is enough' },
  ])('R3 RI2: goes by last term, then last index: $why', ({ lastLogTerm, lastLogIndex, granted }) => {
    const answer = (preVote: boolean, rules: Partial<RaftRules> = {}): boolean | undefined => {
      const voter = new Bench({ log: [1, 2, 2], rules });
      return sends(voter.receive(2, ask({ preVote, lastLogTerm, lastLogIndex })), 'voteReply')[0]?.message.granted;
    };
    expect([answer(false), answer(true)]).toEqual([granted, granted]);
    // What a voter that compares only one of the two would say.
    const byIndex = answer(false, { isUpToDate: (candidate, voter) => candidate.index >= voter.index });
    const byTerm = answer(false, { isUpToDate: (candidate, voter) => candidate.term >= voter.term });
    expect(byIndex === granted && byTerm === granted).toBe(lastLogIndex === 3);
  });

  it('R4 RI3: is counted once per voter', () => {
    const candidate = new Bench({ members: 5 });
    candidate.campaign([2, 2]);
    expect(candidate.role).toBe('precandidate');
    candidate.vote(3, true);
    expect(candidate.role).toBe('candidate');
    candidate.persisted();
    for (let i = 0; i < 3; i++) candidate.vote(2);
    expect(candidate.role).toBe('candidate');
    candidate.vote(3);
    expect(candidate.role).toBe('leader');
  });

  it('R4 RI3: is not what a late grant of a pre-vote is', () => {
    const candidate = new Bench({ members: 5 });
    candidate.campaign([2, 3]);
    candidate.persisted();
    for (const from of [2, 3, 4, 5]) {
      candidate.receive(from, { type: 'voteReply', term: candidate.term, preVote: true, granted: true });
      candidate.receive(from, { type: 'voteReply', term: candidate.term + 1, preVote: true, granted: true });
    }
    expect(candidate.raft.status()).toMatchObject({ role: 'candidate', term: 1 });
    for (const from of [2, 3]) candidate.vote(from);
    expect(candidate.role).toBe('leader');
  });

  it('R4 RI3: of an earlier term elects nobody in this one', () => {
    const candidate = new Bench();
    candidate.campaign([2]);
    candidate.campaign([2]);
    candidate.persisted();
    expect(candidate.term).toBe(2);
    candidate.receive(3, { type: 'voteReply', term: 1, preVote: false, granted: true });
    expect(candidate.role).toBe('candidate');
    candidate.vote(3);
    expect(candidate.role).toBe('leader');
  });
});

describe('a pre-vote', () => {
  it('RI23: changes neither the term nor the vote of who is asked, nor the term of who asks', () => {
    const voter = new Bench({ term: 4 });
    const effects = voter.receive(2, ask({ preVote: true }));
    expect(sends(effects, 'voteReply')[0]?.message).toMatchObject({ term: 5, granted: true });
    expect(of(effects, 'persist')).toEqual([]);
    expect(voter.term).toBe(4);
    const alone = new Bench({ term: 4 });
    for (let i = 0; i < 10; i++) alone.campaign();
    expect(alone.raft.status()).toMatchObject({ role: 'precandidate', term: 4 });
  });
});

describe('disruption', () => {
  it('R12 RI4: a member that hears a leader ignores a RequestVote of a higher term, until the leader falls silent', () => {
    const follower = new Bench({ term: 4 });
    follower.append(2);
    follower.nowUs += ELECTION_US - 1;
    expect(follower.receive(3, ask({ term: 9 }))).toEqual([]);
    expect(follower.raft.status()).toMatchObject({ term: 4, leader: 2 });
    const preVote = sends(follower.receive(3, ask({ term: 5, preVote: true })), 'voteReply')[0];
    expect(preVote?.message).toMatchObject({ term: 4, granted: false });
    follower.nowUs += 1;
    expect(sends(follower.receive(3, ask({ term: 9 })), 'voteReply')[0]?.message.granted).toBe(true);
  });

  it('R12 RI4: a leader is not deposed by a RequestVote of a higher term, but by one it asked for', () => {
    const leader = new Bench().leadCommitted();
    leader.receive(3, ask({ term: 9 }));
    expect(leader.role).toBe('leader');
    leader.receive(3, ask({ term: 9, transfer: true }));
    expect(leader.raft.status()).toMatchObject({ role: 'follower', term: 9 });
  });

  it('R11 RI5: a member in a higher term answers an older leader, which then steps down', () => {
    const cutOff = new Bench({ term: 7 });
    const [reply] = sends(cutOff.append(2, { term: 3 }), 'conflict', 2);
    expect(reply?.message.term).toBe(7);
    const leader = new Bench().leadCommitted();
    if (reply !== undefined) leader.receive(2, reply.message);
    expect(leader.raft.status()).toMatchObject({ role: 'follower', term: 7 });
  });

  it('R11 RI5: a leader that hears no majority for a whole time-out steps down', () => {
    const leader = new Bench({ members: 5 }).leadCommitted();
    leader.pass(ELECTION_US);
    leader.appended(2);
    leader.appended(3);
    leader.pass(ELECTION_US);
    expect(leader.role).toBe('leader');
    leader.appended(2);
    leader.pass(ELECTION_US);
    expect(leader.role).not.toBe('leader');
  });

  it('R22 RI19: leadership is handed over only to a member that has every entry, and nothing is added meanwhile', () => {
    const leader = new Bench().leadCommitted();
    leader.propose(1);
    leader.persisted();
    leader.step({ type: 'control', command: { type: 'transferLeadership', to: 2 } });
    leader.appended(3);
    expect(leader.commitIndex).toBe(2);
    leader.propose(2);
    expect(leader.lastIndex).toBe(2);
    expect(leader.sent('timeoutNow')).toEqual([]);
    expect(sends(leader.appended(2), 'timeoutNow').map((send) => send.to)).toEqual([2]);
    // The target never campaigned: after a time-out the leader goes on.
    for (let i = 0; i < 2; i++) {
      leader.appended(2);
      leader.pass(ELECTION_US);
    }
    expect(leader.raft.status()).toMatchObject({ role: 'leader', lastIndex: 3 });
  });

  it('R22 RI19: only the leader can tell a member to campaign', () => {
    const follower = new Bench({ term: 4 });
    follower.append(2);
    follower.receive(3, { type: 'timeoutNow', term: 4 });
    expect(follower.role).toBe('follower');
    follower.receive(2, { type: 'timeoutNow', term: 4 });
    expect(follower.raft.status()).toMatchObject({ role: 'candidate', term: 5 });
    expect(follower.sent('requestVote').every((request) => request.transfer && !request.preVote)).toBe(true);
  });
});
