import { describe, expect, it } from 'vitest';
import { RAFT_RULES, type RaftRules } from '../../consensus/raft/index.ts';
import { generalRaft } from '../raft/general.ts';

/** One rule broken at a time; the general campaign must notice within so many seeds. */
const BROKEN: readonly [name: string, seeds: number, rules: Partial<RaftRules>][] = [
  ['R2: a member votes as often as it is asked', 100, { mayGrantVote: () => true }],
  ['R3: a voter does not compare logs', 100, { isUpToDate: () => true }],
  ['R5: an entry of another term is not a conflict', 100, { conflicts: () => false }],
  ['R6: a follower commits what the leader has committed', 100, { followerCommit: (leaderCommit) => leaderCommit }],
  ['R7: an acknowledgement covers one entry too many', 100, { matchIndex: (previous, count) => previous + count + 1 }],
  ['R8: a leader answers reads before it committed in its term', 100, { mayServeReads: () => true }],
  ['S1: half of the members is a majority', 100, { majority: (members) => Math.floor(members / 2) }],
];

describe('the campaign catches a broken rule', () => {
  it.each(BROKEN)('%s', (_, seeds, broken) => {
    let caught = '';
    generalRaft({ rules: { ...RAFT_RULES, ...broken } }).run({
      seeds,
      onSeed: ({ violation }) => {
        caught = violation?.sentence ?? '';
        return violation === null;
      },
    });
    expect(caught).not.toBe('');
  });
});
