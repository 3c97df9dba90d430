/**
 * What must hold at every step of every run, in the names of the Raft paper's Figure 3. The invariants see what the
 * replicas emit and apply, never what they hold inside.
 */
import { defined } from '../../base/assert.ts';
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import {
  decodeConfiguration,
  encodeConfiguration,
  isConfiguration,
  votingSets,
  wasRemoved,
} from '../../consensus/configuration.ts';
import type { RaftMessage } from '../../consensus/raft/message.ts';
import type { Configuration, Effect, Entry, Recovered, ReplicaStatus } from '../../consensus/replica.ts';
import { RollingHash } from '../world/rolling-hash.ts';

interface Acknowledgement {
  readonly term: number;
  readonly index: number;
  readonly after: number;
}

interface Vote {
  readonly term: number;
  readonly candidate: number;
  readonly after: number;
}

/** What a member has told others, once it could no longer be taken back: it may never forget it. */
interface Promised {
  /** It was in this term: voted, acknowledged or led. */
  term: number;
  /** Whom it voted for in that term; 0: nobody that we know of. */
  votedFor: number;
  /** In which term it acknowledged the entries up to which index. */
  acknowledgedTerm: number;
  acknowledgedIndex: number;
  appliedIndex: number;
}

/** What is known of one member; `terms[i]` is the term of entry `base + 1 + i` of its log as it was written. */
interface Seen {
  base: number;
  baseTerm: number;
  terms: number[];
  commitIndex: number;
  appliedIndex: number;
  role: ReplicaStatus['role'];
  term: number;
  /** Votes that must not leave before their mark is durable. */
  votes: Vote[];
  /** Acknowledgements that must not, in the order of their marks. */
  acknowledgements: Acknowledgement[];
}

interface Applied {
  readonly term: number;
  readonly fingerprint: number;
}

interface Written {
  readonly previousTerm: number;
  readonly fingerprint: number;
}

/** Terms stay far below this in any run that a machine can finish. */
const TERMS = 0x100000;

export class Invariants {
  readonly #violated: (rule: string, sentence: string) => void;
  #seen: Seen[];
  #promised: Promised[];
  /** By term. */
  #leaders = new Map<number, number>();
  /** By index - 1. */
  #applied: Applied[] = [];
  /** By index * TERMS + term. */
  #written = new Map<number, Written>();
  /** By member * TERMS + term: whom it voted for. */
  #votes = new Map<number, number>();
  /** By term: the highest index that a member in that term knew to be committed. */
  #committed = new Map<number, number>();
  #acknowledgedIndex = 0;
  #installed = 0;
  #membershipChanges = 0;
  /** The newest committed anywhere; null: none was. */
  #configuration: Configuration | null = null;
  #configurationIndex = 0;

  constructor(members: number, violated: (rule: string, sentence: string) => void) {
    this.#violated = violated;
    this.#seen = Array.from({ length: members + 1 }, nothingSeen);
    this.#promised = Array.from({ length: members + 1 }, nothingPromised);
  }

  /** Terms that had a leader. */
  get elections(): number {
    return this.#leaders.size;
  }

  /** How often a leader's snapshot took the place of a member's log. */
  get snapshotsInstalled(): number {
    return this.#installed;
  }

  /** How many were complete. */
  get membershipChanges(): number {
    return this.#membershipChanges;
  }

  get configuration(): Configuration | null {
    return this.#configuration;
  }

  isRemoved(member: number): boolean {
    return this.#configuration !== null && wasRemoved(this.#configuration, member);
  }

  onMembershipChanged(): void {
    this.#membershipChanges++;
  }

  /** The highest index applied anywhere. */
  get appliedIndex(): number {
    return this.#applied.length;
  }

  /** The highest index whose proposal was acknowledged to a client. */
  get acknowledgedIndex(): number {
    return this.#acknowledgedIndex;
  }

  onStart(member: number, recovered: Recovered): void {
    const seen = nothingSeen();
    const first = recovered.entries[0];
    const trails = first !== undefined && first.index <= recovered.snapshotIndex;
    seen.base = trails ? first.index - 1 : recovered.snapshotIndex;
    seen.baseTerm = trails ? -1 : recovered.snapshotTerm;
    seen.terms = recovered.entries.map((entry) => entry.term);
    seen.term = recovered.term;
    // A driver may load the state machine before it starts the replica.
    seen.appliedIndex = this.#of(member).appliedIndex;
    this.#seen[member] = seen;
    this.#checkMemory(member, recovered);
  }

  /** Another disk is in its place: what it knew is gone, and it may not act as if it knew (R26). */
  onWiped(member: number): void {
    this.#promised[member] = nothingPromised();
  }

