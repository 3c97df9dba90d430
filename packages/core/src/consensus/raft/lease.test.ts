import { describe, expect, it } from 'vitest';
import { Bench, ELECTION_US, HEARTBEAT_US, of, sends } from './harness.test-support.ts';

/** A leader of three that has heard member 2 answer its newest round. */
function leased(): Bench {
  const leader = new Bench({ leaseReads: true }).leadCommitted();
  leader.pass(HEARTBEAT_US);
  leader.appended(2);
  return leader;
}

describe('lease reads', () => {
  it('are off unless asked for: a read costs a round', () => {
    const leader = new Bench().leadCommitted();
    leader.pass(HEARTBEAT_US);
    leader.appended(2);
    expect(of(leader.read(1), 'readReady')).toEqual([]);
  });

  it('RI30: a leader that a majority answered a moment ago answers reads at once', () => {
    const leader = leased();
    const effects = leader.read(1);
    expect(of(effects, 'readReady')).toMatchObject([{ id: 1, index: leader.commitIndex }]);
    expect(sends(effects, 'append')).toEqual([]);
  });

  it('R10 RI30: not longer than nine tenths of an election time-out after the round was sent, however late its answer', () => {
    const leader = new Bench({ leaseReads: true }).leadCommitted();
    leader.pass(HEARTBEAT_US);
    leader.nowUs += ELECTION_US * 0.9 - 1;
    leader.appended(2);
    expect(of(leader.read(1), 'readReady')).toHaveLength(1);
    leader.nowUs += 1;
    expect(of(leader.read(2), 'readReady')).toEqual([]);
  });

  it('R25 RI30: no longer once it asked another to lead, for as long as it leads', () => {
    const leader = leased();
    leader.appended(3);
    leader.step({ type: 'control', command: { type: 'transferLeadership', to: 2 } });
    expect(leader.sent('timeoutNow')).toHaveLength(1);
    expect(of(leader.read(1), 'readReady')).toEqual([]);
    leader.pass(ELECTION_US - 1);
    leader.appended(2);
    leader.pass(HEARTBEAT_US);
    leader.appended(2);
    expect(of(leader.read(2), 'readReady')).toEqual([]);
  });

  it('R25 RI30: a member that starts votes for nobody within an election time-out', () => {
    const asked = {
      type: 'requestVote',
      term: 9,
      preVote: true,
      transfer: false,
      lastLogIndex: 9,
      lastLogTerm: 9,
    } as const;
    const started = new Bench({ leaseReads: true });
    started.nowUs = ELECTION_US - 1;
    expect(sends(started.receive(2, asked), 'voteReply')[0]?.message.granted).toBe(false);
    started.nowUs = ELECTION_US;
    expect(sends(started.receive(2, asked), 'voteReply')[0]?.message.granted).toBe(true);
  });
});

describe('reluctance', () => {
  it('lets a member campaign later than others, by half a time-out a step', () => {
    const [eager, reluctant] = [new Bench(), new Bench({ reluctance: 2 })];
    expect(eager.campaign()).not.toEqual([]);
    expect(sends(reluctant.campaign(), 'requestVote')).toEqual([]);
    expect(sends(reluctant.campaign(), 'requestVote')).not.toEqual([]);
  });
});
