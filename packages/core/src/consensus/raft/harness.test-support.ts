/** One Raft member on a bench: events in by hand, effects out to look at. */
import { ByteReader, ByteWriter, utf8 } from '../../base/bytes.ts';
import type { Effect, Entry, LogRecord, Recovered, ReplicaEvent } from '../replica.ts';
import { RAFT_RULES, Raft, type RaftMessage, type RaftRules } from './index.ts';
import type { SnapshotTransferOptions } from './snapshot-transfer.ts';

export type RaftEffect = Effect<RaftMessage>;
type EffectOf<T extends RaftEffect['type']> = Extract<RaftEffect, { type: T }>;
export type MessageOf<T extends RaftMessage['type']> = Extract<RaftMessage, { type: T }>;

/** Their defaults; the bench's random draws are all 0, so that an election is due after exactly one time-out. */
export const ELECTION_US = 1_000_000;
export const HEARTBEAT_US = 100_000;
export const PROPOSAL_US = 5_000_000;

export interface BenchOptions {
  readonly member?: number;
  readonly members?: number;
  readonly rules?: Partial<RaftRules>;
  readonly term?: number;
  readonly votedFor?: number;
  /** The terms of the recovered entries, from index 1. */
  readonly log?: readonly number[];
  readonly registered?: boolean;
  readonly leaseReads?: boolean;
  readonly reluctance?: number;
  readonly directories?: ReadonlyMap<number, number>;
  readonly snapshots?: Partial<SnapshotTransferOptions>;
}

export function directoryOf(member: number): number {
  return 100 + member;
}

/** Without a command: a leader's no-op. */
export function entry(index: number, term: number, command = ''): Entry {
  const origin = command === '' ? null : { member: 1, boot: 1, sequence: index, acknowledgedThrough: 0 };
  return { index, term, origin, command: utf8(command) };
}

export class Bench {
  raft: Raft;
  readonly effects: RaftEffect[] = [];
  readonly members: readonly number[];
  nowUs = 0;
  lastMark = 0;
  readonly #options: BenchOptions;

  constructor(options: BenchOptions = {}) {
    this.#options = options;
    this.members = Array.from({ length: options.members ?? 3 }, (_, i) => i + 1);
    this.raft = this.#make();
    const terms = options.log ?? [];
    const recovered: Recovered = {
      boot: 1,
      term: options.term ?? terms.at(-1) ?? 0,
      votedFor: options.votedFor ?? 0,
      snapshotIndex: 0,
      snapshotTerm: 0,
      snapshotFile: '',
      entries: terms.map((term, i) => entry(i + 1, term)),
      directories: options.directories ?? new Map(this.members.map((member) => [member, directoryOf(member)])),
      registered: options.registered ?? true,
    };
    this.step({ type: 'start', recovered, configuration: new Uint8Array(0) });
  }

