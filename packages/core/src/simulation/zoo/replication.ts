/** Mistakes about logs, commits and reads: Raft paper §5.3, §5.4.2, §8. */
import { RAFT_RULES } from '../../consensus/raft/index.ts';
import { type Bug, directed, general } from './bug.ts';
import { deafLeader, figure8, longAbsence } from './schedules.ts';
import { effects, halfIsEnough, impatient, received, sent, withoutMark } from './wrappers.ts';

export const REPLICATION_BUGS: readonly Bug[] = [
  {
    id: 'r1-commits-by-counting',
    pitfalls: ['R1'],
    breaks: 'an entry of an earlier term is committed by counting its replicas',
    source: 'Raft paper §5.4.2, Figure 8',
    caughtBy: directed(
      'a leader sends its own no-op behind older entries in one message, so only a message that is full parts them',
      figure8,
      { rules: { mayCommit: () => true } },
    ),
  },
  {
    id: 's1-half-commits',
    pitfalls: ['S1'],
    breaks: 'half of the members is enough to commit an entry',
    source: 'Raft paper §5.3',
    caughtBy: general({ rules: halfIsEnough('commit') }),
  },
  {
    id: 'r2-acknowledged-before-durable',
    pitfalls: ['R2'],
    breaks: 'a follower acknowledges entries before they are on its disk',
    source: 'Raft paper, Figure 2: "updated on stable storage before responding to RPCs"',
    caughtBy: general({ outbox: withoutMark('appended') }),
  },
  {
    id: 'r2-counts-itself-before-durable',
    pitfalls: ['R2', 'R28'],
    breaks: 'a member believes everything it writes to be durable at once',
    source: 'dissertation §10.2.1: a leader may count itself only once its own write is durable',
    caughtBy: general(impatient()),
  },
  {
    id: 'r5-takes-conflict-for-agreement',
    pitfalls: ['R5'],
    breaks: 'an entry of another term at the same index is not a conflict',
    source: 'Raft paper §5.3',
    caughtBy: general({ rules: { conflicts: () => false, mayTruncate: () => false } }),
  },
  {
    id: 'r5-truncates-without-conflict',
    pitfalls: ['R5'],
    breaks: 'every AppendEntries, also a late one, removes what follows its entries',
    source: 'Raft paper, Figure 2, AppendEntries step 3',
    caughtBy: general({ rules: { mayTruncate: () => true } }),
  },
  {
    id: 'r5-never-truncates',
    pitfalls: ['R5'],
    breaks: 'a follower keeps its own entries where the leader has others',
    source: 'Raft paper, Figure 2, AppendEntries step 3',
    caughtBy: general({ rules: { mayTruncate: () => false } }),
  },
  {
    id: 'r5-obeys-old-leaders',
    pitfalls: ['R5'],
    breaks: 'entries of a leader of an earlier term are taken for the present one’s',
    source: 'Raft paper §5.1',
    caughtBy: general({
      replica: received('append', (message, status) =>
        message.term < status.term && status.role === 'follower' ? { ...message, term: status.term } : message,
      ),
    }),
  },
  {
    id: 'r6-commits-unverified-entries',
    pitfalls: ['R6'],
    breaks: 'a follower commits as far as the leader says, not as far as it has verified its own log',
    source: 'Raft paper, Figure 2, AppendEntries step 5: index of last new entry',
    caughtBy: general({ rules: { followerCommit: (leaderCommit) => leaderCommit } }),
  },
  {
    id: 'r6-commits-up-to-its-last-entry',
    pitfalls: ['R6', 'R7'],
    breaks: 'a follower verifies, commits and acknowledges up to its own last entry',
    source: 'Raft paper, Figure 2, AppendEntries step 5',
    caughtBy: general({ rules: { matchIndex: (_, __, lastIndex) => lastIndex } }),
  },
  {
    id: 'r7-acknowledges-one-too-many',
    pitfalls: ['R7'],
    breaks: 'an acknowledgement covers one entry more than was sent',
    source: 'Raft paper §5.3',
    caughtBy: general({ rules: { matchIndex: (previousIndex, entries) => previousIndex + entries + 1 } }),
  },
  {
    id: 'r7-rejection-moves-match',
    pitfalls: ['R7'],
    breaks: 'a leader takes the hint in a rejection for what the follower holds',
    source: 'PITFALLS R7',
    caughtBy: general({
      replica: received('conflict', (message, status) =>
        status.role === 'leader' && message.hintIndex > 0 && message.hintIndex <= status.lastIndex
          ? { type: 'appended', term: message.term, round: message.round, matchIndex: message.hintIndex }
          : message,
      ),
    }),
  },
  {
    id: 'r8-reads-before-own-commit',
    pitfalls: ['R8'],
    breaks: 'a leader answers reads before an entry of its own term is committed',
    source: 'Raft paper §8',
    caughtBy: general({ rules: { mayServeReads: () => true } }),
  },
  {
    id: 'r9-half-confirms-reads',
    pitfalls: ['R9'],
    breaks: 'half of the members is enough to confirm that a leader still leads',
    source: 'dissertation §6.4',
    caughtBy: general({ rules: halfIsEnough('read') }),
  },
  {
    id: 'r9-leader-reads-unconfirmed',
    pitfalls: ['R9'],
    breaks: 'a leader answers reads without asking whether it still leads',
    source: 'dissertation §6.4',
    caughtBy: general({
      rules: { majority: (members, purpose) => (purpose === 'read' ? 1 : RAFT_RULES.majority(members, purpose)) },
    }),
  },
  {
    id: 'r9-any-member-answers-reads',
    pitfalls: ['R9'],
    breaks: 'a member answers linearizable reads from its own state',
    source: 'Raft paper §8',
    caughtBy: general({
      replica: (replica, outbox) => {
        const step = replica.step.bind(replica);
        replica.step = (nowUs, event) => {
          if (event.type === 'read') outbox.put({ type: 'readReady', id: event.id, index: 0 });
          else step(nowUs, event);
        };
        return replica;
      },
    }),
  },
  {
    id: 's2-healing-repairs-nothing',
    pitfalls: ['S2', 'S9'],
    breaks: 'a leader ignores rejections: a follower that fell behind is never brought up to date',
    source: 'the seed text, section 3: healing exchanges no data',
    caughtBy: general({
      replica: received('conflict', (message, status) => (status.role === 'leader' ? null : message)),
    }),
  },
  {
    id: 's7-lost-entries-are-not-sent-again',
    pitfalls: ['S7'],
    breaks: 'each entry is sent to a peer once: a lost message is lost for good',
    source: 'the seed text, section 3: asynchronous propagation',
    caughtBy: general({ outbox: sendOnce }),
  },
  {
    id: 's9-followers-never-commit',
    pitfalls: ['S9'],
    breaks: 'a leader never tells its followers what is committed',
    source: 'Raft paper §5.3',
    caughtBy: general({
      outbox: sent('append', (message, effect) => ({ ...effect, message: { ...message, commitIndex: 0 } })),
    }),
  },
  {
    id: 'r28-applies-before-durable',
    pitfalls: ['R28'],
    breaks: 'an entry is applied, and answered, before it is durable in this member’s own log',
    source: 'PITFALLS R28',
    caughtBy: general({ outbox: effects((effect) => (effect.type === 'apply' ? { ...effect, after: 0 } : effect)) }),
  },
  {
    id: 'r11-no-check-quorum',
    pitfalls: ['R11'],
    breaks: 'a leader that hears nobody goes on leading, and being heard keeps others from taking over',
    source: 'dissertation §6.2; the outage of a large provider in November 2020',
    caughtBy: directed('progress is owed only once links work again, and then the leader hears', deafLeader, {
      rules: { checksQuorum: () => false },
    }),
  },
  {
    id: 'r12-terms-of-the-isolated-count',
    pitfalls: ['R12'],
    breaks: 'members neither ask before an election nor stick to a leader that they hear',
    source: 'dissertation §4.2.3, §9.6',
    caughtBy: directed('it costs elections, never data: no promise of the general campaign is broken', longAbsence, {
      rules: { asksFirst: () => false, sticksToLeader: () => false },
    }),
  },
];

function sendOnce(outbox: Parameters<ReturnType<typeof effects>>[0]): ReturnType<ReturnType<typeof effects>> {
  const sentThrough = new Map<number, number>();
  return {
    put: (effect) => {
      if (effect.type !== 'send' || effect.message.type !== 'append') return outbox.put(effect);
      const through = sentThrough.get(effect.to) ?? 0;
      const entries = effect.message.entries.filter((entry) => entry.index > through);
      const last = entries.at(-1)?.index;
      if (effect.message.entries.length > 0 && last === undefined) return;
      if (last !== undefined) sentThrough.set(effect.to, last);
      outbox.put(effect);
    },
  };
}
