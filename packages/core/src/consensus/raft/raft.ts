/**
 * Raft (Ongaro and Ousterhout, extended version; § = its sections; "dissertation" = Ongaro's, 2014).
 *
 *              election time-out              majority of pre-votes          majority of votes
 *   follower ─────────────────────► precandidate ─────────────────► candidate ─────────────────► leader
 *      ▲  ▲                              │                              │                           │
 *      │  └──────────────────────────────┴── current leader or higher term ────────────────────────┤
 *      └───────────────────────────────────────────── no majority heard (check-quorum) ────────────┘
 */
import { assert, defined, unreachable } from '../../base/assert.ts';
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import type { Random } from '../../base/random.ts';
import type {
  Entry,
  LogRecord,
  Mark,
  Origin,
  Outbox,
  Recovered,
  Rejection,
  Replica,
  ReplicaEvent,
  ReplicaStatus,
  Role,
} from '../replica.ts';
import type { Proposal, RaftMessage } from './message.ts';
import { Progress } from './progress.ts';
import { Proposals } from './proposals.ts';
import { RaftLog } from './raft-log.ts';
import { Reads } from './reads.ts';
import { Registration } from './registration.ts';
import { RAFT_RULES, type RaftRules } from './rules.ts';

export interface RaftTiming {
  /** The least time without a leader after which an election begins; each is drawn from [1, 2) times this (§5.2). */
  readonly electionTimeoutUs: number;
  readonly heartbeatUs: number;
  /** After this a proposal is rejected as `Unknown` and a read as `NoLeader`. */
  readonly proposalTimeoutUs: number;
}

export interface RaftOptions {
  /** 1 or above; 0 means "nobody" in every field that names a member. */
  readonly member: number;
  readonly members: readonly number[];
  readonly directory: number;
  readonly random: Random;
  readonly timing?: Partial<RaftTiming>;
  readonly rules?: RaftRules;
}

const DEFAULT_TIMING: RaftTiming = { electionTimeoutUs: 1_000_000, heartbeatUs: 100_000, proposalTimeoutUs: 5_000_000 };
const ROLES = ['follower', 'precandidate', 'candidate', 'leader'] as const satisfies readonly Role[];
const ELECTION_DRAW = 1;
const APPEND_ENTRIES_MAX = 1024;
const APPEND_BYTES_MAX = 1024 * 1024;
const UNCOMMITTED_BYTES_MAX = 64 * 1024 * 1024;

type Message<T extends RaftMessage['type']> = Extract<RaftMessage, { type: T }>;

export class Raft implements Replica<RaftMessage> {
  readonly #member: number;
  readonly #directory: number;
  readonly #peers: readonly number[];
  readonly #random: Random;
  readonly #timing: RaftTiming;
  readonly #rules: RaftRules;
  readonly #outbox: Outbox<RaftMessage>;
  readonly #log = new RaftLog();
  readonly #proposals = new Proposals();
  readonly #reads = new Reads();
  readonly #registration: Registration;
  #nowUs = 0;
  #started = false;
  #boot = 0;
  #role: Role = 'follower';
  #term = 0;
  #votedFor = 0;
  #leader = 0;
  #commitIndex = 0;
  #lastMark: Mark = 0;
  #registeredMark: Mark = 0;
  #votes = new Map<number, boolean>();
  #voteMark: Mark = 0;
  #progress = new Map<number, Progress>();
  #round = 0;
  #uncommittedBytes = 0;
  #transferTo = 0;
  #transferSent = false;
  #transferDeadlineUs = 0;
  #installing = 0;
  #heardLeaderUs = Number.NEGATIVE_INFINITY;
  #electionDeadlineUs = 0;
  #heartbeatDeadlineUs = 0;
  #quorumDeadlineUs = 0;

  constructor(options: RaftOptions, outbox: Outbox<RaftMessage>) {
    assert(options.members.includes(options.member), 'a member is one of the members');
    assert(options.member > 0, 'member numbers start at 1');
    this.#member = options.member;
    this.#directory = options.directory;
    this.#peers = options.members.filter((member) => member !== options.member);
    this.#random = options.random;
    this.#timing = { ...DEFAULT_TIMING, ...options.timing };
    this.#rules = options.rules ?? RAFT_RULES;
    this.#outbox = outbox;
    this.#registration = new Registration(options.members.length);
  }

