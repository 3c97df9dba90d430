/** What the parts of one replica share: its store, its clock, its journal, and the way out. */
import { assert, defined } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { compareHybridTimes, HybridClock, type HybridTime, successorOf, VectorClock } from '../clocks/index.ts';
import { readList, writeList } from '../consensus/entry-codec.ts';
import type { Mark } from '../consensus/replica.ts';
import type { Moment, RegisterOutbox } from './effects.ts';
import type { RegisterMessage } from './message.ts';
import {
  type Bucket,
  MAX_DRIFT_MS,
  REGISTER_LIMITS,
  REGISTER_TIMING,
  type RegisterLimits,
  type RegistersOptions,
  type RegisterTiming,
} from './options.ts';
import { type RegisterRecord, readRegisterRecord, writeRegisterRecord } from './record.ts';
import type { RegisterOutcome } from './request.ts';
import { REGISTER_RULES, type RegisterRules } from './rules.ts';
import { Store } from './store.ts';
import { originOf, type Tag, type Version } from './version.ts';

/** What is done once a record is durable, and has been applied. */
export type Sequel =
  | { readonly type: 'nothing' }
  | { readonly type: 'stored'; readonly to: number; readonly operation: number; readonly round: number }
  | { readonly type: 'pushed'; readonly to: number }
  | { readonly type: 'bound'; readonly to: number }
  /** The coordinator's own copy. */
  | { readonly type: 'logged'; readonly operation: number; readonly round: number };

export interface Counters {
  unknownOutcomes: number;
  readRepairs: number;
  driftRefusals: number;
  degraded: number;
  contended: number;
  waits: number;
  hintsDelivered: number;
  hintsDropped: number;
  auditRepairs: number;
  malformedTokens: number;
}

export const COUNTERS = [
  'unknownOutcomes',
  'readRepairs',
  'driftRefusals',
  'degraded',
  'contended',
  'waits',
  'hintsDelivered',
  'hintsDropped',
  'auditRepairs',
  'malformedTokens',
] as const satisfies readonly (keyof Counters)[];

interface Pending {
  readonly mark: Mark;
  readonly record: RegisterRecord;
  readonly sequel: Sequel;
}

export class Desk {
  readonly member: number;
  readonly members: readonly number[];
  readonly peers: readonly number[];
  readonly directory: number;
  readonly origin: string;
  readonly timing: RegisterTiming;
  readonly limits: RegisterLimits;
  readonly rules: RegisterRules;
  readonly store: Store;
  readonly clock: HybridClock;
  readonly counters = Object.fromEntries(COUNTERS.map((name) => [name, 0])) as unknown as Counters;
  readonly #buckets: readonly Bucket[];
  readonly #maxDriftMs: number;
  readonly #outbox: RegisterOutbox;
  now: Moment = { monotonicUs: 0, wallMs: 0 };
  boot = 0;
  #mark: Mark = 0;
  #pending: Pending[] = [];
  #lastSequence = 0;
  /** Tags given out for keys whose versions are not durable yet. */
  #issued = new Map<string, HybridTime>();
  /** By how much, at least, each peer's wall was behind this one's when it last told, in ms. */
  #ahead = new Map<number, number>();

  constructor(options: RegistersOptions, outbox: RegisterOutbox) {
    const { member, members, directory } = options;
    assert(members.includes(member), 'a replica is one of the configured members');
    assert(directory > 0, 'a data directory has an id');
    this.member = member;
    this.members = [...members].sort((a, b) => a - b);
    this.peers = this.members.filter((id) => id !== member);
    this.directory = directory;
    this.origin = originOf(member, directory);
    this.timing = options.timing ?? REGISTER_TIMING;
    this.limits = { ...REGISTER_LIMITS, ...options.limits };
    this.rules = options.rules ?? REGISTER_RULES;
    this.#buckets = [...(options.buckets ?? [])].sort((a, b) => b.prefix.length - a.prefix.length);
    this.#maxDriftMs = options.maxDriftMs ?? MAX_DRIFT_MS;
    this.#outbox = outbox;
    this.store = new Store(this.rules);
    const bound = this.rules.boundsDrift ? this.#maxDriftMs : Number.MAX_SAFE_INTEGER;
    this.clock = new HybridClock({ maxDriftMs: bound });
  }

  get majority(): number {
    return Math.floor(this.members.length / 2) + 1;
  }

  admits(key: string): Bucket['admits'] {
    return this.#buckets.find(({ prefix }) => key.startsWith(prefix))?.admits ?? 'any';
  }

  /** Directories by member, in their order; 0: none is known. */
  bindings(): number[] {
    return this.members.map((id) => (id === this.member ? this.directory : this.store.binding(id)));
  }

  start(boot: number, records: readonly RegisterRecord[]): void {
    this.boot = boot;
    for (const record of records) this.store.apply(record);
    this.#lastSequence = this.store.lastSequence(this.member, this.directory);
  }

