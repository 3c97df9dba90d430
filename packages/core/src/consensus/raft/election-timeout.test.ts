import { describe, expect, it } from 'vitest';
import { Bench, directoryOf, ELECTION_US, sends } from './harness.test-support.ts';
import { Raft, type RaftTiming } from './index.ts';

/** Whether a follower that hears nobody begins an election at `atUs` exactly, with the draw at `part` of what it may be. */
function beginsAt(atUs: number, timing: Partial<RaftTiming>, part: number): boolean {
  const random = { below: (_: number, bound: number) => Math.floor(bound * part) };
  const options = { member: 1, directory: directoryOf(1), members: [1, 2, 3], random, timing };
  const raft = new Raft(options, { put: () => {} });
  const log = { boot: 1, term: 0, votedFor: 0, snapshotIndex: 0, snapshotTerm: 0, snapshotFile: '', entries: [] };
  const directories = new Map([1, 2, 3].map((member) => [member, directoryOf(member)]));
  raft.step(0, {
    type: 'start',
    recovered: { ...log, directories, registered: true },
    configuration: new Uint8Array(0),
  });
  raft.step(atUs - 1, { type: 'tick' });
  const before = raft.status().role;
  raft.step(atUs, { type: 'tick' });
  return before === 'follower' && raft.status().role === 'precandidate';
}

describe('an election time-out', () => {
  it('is one to two times the least, when nothing else is said', () => {
    expect(beginsAt(1_000, { electionTimeoutUs: 1_000 }, 0)).toBe(true);
    expect(beginsAt(1_999, { electionTimeoutUs: 1_000 }, 0.999)).toBe(true);
  });

  it('is spread as far as it is told, and not at all with a spread of 0', () => {
    const spread = { electionTimeoutUs: 150_000, electionSpreadUs: 5_000 };
    expect(beginsAt(150_000, spread, 0)).toBe(true);
    expect(beginsAt(152_500, spread, 0.5)).toBe(true);
    expect(beginsAt(150_000, { electionTimeoutUs: 150_000, electionSpreadUs: 0 }, 0.5)).toBe(true);
  });
});

describe('a member whose election time-out has run out', () => {
  it('asks whether it would be voted for, or with the rule replaced raises its term at once, as in §5.2', () => {
    const asks = (member: Bench): [boolean | undefined, string, number] => {
      const [request] = sends(member.pass(ELECTION_US), 'requestVote', 2);
      return [request?.message.preVote, member.role, member.term];
    };
    expect(asks(new Bench())).toEqual([true, 'precandidate', 0]);
    expect(asks(new Bench({ rules: { asksFirst: () => false } }))).toEqual([false, 'candidate', 1]);
  });
});