  /** A leader's snapshot took the place of the whole log. */
  onInstalled(member: number, index: number, term: number): void {
    const seen = this.#of(member);
    seen.base = index;
    seen.baseTerm = term;
    seen.terms = [];
    this.#installed++;
  }

  /** The process is gone: what it emitted without its mark being durable never left. */
  onCrash(member: number): void {
    this.#seen[member] = nothingSeen();
  }

  onEffect(member: number, effect: Effect<RaftMessage>): void {
    if (effect.type === 'apply' && isConfiguration(effect.entry)) this.#onConfiguration(effect.entry);
    if (effect.type === 'persist' && effect.record.type === 'entry') this.#onWritten(member, effect.record.entry);
    if (effect.type !== 'send') return;
    const { to, after, message } = effect;
    if (message.type === 'appended') {
      const { term, matchIndex: index } = message;
      this.#of(member).acknowledgements.push({ term, index, after });
    } else if (message.type === 'voteReply' && message.granted && !message.preVote) {
      this.#of(member).votes.push({ term: message.term, candidate: to, after });
    } else {
      return;
    }
    this.onPersisted(member, 0);
  }

  /** Votes (Raft §5.2) count from when they may leave: one per member and term, whatever crashes or is wiped (R2, R26). */
  onPersisted(member: number, mark: number): void {
    const seen = this.#of(member);
    const promised = this.#promisedOf(member);
    while (seen.acknowledgements.length > 0) {
      const { term, index, after } = seen.acknowledgements[0] as Acknowledgement;
      if (after > mark) break;
      seen.acknowledgements.shift();
      acknowledge(promised, term, index);
    }
    if (seen.votes.length === 0) return;
    for (const { term, candidate, after } of seen.votes) {
      if (after > mark) continue;
      if (term >= promised.term) {
        promised.term = term;
        promised.votedFor = candidate;
      }
      const key = member * TERMS + term;
      const earlier = this.#votes.get(key);
      if (earlier !== undefined && earlier !== candidate) {
        this.#violated(
          'One vote per term',
          `member ${member} voted for ${earlier} and for ${candidate} in term ${term}`,
        );
      }
      this.#votes.set(key, candidate);
    }
    seen.votes = seen.votes.filter((vote) => vote.after > mark);
  }

  /** State Machine Safety (Raft §5.4.3): an index is applied as one entry, by every member, in every life. */
  onApplied(member: number, entry: Entry): void {
    const seen = this.#of(member);
    const { index, term } = entry;
    if (index !== seen.appliedIndex + 1) {
      this.#violated('Apply order', `member ${member} applied index ${index} after ${seen.appliedIndex}`);
    }
    seen.appliedIndex = index;
    this.#promisedOf(member).appliedIndex = index;
    const fingerprint = fingerprintOf(entry);
    const earlier = this.#applied[index - 1];
    if (earlier === undefined) {
      this.#applied.push({ term, fingerprint });
    } else if (earlier.fingerprint !== fingerprint) {
      const terms = `of term ${term}, where another was applied, of term ${earlier.term}`;
      this.#violated('State Machine Safety', `member ${member} applied at index ${index} an entry ${terms}`);
    }
  }

  /** §6: voters change only through a joint configuration of the old ones and the new ones, which is left as it is. */
  #onConfiguration({ index, command }: Entry): void {
    if (index <= this.#configurationIndex) return;
    const next = decodeConfiguration(command);
    const before = this.#configuration;
    this.#configuration = next;
    this.#configurationIndex = index;
    if (before === null) return;
    const [incoming, outgoing] = votingSets(next).map(String);
    const [previous] = votingSets(before).map(String);
    const fits = next.joint ? !before.joint && outgoing === previous : incoming === previous;
    if (fits && next.nextMember >= before.nextMember) return;
    const sentence = `the configuration at index ${index} does not follow from the one before it`;
    this.#violated('Joint consensus', `${sentence}: voters [${previous}], then [${incoming}]`);
  }

  /** The state machine's state was replaced by a snapshot's, or by what the member found at its start. */
  onLoaded(member: number, appliedIndex: number): void {
    this.#of(member).appliedIndex = appliedIndex;
  }

  onAcknowledged(index: number, term: number): void {
    const applied = this.#applied[index - 1];
    if (applied?.term !== term) {
      this.#violated(
        'Acknowledged',
        `index ${index} of term ${term} was acknowledged, but that entry was never applied`,
      );
    }
    if (index > this.#acknowledgedIndex) this.#acknowledgedIndex = index;
  }

  onStatus(member: number, status: ReplicaStatus): void {
    const seen = this.#of(member);
    if (status.commitIndex < seen.commitIndex) {
      this.#violated('Commit index', `member ${member} went back from ${seen.commitIndex} to ${status.commitIndex}`);
    }
    if (status.term < seen.term) {
      this.#violated('Current term', `member ${member} went back from term ${seen.term} to ${status.term}`);
    }
    if (status.commitIndex > status.lastIndex) {
      this.#violated(
        'Commit index',
        `member ${member} commits ${status.commitIndex}, its log ends at ${status.lastIndex}`,
      );
    }
    if (seen.appliedIndex > status.commitIndex) {
      this.#violated('Apply order', `member ${member} applied ${seen.appliedIndex}, committed ${status.commitIndex}`);
    }
    if (status.role === 'leader' && (seen.role !== 'leader' || seen.term !== status.term))
      this.#onLeader(member, status);
    if (status.commitIndex > seen.commitIndex) {
      const committed = this.#committed.get(status.term) ?? 0;
      if (status.commitIndex > committed) this.#committed.set(status.term, status.commitIndex);
    }
    seen.commitIndex = status.commitIndex;
    seen.role = status.role;
    seen.term = status.term;
  }

  /** Everything that is kept, once more and from the start: what the steps saw must also hold of the whole. */
  sweep(): void {
    for (let i = 0; i < this.#applied.length; i++) {
      const applied = defined(this.#applied[i], 'applied entries have no gap');
      const written = this.#written.get((i + 1) * TERMS + applied.term);
      if (written !== undefined && written.fingerprint !== applied.fingerprint) {
        this.#violated('State Machine Safety', `index ${i + 1} was applied as another entry than was written`);
      }
    }
    for (const [member, { base, terms, commitIndex }] of this.#seen.entries()) {
      for (let i = base; i < commitIndex && i - base < terms.length; i++) {
        const applied = this.#applied[i];
        if (applied !== undefined && applied.term !== terms[i - base]) {
          this.#violated('Log Matching', `member ${member} holds another committed entry at ${i + 1} than was applied`);
        }
      }
    }
  }

  save(writer: ByteWriter): void {
    writer.string(
      JSON.stringify({
        seen: this.#seen,
        promised: this.#promised,
        leaders: [...this.#leaders],
        applied: this.#applied,
        written: [...this.#written],
        votes: [...this.#votes],
        committed: [...this.#committed],
        acknowledgedIndex: this.#acknowledgedIndex,
        installed: this.#installed,
        membershipChanges: this.#membershipChanges,
        configurationIndex: this.#configurationIndex,
        configuration: this.#configuration === null ? [] : [...encodeConfiguration(this.#configuration)],
      }),
    );
  }

  load(reader: ByteReader): void {
    const saved = JSON.parse(reader.string());
    this.#seen = saved.seen;
    this.#promised = saved.promised;
    this.#leaders = new Map(saved.leaders);
    this.#applied = saved.applied;
    this.#written = new Map(saved.written);
    this.#votes = new Map(saved.votes);
    this.#committed = new Map(saved.committed);
    this.#acknowledgedIndex = saved.acknowledgedIndex;
    this.#installed = saved.installed;
    this.#membershipChanges = saved.membershipChanges;
    this.#configurationIndex = saved.configurationIndex;
    const bytes = Uint8Array.from(saved.configuration);
    this.#configuration = bytes.length === 0 ? null : decodeConfiguration(bytes);
  }

  /** What left a member must have been durable before (Raft, Figure 2; R2, R20, R28): so it knows it when it starts again. */
  #checkMemory(member: number, recovered: Recovered): void {
    const { term, votedFor, acknowledgedTerm, acknowledgedIndex, appliedIndex } = this.#promisedOf(member);
    const lastIndex = recovered.entries.at(-1)?.index ?? recovered.snapshotIndex;
    if (recovered.term < term) {
      this.#violated('Memory', `member ${member} acted in term ${term}, and starts again in term ${recovered.term}`);
    }
    if (recovered.term === term && votedFor !== 0 && recovered.votedFor !== votedFor) {
      const sentence = `member ${member} voted for ${votedFor} in term ${term}, and has forgotten it when it starts again`;
      this.#violated('Memory', sentence);
    }
    if (recovered.term === acknowledgedTerm && lastIndex < acknowledgedIndex) {
      const sentence = `member ${member} acknowledged entries up to ${acknowledgedIndex} in term ${acknowledgedTerm}`;
      this.#violated('Memory', `${sentence}, and starts again with a log that ends at ${lastIndex}`);
    }
    if (lastIndex < appliedIndex) {
      this.#violated(
        'Memory',
        `member ${member} applied ${appliedIndex}, and starts again with a log that ends at ${lastIndex}`,
      );
    }
  }

  /** Election Safety (Raft §5.2), and Leader Completeness (§5.4) as far as lengths of logs show it. */
  #onLeader(member: number, status: ReplicaStatus): void {
    const earlier = this.#leaders.get(status.term);
    if (earlier !== undefined && earlier !== member) {
      this.#violated('Election Safety', `members ${earlier} and ${member} both lead term ${status.term}`);
    }
    this.#leaders.set(status.term, member);
    const promised = this.#promisedOf(member);
    promised.term = status.term;
    promised.votedFor = member;
    this.#checkComplete(member, status);
  }

  /**
   * What a member knew to be committed in an earlier term is in a new leader's log. An entry of an earlier term does
   * not count for that alone: a late vote may make a leader of a term that others have left, without entries which
   * only they have committed.
   */
  #checkComplete(member: number, { term, lastIndex }: ReplicaStatus): void {
    let through = 0;
    for (const [committedIn, index] of this.#committed) {
      if (committedIn >= term) continue;
      if (index > lastIndex) {
        const sentence = `member ${member} leads term ${term} with a log that ends at ${lastIndex}`;
        this.#violated('Leader Completeness', `${sentence}, but ${index} was committed by term ${committedIn}`);
      }
      through = Math.max(through, index);
    }
    const { base, terms } = this.#of(member);
    for (let i = base; i < through && i - base < terms.length; i++) {
      const applied = this.#applied[i];
      if (applied !== undefined && terms[i - base] !== applied.term) {
        const sentence = `member ${member} leads term ${term} with another entry at ${i + 1}`;
        this.#violated('Leader Completeness', `${sentence} than the one committed before, of term ${applied.term}`);
      }
    }
  }

  /** Log Matching and Leader Append-Only (Raft §5.3), by induction over single entries. */
  #onWritten(member: number, entry: Entry): void {
    const seen = this.#of(member);
    const { index, term } = entry;
    const last = seen.base + seen.terms.length;
    if (seen.role === 'leader' && seen.term === term && index <= last) {
      this.#violated('Leader Append-Only', `member ${member} leads term ${term} and rewrote its index ${index}`);
    }
    if (index <= seen.appliedIndex) {
      this.#violated('State Machine Safety', `member ${member} rewrote index ${index}, which it had applied`);
    }
    if (index > last + 1 || index <= seen.base) {
      // A snapshot was installed: what came before the entry is not visible here.
      seen.base = index - 1;
      seen.baseTerm = -1;
      seen.terms = [term];
      return;
    }
    const previousTerm = index - 1 === seen.base ? seen.baseTerm : (seen.terms[index - 2 - seen.base] as number);
    seen.terms.length = index - 1 - seen.base;
    seen.terms.push(term);
    if (previousTerm === -1) return;
    const fingerprint = fingerprintOf(entry);
    const key = index * TERMS + term;
    const earlier = this.#written.get(key);
    if (earlier === undefined) {
      this.#written.set(key, { previousTerm, fingerprint });
    } else if (earlier.fingerprint !== fingerprint || earlier.previousTerm !== previousTerm) {
      this.#violated('Log Matching', `member ${member} wrote another entry at index ${index} of term ${term}`);
    }
  }

  #promisedOf(member: number): Promised {
    return defined(this.#promised[member], 'a member has an id from 1 to n');
  }

  #of(member: number): Seen {
    return defined(this.#seen[member], 'a member has an id from 1 to n');
  }
}

function nothingSeen(): Seen {
  return {
    base: 0,
    baseTerm: 0,
    terms: [],
    commitIndex: 0,
    appliedIndex: 0,
    role: 'follower',
    term: 0,
    votes: [],
    acknowledgements: [],
  };
}

function nothingPromised(): Promised {
  return { term: 0, votedFor: 0, acknowledgedTerm: 0, acknowledgedIndex: 0, appliedIndex: 0 };
}

function acknowledge(promised: Promised, term: number, index: number): void {
  if (term > promised.term) {
    promised.term = term;
    promised.votedFor = 0;
  }
  if (term > promised.acknowledgedTerm || index > promised.acknowledgedIndex) promised.acknowledgedIndex = index;
  promised.acknowledgedTerm = term;
}

function fingerprintOf(entry: Entry): number {
  const hash = new RollingHash();
  hash.add(entry.index);
  hash.add(entry.term);
  hash.add(entry.origin?.member ?? 0);
  hash.add(entry.origin?.boot ?? 0);
  hash.add(entry.origin?.sequence ?? 0);
  hash.addBytes(entry.command);
  return hash.number();
}
