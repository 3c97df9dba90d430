/** Mistakes about disks, snapshots, sessions and what a client is told. */
import type { DiskOperation, DiskResult } from '../../world/world.ts';
import { blackout, crash, disk as faultOf } from '../faults/index.ts';
import { generalRaft } from '../raft/general.ts';
import { raft } from '../raft/protocol.ts';
import { NO_SABOTAGE, type Sabotage } from '../raft/sabotage.ts';
import type { RaftTypes } from '../raft/types.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { type Bug, general, seedsOf } from './bug.ts';
import { disk, events, ignoringErrors, RewrittenStateMachine } from './wrappers.ts';

const DONE: DiskResult = { type: 'done' };
/** Something that every disk does and that changes nothing. */
const IDLE: DiskOperation = { type: 'list' };

/** Three members whose disks fail and whose power goes, and nothing else. */
function failingDisks(sabotage: Sabotage): Scenario<RaftTypes> {
  const cut = { snapshotEntries: 40, trailingEntries: 20, segmentBytes: 16 * 1024 };
  const replicas = (_: number, members = 3) => raft(members, { ...cut, sabotage });
  const errors = [faultOf.error(), faultOf.error(), faultOf.error()];
  return generalRaft({}, { replicas }).faults(...errors, crash(), blackout());
}

export const DURABILITY_BUGS: readonly Bug[] = [
  {
    id: 's8-log-in-memory',
    pitfalls: ['S8'],
    breaks: 'a member that starts again has lost the entries behind its snapshot',
    source: 'the seed text, section 2: term, vote and log live in memory',
    caughtBy: general({
      replica: events(() => (event) => [
        event.type === 'start' ? { ...event, recovered: { ...event.recovered, entries: [] } } : event,
      ]),
    }),
  },
  {
    id: 'r20-last-entry-lost-at-start',
    pitfalls: ['R20'],
    breaks: 'recovery stops one entry before the end of the log',
    source: 'PITFALLS R20',
    caughtBy: general({
      replica: events(() => (event) => {
        if (event.type !== 'start') return [event];
        return [{ ...event, recovered: { ...event.recovered, entries: event.recovered.entries.slice(0, -1) } }];
      }),
    }),
  },
  {
    id: 'r20-torn-tail-believed',
    pitfalls: ['R20'],
    breaks: 'the log is read back without looking at its checksums',
    source: 'PITFALLS R20',
    caughtBy: general({ logRules: { checksumHolds: () => true } }),
  },
  {
    id: 'r20-corrupt-middle-cut',
    pitfalls: ['R20'],
    breaks: 'a corrupt middle of the log is taken for a torn tail, and everything behind it is dropped',
    source: 'Alagappan and others, "Protocol-Aware Recovery for Consensus-Based Storage", FAST 2018',
    caughtBy: general({ logRules: { isCorruptMiddle: (witness): witness is number => witness === -1 } }),
  },
  {
    id: 'r24-sync-error-ignored',
    pitfalls: ['R24'],
    breaks: 'a failed fsync is taken for a success',
    source: 'Rebello and others, "Can Applications Recover from fsync Failures?", ATC 2020',
    caughtBy: {
      type: 'directed',
      why: 'a failed sync must be followed by a crash before anything else of the same file is synced',
      seeds: seedsOf(failingDisks({ ...NO_SABOTAGE, disk: ignoringErrors(['sync', 'syncDirectory']) })),
    },
  },
  {
    id: 'r24-append-error-ignored',
    pitfalls: ['R24'],
    breaks: 'a failed or short write is taken for a success',
    source: 'PITFALLS R24',
    caughtBy: general({ disk: ignoringErrors(['append']) }),
  },
  {
    id: 'r24-never-syncs',
    pitfalls: ['R24', 'R2'],
    breaks: 'fsync returns at once and does nothing',
    source: 'a disk that lies, or a log opened without O_DSYNC',
    caughtBy: general({
      disk: disk((operation) => (operation.type === 'sync' ? { operation: IDLE, result: DONE } : null)),
    }),
  },
  {
    id: 'r20-directory-never-synced',
    pitfalls: ['R20'],
    breaks: 'the names of new files are never made durable',
    source: 'Pillai and others, "All File Systems Are Not Created Equal", OSDI 2014',
    caughtBy: general({
      disk: disk((operation) => (operation.type === 'syncDirectory' ? { operation: IDLE, result: DONE } : null)),
    }),
  },
  {
    id: 'r21-retries-under-a-new-number',
    pitfalls: ['R21', 'R27'],
    breaks: 'a member that hears nothing of a proposal makes a new one of the same command',
    source: 'Raft paper §8',
    caughtBy: general({ proposesAgain: 'later' }),
  },
  {
    id: 'r27-repeats-apply-again',
    pitfalls: ['R27', 'R21'],
    breaks: 'the state machine does not know which proposals it has applied: a repeat applies again',
    source: 'Raft paper §8; dissertation §6.3',
    caughtBy: general({
      stateMachine: (machine) =>
        new RewrittenStateMachine(machine, (entry) =>
          entry.origin === null
            ? entry
            : { ...entry, origin: { member: 1_000 + entry.index, boot: 1, sequence: 1, acknowledgedThrough: 0 } },
        ),
    }),
  },
  {
    id: 'r23-unknown-reported-as-failed',
    pitfalls: ['R23'],
    breaks: 'a client is told that a write failed when nobody knows',
    source: 'PITFALLS R23',
    caughtBy: general({
      outcome: (outcome) =>
        outcome.type === 'rejected' && outcome.reason === 'Unknown'
          ? { type: 'rejected', reason: 'NotApplied' }
          : outcome,
    }),
  },
  {
    id: 'r29-log-forgets-what-the-store-lacks',
    pitfalls: ['R29'],
    breaks: 'the log forgets everything that is applied, though the store holds durably only a part of it',
    source: 'PITFALLS R29',
    caughtBy: general({ checkpointRules: { mayForget: (_, applied) => applied } }),
  },
  {
    id: 'r29-store-never-synced',
    pitfalls: ['R29'],
    breaks: 'what was written to the store counts as durable, though it was not synced',
    source: 'LMDB’s own MDB_NOSYNC: a system crash can then undo transactions',
    caughtBy: general({
      disk: disk((operation) =>
        operation.type === 'sync' && operation.file.startsWith('store-') ? { operation: IDLE, result: DONE } : null,
      ),
    }),
  },
  {
    id: 'r29-index-apart-from-data',
    pitfalls: ['R29'],
    breaks: 'the store learns the applied index in one transaction and the data in the next',
    source: 'PITFALLS R29; etcd issue 13766: a consistent index that was ahead of its data',
    caughtBy: general({
      transactionsOf: (transaction) => [{ changes: new Map(), record: transaction.record }, transaction],
    }),
  },
  {
    id: 'wire-without-checksum',
    pitfalls: [],
    breaks: 'frames are believed without looking at their checksums',
    source: 'Stone and Partridge, "When the CRC and TCP Checksum Disagree", SIGCOMM 2000',
    caughtBy: general({ readsDamagedFrames: true }),
  },
];
