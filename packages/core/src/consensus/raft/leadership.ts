import { assert, defined } from '../../base/assert.ts';
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import type { Effect, ReplicaEvent } from '../replica.ts';
import type { Electorate } from './electorate.ts';
import type { Proposal, RaftMessage } from './message.ts';
import { Progress } from './progress.ts';
import type { RaftLog } from './raft-log.ts';
import type { RaftRules } from './rules.ts';
import { SnapshotTransfer, type SnapshotTransferOptions } from './snapshot-transfer.ts';

const APPEND_ENTRIES_MAX = 1024;
const APPEND_BYTES_MAX = 1024 * 1024;
/** A round that none is: the message tells of a commit, and an answer would tell the leader nothing. */
export const NO_ANSWER = 0;
const UNCOMMITTED_BYTES_MAX = 64 * 1024 * 1024;

type Message<T extends RaftMessage['type']> = Extract<RaftMessage, { type: T }>;
type SnapshotRead = Extract<ReplicaEvent<RaftMessage>, { type: 'snapshotRead' }>;

/**
 * What a leader has for the time of its term (§5.3): how far each peer is, who was heard, who shall lead next.
 * Made when an election is won, gone when leadership is.
 */
export class Leadership {
  readonly #member: number;
  readonly #term: number;
  readonly #log: RaftLog;
  readonly #leaseUs: number;
  readonly #rules: RaftRules;
  readonly #put: (effect: Effect<RaftMessage>) => void;
  readonly #append: (proposal: Proposal) => void;
  readonly #snapshots: SnapshotTransferOptions;
  #electorate: Electorate;
  #progress = new Map<number, Progress>();
  /** Of the transfer under way: that it was told to campaign; 0: not yet. */
  #sentTo = 0;
  /** Somebody was told to campaign: that message may still be under way, however late. */
  #transferSent = false;
  /** Confirms reads: see reads.ts. */
  round = NO_ANSWER + 1;
  uncommittedBytes = 0;
  /** 0: no transfer is under way. */
  transferTo = 0;
  transferDeadlineUs = 0;
  quorumDeadlineUs = 0;
  /** Nobody else can be elected before, by this member's clock. 0: not known, or leases are off. */
  leaseUntilUs = 0;
  #newestAppend: {
    readonly message: Message<'append'>;
    readonly lastIndex: number;
    readonly withEntries: boolean;
  } | null = null;
  /** Rounds that no majority has answered yet. */
  #rounds: { readonly round: number; readonly sentUs: number }[] = [];
  /** The change of membership under way, to be answered; 0: none. */
  changeId = 0;

  constructor(options: {
    readonly member: number;
    readonly term: number;
    readonly electorate: Electorate;
    readonly peers: readonly number[];
    readonly log: RaftLog;
    /** How long a majority's answer to a round keeps others from being elected; 0: leases are off. */
    readonly leaseUs: number;
    readonly rules: RaftRules;
    readonly put: (effect: Effect<RaftMessage>) => void;
    readonly append: (proposal: Proposal) => void;
    readonly snapshots: SnapshotTransferOptions;
  }) {
    this.#member = options.member;
    this.#term = options.term;
    this.#electorate = options.electorate;
    this.#log = options.log;
    this.#leaseUs = options.leaseUs;
    this.#rules = options.rules;
    this.#put = options.put;
    this.#append = options.append;
    this.#snapshots = options.snapshots;
    this.onConfiguration(options.electorate, options.peers);
  }

  /** Another configuration is in force: who left is sent nothing more, who came is probed. */
  onConfiguration(electorate: Electorate, peers: readonly number[]): void {
    this.#electorate = electorate;
    const earlier = this.#progress;
    this.#progress = new Map();
    for (const peer of peers) {
      this.#progress.set(peer, earlier.get(peer) ?? new Progress(peer, this.#log.lastIndex + 1));
    }
    for (const { peer, transfer } of earlier.values()) {
      if (transfer !== null && !this.#progress.has(peer)) this.#put({ type: 'closeSnapshot', to: peer });
    }
    if (!this.#progress.has(this.transferTo)) this.transferTo = 0;
  }

  /**
   * false: too much is not committed yet, or leadership is being handed over and the target must catch up. The
   * member where the proposal came in sends it again.
   */
  append(proposal: Proposal): boolean {
    if (this.transferTo !== 0) return false;
    if (this.uncommittedBytes + proposal.command.length > UNCOMMITTED_BYTES_MAX) return false;
    this.#append(proposal);
    return true;
  }

  // ── sending ───────────────────────────────────────────────────────────────────────────────────────────────

  /** Sends what each peer's window allows, and news of a round or of commits at once. */
  replicate(nowUs: number, commitIndex: number): void {
    for (const progress of this.#progress.values()) {
      while (progress.state !== 'snapshot' && progress.nextIndex <= this.#log.lastIndex) {
        if (progress.state === 'probe' ? progress.probing : !progress.windowOpen) break;
        this.#sendAppend(progress, nowUs, commitIndex, true);
      }
      const round = progress.sentRound < this.round;
      const commits = progress.state === 'replicate' && progress.sentCommit < commitIndex;
      if (round) this.#sendAppend(progress, nowUs, commitIndex, false);
      else if (commits) this.#sendAppend(progress, nowUs, commitIndex, false, NO_ANSWER);
    }
    if (this.transferTo !== 0) this.#handOver();
  }

  /** §5.2. A probe that got no answer is sent again; a snapshot that stands still goes on from where it stands. */
  heartbeat(nowUs: number, commitIndex: number, stalledAfterUs: number): void {
    if (this.#leaseUs > 0) this.startRound(nowUs);
    for (const progress of this.#progress.values()) {
      progress.probing = false;
      if (progress.transfer?.resume(nowUs, stalledAfterUs) === true) this.#readOn(progress, progress.transfer);
      this.#sendAppend(progress, nowUs, commitIndex, progress.state === 'probe');
    }
  }

  #sendAppend(
    progress: Progress,
    nowUs: number,
    commitIndex: number,
    withEntries: boolean,
    round: number = this.round,
  ): void {
    let previousIndex = progress.nextIndex - 1;
    let previousTerm = this.#log.termAt(previousIndex);
    if (previousTerm === undefined && progress.state !== 'snapshot') {
      // Compacted away is not a conflict (PITFALLS R18): the peer needs the snapshot.
      progress.become('snapshot', progress.nextIndex);
      this.#startSnapshot(progress, nowUs);
    }
    const replicates = progress.state !== 'snapshot' && previousTerm !== undefined;
    if (!replicates || previousTerm === undefined) {
      // A heartbeat that claims nothing about the log.
      previousIndex = 0;
      previousTerm = 0;
    }
    const message = this.#appendFor({ previousIndex, previousTerm, round }, commitIndex, withEntries && replicates);
    const { entries } = message;
    const last = entries.at(-1);
    const bytes = entries.reduce((sum, entry) => sum + entry.command.length, 0);
    if (progress.state === 'probe') progress.probing = true;
    else if (last !== undefined) progress.onSent(last.index, bytes);
    if (round !== NO_ANSWER) progress.sentRound = round;
    progress.sentCommit = commitIndex;
    this.#send(progress.peer, message);
  }

  /** The same object for each peer that is to be sent the same, so that its bytes are made once. */
  #appendFor(
    { previousIndex, previousTerm, round }: Pick<Message<'append'>, 'previousIndex' | 'previousTerm' | 'round'>,
    commitIndex: number,
    withEntries: boolean,
  ): Message<'append'> {
    const { lastIndex } = this.#log;
    const before = this.#newestAppend;
    const same =
      before !== null &&
      before.lastIndex === lastIndex &&
      before.withEntries === withEntries &&
      before.message.previousIndex === previousIndex &&
      before.message.commitIndex === commitIndex &&
      before.message.round === round;
    if (same) return before.message;
    const entries = withEntries ? this.#log.slice(previousIndex + 1, APPEND_ENTRIES_MAX, APPEND_BYTES_MAX) : [];
    const message = {
      type: 'append',
      term: this.#term,
      previousIndex,
      previousTerm,
      entries,
      commitIndex,
      round,
    } as const;
    this.#newestAppend = { message, lastIndex, withEntries };
    return message;
  }

  // ── hearing ───────────────────────────────────────────────────────────────────────────────────────────────

  onAppended(from: number, message: Message<'appended'>): void {
    const progress = this.#heard(from, message.round);
    if (progress === undefined) return;
    assert(message.matchIndex <= this.#log.lastIndex, 'a follower acknowledges what it was sent');
    progress.onMatch(message.matchIndex);
    const reachable = progress.matchIndex + 1 >= this.#log.firstIndex;
    const waits = progress.state === 'snapshot' ? reachable && message.matchIndex > 0 : progress.state === 'probe';
    if (waits) this.#become(progress, 'replicate');
  }

  #become(progress: Progress, state: 'probe' | 'replicate'): void {
    if (progress.transfer !== null) this.#put({ type: 'closeSnapshot', to: progress.peer });
    progress.become(state, progress.matchIndex + 1);
  }

  onConflict(from: number, message: Message<'conflict'>): void {
    const progress = this.#heard(from, message.round);
    if (progress === undefined) return;
    const { previousIndex, hintIndex, hintTerm } = message;
    // A rejection never moves match, and a late one says nothing about now (PITFALLS R7).
    if (progress.state === 'snapshot' || previousIndex <= progress.matchIndex) return;
    if (progress.state === 'probe' && previousIndex !== progress.nextIndex - 1) return;
    const agreed = hintTerm > 0 ? this.#log.lastIndexOfTerm(hintTerm, previousIndex) + 1 : 0;
    const next = agreed > 1 ? agreed : hintIndex;
    progress.become('probe', Math.max(progress.matchIndex + 1, Math.min(next, previousIndex)));
  }

  /** undefined: it is not in this leader's configuration. */
  #heard(from: number, round: number): Progress | undefined {
    const progress = this.#progress.get(from);
    if (progress === undefined) return undefined;
    progress.active = true;
    progress.round = Math.max(progress.round, round);
    return progress;
  }

  /** The highest index that a majority stores durably, this member's own disk included. */
  get storedByMajority(): number {
    return this.#electorate.reached('commit', (member) => this.matchOf(member));
  }

  matchOf(member: number): number {
    return member === this.#member ? this.#log.durableIndex : (this.#progress.get(member)?.matchIndex ?? 0);
  }

  /** The newest round that a majority has answered. */
  get confirmedRound(): number {
    return this.#electorate.reached('read', (member) =>
      member === this.#member ? this.round : (this.#progress.get(member)?.round ?? 0),
    );
  }

  /** A majority that answers a round says that this member led when it was sent. */
  startRound(nowUs: number): void {
    this.round++;
    if (this.#leaseUs > 0) this.#rounds.push({ round: this.round, sentUs: nowUs });
  }

  /** Dissertation §6.4.1: who answered a round lets nobody else be elected for an election time-out from when it heard it. */
  renewLease(nowUs: number): void {
    const confirmed = this.confirmedRound;
    for (let next = this.#rounds[0]; next !== undefined && next.round <= confirmed; next = this.#rounds[0]) {
      this.#rounds.shift();
      this.leaseUntilUs = this.#rules.leaseFromUs(next.sentUs, nowUs) + this.#leaseUs;
    }
    const transfers = this.transferTo !== 0 || this.#transferSent;
    if (transfers && !this.#rules.keepsLeaseInTransfer()) this.leaseUntilUs = 0;
  }

  /** Whether a majority was heard since the last time it was asked. */
  hearsMajority(): boolean {
    const hears = this.#electorate.agrees(
      'lead',
      (member) => member === this.#member || this.#progress.get(member)?.active === true,
    );
    for (const progress of this.#progress.values()) progress.active = false;
    return hears;
  }

  // ── leadership transfer (dissertation §3.10) ──────────────────────────────────────────────────────────────

  /** The voter, other than this member, that has the most of the log; 0: there is none. */
  successor(mayVote: (member: number) => boolean): number {
    let best = { peer: 0, matchIndex: -1 };
    for (const progress of this.#progress.values()) {
      if (mayVote(progress.peer) && progress.matchIndex > best.matchIndex) best = progress;
    }
    return best.peer;
  }

  /** Given up at the deadline; asking for a member that is no peer does nothing. */
  transfer(to: number, deadlineUs: number): void {
    if (!this.#progress.has(to)) return;
    this.transferTo = to;
    this.transferDeadlineUs = deadlineUs;
    this.#sentTo = 0;
  }

  #handOver(): void {
    const progress = defined(this.#progress.get(this.transferTo), 'the target is a peer');
    if (this.#sentTo === this.transferTo || progress.matchIndex < this.#log.lastIndex) return;
    this.#sentTo = this.transferTo;
    this.#transferSent = true;
    this.#send(this.transferTo, { type: 'timeoutNow', term: this.#term });
  }

  // ── snapshots (§7) ────────────────────────────────────────────────────────────────────────────────────────

  #startSnapshot(progress: Progress, nowUs: number): void {
    progress.transfer = new SnapshotTransfer(this.#snapshots, nowUs);
    this.#readOn(progress, progress.transfer);
  }

  #readOn(progress: Progress, transfer: SnapshotTransfer): void {
    const wanted = transfer.index === 0 ? [transfer.first()] : transfer.wanted();
    for (const chunk of wanted) this.#put({ type: 'readSnapshot', to: progress.peer, ...chunk });
  }

  onSnapshotRead({ to, index, term: snapshotTerm, offset, data, sizeBytes }: SnapshotRead): void {
    const progress = this.#progress.get(to);
    const transfer = progress?.transfer ?? null;
    const end = offset + data.length;
    if (progress === undefined || transfer?.onRead(index, sizeBytes, end) !== true) return;
    const done = end === sizeBytes;
    this.#send(to, { type: 'snapshotChunk', term: this.#term, index, snapshotTerm, offset, data, done });
    this.#readOn(progress, transfer);
  }

  /** Entries behind a snapshot that is being sent stay, within bounds: else the peer would need the next one at once. */
  mayForget(through: number): number {
    let sent = through;
    for (const { transfer } of this.#progress.values()) {
      if (transfer !== null && transfer.index > 0) sent = Math.min(sent, transfer.index);
    }
    const needed = this.#rules.mayForget(through, sent);
    return needed === through
      ? through
      : Math.max(needed, Math.min(through, this.#log.indexBefore(this.#snapshots.heldBytes)));
  }

  /** Nothing is sent any more. */
  close(): void {
    for (const { peer, transfer } of this.#progress.values()) {
      if (transfer !== null) this.#put({ type: 'closeSnapshot', to: peer });
    }
  }

  onSnapshotReply(from: number, message: Message<'snapshotReply'>, nowUs: number): void {
    const progress = this.#heard(from, 0);
    const transfer = progress?.transfer ?? null;
    if (progress === undefined || transfer === null) return;
    if (message.installed) {
      progress.onMatch(message.index);
      return this.#become(progress, 'probe');
    }
    transfer.onReply(message.index, message.nextOffset, nowUs);
    if (transfer.index > 0) this.#readOn(progress, transfer);
  }

  #send(to: number, message: RaftMessage): void {
    // No mark: the leader's disk and the network overlap (dissertation §10.2.1).
    this.#put({ type: 'send', to, message, after: 0 });
  }

  save(writer: ByteWriter): void {
    for (const value of [this.round, this.uncommittedBytes, this.transferTo, this.transferDeadlineUs]) {
      writer.varint(value);
    }
    writer.varint(this.quorumDeadlineUs);
    writer.varint(this.changeId);
    writer.varint(this.#sentTo);
    writer.bool(this.#transferSent);
    writer.varint(this.leaseUntilUs);
    writer.varint(this.#rounds.length);
    for (const { round, sentUs } of this.#rounds) {
      writer.varint(round);
      writer.varint(sentUs);
    }
    writer.varint(this.#progress.size);
    for (const progress of this.#progress.values()) progress.save(writer);
  }

  load(reader: ByteReader): void {
    this.round = reader.varint();
    this.uncommittedBytes = reader.varint();
    this.transferTo = reader.varint();
    this.transferDeadlineUs = reader.varint();
    this.quorumDeadlineUs = reader.varint();
    this.changeId = reader.varint();
    this.#sentTo = reader.varint();
    this.#transferSent = reader.bool();
    this.leaseUntilUs = reader.varint();
    this.#rounds = [];
    for (let left = reader.varint(); left > 0; left--) {
      this.#rounds.push({ round: reader.varint(), sentUs: reader.varint() });
    }
    this.#progress = new Map();
    for (let left = reader.varint(); left > 0; left--) {
      const progress = Progress.load(reader, () => new SnapshotTransfer(this.#snapshots, 0));
      this.#progress.set(progress.peer, progress);
    }
  }
}
