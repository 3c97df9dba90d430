import { describe, expect, it } from 'vitest';
import { Bench, ELECTION_US, of, PROPOSAL_US, sends } from './harness.test-support.ts';
import { RAFT_RULES, type RaftRules } from './index.ts';

describe('a linearizable read', () => {
  it('R8 RI11: is not answered before the leader has committed an entry of its term', () => {
    const afterEcho = (rules: Partial<RaftRules>): Bench => {
      const leader = new Bench({ log: [1, 1], rules }).lead();
      leader.read(1);
      leader.appended(2, 0);
      leader.appended(3, 0);
      return leader;
    };
    const leader = afterEcho({});
    expect(of(leader.effects, 'readReady')).toEqual([]);
    expect(of(afterEcho({ mayServeReads: () => true }).effects, 'readReady')).toEqual([
      { type: 'readReady', id: 1, index: 0 },
    ]);
    leader.persisted();
    leader.appended(2);
    leader.appended(2);
    expect(of(leader.effects, 'readReady')).toEqual([{ type: 'readReady', id: 1, index: 3 }]);
  });

  it('R9 RI12: is never answered by an isolated leader, and ends as NoLeader', () => {
    const isolated = (majority: RaftRules['majority']): Bench => {
      const leader = new Bench({ rules: { majority } }).leadCommitted();
      leader.read(1);
      for (let us = 0; us < PROPOSAL_US; us += ELECTION_US) leader.pass(ELECTION_US);
      return leader;
    };
    const leader = isolated(RAFT_RULES.majority);
    expect(of(leader.effects, 'readReady')).toEqual([]);
    expect(of(leader.effects, 'rejected')).toEqual([{ type: 'rejected', id: 1, reason: 'NoLeader' }]);
    expect(of(isolated(() => 1).effects, 'readReady')).toHaveLength(1);
  });

  it.each([
    [3, 1],
    [4, 2],
    [5, 2],
  ])('R9 RI12: needs a majority that counts the leader itself: of %i members %i echoes', (members, echoes) => {
    const leader = new Bench({ members }).leadCommitted();
    leader.read(1);
    for (let peer = 2; peer <= echoes + 1; peer++) {
      expect(of(leader.effects, 'readReady')).toEqual([]);
      leader.appended(peer);
      // The same peer again is no second voice.
      if (peer <= echoes) leader.appended(peer);
    }
    expect(of(leader.effects, 'readReady')).toHaveLength(1);
  });

  it('R9 RI12: is not confirmed by an echo of a round that began before it', () => {
    const leader = new Bench().leadCommitted();
    leader.read(1);
    leader.read(2);
    leader.appended(2);
    const { term, lastIndex: matchIndex } = leader.raft.status();
    expect(of(leader.effects, 'readReady').map((ready) => ready.id)).toEqual([1]);
    leader.receive(3, { type: 'appended', term, round: 1, matchIndex });
    expect(of(leader.effects, 'readReady').map((ready) => ready.id)).toEqual([1]);
    leader.appended(3);
    expect(of(leader.effects, 'readReady').map((ready) => ready.id)).toEqual([1, 2]);
  });

  it('R8 RI11: at a follower is served at the index the leader confirmed, in this boot and batch only', () => {
    const follower = new Bench({ term: 1 });
    follower.append(2);
    const [request] = sends(follower.read(7), 'readIndex', 2);
    expect(request?.message).toMatchObject({ boot: 1, batch: 1 });
    follower.receive(2, { type: 'readIndexReply', boot: 0, batch: 1, index: 4 });
    follower.receive(2, { type: 'readIndexReply', boot: 1, batch: 2, index: 4 });
    expect(of(follower.effects, 'readReady')).toEqual([]);
    follower.receive(2, { type: 'readIndexReply', boot: 1, batch: 1, index: 5 });
    expect(of(follower.effects, 'readReady')).toEqual([{ type: 'readReady', id: 7, index: 5 }]);
  });

  it('R9 RI12: of a peer is confirmed by the leader like its own', () => {
    const leader = new Bench().leadCommitted();
    leader.receive(3, { type: 'readIndex', boot: 6, batch: 9 });
    expect(leader.sent('readIndexReply')).toEqual([]);
    leader.appended(2);
    expect(leader.sent('readIndexReply', 3)).toEqual([{ type: 'readIndexReply', boot: 6, batch: 9, index: 1 }]);
  });
});

describe('a proposal', () => {
  it('R21 R23 RI13: whose leader vanished after it was sent ends as Unknown', () => {
    const follower = new Bench({ term: 1 });
    follower.append(2);
    expect(sends(follower.propose(1), 'forward', 2)).toHaveLength(1);
    expect(of(follower.pass(PROPOSAL_US - 1), 'rejected')).toEqual([]);
    expect(of(follower.pass(1), 'rejected')).toEqual([{ type: 'rejected', id: 1, reason: 'Unknown' }]);
  });

  it('R21 R23 RI13: that a deposed leader had in its log ends as Unknown', () => {
    const leader = new Bench().leadCommitted();
    leader.propose(1);
    leader.append(2, { term: leader.term + 1 });
    expect(of(leader.pass(PROPOSAL_US), 'rejected')).toEqual([{ type: 'rejected', id: 1, reason: 'Unknown' }]);
  });

  it('R23 RI13: that was never sent ends as NoLeader: it certainly did not happen', () => {
    const alone = new Bench();
    expect(alone.propose(1)).toEqual([]);
    expect(of(alone.pass(PROPOSAL_US), 'rejected')).toEqual([{ type: 'rejected', id: 1, reason: 'NoLeader' }]);
    expect(alone.sent('forward')).toEqual([]);
  });

  it('R27 RI14: is sent again, under its own sequence, to the next leader', () => {
    const follower = new Bench({ term: 1 });
    follower.append(2);
    follower.propose(1);
    follower.append(3, { term: 2 });
    const forwards = sends(follower.effects, 'forward');
    expect(forwards.map((send) => send.to)).toEqual([2, 3]);
    expect(forwards.map((send) => send.message.proposals[0]?.origin.sequence)).toEqual([1, 1]);
  });
});
