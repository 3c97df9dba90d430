/** Production's Raft as a system to explore, with the promises of the paper's Figure 3 and one more. */
import { unreachable } from '../base/assert.ts';
import { RAFT_RULES, Raft, type RaftMessage, type RaftRules, raftCodec } from '../consensus/raft/index.ts';
import type { Entry } from '../consensus/replica.ts';
import type { Goal, Property } from './model.ts';
import type { ExplorableSystem, Fact, MemberView, SystemView } from './system.ts';

const DIRECTORY = 100;

/** What a member is started with; every entry is a no-op. */
export interface RaftStart {
  readonly term: number;
  readonly votedFor?: number;
  /** The terms of its entries, from index 1. */
  readonly log: readonly number[];
}

export interface RaftSystemOptions {
  readonly members?: number;
  /** One for each member, instead of empty disks; it should be one that members can get into. */
  readonly start?: readonly RaftStart[];
  readonly rules?: Partial<RaftRules>;
  /** Whether members tell each other that they are in a later term: see `isNotice`. */
  readonly notices?: boolean;
  /** Without it every walk is taken under every name: for comparison. */
  readonly symmetry?: boolean;
}

/**
 * Everything is always due: election time-outs, heartbeats and quorum checks come at any moment and in any order, so
 * no member is ever too recently in touch with its leader to vote (stickiness, D §4.2.3, is about progress). Every
 * directory is registered, and what registers them is not carried; nor are forwarded proposals, since commands come
 * in at leaders.
 */
export function raftSystem(options: RaftSystemOptions = {}): ExplorableSystem<RaftMessage> {
  const members = Array.from({ length: options.members ?? 3 }, (_, i) => i + 1);
  const rules = { ...RAFT_RULES, ...options.rules };
  const timing = { electionTimeoutUs: 0, heartbeatUs: 0, proposalTimeoutUs: 1 };
  const notices = options.notices ?? false;
  const random = { below: () => 0 };
  const directoryOf = (member: number) => DIRECTORY + member;
  const directories = new Map(members.map((member) => [member, directoryOf(member)]));
  const shared = { boot: 1, snapshotIndex: 0, snapshotTerm: 0, snapshotFile: '', directories, registered: true };
  const startOf = (member: number) => options.start?.[member - 1] ?? { term: 0, log: [] };
  return {
    members,
    codec: raftCodec,
    create: (member, outbox) =>
      new Raft({ member, members, directory: directoryOf(member), random, timing, rules }, outbox),
    directoryOf,
    disk: (member) => {
      const { term, votedFor = 0, log } = startOf(member);
      return { ...shared, term, votedFor, entries: log.map((of, i) => noOp(of, i + 1)) };
    },
    carries: (message) => message.type !== 'register' && message.type !== 'forward' && (notices || !isNotice(message)),
    ignores: (member, message) => ignores(member, message, notices),
    takesProposals: ({ role }) => role === 'leader',
    symmetric: options.symmetry ?? options.start === undefined,
    describe,
    always: [ELECTION_SAFETY, LOG_MATCHING, LEADER_COMPLETENESS, STATE_MACHINE_SAFETY, DURABLE_FIRST],
    sometimes: GOALS,
  };
}

function noOp(term: number, index: number): Entry {
  return { term, index, origin: null, command: new Uint8Array(0) };
}

/** A refusal, or what deposes an older leader: it says no more than a term, as requests and appends do, too. */
function isNotice(message: RaftMessage): boolean {
  if (message.type === 'voteReply') return !message.granted;
  return message.type === 'conflict' && message.hintIndex === 0;
}

/**
 * Terms never go back, not even in a crash once they are durable; a candidate of a term is one only once, and so is
 * its leader. None of this depends on `RaftRules`, so that a broken rule is explored as widely as a sound one.
 */
function ignores({ status, disk }: MemberView, message: RaftMessage, notices: boolean): boolean {
  if (!('term' in message) || disk.term < message.term) return false;
  const past = disk.term > message.term;
  const follows = status.term > message.term || status.role === 'follower' || status.role === 'precandidate';
  switch (message.type) {
    case 'requestVote':
      // Answered with a notice.
      return !notices && (past || message.preVote);
    case 'voteReply':
      if (message.preVote) return past || message.granted;
      return past || follows || status.role === 'leader';
    case 'appended':
    case 'conflict':
      return past || follows;
    case 'timeoutNow':
      return past;
    case 'append':
      return past && !notices;
    case 'snapshotChunk':
    case 'snapshotReply':
      return false;
    default:
      return unreachable(message);
  }
}

