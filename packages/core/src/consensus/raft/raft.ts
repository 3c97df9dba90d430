/**
 * Raft (Ongaro and Ousterhout, extended version; § = its sections; "dissertation" = Ongaro's, 2014). A learner is a
 * follower that does not campaign.
 */
import { assert, unreachable } from '../../base/assert.ts';
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { encodeConfiguration } from '../configuration.ts';
import type {
  Configuration,
  Effect,
  Entry,
  LogRecord,
  Mark,
  MembershipChange,
  Origin,
  Outbox,
  Recovered,
  Rejection,
  Replica,
  ReplicaEvent,
  ReplicaStatus,
} from '../replica.ts';
import { Election } from './election.ts';
import { Leadership, NO_ANSWER } from './leadership.ts';
import { Membership, removedMember, replacedMember } from './membership.ts';
import type { Proposal, RaftMessage } from './message.ts';
import { DEFAULT_TIMING, type RaftOptions, type RaftTiming } from './options.ts';
import { Proposals } from './proposals.ts';
import { RaftLog } from './raft-log.ts';
import { Reads } from './reads.ts';
import { type ElectorateMessage, Registration } from './registration.ts';
import { RAFT_RULES, type RaftRules } from './rules.ts';
import { DEFAULT_SNAPSHOT_TRANSFER, type SnapshotTransferOptions } from './snapshot-transfer.ts';

type Message<T extends RaftMessage['type']> = Extract<RaftMessage, { type: T }>;
type Event<T extends ReplicaEvent<RaftMessage>['type']> = Extract<ReplicaEvent<RaftMessage>, { type: T }>;

export class Raft implements Replica<RaftMessage> {
  readonly #member: number;
  readonly #directory: number;
  readonly #timing: RaftTiming;
  readonly #snapshots: SnapshotTransferOptions;
  readonly #rules: RaftRules;
  /** 0: leases are off. A tenth less than followers wait, for clocks that run faster than this one. */
  readonly #leaseUs: number;
  readonly #outbox: Outbox<RaftMessage>;
  readonly #log = new RaftLog();
  readonly #proposals = new Proposals();
  readonly #reads = new Reads();
  readonly #registration: Registration;
  readonly #membership: Membership;
  readonly #election: Election;
  #nowUs = 0;
  #started = false;
  #boot = 0;
  #commitIndex = 0;
  #lastMark: Mark = 0;
  /** While this member leads. */
  #leadership: Leadership | null = null;
  #installing = 0;
  #heartbeatDeadlineUs = 0;

