/** Mistakes in leaderless registers: each breaks one rule in every member. */
import type { RegisterRules } from '../../../registers/rules.ts';
import { generalRegisters, registersRaces } from '../../registers/general.ts';
import { type Bug, seedsOf } from '../bug.ts';
import {
  clockAhead,
  effectBeforeCause,
  lateAnswerOfALostDisk,
  lateCopyOfADeletedValue,
  lostDiskThenMajority,
  type RegisterSchedule,
  repeatAfterASuccessor,
  tagFromTheFuture,
  weakerWriteUnderARead,
} from './schedules.ts';

function general(rules: Partial<RegisterRules>): Bug['caughtBy'] {
  return { type: 'general', seeds: seedsOf(generalRegisters({ rules })) };
}

function directed(why: string, schedule: RegisterSchedule, rules: Partial<RegisterRules>): Bug['caughtBy'] {
  const seeds = () => {
    const sentence = schedule(rules);
    return sentence === null ? null : { rule: 'Registers', sentence, atUs: 0 };
  };
  return { type: 'directed', why, seeds };
}

const ABD = 'Attiya, Bar-Noy and Dolev, "Sharing memory robustly in message-passing systems" (1995)';

export const REGISTER_BUGS: readonly Bug[] = [
  {
    id: 'g1-counts-only-the-reached',
    pitfalls: ['G1', 'S1'],
    breaks: 'a majority is one of the members that have answered: a member alone is its own majority',
    source: 'the seed text, section 1: total_nodes',
    caughtBy: general({ majority: (_configured, reached) => Math.floor(reached / 2) + 1 }),
  },
  {
    id: 'g1-half-is-a-majority',
    pitfalls: ['G1'],
    breaks: 'half of the members, rounded up less one, is enough: two quorums need not meet',
    source: ABD,
    caughtBy: general({ majority: (configured) => Math.floor(configured / 2) }),
  },
  {
    id: 'g1-counts-hints',
    pitfalls: ['G1'],
    breaks: 'members that are away count as having answered, for a hint is kept for them',
    source: 'DeCandia and others, "Dynamo" (2007), §4.6: the sloppy quorum',
    caughtBy: general({ countsHints: true }),
  },
  {
    id: 'g2-reads-without-write-back',
    pitfalls: ['G2', 'S5'],
    breaks: 'a strong read returns the newest of a majority and leaves it where it found it',
    source: ABD,
    caughtBy: general({ writesBack: false }),
  },
  {
    id: 'g3-writes-without-asking',
    pitfalls: ['G3', 'S4'],
    breaks: 'a strong write takes its tag from its own clock, and asks nobody for theirs',
    source: 'Lynch and Shvartsman, "Robust emulation of shared memory" (1997)',
    caughtBy: {
      type: 'directed',
      why: 'in the general campaign clocks are kept together by what members tell one another',
      seeds: seedsOf(registersRaces({ rules: { asksForTags: false } })),
    },
  },
  {
    id: 'g4-writes-back-once',
    pitfalls: ['G4'],
    breaks: 'a strong read returns what it wrote back, though the answers spoke of something newer',
    source: `${ABD}, with weaker writes on the same keys`,
    caughtBy: directed('a read, a strong and a weaker write must interleave in one way', weakerWriteUnderARead, {
      confirms: false,
    }),
  },
  {
    id: 'g5-unknown-reported-as-failed',
    pitfalls: ['G5', 'S3'],
    breaks: 'a write that too few members confirmed in time is reported as not applied',
    source: 'the seed text, section 1: rollback',
    caughtBy: general({ reportsUnknown: false }),
  },
  {
    id: 'g5-repeats-under-a-new-tag',
    pitfalls: ['G5'],
    breaks: 'a write of unknown outcome is repeated as a new one, above what was written since',
    source: 'DESIGN of Polder: failure is a type',
    caughtBy: directed('an unknown write must be seen, overwritten and then repeated', repeatAfterASuccessor, {
      keepsTag: false,
    }),
  },
  {
    id: 'g6-votes-after-a-lost-disk',
    pitfalls: ['G6'],
    breaks: 'a member with an empty disk takes part in majorities at once',
    source: 'Chandra, Griesemer and Redstone, "Paxos made live" (2007), §5.1: disk corruption',
    caughtBy: directed('the only other copy must be out of reach right after a disk is lost', lostDiskThenMajority, {
      joinsFirst: false,
    }),
  },
  {
    id: 'g6-believes-gone-directories',
    pitfalls: ['G6'],
    breaks: 'answers from and to a directory that is gone count for the one that took its place',
    source: 'Michael and others, "Recovering shared objects without stable storage" (2017)',
    caughtBy: directed('an answer must be under way while its disk is lost and replaced', lateAnswerOfALostDisk, {
      knowsGoneDirectories: false,
    }),
  },
  {
    id: 'g7-sends-before-it-is-durable',
    pitfalls: ['G7'],
    breaks: 'versions are sent and answered before they are on disk: a loss of power gives their dots out again',
    source: 'DESIGN of Polder: log before send',
    caughtBy: general({ logsFirst: false }),
  },
  {
    id: 'g8-collects-tombstones-at-once',
    pitfalls: ['G8'],
    breaks: 'a tombstone goes as soon as this member has it',
    source: 'Cassandra: gc_grace_seconds, CASSANDRA-2434',
    caughtBy: general({ collectsOnStableCut: false }),
  },
  {
    id: 'g10-follows-any-clock',
    pitfalls: ['G10'],
    breaks: 'a hybrid clock follows whatever it hears, and dates by a wall that is far ahead',
    source: 'Kulkarni and others, "Logical physical clocks" (2014), §4',
    caughtBy: directed('a clock in the future breaks no order, only what clocks are worth', clockAhead, {
      boundsDrift: false,
    }),
  },
  {
    id: 'g11-causal-reads-the-newest',
    pitfalls: ['G11'],
    breaks: 'a causal read returns the newest version, whether its causes are here or not',
    source: 'Lloyd and others, "Don’t settle for eventual" (2011), §4',
    caughtBy: directed('between a write and what it depends on there is seldom time for a read', effectBeforeCause, {
      readsVisible: false,
    }),
  },
  {
    id: 'g11-sessions-do-not-wait',
    pitfalls: ['G11'],
    breaks: 'a member serves a session before it has seen what the session has',
    source: 'Terry and others, "Session guarantees for weakly consistent replicated data" (1994)',
    caughtBy: general({ waitsForToken: false }),
  },
  {
    id: 'g13-resurrects',
    pitfalls: ['G13'],
    breaks: 'an old version that arrives where its tombstone was collected is taken for news',
    source: 'DeCandia and others, "Dynamo" (2007); CASSANDRA-2434',
    caughtBy: directed('a copy must be under way until every member has forgotten', lateCopyOfADeletedValue, {
      guardsResurrection: false,
    }),
  },
  {
    id: 'g14-refuses-successors',
    pitfalls: ['G14'],
    breaks: 'a key whose tag is ahead of the clock takes no write until the clock has caught up',
    source: 'DESIGN of Polder: the successor of an observed tag is always allowed',
    caughtBy: directed('no member that keeps the other rules gives out such a tag', tagFromTheFuture, {
      allowsSuccessors: false,
    }),
  },
  {
    id: 's2-never-exchanges',
    pitfalls: ['S2', 'S7'],
    breaks: 'each write is sent once, and what a member missed it never gets',
    source: 'the seed text, section 1: _propagate_write_async, heal_partition',
    caughtBy: general({ exchanges: false }),
  },
  {
    id: 's4-orders-by-wall-clock',
    pitfalls: ['S4'],
    breaks: 'versions are ordered by milliseconds alone: of two with one time each member keeps the first it saw',
    source: 'the seed text, section 1: _is_newer_record',
    caughtBy: general({ compare: (a, b) => (a?.time.physicalMs ?? 0) - (b?.time.physicalMs ?? 0) }),
  },
];