function describe(message: RaftMessage): string {
  switch (message.type) {
    case 'requestVote': {
      const { term, preVote, lastLogIndex, lastLogTerm } = message;
      const what = preVote ? 'would you vote for me' : 'vote for me';
      return `${what} in term ${term}, my log ends at ${lastLogIndex} of term ${lastLogTerm}`;
    }
    case 'voteReply':
      return `${message.granted ? 'yes' : 'no'}${message.preVote ? ', I would' : ''}, term ${message.term}`;
    case 'append': {
      const { term, previousIndex, previousTerm, entries, commitIndex } = message;
      const terms = entries.map((entry) => entry.term).join(', ');
      return `append [${terms}] after ${previousIndex} of term ${previousTerm}, committed ${commitIndex}, term ${term}`;
    }
    case 'appended':
      return `stored up to ${message.matchIndex}, term ${message.term}`;
    case 'conflict':
      return `conflict at ${message.previousIndex}, term ${message.term}`;
    case 'snapshotChunk':
    case 'snapshotReply':
    case 'readIndex':
    case 'readIndexReply':
    case 'forward':
    case 'timeoutNow':
    case 'register':
    case 'registered':
    case 'refused':
    case 'removed':
      return message.type;
    default:
      return unreachable(message);
  }
}

// ── Figure 3 ──────────────────────────────────────────────────────────────────────────────────────────────────

type FactOf<T extends Fact['type']> = Extract<Fact, { type: T }>;

function of<T extends Fact['type']>(facts: readonly Fact[], type: T): FactOf<T>[] {
  return facts.filter((fact): fact is FactOf<T> => fact.type === type);
}

/** A property that looks for what breaks it: the sentence, or null. */
function property(name: string, broken: (view: SystemView) => string | null): Property<SystemView> {
  return { name, sentence: (view) => broken(view) ?? name, holds: (view) => broken(view) === null };
}

const ELECTION_SAFETY = property('Election Safety', ({ facts }) => {
  const led = of(facts, 'led');
  for (const a of led) {
    const b = led.find((fact) => fact.term === a.term && fact.member !== a.member);
    if (b !== undefined) return `members ${a.member} and ${b.member} both led term ${a.term}`;
  }
  return null;
});

const LOG_MATCHING = property('Log Matching', ({ members }) => {
  for (const [i, a] of members.entries()) {
    for (const b of members.slice(i + 1)) {
      const index = mismatch(a.log, b.log);
      if (index > 0) {
        return `the logs of members ${a.member} and ${b.member} agree on a later term, but differ at index ${index}`;
      }
    }
  }
  return null;
});

/** The first index at which logs differ below one where their terms are equal; 0: there is none. Equal entries are one object. */
function mismatch(a: readonly Entry[], b: readonly Entry[]): number {
  let agreed = Math.min(a.length, b.length);
  while (agreed > 0 && a[agreed - 1]?.term !== b[agreed - 1]?.term) agreed--;
  for (let i = 0; i < agreed; i++) if (a[i] !== b[i]) return i + 1;
  return 0;
}

const LEADER_COMPLETENESS = property('Leader Completeness', ({ members, facts }) => {
  for (const { member, status, log } of members) {
    if (status.role !== 'leader') continue;
    for (const { index, entry, term } of of(facts, 'committed')) {
      if (term >= status.term || log[index - 1] === entry) continue;
      return `member ${member} leads term ${status.term} without the entry at index ${index}, committed in term ${term}`;
    }
  }
  return null;
});

const STATE_MACHINE_SAFETY = property('State Machine Safety', ({ facts }) => {
  const applied = of(facts, 'applied');
  for (const a of applied) {
    if (applied.some((b) => b.index === a.index && b.entry !== a.entry)) {
      return `two different entries were applied at index ${a.index}`;
    }
  }
  return null;
});

/** PITFALLS R28. */
const DURABLE_FIRST = property('Durable Before Applied', ({ members }) => {
  for (const { member, applied, disk } of members) {
    const lost = applied.find(({ index, term }) => disk.entries[index - 1]?.term !== term);
    if (lost !== undefined)
      return `member ${member} applied index ${lost.index}, which it would not have after a crash`;
  }
  return null;
});

const leads = (member: MemberView) => member.status.role === 'leader';

const GOALS: readonly Goal<SystemView>[] = [
  { name: 'a leader is elected', reached: ({ members }) => members.some(leads) },
  { name: 'an entry is applied', reached: ({ facts }) => of(facts, 'applied').length > 0 },
];
