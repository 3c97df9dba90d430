/** Mistakes about snapshots that are written, sent and installed piece by piece: Raft paper §7. */
import { type Bug, directed, general } from './bug.ts';
import { snapshotsUnderLoad, snapshotThroughWeather } from './snapshot-schedules.ts';

const REFUSED =
  'a snapshot’s checksum finds it, and then it is only sent again: that happens is what this schedule looks at';

export const SNAPSHOT_BUGS: readonly Bug[] = [
  {
    id: 'r17-chunk-at-any-offset',
    pitfalls: ['R17'],
    breaks: 'a chunk of a snapshot is taken wherever it belongs, so that a late or repeated one goes in twice',
    source: 'Raft paper, Figure 13: "write data into snapshot file at given offset"',
    caughtBy: directed(REFUSED, snapshotThroughWeather, { snapshotRules: { fits: () => true } }),
  },
  {
    id: 'r17-goes-on-with-another-snapshot',
    pitfalls: ['R17'],
    breaks: 'the next leader goes on with its own snapshot where another one ended',
    source: 'Raft paper, Figure 13: "if existing snapshot with a smaller index, discard it"',
    caughtBy: directed(REFUSED, snapshotThroughWeather, { snapshotRules: { continues: () => true } }),
  },
  {
    id: 'r17-named-before-it-is-synced',
    pitfalls: ['R17', 'R24'],
    breaks: 'a received snapshot is named in the log before its bytes are on the disk',
    source: 'PITFALLS R17; Pillai and others, "All File Systems Are Not Created Equal", OSDI 2014',
    caughtBy: general({ snapshotRules: { syncsArrived: () => false } }),
  },
  {
    id: 'r17-named-before-its-name-is-durable',
    pitfalls: ['R17', 'R24'],
    breaks: 'the log names a snapshot whose file’s name a loss of power can still take',
    source: 'Pillai and others, "All File Systems Are Not Created Equal", OSDI 2014',
    caughtBy: general({ snapshotRules: { syncsName: () => false } }),
  },
  {
    id: 'r17-takes-the-state-back',
    pitfalls: ['R17'],
    breaks: 'a member installs a snapshot although it has committed further',
    source: 'Raft paper §7: "the follower may receive a snapshot that describes a prefix of its log"',
    caughtBy: general({ rules: { mayInstall: () => true } }),
  },
  {
    id: 'r18-compaction-outruns-transfer',
    pitfalls: ['R18'],
    breaks: 'the log forgets what follows a snapshot while that is still being sent: the next one is needed at once',
    source: 'PITFALLS R18; etcd-io/raft, "MaxSizePerMsg" and the snapshot catch-up entries',
    caughtBy: directed('it needs writes that go on, and a link slower than snapshots are made', snapshotsUnderLoad, {
      rules: { mayForget: (through) => through },
    }),
  },
];
