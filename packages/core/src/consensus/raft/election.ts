import { assert, defined } from '../../base/assert.ts';
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import type { Random } from '../../base/random.ts';
import type { LogRecord, Mark, Role } from '../replica.ts';
import type { Membership } from './membership.ts';
import type { RaftMessage } from './message.ts';
import { drawElectionTimeoutUs, drawHintDelayUs, type RaftTiming } from './options.ts';
import type { RaftLog } from './raft-log.ts';
import type { RaftRules } from './rules.ts';
import { Votes } from './votes.ts';

const ROLES = ['follower', 'precandidate', 'candidate', 'leader'] as const satisfies readonly Role[];

type Message<T extends RaftMessage['type']> = Extract<RaftMessage, { type: T }>;

export interface ElectionOptions {
  readonly member: number;
  readonly timing: RaftTiming;
  readonly leaseReads: boolean;
  readonly reluctance: number;
  readonly random: Random;
  readonly rules: RaftRules;
  readonly log: RaftLog;
  readonly membership: Membership;
  readonly nowUs: () => number;
  readonly commitIndex: () => number;
  readonly send: (to: number, message: RaftMessage, after?: Mark) => void;
  readonly persist: (record: LogRecord) => Mark;
  /** Of the newest record: what is said of the term and the vote waits for it. */
  readonly lastMark: () => Mark;
  /** It is registered, and its log is not being replaced. */
  readonly isReady: () => boolean;
  readonly onElected: () => void;
  /** It led, and does no more. */
  readonly onDeposed: () => void;
  readonly onLeaderChanged: () => void;
}

/**
 * Terms, votes and roles (§5.1, §5.2, §5.4.1; pre-vote and check-quorum: dissertation §9.6, §6.2):
 *
 *              election time-out              majority of pre-votes          majority of votes
 *   follower ─────────────────────► precandidate ─────────────────► candidate ─────────────────► leader
 *      ▲  ▲                              │                              │                           │
 *      │  └──────────────────────────────┴── current leader or higher term ────────────────────────┤
 *      └───────────────────────────────────────────── no majority heard (check-quorum) ────────────┘
 */
export class Election {
  readonly #options: ElectionOptions;
  readonly #votes = new Votes();
  #role: Role = 'follower';
  #term = 0;
  #votedFor = 0;
  #leader = 0;
  #heardLeaderUs = Number.NEGATIVE_INFINITY;
  #startedUs = 0;
  #deadlineUs = 0;

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  get role(): Role {
    return this.#role;
  }

  get term(): number {
    return this.#term;
  }

  /** 0: not known. */
  get leader(): number {
    return this.#leader;
  }

  get deadlineUs(): number {
    return this.#deadlineUs;
  }

  recover(term: number, votedFor: number): void {
    this.#term = term;
    this.#votedFor = votedFor;
    this.#startedUs = this.#options.nowUs();
    this.#resetDeadline();
  }

  // ── terms (§5.1) ──────────────────────────────────────────────────────────────────────────────────────────