  constructor(options: RaftOptions, outbox: Outbox<RaftMessage>) {
    const { member, members, directory } = options;
    assert(member > 0 && (members.length === 0 || members.includes(member)), 'a member is one of the members');
    this.#member = member;
    this.#directory = directory;
    this.#timing = { ...DEFAULT_TIMING, ...options.timing };
    this.#snapshots = { ...DEFAULT_SNAPSHOT_TRANSFER, ...options.snapshots };
    this.#rules = options.rules ?? RAFT_RULES;
    this.#outbox = outbox;
    const { electionTimeoutUs } = this.#timing;
    this.#leaseUs = options.leaseReads === true ? electionTimeoutUs - Math.ceil(electionTimeoutUs / 10) : 0;
    this.#registration = new Registration({
      directory,
      peers: members.filter((other) => other !== member),
      send: (to, message, after) => this.#send(to, message, after),
      persist: (record) => this.#persist(record),
      onRefused: () => this.#onRefused(),
    });
    this.#membership = new Membership(options);
    this.#election = this.#newElection(options);
  }

  #newElection({ member, random, leaseReads = false, reluctance = 0 }: RaftOptions): Election {
    return new Election({
      member,
      random,
      timing: this.#timing,
      leaseReads,
      reluctance,
      rules: this.#rules,
      log: this.#log,
      membership: this.#membership,
      nowUs: () => this.#nowUs,
      commitIndex: () => this.#commitIndex,
      send: (to, message, after) => this.#send(to, message, after),
      persist: (record) => this.#persist(record),
      lastMark: () => this.#lastMark,
      isReady: () => this.#registration.registered && this.#installing === 0,
      onElected: () => this.#onElected(),
      onDeposed: () => this.#onDeposed(),
      onLeaderChanged: () => this.#onLeaderChanged(),
    });
  }

  step(nowUs: number, event: ReplicaEvent<RaftMessage>): void {
    assert(nowUs >= this.#nowUs, 'time never goes back');
    assert(this.#started !== (event.type === 'start'), 'start comes first, and once');
    this.#nowUs = nowUs;
    switch (event.type) {
      case 'start':
        return this.#onStart(event.recovered, event.configuration);
      case 'receive':
        return this.#onReceive(event.from, event.directory, event.message);
      case 'propose':
        if (!this.#proposals.add(event.id, event.command, nowUs, nowUs + this.#timing.proposalTimeoutUs)) {
          this.#reject(event.id, 'Overloaded');
        }
        return;
      case 'read':
        return this.#reads.add(event.id, nowUs, nowUs + this.#timing.proposalTimeoutUs);
      case 'control':
        return this.#transfer(event.command.to);
      case 'change':
        return this.#onChange(event.id, event.changes);
      case 'tick':
        return this.#onTick();
      case 'unreachable':
        return this.#election.onUnreachable(event.peer);
      case 'flush':
        return this.#onFlush();
      case 'persisted':
        return this.#onPersisted(event.mark);
      case 'applied':
        return assert(event.index <= this.#commitIndex, 'only what is committed is applied');
      case 'compacted':
        return this.#compact(this.#leadership?.mayForget(event.through) ?? event.through);
      case 'snapshotRead':
        return this.#leadership?.onSnapshotRead(event);
      case 'snapshotStored':
        return this.#onSnapshotStored(event);
      case 'snapshotInstalled':
        return this.#onSnapshotInstalled(event);
      default:
        return unreachable(event);
    }
  }

  deadlineUs(): number {
    if (!this.#started) return Number.POSITIVE_INFINITY;
    const follows = this.#election.leader !== 0 && this.#leadership === null;
    const waiting = Math.min(this.#proposals.deadlineUs(follows), this.#reads.deadlineUs(follows));
    if (this.#leadership === null) {
      const registerUs = this.#isRegistering() ? this.#heartbeatDeadlineUs : Number.POSITIVE_INFINITY;
      return Math.min(waiting, this.#election.deadlineUs, registerUs);
    }
    return Math.min(waiting, this.#heartbeatDeadlineUs, this.#leadership.quorumDeadlineUs);
  }

  status(): ReplicaStatus {
    return {
      role: this.#election.role,
      term: this.#election.term,
      leader: this.#election.leader,
      commitIndex: this.#commitIndex,
      lastIndex: this.#log.lastIndex,
      firstIndex: this.#log.firstIndex,
      registered: this.#registration.registered,
      configuration: this.#membership.latest,
      configurationIndex: this.#membership.latestIndex,
    };
  }

  #onStart(recovered: Recovered, configuration: Uint8Array): void {
    this.#started = true;
    this.#boot = recovered.boot;
    this.#log.recover(recovered.snapshotIndex, recovered.snapshotTerm, recovered.entries);
    this.#commitIndex = recovered.snapshotIndex;
    this.#membership.recover(recovered.snapshotIndex, configuration, recovered.entries);
    this.#registration.recover(recovered.directories, recovered.registered);
    if (this.#membership.isReplaced) this.#outbox.put(replacedMember(this.#member, this.#directory));
    this.#election.recover(recovered.term, recovered.votedFor);
    this.#heartbeatDeadlineUs = this.#nowUs;
  }

  #onReceive(from: number, directory: number, received: RaftMessage): void {
    if (received.type === 'removed') return this.#outbox.put(removedMember(this.#member));
    const standing = this.#membership.judge(from, directory, this.#commitIndex);
    // The last word of a leader that left office, which may come after the news that it is out.
    const farewell = received.type === 'timeoutNow' && from === this.#election.leader;
    if (standing === 'removed' && !farewell) return this.#send(from, { type: 'removed' });
    if (standing === 'replaced') return this.#send(from, { type: 'refused', directory });
    const message = this.#registration.admit(from, directory, received);
    if (message !== null) this.#onMessage(from, message);
  }

  #onRefused(): void {
    if (this.#registration.registered && !this.#membership.isStranger) return;
    this.#outbox.put(replacedMember(this.#member, this.#directory));
  }

  #isRegistering(): boolean {
    return this.#registration.isAsking((peer) => this.#membership.has(peer));
  }

  #onMessage(from: number, message: ElectorateMessage): void {
    if ('term' in message && !this.#election.observeTerm(from, message)) return;
    switch (message.type) {
      case 'requestVote':
        return this.#election.onRequestVote(from, message);
      case 'voteReply':
        return this.#election.onVoteReply(from, message);
      case 'append':
        return this.#onAppend(from, message);
      case 'appended':
        return this.#leadership?.onAppended(from, message);
      case 'conflict':
        return this.#leadership?.onConflict(from, message);
      case 'snapshotChunk':
        return this.#onSnapshotChunk(from, message);
      case 'snapshotReply':
        return this.#leadership?.onSnapshotReply(from, message, this.#nowUs);
      case 'readIndex':
        if (this.#leadership !== null) this.#reads.confirmPeer(from, message.boot, message.batch);
        return;
      case 'readIndexReply':
        if (message.boot !== this.#boot) return;
        for (const id of this.#reads.onBatch(message.batch)) {
          this.#outbox.put({ type: 'readReady', id, index: message.index });
        }
        return;
      case 'forward':
        return message.proposals.forEach((proposal) => this.#leadership?.append(proposal));
      case 'timeoutNow':
        return this.#election.onTimeoutNow(from);
      default:
        return unreachable(message);
    }
  }

  // ── elections (§5.2, §5.4.1; pre-vote and check-quorum: dissertation §9.6, §6.2) ────────────────────────────

  #onTick(): void {
    this.#expire();
    const now = this.#nowUs;
    if (now >= this.#heartbeatDeadlineUs) {
      this.#heartbeatDeadlineUs = now + this.#timing.heartbeatUs;
      this.#registration.announce((peer) => this.#membership.has(peer));
      this.#leadership?.heartbeat(now, this.#commitIndex, this.#timing.electionTimeoutUs);
    }
    if (this.#leadership !== null) {
      if (now >= this.#leadership.transferDeadlineUs) this.#leadership.transferTo = 0;
      if (now >= this.#leadership.quorumDeadlineUs) this.#checkQuorum(this.#leadership);
    }
    this.#election.onTick();
  }

  #expire(): void {
    for (const { sequence, sent } of this.#proposals.expire(this.#nowUs)) {
      this.#reject(sequence, sent ? 'Unknown' : 'NoLeader');
    }
    for (const id of this.#reads.expire(this.#nowUs)) this.#reject(id, 'NoLeader');
  }

  #onElected(): void {
    const leadership = new Leadership(this.#leadershipOptions());
    for (let index = this.#commitIndex + 1; index <= this.#log.lastIndex; index++) {
      leadership.uncommittedBytes += this.#log.entryAt(index).command.length;
    }
    this.#leadership = leadership;
    this.#heartbeatDeadlineUs = this.#nowUs + this.#timing.heartbeatUs;
    leadership.quorumDeadlineUs = this.#nowUs + this.#timing.electionTimeoutUs;
    // §8: the no-op that lets entries of earlier terms, and reads, be committed in this one.
    this.#appendEntry(null, new Uint8Array(0));
  }

  #onDeposed(): void {
    const changeId = this.#leadership?.changeId ?? 0;
    this.#leadership?.close();
    this.#leadership = null;
    // Whether the next leader has the change is not known here.
    if (changeId !== 0) this.#reject(changeId, 'Unknown');
  }

  #onLeaderChanged(): void {
    this.#proposals.sendAgain();
    this.#reads.askAgain();
  }

  #leadershipOptions(): ConstructorParameters<typeof Leadership>[0] {
    const put = (effect: Effect<RaftMessage>) => this.#outbox.put(effect);
    const append = ({ origin, command }: Proposal) => this.#appendEntry(origin, command);
    const { electorate, others: peers } = this.#membership;
    const { term } = this.#election;
    const common = {
      log: this.#log,
      leaseUs: this.#leaseUs,
      rules: this.#rules,
      snapshots: this.#snapshots,
      put,
      append,
    };
    return { member: this.#member, term, electorate, peers, ...common };
  }

  /** Dissertation §6.2: a leader that hears no majority steps down, so that its clients look elsewhere. */
  #checkQuorum(leadership: Leadership): void {
    leadership.quorumDeadlineUs = this.#nowUs + this.#timing.electionTimeoutUs;
    if (!leadership.hearsMajority() && this.#rules.checksQuorum()) this.#election.stepDown();
  }

  // ── proposals ─────────────────────────────────────────────────────────────────────────────────────────────

  /** Appends what is due if this member leads, else forwards it; again after a while, since either may get lost. */
  #sendProposals(): void {
    if (this.#election.leader === 0) return;
    const due = this.#proposals.due(this.#nowUs);
    if (due.length === 0) return;
    const acknowledgedThrough = this.#proposals.acknowledgedThrough;
    const [member, boot] = [this.#member, this.#boot];
    const originOf = (sequence: number): Origin => ({ member, boot, sequence, acknowledgedThrough });
    if (this.#leadership === null) {
      const againUs = this.#nowUs + this.#timing.electionTimeoutUs;
      for (const proposals of this.#proposals.forwards(due, originOf, againUs)) {
        this.#send(this.#election.leader, { type: 'forward', proposals });
      }
      return;
    }
    for (const pending of due) {
      const { sequence, command } = pending;
      if (!this.#leadership.append({ origin: originOf(sequence), command })) break;
      // It is in this log: only a change of leader can lose it.
      this.#proposals.onSent(pending, Number.MAX_SAFE_INTEGER);
    }
  }

  #store(entry: Entry): void {
    this.#log.append(entry, this.#persist({ type: 'entry', entry }));
    const before = this.#membership.latest;
    this.#membership.append(entry);
    if (this.#membership.latest !== before) this.#onConfiguration();
  }

  #appendEntry(origin: Origin | null, command: Uint8Array): void {
    assert(this.#leadership !== null, 'only a leader makes entries');
    this.#leadership.uncommittedBytes += command.length;
    this.#store({ term: this.#election.term, index: this.#log.lastIndex + 1, origin, command });
  }

  // ── replication (§5.3) ────────────────────────────────────────────────────────────────────────────────────

  #onFlush(): void {
    if (!this.#registration.registered) return;
    this.#sendProposals();
    const leadership = this.#leadership;
    if (leadership === null) return this.#askReads();
    this.#advanceLeaderCommit(leadership);
    if (this.#leadership === null) return;
    if (this.#membership.mayLeave(this.#commitIndex)) this.#appendConfiguration(this.#membership.left());
    this.#confirmReads(leadership);
    leadership.replicate(this.#nowUs, this.#commitIndex);
  }

  #onAppend(from: number, message: Message<'append'>): void {
    this.#election.followLeader(from);
    const { previousIndex, previousTerm, entries, round } = message;
    // But for a heartbeat that claims nothing about the log, and that must be answered: this member is alive.
    if (this.#installing !== 0 && (previousIndex > 0 || entries.length > 0)) return;
    const conflict = this.#log.conflictAt(previousIndex, previousTerm, this.#rules.conflicts);
    if (conflict !== null) {
      const reply = { type: 'conflict', term: this.#election.term, round, previousIndex, ...conflict } as const;
      return this.#send(from, reply, this.#lastMark);
    }
    for (const entry of entries) this.#accept(entry);
    const matchIndex = this.#rules.matchIndex(previousIndex, entries.length, this.#log.lastIndex);
    const commitIndex = this.#rules.followerCommit(message.commitIndex, matchIndex);
    if (commitIndex > this.#commitIndex) this.#advanceCommit(commitIndex);
    if (round === NO_ANSWER && entries.length === 0) return;
    this.#send(from, { type: 'appended', term: this.#election.term, round, matchIndex }, this.#lastMark);
  }

  /** §5.3, step 3 and 4 of AppendEntries: only a real conflict truncates (PITFALLS R5). */
  #accept(entry: Entry): void {
    if (entry.index < this.#log.firstIndex) return;
    const existing = this.#log.termAt(entry.index);
    if (existing !== undefined && !this.#rules.mayTruncate(existing, entry.term)) return;
    if (existing !== undefined) {
      assert(entry.index > this.#commitIndex, 'a committed entry is never truncated');
      this.#log.truncateFrom(entry.index);
      this.#membership.truncateFrom(entry.index);
    }
    this.#store(entry);
  }

  /** §5.3, §5.4.2: committed once a majority stores it durably, and only by an entry of this term (Figure 8). */
  #advanceLeaderCommit(leadership: Leadership): void {
    const index = leadership.storedByMajority;
    if (index <= this.#commitIndex) return;
    if (this.#rules.mayCommit(this.#log.termAt(index) ?? 0, this.#election.term)) this.#advanceCommit(index);
  }

  #advanceCommit(commitIndex: number): void {
    assert(commitIndex <= this.#log.lastIndex, 'nothing is committed that is not in the log');
    const before = this.#commitIndex;
    for (let index = before + 1; index <= commitIndex; index++) {
      const entry = this.#log.entryAt(index);
      if (this.#leadership !== null) this.#leadership.uncommittedBytes -= entry.command.length;
      this.#outbox.put({ type: 'apply', entry, after: this.#log.markAt(index) });
      const { origin } = entry;
      if (origin?.member === this.#member && origin.boot === this.#boot) this.#proposals.settle(origin.sequence);
    }
    this.#commitIndex = commitIndex;
    if (this.#membership.latestIndex > before) this.#onConfigurationCommitted(before);
  }

  // ── membership (§6; dissertation §4) ──────────────────────────────────────────────────────────────────────

  #onChange(id: number, changes: readonly MembershipChange[]): void {
    const leadership = this.#leadership;
    if (leadership === null) return this.#reject(id, 'NotLeader');
    const commitIndex = this.#commitIndex;
    const mayChange = this.#rules.mayChangeMembership(this.#log.termAt(commitIndex) ?? 0, this.#election.term);
    const isCaughtUp = (learner: number) => this.#rules.isCaughtUp(leadership.matchOf(learner), commitIndex);
    const next = this.#membership.next(changes, {
      commitIndex,
      mayChange: mayChange && leadership.changeId === 0,
      isCaughtUp,
    });
    if (typeof next === 'string') return this.#reject(id, next);
    leadership.changeId = id;
    this.#appendConfiguration(next);
  }

  #appendConfiguration(configuration: Configuration): void {
    this.#appendEntry(null, encodeConfiguration(configuration));
  }

  /** In force from now on, committed or not (§6). */
  #onConfiguration(): void {
    this.#leadership?.onConfiguration(this.#membership.electorate, this.#membership.others);
    if (this.#membership.isReplaced) this.#outbox.put(replacedMember(this.#member, this.#directory));
  }

  #onConfigurationCommitted(before: number): void {
    if (!this.#membership.isSettled(this.#commitIndex)) return;
    const leadership = this.#leadership;
    if (leadership !== null) {
      if (leadership.changeId !== 0) {
        this.#outbox.put({ type: 'changed', id: leadership.changeId, index: this.#membership.latestIndex });
        leadership.changeId = 0;
      }
      // Best effort: one that does not hear it asks when it misses its leader.
      for (const peer of this.#membership.leftSince(before)) this.#send(peer, { type: 'removed' });
      if (!this.#membership.mayVote(this.#member)) this.#leaveOffice(leadership);
    }
    if (this.#membership.isRemoved(this.#commitIndex)) this.#outbox.put(removedMember(this.#member));
  }

  /** §6: a leader that is no voter any more leads until that is committed; it tells so, and who may follow at once. */
  #leaveOffice(leadership: Leadership): void {
    leadership.replicate(this.#nowUs, this.#commitIndex);
    const to = leadership.successor((peer) => this.#membership.mayVote(peer));
    if (to !== 0) this.#send(to, { type: 'timeoutNow', term: this.#election.term });
    this.#election.stepDown();
  }

  #transfer(to: number): void {
    if (!this.#membership.mayVote(to)) return;
    this.#leadership?.transfer(to, this.#nowUs + this.#timing.electionTimeoutUs);
  }

  // ── reads (§8; dissertation §6.4) ─────────────────────────────────────────────────────────────────────────

  /** As a follower: one request to the leader covers every read due. */
  #askReads(): void {
    if (this.#election.leader === 0) return;
    const batch = this.#reads.nextBatch(this.#nowUs, this.#nowUs + this.#timing.electionTimeoutUs);
    if (batch > 0) this.#send(this.#election.leader, { type: 'readIndex', boot: this.#boot, batch });
  }

  #confirmReads(leadership: Leadership): void {
    this.#reads.confirmLocal(this.#nowUs, this.#member);
    if (this.#leaseUs > 0) leadership.renewLease(this.#nowUs);
    if (!this.#reads.areConfirming) return;
    const mayServe = this.#rules.mayServeReads(this.#log.termAt(this.#commitIndex) ?? 0, this.#election.term);
    if (mayServe && this.#nowUs < leadership.leaseUntilUs) {
      // Every round that was answered says as much as a new one would.
      this.#reads.startRound(leadership.confirmedRound, this.#commitIndex);
    } else if (mayServe && this.#reads.waitForRound && leadership.confirmedRound === leadership.round) {
      leadership.startRound(this.#nowUs);
      this.#reads.startRound(leadership.round, this.#commitIndex);
    }
    for (const { from, boot, id, index } of this.#reads.confirmed(leadership.confirmedRound)) {
      if (from !== this.#member) this.#send(from, { type: 'readIndexReply', boot, batch: id, index });
      else if (this.#reads.finishLocal(id)) this.#outbox.put({ type: 'readReady', id, index });
    }
  }

  // ── snapshots (§7) ────────────────────────────────────────────────────────────────────────────────────────

  #onSnapshotChunk(from: number, message: Message<'snapshotChunk'>): void {
    this.#election.followLeader(from);
    if (this.#installing !== 0) return;
    const { index, snapshotTerm: term, offset, data, done } = message;
    if (!this.#rules.mayInstall(index, this.#commitIndex)) return this.#replyToSnapshot(index, 0, true);
    this.#outbox.put({ type: 'storeSnapshot', index, term, offset, data, done });
  }

  #onSnapshotStored({ index, term, nextOffset, whole }: Event<'snapshotStored'>): void {
    const isNews = this.#rules.mayInstall(index, this.#commitIndex);
    this.#installing = whole && isNews ? index : 0;
    if (this.#installing !== 0) this.#outbox.put({ type: 'installSnapshot', index, term });
    this.#replyToSnapshot(index, nextOffset, !isNews);
  }

  #compact(through: number): void {
    this.#membership.compact(through);
    this.#log.compact(through);
  }

  #replyToSnapshot(index: number, nextOffset: number, installed: boolean): void {
    if (this.#election.leader === 0 || this.#election.leader === this.#member) return;
    this.#send(
      this.#election.leader,
      { type: 'snapshotReply', term: this.#election.term, index, nextOffset, installed },
      this.#lastMark,
    );
  }

  #onSnapshotInstalled({ index, term, configuration, settled }: Event<'snapshotInstalled'>): void {
    assert(index > this.#commitIndex, 'a snapshot never takes the state back');
    this.#installing = 0;
    this.#log.reset(index, term);
    this.#membership.install(index, configuration, this.#log.lastIndex);
    this.#commitIndex = index;
    this.#onConfiguration();
    this.#onConfigurationCommitted(index);
    // What the snapshot contains has happened, but with which result is not known here.
    for (const sequence of this.#proposals.takeSettled(settled)) this.#reject(sequence, 'Unknown');
    this.#replyToSnapshot(index, 0, true);
  }

  #onPersisted(mark: Mark): void {
    assert(mark <= this.#lastMark, 'only what was asked for is persisted');
    this.#log.onPersisted(mark);
    this.#registration.onPersisted(mark);
    this.#election.onPersisted(mark);
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

  save(writer: ByteWriter): void {
    writer.bool(this.#started);
    for (const value of this.#numbers()) writer.varint(value);
    for (const part of this.#parts()) part.save(writer);
    this.#leadership?.save(writer);
  }

  #parts(): readonly { save(writer: ByteWriter): void; load(reader: ByteReader): void }[] {
    return [this.#membership, this.#election, this.#log, this.#proposals, this.#reads, this.#registration];
  }

  #numbers(): number[] {
    return [this.#nowUs, this.#boot, this.#commitIndex, this.#lastMark, this.#installing, this.#heartbeatDeadlineUs];
  }

  load(reader: ByteReader): void {
    this.#started = reader.bool();
    this.#nowUs = reader.varint();
    this.#boot = reader.varint();
    this.#commitIndex = reader.varint();
    this.#lastMark = reader.varint();
    this.#installing = reader.varint();
    this.#heartbeatDeadlineUs = reader.varint();
    for (const part of this.#parts()) part.load(reader);
    this.#leadership = this.#election.role === 'leader' ? new Leadership(this.#leadershipOptions()) : null;
    this.#leadership?.load(reader);
  }
}
