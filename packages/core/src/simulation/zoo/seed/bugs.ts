/** The seed text's own mistakes, each alone in a port of the text's own system. */
import { type Bug, seedsOf } from '../bug.ts';
import { NO_MISTAKES, type SeedMistakes } from './mistakes.ts';
import { seedRaft, seedStore } from './scenarios.ts';

function inStore(mistake: keyof SeedMistakes): Bug['caughtBy'] {
  return { type: 'seed', seeds: seedsOf(seedStore({ [mistake]: true })) };
}

function inRaft(mistake: keyof SeedMistakes): Bug['caughtBy'] {
  return { type: 'seed', seeds: seedsOf(seedRaft({ [mistake]: true })) };
}

const EVERY_MISTAKE = Object.fromEntries(Object.keys(NO_MISTAKES).map((name) => [name, true])) as Partial<SeedMistakes>;

export const SEED_BUGS: readonly Bug[] = [
  {
    id: 's1-seed-counts-only-the-reachable',
    pitfalls: ['S1'],
    breaks: 'a majority is one of the members that can be reached: a node alone is its own majority',
    source: 'the seed text, section 1: _write_with_consensus, total_nodes',
    caughtBy: inStore('countsOnlyReachable'),
  },
  {
    id: 's2-seed-heals-without-exchange',
    pitfalls: ['S2'],
    breaks: 'a partition takes peers out of a set, and healing puts them back: what they missed they never get',
    source: 'the seed text, section 1: simulate_network_partition, heal_partition',
    caughtBy: inStore('healsWithoutExchange'),
  },
  {
    id: 's3-seed-rolls-back-by-deleting',
    pitfalls: ['S3'],
    breaks: 'a write that too few members took is called failed, and its key is deleted where it began',
    source: 'the seed text, section 1: _write_with_consensus, rollback',
    caughtBy: inStore('rollsBackByDeleting'),
  },
  {
    id: 's4-seed-orders-by-wall-clock',
    pitfalls: ['S4'],
    breaks: 'the record with the later wall clock wins; a tie keeps the old one, and the new one is acknowledged',
    source: 'the seed text, section 1: _is_newer_record',
    caughtBy: inStore('ordersByWallClock'),
  },
  {
    id: 's5-seed-reads-count-only-holders',
    pitfalls: ['S5'],
    breaks: 'a strong read waits for a majority that has the key, and leaves what it returns where it found it',
    source: 'the seed text, section 1: _read_with_consensus',
    caughtBy: inStore('readsOnlyHolders'),
  },
  {
    id: 's6-seed-locks-while-waiting',
    pitfalls: ['S6'],
    breaks: 'a node that waits for others serves nobody: nodes that write to one another wait for ever',
    source: 'the seed text, section 1: write and _receive_write hold the same lock',
    caughtBy: inStore('locksWhileWaiting'),
  },
  {
    id: 's7-seed-sends-once',
    pitfalls: ['S7'],
    breaks: 'each write is sent once: a lost message is lost for good',
    source: 'the seed text, section 1: _propagate_write_async',
    caughtBy: inStore('sendsOnce'),
  },
  {
    id: 's8-seed-keeps-nothing',
    pitfalls: ['S8'],
    breaks: 'term, vote and log live in memory, and are gone after a restart',
    source: 'the seed text, section 2: "persistent state"',
    caughtBy: inRaft('keepsNothing'),
  },
  {
    id: 's8-seed-votes-by-chance',
    pitfalls: ['S8', 'S9'],
    breaks: 'votes are dice: a member votes twice in a term, and for whoever lacks committed entries',
    source: 'the seed text, section 2: _request_votes',
    caughtBy: inRaft('votesByChance'),
  },
  {
    id: 's8-seed-races-through-terms',
    pitfalls: ['S8'],
    breaks: 'a candidate that reaches nobody begins another term at each turn of its loop',
    source: 'the seed text, section 2: _run_candidate',
    caughtBy: inRaft('racesThroughTerms'),
  },
  {
    id: 's9-seed-never-steps-down',
    pitfalls: ['S9'],
    breaks: 'a leader that hears of a later term goes on as a leader',
    source: 'the seed text, section 2: nothing calls _become_follower',
    caughtBy: inRaft('neverStepsDown'),
  },
  {
    id: 's9-seed-sends-no-entries',
    pitfalls: ['S9'],
    breaks: 'followers get heartbeats without entries, and the leader takes them for copies',
    source: 'the seed text, section 2: _send_heartbeats, _replicate_log',
    caughtBy: inRaft('sendsNoEntries'),
  },
  {
    id: 's9-seed-skips-the-first-entry',
    pitfalls: ['S9'],
    breaks: 'the first entry has index 0, up to which everything counts as committed and applied from the outset',
    source: 'the seed text, section 2: _update_commit_index, _apply_committed_entries',
    caughtBy: inRaft('skipsFirstEntry'),
  },
  {
    id: 's1-seed-store-as-written',
    pitfalls: ['S1', 'S2', 'S3', 'S4', 'S5', 'S6', 'S7'],
    breaks: 'every mistake of the text’s store at once',
    source: 'the seed text, section 1: DistributedNode',
    caughtBy: { type: 'seed', seeds: seedsOf(seedStore(EVERY_MISTAKE)) },
  },
  {
    id: 's8-seed-raft-as-written',
    pitfalls: ['S8', 'S9'],
    breaks: 'every mistake of the text’s Raft at once',
    source: 'the seed text, section 2: RaftNode',
    caughtBy: { type: 'seed', seeds: seedsOf(seedRaft(EVERY_MISTAKE)) },
  },
];