  #make(): Raft {
    const member = this.#options.member ?? 1;
    const { members } = this;
    const { leaseReads = false, reluctance = 0, snapshots = {} } = this.#options;
    const random = { below: () => 0 };
    const options = { member, directory: directoryOf(member), members, random, leaseReads, reluctance, snapshots };
    return new Raft({ ...options, rules: { ...RAFT_RULES, ...this.#options.rules } }, { put: (e) => this.#put(e) });
  }

  #put(effect: RaftEffect): void {
    this.effects.push(effect);
    if (effect.type === 'persist') this.lastMark = effect.mark;
  }

  /** The effects of this event and of the flush that ends its batch. */
  step(event: ReplicaEvent<RaftMessage>): RaftEffect[] {
    const before = this.effects.length;
    this.raft.step(this.nowUs, event);
    this.raft.step(this.nowUs, { type: 'flush' });
    return this.effects.slice(before);
  }

  receive(from: number, message: RaftMessage): RaftEffect[] {
    return this.step({ type: 'receive', from, directory: directoryOf(from), message });
  }

  /** Time passes, and it is told so. */
  pass(us: number): RaftEffect[] {
    this.nowUs += us;
    return this.step({ type: 'tick' });
  }

  persisted(mark = this.lastMark): RaftEffect[] {
    return this.step({ type: 'persisted', mark });
  }

  propose(id: number, command = `command ${id}`): RaftEffect[] {
    return this.step({ type: 'propose', id, command: utf8(command) });
  }

  read(id: number): RaftEffect[] {
    return this.step({ type: 'read', id });
  }

  vote(from: number, preVote = false): RaftEffect[] {
    const term = this.term + (preVote ? 1 : 0);
    return this.receive(from, { type: 'voteReply', term, preVote, granted: true });
  }

  append(from: number, fields: Partial<MessageOf<'append'>> = {}): RaftEffect[] {
    const { term } = this;
    const claim = { previousIndex: 0, previousTerm: 0, entries: [], commitIndex: 0, round: 0 };
    return this.receive(from, { type: 'append', term, ...claim, ...fields });
  }

  /** The peer has everything up to `matchIndex`, and saw the newest round it was sent. */
  appended(from: number, matchIndex = this.raft.status().lastIndex): RaftEffect[] {
    const round = Math.max(0, ...this.sent('append', from).map((append) => append.round));
    return this.receive(from, { type: 'appended', term: this.term, round, matchIndex });
  }

  /** Times out and asks for pre-votes, and with enough of those for votes. */
  campaign(preVoters: readonly number[] = []): RaftEffect[] {
    const before = this.effects.length;
    this.pass(ELECTION_US);
    for (const voter of preVoters) this.vote(voter, true);
    return this.effects.slice(before);
  }

  /** Elected by all the others; its no-op is in its own log only. */
  lead(): this {
    const others = this.members.filter((member) => member !== (this.#options.member ?? 1));
    this.campaign(others.slice(0, this.members.length >> 1));
    this.persisted();
    for (const voter of others.slice(0, this.members.length >> 1)) this.vote(voter);
    if (this.role !== 'leader') throw new Error(`the bench expected a leader, not a ${this.role}`);
    return this;
  }

  /** Leads, and everything in its log is committed. */
  leadCommitted(): this {
    this.lead().persisted();
    for (const peer of this.members) if (peer !== (this.#options.member ?? 1)) this.appended(peer);
    return this;
  }

  get role(): string {
    return this.raft.status().role;
  }

  get term(): number {
    return this.raft.status().term;
  }

  get commitIndex(): number {
    return this.raft.status().commitIndex;
  }

  get lastIndex(): number {
    return this.raft.status().lastIndex;
  }

  /** What it ever sent of this kind, to all or to one. */
  sent<T extends RaftMessage['type']>(type: T, to?: number): MessageOf<T>[] {
    return sends(this.effects, type, to).map((send) => send.message);
  }

  saved(): Uint8Array {
    const writer = new ByteWriter();
    this.raft.save(writer);
    return writer.finish();
  }

  /** Goes on as a replica that knows only the saved bytes. */
  reload(): void {
    const bytes = this.saved();
    this.raft = this.#make();
    const reader = new ByteReader(bytes);
    this.raft.load(reader);
    reader.end();
  }
}

export function of<T extends RaftEffect['type']>(effects: readonly RaftEffect[], type: T): EffectOf<T>[] {
  return effects.filter((effect): effect is EffectOf<T> => effect.type === type);
}

export function sends<T extends RaftMessage['type']>(
  effects: readonly RaftEffect[],
  type: T,
  to?: number,
): (EffectOf<'send'> & { readonly message: MessageOf<T> })[] {
  return of(effects, 'send').filter(
    (send): send is EffectOf<'send'> & { readonly message: MessageOf<T> } =>
      send.message.type === type && (to === undefined || send.to === to),
  );
}

export function persists(effects: readonly RaftEffect[], type: LogRecord['type']): EffectOf<'persist'>[] {
  return of(effects, 'persist').filter((persist) => persist.record.type === type);
}