  /** A higher term makes a follower; a lower one is answered with ours and otherwise ignored: false. */
  observeTerm(from: number, message: Extract<RaftMessage, { term: number }>): boolean {
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
      this.#answer(from, { type: 'conflict', term: this.#term, round: 0, previousIndex: 0, hintTerm: 0, hintIndex: 0 });
    } else if (message.type === 'requestVote') {
      this.#answer(from, { type: 'voteReply', term: this.#term, preVote: message.preVote, granted: false });
    }
    return false;
  }

  followLeader(from: number): void {
    assert(this.#role !== 'leader', 'at most one leader is elected in a term (§5.2)');
    if (this.#role !== 'follower' || this.#leader !== from) this.#becomeFollower(this.#term, from);
    this.#heardLeaderUs = this.#options.nowUs();
    this.#resetDeadline();
  }

  stepDown(): void {
    assert(this.#role === 'leader', 'only a leader steps down');
    this.#becomeFollower(this.#term, 0);
  }

  #becomeFollower(term: number, leader: number): void {
    assert(term >= this.#term, 'terms never decrease');
    if (term > this.#term) {
      this.#term = term;
      this.#votedFor = 0;
      this.#options.persist({ type: 'vote', term, votedFor: 0 });
    }
    const led = this.#role === 'leader';
    this.#role = 'follower';
    if (led) {
      this.#resetDeadline();
      this.#options.onDeposed();
    }
    this.#setLeader(leader);
  }

  #setLeader(leader: number): void {
    if (this.#leader === leader) return;
    this.#leader = leader;
    this.#options.onLeaderChanged();
  }

  // ── campaigning (§5.2) ────────────────────────────────────────────────────────────────────────────────────

  onTick(): void {
    if (this.#role !== 'leader' && this.#options.nowUs() >= this.#deadlineUs) this.#startPreVote();
  }

  /**
   * Its leader is said to have died: this member sticks to it no longer, and campaigns soon. Pre-vote makes a wrong hint
   * harmless, for whoever hears the leader sticks to it. Not with leases: they count on what was heard.
   */
  onUnreachable(peer: number): void {
    const { nowUs, timing, random, reluctance, leaseReads } = this.#options;
    if (this.#role !== 'follower' || this.#leader === 0 || this.#leader !== peer || leaseReads) return;
    this.#heardLeaderUs = Number.NEGATIVE_INFINITY;
    const campaignsUs = nowUs() + drawHintDelayUs(timing, random, reluctance);
    if (campaignsUs < this.#deadlineUs) this.#deadlineUs = campaignsUs;
  }

  /** Its leader asks this member to take over (dissertation §3.10). */
  onTimeoutNow(from: number): void {
    if (from === this.#leader && this.#mayCampaign()) this.#startElection(true);
  }

  #startPreVote(): void {
    this.#resetDeadline();
    if (!this.#options.isReady()) return;
    if (!this.#mayCampaign()) return this.#askWhetherRemoved();
    if (!this.#options.rules.asksFirst()) return this.#startElection(false);
    this.#role = 'precandidate';
    this.#setLeader(0);
    this.#votes.begin();
    this.#votes.count(this.#options.member, true);
    if (this.#isElected()) return this.#startElection(false);
    this.#requestVotes(this.#term + 1, true, false, 0);
  }

  #startElection(transfer: boolean): void {
    this.#resetDeadline();
    this.#role = 'candidate';
    this.#setLeader(0);
    this.#term++;
    this.#votedFor = this.#options.member;
    const mark = this.#options.persist({ type: 'vote', term: this.#term, votedFor: this.#votedFor });
    this.#votes.begin();
    this.#votes.awaitOwn(mark);
    this.#requestVotes(this.#term, false, transfer, mark);
  }

  #requestVotes(term: number, preVote: boolean, transfer: boolean, after: Mark): void {
    const { log, membership, send } = this.#options;
    const { lastIndex: lastLogIndex, lastTerm: lastLogTerm } = log;
    for (const peer of membership.others) {
      send(peer, { type: 'requestVote', term, preVote, transfer, lastLogIndex, lastLogTerm }, after);
    }
  }

  #mayCampaign(): boolean {
    const { rules, membership, member, commitIndex } = this.#options;
    return rules.mayCampaign(membership.mayVote(member), membership.mayStillVote(member, commitIndex()));
  }

  /** A learner that hears no leader may have been left out meanwhile: whoever knows says so. */
  #askWhetherRemoved(): void {
    for (const peer of this.#options.membership.others) this.#options.send(peer, { type: 'register' });
  }

  // ── voting (§5.2, §5.4.1) ─────────────────────────────────────────────────────────────────────────────────

  /** A member that hears a leader neither votes nor lets its term be raised (PITFALLS R12). */
  #isStickyTo(message: Message<'requestVote'>): boolean {
    const { rules, timing, leaseReads, nowUs } = this.#options;
    if (message.transfer || !rules.sticksToLeader()) return false;
    if (this.#role === 'leader') return true;
    if (leaseReads && rules.waitsOutLeases() && nowUs() - this.#startedUs < timing.electionTimeoutUs) return true;
    return this.#leader !== 0 && nowUs() - this.#heardLeaderUs < timing.electionTimeoutUs;
  }

  onRequestVote(from: number, message: Message<'requestVote'>): void {
    const { log, rules, persist, send } = this.#options;
    const candidate = { term: message.lastLogTerm, index: message.lastLogIndex };
    const upToDate = rules.isUpToDate(candidate, { term: log.lastTerm, index: log.lastIndex });
    if (message.preVote) {
      const granted = upToDate && message.term > this.#term && !this.#isStickyTo(message);
      const term = granted ? message.term : this.#term;
      return send(from, { type: 'voteReply', term, preVote: true, granted });
    }
    const granted = upToDate && rules.mayGrantVote(this.#votedFor, from) && this.#role === 'follower';
    if (granted && this.#votedFor === 0) {
      this.#votedFor = from;
      persist({ type: 'vote', term: this.#term, votedFor: from });
      this.#resetDeadline();
    }
    this.#answer(from, { type: 'voteReply', term: this.#term, preVote: false, granted });
  }

  onVoteReply(from: number, message: Message<'voteReply'>): void {
    const asked = this.#role === 'precandidate' ? this.#term + 1 : this.#term;
    const awaited = message.preVote ? this.#role === 'precandidate' : this.#role === 'candidate';
    if (!awaited) return;
    if (message.granted && message.term !== asked) return;
    this.#votes.count(from, message.granted);
    if (!this.#isElected()) return;
    if (message.preVote) this.#startElection(false);
    else this.#becomeLeader();
  }

  /** The own vote counts once it is durable, like any other (PITFALLS R2). */
  onPersisted(mark: Mark): void {
    if (this.#role !== 'candidate') return;
    if (this.#votes.onPersisted(mark, this.#options.member) && this.#isElected()) this.#becomeLeader();
  }

  #isElected(): boolean {
    return this.#options.membership.electorate.agrees('elect', (member) => this.#votes.isGrantedBy(member));
  }

  #becomeLeader(): void {
    const { member, onElected } = this.#options;
    assert(this.#role === 'candidate' && this.#votedFor === member, 'only a candidate wins an election');
    this.#role = 'leader';
    this.#leader = member;
    onElected();
    this.#options.onLeaderChanged();
  }

  #resetDeadline(): void {
    const { nowUs, timing, random, reluctance } = this.#options;
    this.#deadlineUs = nowUs() + drawElectionTimeoutUs(timing, random, reluctance);
  }

  #answer(to: number, message: RaftMessage): void {
    this.#options.send(to, message, this.#options.lastMark());
  }

  save(writer: ByteWriter): void {
    writer.u8(ROLES.indexOf(this.#role));
    for (const value of [this.#term, this.#votedFor, this.#leader, this.#startedUs, this.#deadlineUs]) {
      writer.varint(value);
    }
    writer.varint(Number.isFinite(this.#heardLeaderUs) ? this.#heardLeaderUs + 1 : 0);
    this.#votes.save(writer);
  }

  load(reader: ByteReader): void {
    this.#role = defined(ROLES[reader.u8()], 'a saved role is known');
    this.#term = reader.varint();
    this.#votedFor = reader.varint();
    this.#leader = reader.varint();
    this.#startedUs = reader.varint();
    this.#deadlineUs = reader.varint();
    const heard = reader.varint();
    this.#heardLeaderUs = heard === 0 ? Number.NEGATIVE_INFINITY : heard - 1;
    this.#votes.load(reader);
  }
}