  step(nowUs: number, event: ReplicaEvent<RaftMessage>): void {
    assert(nowUs >= this.#nowUs, 'time never goes back');
    assert(this.#started !== (event.type === 'start'), 'start comes first, and once');
    this.#nowUs = nowUs;
    switch (event.type) {
      case 'start':
        return this.#onStart(event.recovered);
      case 'receive':
        return this.#onReceive(event.from, event.directory, event.message);
      case 'propose':
        return this.#onPropose(event.id, event.command);
      case 'read':
        return this.#reads.add(event.id, nowUs, nowUs + this.#timing.proposalTimeoutUs);
      case 'control':
        return this.#onTransferLeadership(event.command.to);
      case 'tick':
        return this.#onTick();
      case 'flush':
        return this.#onFlush();
      case 'persisted':
        return this.#onPersisted(event.mark);
      case 'applied':
        return assert(event.index <= this.#commitIndex, 'only what is committed is applied');
      case 'compacted':
        return this.#log.compact(event.through);
      case 'snapshotRead':
        return this.#onSnapshotRead(event);
      case 'snapshotStored':
        return this.#replyToSnapshot(event.index, event.nextOffset, false);
      case 'snapshotInstalled':
        return this.#onSnapshotInstalled(event.index, event.term, event.settled);
      default:
        return unreachable(event);
    }
  }

  deadlineUs(): number {
    if (!this.#started) return Number.POSITIVE_INFINITY;
    const waiting = Math.min(
      this.#proposals.deadlineUs(this.#leader !== 0 && this.#transferTo === 0),
      this.#reads.deadlineUs(this.#leader !== 0 && this.#role !== 'leader'),
    );
    if (this.#role !== 'leader') {
      const registering = this.#peers.some((peer) => !this.#registration.isAcknowledgedBy(peer));
      const registerUs = registering ? this.#heartbeatDeadlineUs : Number.POSITIVE_INFINITY;
      return Math.min(waiting, this.#electionDeadlineUs, registerUs);
    }
    return Math.min(waiting, this.#heartbeatDeadlineUs, this.#quorumDeadlineUs);
  }

  status(): ReplicaStatus {
    return {
      role: this.#role,
      term: this.#term,
      leader: this.#leader,
      commitIndex: this.#commitIndex,
      lastIndex: this.#log.lastIndex,
      firstIndex: this.#log.firstIndex,
    };
  }

  // ── starting ──────────────────────────────────────────────────────────────────────────────────────────────

  #onStart(recovered: Recovered): void {
    this.#started = true;
    this.#boot = recovered.boot;
    this.#term = recovered.term;
    this.#votedFor = recovered.votedFor;
    this.#log.recover(recovered.snapshotIndex, recovered.snapshotTerm, recovered.entries);
    this.#commitIndex = recovered.snapshotIndex;
    this.#registration.recover(recovered.directories, recovered.registered);
    this.#resetElectionDeadline();
    this.#heartbeatDeadlineUs = this.#nowUs;
  }

  /** Until enough peers have bound this directory it says nothing but this (see registration.ts). */
  #register(): void {
    for (const peer of this.#peers) {
      if (!this.#registration.isAcknowledgedBy(peer)) this.#send(peer, { type: 'register' });
    }
    if (this.#registration.registered || this.#registeredMark > 0 || !this.#registration.isComplete) return;
    this.#registeredMark = this.#persist({ type: 'registered' });
  }

  #onReceive(from: number, directory: number, message: RaftMessage): void {
    if (!this.#peers.includes(from)) return;
    const bound = this.#registration.directoryOf(from);
    if (bound !== undefined && bound !== directory) {
      if (message.type === 'register') this.#send(from, { type: 'refused' });
      return;
    }
    if (message.type === 'register') {
      if (bound === undefined) {
        this.#registration.bind(from, directory);
        this.#persist({ type: 'directory', member: from, directory });
      }
      return this.#send(from, { type: 'registered' }, this.#lastMark);
    }
    if (message.type === 'registered') return this.#registration.onAcknowledged(from);
    if (message.type === 'refused') return this.#onRefused(from);
    if (this.#registration.registered) this.#onMessage(from, message);
  }

  #onRefused(from: number): void {
    if (this.#registration.registered) return;
    this.#outbox.put({
      type: 'stop',
      code: 'DirectoryReplaced',
      message: `member ${from} knows member ${this.#member} by another data directory than ${this.#directory}: a new directory may not vote under an old name. Restore the old directory, or give this member a new place in a new cluster.`,
    });
  }

  #onMessage(from: number, message: Exclude<RaftMessage, { type: 'register' | 'registered' | 'refused' }>): void {
    if ('term' in message && !this.#observeTerm(from, message)) return;
    switch (message.type) {
      case 'requestVote':
        return this.#onRequestVote(from, message);
      case 'voteReply':
        return this.#onVoteReply(from, message);
      case 'append':
        return this.#onAppend(from, message);
      case 'appended':
        return this.#onAppended(from, message);
      case 'conflict':
        return this.#onConflict(from, message);
      case 'snapshotChunk':
        return this.#onSnapshotChunk(from, message);
      case 'snapshotReply':
        return this.#onSnapshotReply(from, message);
      case 'readIndex':
        if (this.#role === 'leader') this.#reads.confirmPeer(from, message.boot, message.batch);
        return;
      case 'readIndexReply':
        if (message.boot !== this.#boot) return;
        for (const id of this.#reads.onBatch(message.batch)) {
          this.#outbox.put({ type: 'readReady', id, index: message.index });
        }
        return;
      case 'forward':
        if (this.#role === 'leader' && this.#transferTo === 0)
          message.proposals.forEach((p) => this.#appendProposal(p));
        return;
      case 'timeoutNow':
        if (from === this.#leader) this.#startElection(true);
        return;
      default:
        return unreachable(message);
    }
  }

  /** §5.1: a higher term makes a follower; a lower one is answered with ours and otherwise ignored. */
  #observeTerm(from: number, message: Extract<RaftMessage, { term: number }>): boolean {
    const { term } = message;
    if (term > this.#term) {
      // Neither a pre-vote nor its grant says that anyone is *in* that term (PITFALLS R4).
      if (message.type === 'requestVote' && message.preVote) return true;
      if (message.type === 'voteReply' && message.preVote && message.granted) return true;
      if (message.type === 'requestVote' && this.#isStickyTo(message)) return false;
      const leads = message.type === 'append' || message.type === 'snapshotChunk';
      this.#becomeFollower(term, leads ? from : 0);
      return true;
    }
    if (term === this.#term) return true;
    if (message.type === 'append' || message.type === 'snapshotChunk') {
      // With pre-vote and check-quorum a member in a higher term must make the older leader step down (PITFALLS R11).
      this.#send(
        from,
        { type: 'conflict', term: this.#term, round: 0, previousIndex: 0, hintTerm: 0, hintIndex: 0 },
        this.#lastMark,
      );
    } else if (message.type === 'requestVote') {
      this.#send(
        from,
        { type: 'voteReply', term: this.#term, preVote: message.preVote, granted: false },
        this.#lastMark,
      );
    }
    return false;
  }

  // ── elections (§5.2, §5.4.1; pre-vote and check-quorum: dissertation §9.6, §6.2) ────────────────────────────

  #onTick(): void {
    this.#expire();
    const now = this.#nowUs;
    if (now >= this.#heartbeatDeadlineUs) {
      this.#heartbeatDeadlineUs = now + this.#timing.heartbeatUs;
      this.#register();
      if (this.#role === 'leader') this.#heartbeat();
    }
    if (this.#role === 'leader') {
      if (this.#transferTo !== 0 && now >= this.#transferDeadlineUs) this.#transferTo = 0;
      if (now >= this.#quorumDeadlineUs) this.#checkQuorum();
    } else if (now >= this.#electionDeadlineUs) {
      this.#startPreVote();
    }
  }

  #expire(): void {
    for (const { sequence, sent } of this.#proposals.expire(this.#nowUs)) {
      this.#reject(sequence, sent ? 'Unknown' : 'NoLeader');
    }
    for (const id of this.#reads.expire(this.#nowUs)) this.#reject(id, 'NoLeader');
  }

  #startPreVote(): void {
    this.#resetElectionDeadline();
    if (!this.#registration.registered || this.#installing !== 0) return;
    this.#role = 'precandidate';
    this.#setLeader(0);
    this.#votes = new Map([[this.#member, true]]);
    if (this.#hasMajority()) return this.#startElection(false);
    this.#requestVotes(this.#term + 1, true, false, 0);
  }

  #startElection(transfer: boolean): void {
    this.#resetElectionDeadline();
    this.#role = 'candidate';
    this.#setLeader(0);
    this.#term++;
    this.#votedFor = this.#member;
    this.#votes = new Map();
    // Its own vote counts once it is durable, like any other (PITFALLS R2).
    this.#voteMark = this.#persist({ type: 'vote', term: this.#term, votedFor: this.#votedFor });
    this.#requestVotes(this.#term, false, transfer, this.#voteMark);
  }

  #requestVotes(term: number, preVote: boolean, transfer: boolean, after: Mark): void {
    const { lastIndex: lastLogIndex, lastTerm: lastLogTerm } = this.#log;
    for (const peer of this.#peers) {
      this.#send(peer, { type: 'requestVote', term, preVote, transfer, lastLogIndex, lastLogTerm }, after);
    }
  }

  /** A member that hears a leader neither votes nor lets its term be raised (PITFALLS R12). */
  #isStickyTo(message: Message<'requestVote'>): boolean {
    if (message.transfer) return false;
    if (this.#role === 'leader') return true;
    return this.#leader !== 0 && this.#nowUs - this.#heardLeaderUs < this.#timing.electionTimeoutUs;
  }

  #onRequestVote(from: number, message: Message<'requestVote'>): void {
    const candidate = { term: message.lastLogTerm, index: message.lastLogIndex };
    const upToDate = this.#rules.isUpToDate(candidate, { term: this.#log.lastTerm, index: this.#log.lastIndex });
    if (message.preVote) {
      const granted = upToDate && message.term > this.#term && !this.#isStickyTo(message);
      return this.#send(from, {
        type: 'voteReply',
        term: granted ? message.term : this.#term,
        preVote: true,
        granted,
      });
    }
    const granted = upToDate && this.#rules.mayGrantVote(this.#votedFor, from) && this.#role === 'follower';
    if (granted && this.#votedFor === 0) {
      this.#votedFor = from;
      this.#persist({ type: 'vote', term: this.#term, votedFor: from });
      this.#resetElectionDeadline();
    }
    this.#send(from, { type: 'voteReply', term: this.#term, preVote: false, granted }, this.#lastMark);
  }

  #onVoteReply(from: number, message: Message<'voteReply'>): void {
    const asked = this.#role === 'precandidate' ? this.#term + 1 : this.#term;
    const awaited = message.preVote ? this.#role === 'precandidate' : this.#role === 'candidate';
    if (!awaited) return;
    if (message.granted && message.term !== asked) return;
    this.#votes.set(from, message.granted);
    if (!this.#hasMajority()) return;
    if (message.preVote) this.#startElection(false);
    else this.#becomeLeader();
  }

  #hasMajority(): boolean {
    let granted = 0;
    for (const vote of this.#votes.values()) if (vote) granted++;
    return granted >= this.#majority;
  }

  get #majority(): number {
    return this.#rules.majority(this.#peers.length + 1);
  }

  #becomeFollower(term: number, leader: number): void {
    assert(term >= this.#term, 'terms never decrease');
    if (term > this.#term) {
      this.#term = term;
      this.#votedFor = 0;
      this.#persist({ type: 'vote', term, votedFor: 0 });
    }
    if (this.#role === 'leader') this.#resetElectionDeadline();
    this.#role = 'follower';
    this.#transferTo = 0;
    this.#progress = new Map();
    this.#setLeader(leader);
  }

  #becomeLeader(): void {
    assert(this.#role === 'candidate' && this.#votedFor === this.#member, 'only a candidate wins an election');
    this.#role = 'leader';
    this.#round = 0;
    this.#progress = new Map(this.#peers.map((peer) => [peer, new Progress(peer, this.#log.lastIndex + 1)]));
    this.#uncommittedBytes = 0;
    for (let index = Math.max(this.#commitIndex + 1, this.#log.firstIndex); index <= this.#log.lastIndex; index++) {
      this.#uncommittedBytes += this.#log.entryAt(index).command.length;
    }
    this.#heartbeatDeadlineUs = this.#nowUs + this.#timing.heartbeatUs;
    this.#quorumDeadlineUs = this.#nowUs + this.#timing.electionTimeoutUs;
    this.#setLeader(this.#member);
    // §8: the no-op that lets entries of earlier terms, and reads, be committed in this one.
    this.#appendEntry(null, new Uint8Array(0));
  }

  #setLeader(leader: number): void {
    if (this.#leader === leader) return;
    this.#leader = leader;
    this.#proposals.sendAgain();
    this.#reads.askAgain();
  }

  /** Dissertation §6.2: a leader that hears no majority steps down, so that its clients look elsewhere. */
  #checkQuorum(): void {
    this.#quorumDeadlineUs = this.#nowUs + this.#timing.electionTimeoutUs;
    let active = 1;
    for (const progress of this.#progress.values()) {
      if (progress.active) active++;
      progress.active = false;
    }
    if (active < this.#majority) this.#becomeFollower(this.#term, 0);
  }

  #resetElectionDeadline(): void {
    const { electionTimeoutUs } = this.#timing;
    this.#electionDeadlineUs = this.#nowUs + electionTimeoutUs + this.#random.below(ELECTION_DRAW, electionTimeoutUs);
  }

  // ── proposals ─────────────────────────────────────────────────────────────────────────────────────────────

  #onPropose(id: number, command: Uint8Array): void {
    const accepted = this.#proposals.add(id, command, this.#nowUs, this.#nowUs + this.#timing.proposalTimeoutUs);
    if (!accepted) this.#reject(id, 'Overloaded');
  }

  /** Appends what is due if this member leads, else forwards it; again after a while, since either may get lost. */
  #sendProposals(): void {
    if (this.#leader === 0 || this.#transferTo !== 0) return;
    const due = this.#proposals.due(this.#nowUs);
    if (due.length === 0) return;
    const acknowledgedThrough = this.#proposals.acknowledgedThrough;
    let batch: Proposal[] = [];
    let bytes = 0;
    for (const pending of due) {
      const { sequence, command } = pending;
      const origin: Origin = { member: this.#member, boot: this.#boot, sequence, acknowledgedThrough };
      if (this.#role === 'leader') {
        if (!this.#appendProposal({ origin, command })) break;
        // It is in this log: only a change of leader can lose it.
        this.#proposals.onSent(pending, Number.MAX_SAFE_INTEGER);
        continue;
      }
      this.#proposals.onSent(pending, this.#nowUs + this.#timing.electionTimeoutUs);
      batch.push({ origin, command });
      bytes += command.length;
      if (batch.length < APPEND_ENTRIES_MAX && bytes < APPEND_BYTES_MAX) continue;
      this.#send(this.#leader, { type: 'forward', proposals: batch });
      batch = [];
      bytes = 0;
    }
    if (batch.length > 0) this.#send(this.#leader, { type: 'forward', proposals: batch });
  }

  #appendProposal(proposal: Proposal): boolean {
    if (this.#uncommittedBytes + proposal.command.length > UNCOMMITTED_BYTES_MAX) return false;
    this.#appendEntry(proposal.origin, proposal.command);
    return true;
  }

  #appendEntry(origin: Origin | null, command: Uint8Array): void {
    const entry: Entry = { term: this.#term, index: this.#log.lastIndex + 1, origin, command };
    this.#uncommittedBytes += command.length;
    this.#store(entry);
  }

  #store(entry: Entry): void {
    this.#log.append(entry, this.#persist({ type: 'entry', entry }));
  }

  // ── replication (§5.3) ────────────────────────────────────────────────────────────────────────────────────

  #onFlush(): void {
    if (!this.#registration.registered) return;
    this.#sendProposals();
    if (this.#role !== 'leader') {
      if (this.#leader === 0) return;
      const batch = this.#reads.nextBatch(this.#nowUs, this.#nowUs + this.#timing.electionTimeoutUs);
      if (batch > 0) this.#send(this.#leader, { type: 'readIndex', boot: this.#boot, batch });
      return;
    }
    this.#advanceLeaderCommit();
    this.#confirmReads();
    for (const progress of this.#progress.values()) this.#replicate(progress);
    if (this.#transferTo !== 0) this.#handOver();
  }

  #replicate(progress: Progress): void {
    while (progress.state !== 'snapshot' && progress.nextIndex <= this.#log.lastIndex) {
      if (progress.state === 'probe' ? progress.probing : !progress.windowOpen) break;
      this.#sendAppend(progress, true);
    }
    const news = progress.sentRound < this.#round;
    const commits = progress.state === 'replicate' && progress.sentCommit < this.#commitIndex;
    if (news || commits) this.#sendAppend(progress, false);
  }

  #sendAppend(progress: Progress, withEntries: boolean): void {
    let previousIndex = progress.nextIndex - 1;
    let previousTerm = this.#log.termAt(previousIndex);
    if (previousTerm === undefined && progress.state !== 'snapshot') {
      // Compacted away is not a conflict (PITFALLS R18): the peer needs the snapshot.
      progress.become('snapshot', progress.nextIndex);
      this.#startSnapshot(progress);
    }
    if (progress.state === 'snapshot' || previousTerm === undefined) {
      // A heartbeat that claims nothing about the log.
      previousIndex = 0;
      previousTerm = 0;
      withEntries = false;
    }
    const entries = withEntries ? this.#log.slice(previousIndex + 1, APPEND_ENTRIES_MAX, APPEND_BYTES_MAX) : [];
    const last = entries.at(-1);
    if (progress.state === 'probe') progress.probing = true;
    else if (last !== undefined) {
      progress.onSent(
        last.index,
        entries.reduce((sum, entry) => sum + entry.command.length, 0),
      );
    }
    progress.sentRound = this.#round;
    progress.sentCommit = this.#commitIndex;
    this.#send(progress.peer, {
      type: 'append',
      term: this.#term,
      previousIndex,
      previousTerm,
      entries,
      commitIndex: this.#commitIndex,
      round: this.#round,
    });
  }

  #heartbeat(): void {
    for (const progress of this.#progress.values()) {
      progress.probing = false;
      const stalled = this.#nowUs - progress.snapshotMovedUs >= this.#timing.electionTimeoutUs;
      if (progress.state === 'snapshot' && stalled) this.#startSnapshot(progress);
      this.#sendAppend(progress, progress.state === 'probe');
    }
  }

  #onAppend(from: number, message: Message<'append'>): void {
    this.#followLeader(from);
    if (this.#installing !== 0) return;
    const { previousIndex, previousTerm, entries, round } = message;
    // Below the first entry kept everything is committed, hence equal.
    const existingTerm = previousIndex < this.#log.firstIndex ? previousTerm : this.#log.termAt(previousIndex);
    if (
      previousIndex === this.#log.firstIndex - 1 &&
      this.#rules.conflicts(this.#log.termAt(previousIndex) ?? 0, previousTerm)
    ) {
      assert(false, 'the last compacted entry is committed, and never conflicts');
    }
    if (existingTerm === undefined || this.#rules.conflicts(existingTerm, previousTerm)) {
      const hintIndex =
        existingTerm === undefined ? this.#log.lastIndex + 1 : this.#log.firstIndexOfTerm(previousIndex);
      const hintTerm = existingTerm ?? 0;
      return this.#send(
        from,
        { type: 'conflict', term: this.#term, round, previousIndex, hintTerm, hintIndex },
        this.#lastMark,
      );
    }
    for (const entry of entries) this.#accept(entry);
    const matchIndex = this.#rules.matchIndex(previousIndex, entries.length);
    const commitIndex = this.#rules.followerCommit(message.commitIndex, matchIndex);
    if (commitIndex > this.#commitIndex) this.#advanceCommit(commitIndex);
    this.#send(from, { type: 'appended', term: this.#term, round, matchIndex }, this.#lastMark);
  }

  /** §5.3, step 3 and 4 of AppendEntries: only a real conflict truncates (PITFALLS R5). */
  #accept(entry: Entry): void {
    if (entry.index < this.#log.firstIndex) return;
    const existing = this.#log.termAt(entry.index);
    if (existing !== undefined && !this.#rules.conflicts(existing, entry.term)) return;
    if (existing !== undefined) {
      assert(entry.index > this.#commitIndex, 'a committed entry is never truncated');
      this.#log.truncateFrom(entry.index);
    }
    this.#store(entry);
  }

  #followLeader(from: number): void {
    assert(this.#role !== 'leader', 'at most one leader is elected in a term (§5.2)');
    if (this.#role !== 'follower' || this.#leader !== from) this.#becomeFollower(this.#term, from);
    this.#heardLeaderUs = this.#nowUs;
    this.#resetElectionDeadline();
  }

  #onAppended(from: number, message: Message<'appended'>): void {
    const progress = this.#heardFrom(from, message.round);
    if (progress === undefined) return;
    assert(message.matchIndex <= this.#log.lastIndex, 'a follower acknowledges what it was sent');
    progress.onMatch(message.matchIndex);
    const reachable = progress.matchIndex + 1 >= this.#log.firstIndex;
    const waits = progress.state === 'snapshot' ? reachable && message.matchIndex > 0 : progress.state === 'probe';
    if (waits) progress.become('replicate', progress.matchIndex + 1);
  }

  #onConflict(from: number, message: Message<'conflict'>): void {
    const progress = this.#heardFrom(from, message.round);
    if (progress === undefined || progress.state === 'snapshot') return;
    const { previousIndex, hintIndex, hintTerm } = message;
    // A rejection never moves match, and a late one says nothing about now (PITFALLS R7).
    if (previousIndex <= progress.matchIndex) return;
    if (progress.state === 'probe' && previousIndex !== progress.nextIndex - 1) return;
    const agreed = hintTerm > 0 ? this.#log.lastIndexOfTerm(hintTerm, previousIndex) + 1 : 0;
    const next = agreed > 1 ? agreed : hintIndex;
    progress.become('probe', Math.max(progress.matchIndex + 1, Math.min(next, previousIndex)));
  }

  #heardFrom(from: number, round: number): Progress | undefined {
    if (this.#role !== 'leader') return undefined;
    const progress = defined(this.#progress.get(from), 'a leader follows the progress of every peer');
    progress.active = true;
    progress.round = Math.max(progress.round, round);
    return progress;
  }

  /** The highest value that a majority of the members has reached. */
  #majorityOf(own: number, of: (progress: Progress) => number): number {
    const values = [own, ...[...this.#progress.values()].map(of)].sort((a, b) => b - a);
    return defined(values[this.#majority - 1], 'a majority is among the members');
  }

  /** §5.3, §5.4.2: committed once a majority stores it durably, and only by an entry of this term (Figure 8). */
  #advanceLeaderCommit(): void {
    const index = this.#majorityOf(this.#log.durableIndex, (progress) => progress.matchIndex);
    if (index <= this.#commitIndex) return;
    if (this.#rules.mayCommit(this.#log.termAt(index) ?? 0, this.#term)) this.#advanceCommit(index);
  }

  #advanceCommit(commitIndex: number): void {
    assert(commitIndex <= this.#log.lastIndex, 'nothing is committed that is not in the log');
    for (let index = this.#commitIndex + 1; index <= commitIndex; index++) {
      const entry = this.#log.entryAt(index);
      if (this.#role === 'leader') this.#uncommittedBytes -= entry.command.length;
      this.#outbox.put({ type: 'apply', entry, after: this.#log.markAt(index) });
      const { origin } = entry;
      if (origin?.member === this.#member && origin.boot === this.#boot) this.#proposals.settle(origin.sequence);
    }
    this.#commitIndex = commitIndex;
  }

  // ── reads (§8; dissertation §6.4) ─────────────────────────────────────────────────────────────────────────

  #confirmReads(): void {
    this.#reads.confirmLocal(this.#nowUs, this.#member);
    const confirmed = () => this.#majorityOf(this.#round, (progress) => progress.round);
    const mayServe = this.#rules.mayServeReads(this.#log.termAt(this.#commitIndex) ?? 0, this.#term);
    if (mayServe && this.#reads.waitForRound && confirmed() === this.#round) {
      this.#round++;
      this.#reads.startRound(this.#round, this.#commitIndex);
    }
    for (const { from, boot, id, index } of this.#reads.confirmed(confirmed())) {
      if (from !== this.#member) this.#send(from, { type: 'readIndexReply', boot, batch: id, index });
      else if (this.#reads.finishLocal(id)) this.#outbox.put({ type: 'readReady', id, index });
    }
  }

  // ── leadership transfer (dissertation §3.10) ──────────────────────────────────────────────────────────────

  #onTransferLeadership(to: number): void {
    if (this.#role !== 'leader' || !this.#peers.includes(to)) return;
    this.#transferTo = to;
    this.#transferSent = false;
    this.#transferDeadlineUs = this.#nowUs + this.#timing.electionTimeoutUs;
  }

  #handOver(): void {
    const progress = defined(this.#progress.get(this.#transferTo), 'the target is a peer');
    if (this.#transferSent || progress.matchIndex < this.#log.lastIndex) return;
    this.#transferSent = true;
    this.#send(this.#transferTo, { type: 'timeoutNow', term: this.#term });
  }

  // ── snapshots (§7) ────────────────────────────────────────────────────────────────────────────────────────

  #startSnapshot(progress: Progress): void {
    progress.snapshotMovedUs = this.#nowUs;
    progress.snapshotIndex = 0;
    this.#outbox.put({ type: 'readSnapshot', to: progress.peer, index: 0, offset: 0 });
  }

  #onSnapshotRead(event: Extract<ReplicaEvent<RaftMessage>, { type: 'snapshotRead' }>): void {
    const progress = this.#progress.get(event.to);
    if (this.#role !== 'leader' || progress?.state !== 'snapshot') return;
    progress.snapshotIndex = event.index;
    const { index, term: snapshotTerm, offset, data, done } = event;
    this.#send(event.to, { type: 'snapshotChunk', term: this.#term, index, snapshotTerm, offset, data, done });
  }

  #onSnapshotChunk(from: number, message: Message<'snapshotChunk'>): void {
    this.#followLeader(from);
    if (this.#installing !== 0) return;
    const { index, snapshotTerm: term, offset, data, done } = message;
    if (index <= this.#commitIndex) return this.#replyToSnapshot(index, 0, true);
    if (done) this.#installing = index;
    this.#outbox.put({ type: 'storeSnapshot', index, term, offset, data, done });
  }

  #replyToSnapshot(index: number, nextOffset: number, installed: boolean): void {
    if (this.#leader === 0 || this.#leader === this.#member) return;
    if (!installed) this.#installing = 0;
    this.#send(this.#leader, { type: 'snapshotReply', term: this.#term, index, nextOffset, installed }, this.#lastMark);
  }

  #onSnapshotReply(from: number, message: Message<'snapshotReply'>): void {
    const progress = this.#heardFrom(from, 0);
    if (progress === undefined || progress.state !== 'snapshot') return;
    if (message.installed) {
      progress.onMatch(message.index);
      return progress.become('probe', progress.matchIndex + 1);
    }
    if (message.index !== progress.snapshotIndex) return;
    progress.snapshotMovedUs = this.#nowUs;
    this.#outbox.put({ type: 'readSnapshot', to: from, index: message.index, offset: message.nextOffset });
  }

  #onSnapshotInstalled(index: number, term: number, settled: (sequence: number) => boolean): void {
    assert(index > this.#commitIndex, 'a snapshot never takes the state back');
    this.#installing = 0;
    this.#log.reset(index, term);
    this.#commitIndex = index;
    // What the snapshot contains has happened, but with which result is not known here.
    for (const sequence of this.#proposals.takeSettled(settled)) this.#reject(sequence, 'Unknown');
    this.#replyToSnapshot(index, 0, true);
  }

  // ── effects ───────────────────────────────────────────────────────────────────────────────────────────────

  #onPersisted(mark: Mark): void {
    assert(mark <= this.#lastMark, 'only what was asked for is persisted');
    this.#log.onPersisted(mark);
    if (this.#registeredMark > 0 && mark >= this.#registeredMark) this.#registration.registered = true;
    if (this.#role !== 'candidate' || mark < this.#voteMark || this.#votes.has(this.#member)) return;
    this.#votes.set(this.#member, true);
    if (this.#hasMajority()) this.#becomeLeader();
  }

  #persist(record: LogRecord): Mark {
    this.#lastMark++;
    this.#outbox.put({ type: 'persist', mark: this.#lastMark, record });
    return this.#lastMark;
  }

  #send(to: number, message: RaftMessage, after: Mark = 0): void {
    this.#outbox.put({ type: 'send', to, message, after });
  }

  #reject(id: number, reason: Rejection): void {
    this.#outbox.put({ type: 'rejected', id, reason });
  }

  // ── saving ────────────────────────────────────────────────────────────────────────────────────────────────

  save(writer: ByteWriter): void {
    writer.bool(this.#started);
    writer.u8(ROLES.indexOf(this.#role));
    for (const value of this.#numbers()) writer.varint(value);
    writer.varint(Number.isFinite(this.#heardLeaderUs) ? this.#heardLeaderUs + 1 : 0);
    writer.bool(this.#transferSent);
    writer.varint(this.#votes.size);
    for (const [member, vote] of this.#votes) {
      writer.varint(member);
      writer.bool(vote);
    }
    writer.varint(this.#progress.size);
    for (const progress of this.#progress.values()) progress.save(writer);
    for (const part of [this.#log, this.#proposals, this.#reads, this.#registration]) part.save(writer);
  }

  #numbers(): number[] {
    return [
      this.#nowUs,
      this.#boot,
      this.#term,
      this.#votedFor,
      this.#leader,
      this.#commitIndex,
      this.#lastMark,
      this.#registeredMark,
      this.#voteMark,
      this.#round,
      this.#uncommittedBytes,
      this.#transferTo,
      this.#transferDeadlineUs,
      this.#installing,
      this.#electionDeadlineUs,
      this.#heartbeatDeadlineUs,
      this.#quorumDeadlineUs,
    ];
  }

  load(reader: ByteReader): void {
    this.#started = reader.bool();
    this.#role = defined(ROLES[reader.u8()], 'a saved role is known');
    this.#nowUs = reader.varint();
    this.#boot = reader.varint();
    this.#term = reader.varint();
    this.#votedFor = reader.varint();
    this.#leader = reader.varint();
    this.#commitIndex = reader.varint();
    this.#lastMark = reader.varint();
    this.#registeredMark = reader.varint();
    this.#voteMark = reader.varint();
    this.#round = reader.varint();
    this.#uncommittedBytes = reader.varint();
    this.#transferTo = reader.varint();
    this.#transferDeadlineUs = reader.varint();
    this.#installing = reader.varint();
    this.#electionDeadlineUs = reader.varint();
    this.#heartbeatDeadlineUs = reader.varint();
    this.#quorumDeadlineUs = reader.varint();
    const heard = reader.varint();
    this.#heardLeaderUs = heard === 0 ? Number.NEGATIVE_INFINITY : heard - 1;
    this.#transferSent = reader.bool();
    this.#votes = new Map();
    for (let left = reader.varint(); left > 0; left--) this.#votes.set(reader.varint(), reader.bool());
    this.#progress = new Map();
    for (let left = reader.varint(); left > 0; left--) {
      const progress = Progress.load(reader);
      this.#progress.set(progress.peer, progress);
    }
    for (const part of [this.#log, this.#proposals, this.#reads, this.#registration]) part.load(reader);
  }
}
