/** Mistakes about who may lead: Raft paper §5.2, §5.4.1; dissertation §4.2.3, §6.2, §9.6. */
import { type Bug, directed, general } from './bug.ts';
import { lateAnswerRenewsALease, restartInsideALease, transferInsideALease } from './lease-schedules.ts';
import { lateVotes, oldLeaderReturns } from './schedules.ts';
import { events, halfIsEnough, type Rewrite, received, withoutMark } from './wrappers.ts';

export const ELECTION_BUGS: readonly Bug[] = [
  {
    id: 's1-half-elects',
    pitfalls: ['S1'],
    breaks: 'half of the members is enough to elect a leader',
    source: 'Raft paper §5.2',
    caughtBy: general({ rules: halfIsEnough('elect') }),
  },
  {
    id: 'r2-votes-again-in-a-term',
    pitfalls: ['R2', 'S8'],
    breaks: 'a member votes as often in a term as it is asked',
    source: 'Raft paper §5.2',
    caughtBy: general({ rules: { mayGrantVote: () => true } }),
  },
  {
    id: 'r2-vote-leaves-before-it-is-durable',
    pitfalls: ['R2'],
    breaks: 'a vote is sent before it is on the disk',
    source: 'Raft paper, Figure 2: "updated on stable storage before responding to RPCs"',
    caughtBy: general({ outbox: withoutMark('voteReply') }),
  },
  {
    id: 'r2-forgets-its-vote',
    pitfalls: ['R2', 'S8'],
    breaks: 'a member that starts again has forgotten whom it voted for',
    source: 'Raft paper, Figure 2: votedFor is persistent',
    caughtBy: general({
      replica: events(() => (event) => [
        event.type === 'start' ? { ...event, recovered: { ...event.recovered, votedFor: 0 } } : event,
      ]),
    }),
  },
  {
    id: 's8-term-in-memory',
    pitfalls: ['S8'],
    breaks: 'a member that starts again knows no later term than that of its last entry',
    source: 'the seed text, section 2: term, vote and log live in memory',
    caughtBy: general({
      replica: events(() => (event) => {
        if (event.type !== 'start') return [event];
        const { recovered } = event;
        const term = recovered.entries.at(-1)?.term ?? recovered.snapshotTerm;
        return [{ ...event, recovered: { ...recovered, term, votedFor: 0 } }];
      }),
    }),
  },
  {
    id: 'r3-compares-nothing',
    pitfalls: ['R3'],
    breaks: 'a voter does not compare logs at all',
    source: 'Raft paper §5.4.1',
    caughtBy: general({ rules: { isUpToDate: () => true } }),
  },
  {
    id: 'r3-compares-indexes-only',
    pitfalls: ['R3'],
    breaks: 'the longer log wins, whatever the terms of its entries',
    source: 'Raft paper §5.4.1',
    caughtBy: directed(
      'the old leader must have more entries than its successor has written when the successor dies',
      oldLeaderReturns,
      {
        rules: { isUpToDate: (candidate, voter) => candidate.index >= voter.index },
      },
    ),
  },
  {
    id: 'r3-compares-terms-only',
    pitfalls: ['R3'],
    breaks: 'of two logs that end in one term, the shorter one may win',
    source: 'Raft paper §5.4.1',
    caughtBy: general({ rules: { isUpToDate: (candidate, voter) => candidate.term >= voter.term } }),
  },
  {
    id: 'r3-or-instead-of-lexicographic',
    pitfalls: ['R3'],
    breaks: 'a log is up to date if its last term or its last index is not behind',
    source: 'Raft paper §5.4.1',
    caughtBy: directed(
      'the old leader must have more entries than its successor has written when the successor dies',
      oldLeaderReturns,
      {
        rules: { isUpToDate: (candidate, voter) => candidate.term > voter.term || candidate.index >= voter.index },
      },
    ),
  },
  {
    id: 'r4-repeated-vote-counts-twice',
    pitfalls: ['R4'],
    breaks: 'votes are counted without asking whose they are: a duplicated reply counts again',
    source: 'PITFALLS R4',
    caughtBy: general({ replica: events(countAgain) }),
  },
  {
    id: 'r4-prevote-counts-as-vote',
    pitfalls: ['R4'],
    breaks: 'a late grant of a pre-vote counts as a vote',
    source: 'dissertation §9.6',
    caughtBy: general({
      replica: received('voteReply', (message, status) =>
        message.preVote && message.granted && status.role === 'candidate' ? { ...message, preVote: false } : message,
      ),
    }),
  },
  {
    id: 'r4-late-vote-counts',
    pitfalls: ['R4'],
    breaks: 'a vote of an earlier term counts in this one',
    source: 'Raft paper §5.1',
    caughtBy: directed('a vote must be later than an election lasts, and two members stand for its term', lateVotes, {
      replica: received('voteReply', (message, status) =>
        message.granted && !message.preVote && message.term < status.term ? { ...message, term: status.term } : message,
      ),
    }),
  },
  {
    id: 's9-leader-never-steps-down',
    pitfalls: ['S9'],
    breaks: 'a leader does not listen to higher terms',
    source: 'Raft paper §5.1',
    caughtBy: general({
      rules: { checksQuorum: () => false },
      replica: events(() => (event, status) => {
        const higher = event.type === 'receive' && 'term' in event.message && event.message.term > status.term;
        return status.role === 'leader' && higher ? [] : [event];
      }),
    }),
  },
  {
    id: 'r26-wiped-member-votes',
    pitfalls: ['R26'],
    breaks: 'a member that lost its disk goes on under its old name, as if it remembered its votes',
    source: 'PITFALLS R26',
    caughtBy: general({ directory: () => 1 }),
  },
  {
    id: 'r10-lease-from-the-reply',
    pitfalls: ['R10'],
    breaks: 'a lease counts from when a majority’s answer arrived, not from when it was asked',
    source: 'dissertation §6.4.1',
    caughtBy: directed('an answer must be late by about a lease, and the last one', lateAnswerRenewsALease, {
      rules: { leaseFromUs: (_, confirmedUs) => confirmedUs },
    }),
  },
  {
    id: 'r25-votes-inside-a-lease',
    pitfalls: ['R25'],
    breaks: 'a member that starts again votes at once, though its leader may count on it',
    source: 'dissertation §6.4.1',
    caughtBy: directed('a restart and an election must fall into what is left of one lease', restartInsideALease, {
      rules: { waitsOutLeases: () => false },
    }),
  },
  {
    id: 'r25-lease-survives-a-transfer',
    pitfalls: ['R25'],
    breaks: 'a leader that asked another to campaign answers reads by its lease',
    source: 'dissertation §6.4.1: "a leader must give up its lease before it transfers leadership"',
    caughtBy: directed(
      'the leader must be cut off between its request and the election, and be read from at once',
      transferInsideALease,
      { rules: { keepsLeaseInTransfer: () => true } },
    ),
  },
];

/** The same reply once more is taken for another member's. */
export function countAgain(): Rewrite {
  const heard = new Set<string>();
  const directories = new Map<number, number>();
  return (event, _, self) => {
    if (event.type === 'receive') directories.set(event.from, event.directory);
    if (event.type !== 'receive' || event.message.type !== 'voteReply' || !event.message.granted) return [event];
    const { term, preVote } = event.message;
    const key = (from: number): string => `${from} ${term} ${preVote}`;
    if (!heard.has(key(event.from))) {
      heard.add(key(event.from));
      return [event];
    }
    const other = self.members.find((id) => directories.has(id) && !heard.has(key(id)));
    const directory = directories.get(other ?? 0);
    return other === undefined || directory === undefined ? [event] : [event, { ...event, from: other, directory }];
  };
}