  /** To the directory that is known of the peer: what was meant for an earlier one means nothing to the next. */
  send(to: number, message: RegisterMessage, after: Mark = 0): void {
    const addressee = message.type === 'join' ? 0 : this.store.binding(to);
    if (addressee === 0 && message.type !== 'join') return;
    this.#outbox.put({ type: 'send', to, addressee, message, after: this.rules.logsFirst ? after : 0 });
  }

  answer(id: number, outcome: RegisterOutcome): void {
    this.#outbox.put({ type: 'answer', id, outcome, after: 0 });
  }

  /** What it does to the store, and what follows, happens when it is durable: what is not on disk does not exist. */
  persist(record: RegisterRecord, sequel: Sequel, perform: (record: RegisterRecord, sequel: Sequel) => void): Mark {
    const mark = ++this.#mark;
    this.#outbox.put({ type: 'persist', mark, record });
    if (this.rules.logsFirst) this.#pending.push({ mark, record, sequel });
    else {
      this.#apply(record);
      perform(record, sequel);
    }
    return mark;
  }

  onPersisted(mark: Mark, perform: (record: RegisterRecord, sequel: Sequel) => void): void {
    while ((this.#pending[0]?.mark ?? Number.POSITIVE_INFINITY) <= mark) {
      const { record, sequel } = defined(this.#pending.shift(), 'there is a first');
      this.#apply(record);
      perform(record, sequel);
    }
  }

  #apply(record: RegisterRecord): void {
    this.store.apply(record);
    if (record.type !== 'install') return;
    for (const { key, tag } of record.versions) {
      const issued = this.#issued.get(key);
      if (issued !== undefined && compareHybridTimes(tag.time, issued) >= 0) this.#issued.delete(key);
    }
  }

  /** A version of its own with the next dot, to be logged before anything else. */
  mint(key: string, tag: Tag, value: Uint8Array | null, dependencies = VectorClock.empty): Version {
    this.#lastSequence++;
    return { key, tag, dot: { origin: this.origin, sequence: this.#lastSequence }, dependencies, value };
  }

  /**
   * A tag above `floor` and everything that this member knows of the key; null: this member's clock cannot be trusted.
   * `insists`: where the floor is known from a majority, its successor is right wherever the clocks are (PITFALLS G14).
   */
  newTag(key: string, floor: Tag | null, insists: boolean): Tag | null {
    const known = this.rules.compare(floor, this.store.floor(key)) >= 0 ? floor : this.store.floor(key);
    const issued = this.#issued.get(key);
    let least = known?.time ?? null;
    if (issued !== undefined && (least === null || compareHybridTimes(issued, least) > 0)) least = issued;
    let time = this.#reading();
    if (time === null) {
      this.counters.driftRefusals++;
      if (!insists) return null;
      time = least === null ? { physicalMs: 0, logical: 0 } : successorOf(least);
    }
    if (least !== null && compareHybridTimes(time, least) <= 0) {
      if (!this.rules.allowsSuccessors) return null;
      time = successorOf(least);
    }
    this.#issued.set(key, time);
    return { time, member: this.member, incarnation: this.directory, boot: this.boot };
  }

  #reading(): HybridTime | null {
    if (this.rules.boundsDrift && this.#isAheadOfMost()) return null;
    const reading = this.clock.send(this.now.wallMs);
    return reading.type === 'time' ? reading.time : null;
  }

  /** A wall clock that is far ahead of a majority's would date everything into their future. */
  #isAheadOfMost(): boolean {
    const behind = [...this.#ahead.values()].filter((aheadMs) => aheadMs > this.#maxDriftMs).length;
    return behind >= this.majority;
  }

  /** The peer's wall showed `wallMs` at some time after this one's had shown `askedMs`. */
  hearWall(peer: number, askedMs: number, wallMs: number): void {
    this.#ahead.set(peer, askedMs - wallMs);
  }

  /** What was received moves the clock, within its bound; beyond it the version is taken, and the clock stays. */
  hearTag(tag: Tag): void {
    if (this.clock.receive(tag.time, this.now.wallMs).type === 'drift') this.counters.driftRefusals++;
  }

  save(writer: ByteWriter): void {
    this.store.save(writer);
    this.clock.save(writer);
    for (const name of COUNTERS) writer.varint(this.counters[name]);
    writer.varint(this.boot);
    writer.varint(this.#mark);
    writeList(writer, this.#pending, (to, { mark, record, sequel }) => {
      to.varint(mark);
      writeRegisterRecord(to, record);
      to.string(JSON.stringify(sequel));
    });
    writer.varint(this.#lastSequence);
    writer.string(JSON.stringify([[...this.#issued], [...this.#ahead]]));
  }

  load(reader: ByteReader): void {
    this.store.load(reader);
    this.clock.load(reader);
    for (const name of COUNTERS) this.counters[name] = reader.varint();
    this.boot = reader.varint();
    this.#mark = reader.varint();
    this.#pending = readList(reader, (from) => {
      const mark = from.varint();
      const record = readRegisterRecord(from);
      return { mark, record, sequel: JSON.parse(from.string()) };
    });
    this.#lastSequence = reader.varint();
    const [issued, ahead] = JSON.parse(reader.string());
    this.#issued = new Map(issued);
    this.#ahead = new Map(ahead);
  }
}
