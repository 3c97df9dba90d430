/**
 * A replica of the leaderless registers: events in, effects out (SPEC.md). It coordinates the requests that come to it,
 * and holds versions for the others. It has no clock, disk, socket or randomness of its own.
 */
import { unreachable } from '../base/assert.ts';
import { type ByteReader, ByteWriter, utf8 } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import type { VectorClock } from '../clocks/index.ts';
import { Audit } from './audit.ts';
import { Coordinator } from './coordinator.ts';
import { type Counters, Desk, type Sequel } from './desk.ts';
import type { Moment, RegisterEvent, RegisterOutbox } from './effects.ts';
import { Exchange } from './exchange.ts';
import type { RegisterMessage } from './message.ts';
import type { RegistersOptions } from './options.ts';
import type { RegisterRecord } from './record.ts';
import { notApplied } from './request.ts';
import { compareTags, type Tag, type Version } from './version.ts';

export interface RegistersStatus {
  readonly started: boolean;
  /** It takes part in majorities. */
  readonly joined: boolean;
  /** Every peer knows this directory. */
  readonly bound: boolean;
  readonly records: number;
  /** Versions that wait for what precedes them. */
  readonly uncovered: number;
  readonly vector: VectorClock;
  readonly collectedThrough: Tag | null;
  readonly collected: number;
  readonly superseded: number;
  readonly hintBacklog: number;
  readonly underway: number;
  readonly stalenessMs: number | null;
  /** Tombstones cannot go before these are back (PITFALLS G12). */
  readonly away: readonly number[];
  readonly counters: Readonly<Counters>;
}

/** Names the set of members: a message of another set is not for this store. */
export function configurationId(members: readonly number[]): number {
  return crc32c(utf8([...members].sort((a, b) => a - b).join()));
}

export class Registers {
  readonly #desk: Desk;
  readonly #exchange: Exchange;
  readonly #coordinator: Coordinator;
  readonly #audit: Audit;
  #started = false;

  constructor(options: RegistersOptions, outbox: RegisterOutbox) {
    const perform = (record: RegisterRecord, sequel: Sequel): void => this.#perform(record, sequel);
    this.#desk = new Desk(options, outbox);
    this.#exchange = new Exchange(this.#desk, perform);
    this.#coordinator = new Coordinator(this.#desk, this.#exchange, configurationId(options.members), perform);
    this.#audit = new Audit(this.#desk, perform);
  }

  step(now: Moment, event: RegisterEvent): void {
    this.#desk.now = now;
    switch (event.type) {
      case 'start':
        this.#started = true;
        this.#desk.start(event.boot, event.records);
        return this.#tick();
      case 'receive':
        if (this.#started && this.#isForMe(event)) this.#onReceive(event.from, event.directory, event.message);
        return;
      case 'request':
        if (this.#started) return this.#coordinator.onRequest(event.id, event.request);
        return this.#desk.answer(event.id, notApplied('Starting'));
      case 'cancel':
        return this.#coordinator.cancel(event.id);
      case 'tick':
        if (this.#started) this.#tick();
        return;
      case 'persisted':
        return this.#desk.onPersisted(event.mark, (record, sequel) => this.#perform(record, sequel));
      default:
        return unreachable(event);
    }
  }

  /** The next time, by the monotonic clock, at which it wants a tick. */
  deadlineUs(): number {
    if (!this.#started) return Number.POSITIVE_INFINITY;
    return Math.min(this.#exchange.deadlineUs(), this.#coordinator.deadlineUs(), this.#audit.deadlineUs());
  }

  status(): RegistersStatus {
    const { store, counters } = this.#desk;
    return {
      started: this.#started,
      joined: store.joined,
      bound: this.#exchange.boundEverywhere,
      records: store.records,
      uncovered: store.uncovered,
      vector: store.vector,
      collectedThrough: store.collectedThrough,
      collected: store.collected,
      superseded: store.superseded,
      hintBacklog: this.#exchange.hintBacklog,
      underway: this.#coordinator.underway,
      stalenessMs: this.#exchange.stalenessMs(),
      away: this.#exchange.away(),
      counters: { ...counters },
    };
  }

  /** The highest tag that this key has or had here, as far as is known. */
  highestTag(key: string): Tag | null {
    return this.#desk.store.floor(key);
  }

  /** What members that have come to rest have alike. */
  digest(): Uint8Array {
    const writer = new ByteWriter();
    this.#desk.store.digest(writer);
    return writer.finish();
  }

  #tick(): void {
    this.#exchange.tick();
    this.#coordinator.tick();
    this.#audit.tick();
  }

  #isForMe({ addressee, message }: Extract<RegisterEvent, { type: 'receive' }>): boolean {
    const { directory, rules } = this.#desk;
    return message.type === 'join' || addressee === directory || !rules.knowsGoneDirectories;
  }

  #onReceive(from: number, directory: number, message: RegisterMessage): void {
    const { store, rules, peers } = this.#desk;
    if (!peers.includes(from)) return;
    // Of a directory that is gone, or not known yet, nothing is believed (PITFALLS G6).
    if (rules.knowsGoneDirectories && store.isGone(directory)) return;
    if (message.type === 'join') return this.#exchange.onJoin(from, directory);
    if (rules.knowsGoneDirectories && store.binding(from) !== directory) return;
    this.#onMessage(from, directory, message);
  }

  #onMessage(from: number, directory: number, message: Exclude<RegisterMessage, { type: 'join' }>): void {
    switch (message.type) {
      case 'bound':
        return this.#exchange.onWelcome(from, message.joined);
      case 'query':
        return this.#onQuery(from, message.operation, message.round, message.key);
      case 'queried':
        return this.#coordinator.onQueried(from, directory, message);
      case 'store':
        return this.#onStore(from, message.operation, message.round, message.version);
      case 'stored':
        return this.#coordinator.onStored(from, directory, message);
      case 'push':
        return this.#exchange.onPush(from, message.version);
      case 'pushed':
        return this.#exchange.onPushed(from, message.origin, message.sequence);
      case 'weak':
        return this.#audit.onWeak(message.version);
      case 'pull':
        return this.#exchange.onPull(from, message);
      case 'delta':
        return this.#exchange.onDelta(from, message);
      case 'audit':
        return this.#audit.onAudit(from, message);
      case 'repair':
        return this.#audit.onRepair(from, message);
      default:
        return unreachable(message);
    }
  }

  #onQuery(from: number, operation: number, round: number, key: string): void {
    const { store } = this.#desk;
    const vote = { votes: store.joined, bindings: this.#desk.bindings() };
    const answer = { version: store.newest(key), floor: store.floor(key) };
    this.#desk.send(from, { type: 'queried', operation, round, ...answer, ...vote });
  }

  #onStore(to: number, operation: number, round: number, version: Version): void {
    if (version.dot === null) return;
    const { store } = this.#desk;
    this.#desk.hearTag(version.tag);
    if (store.knows(version)) return this.#sendStored(to, operation, round, version);
    const record = { type: 'install', versions: [version], vector: null } as const;
    this.#desk.persist(record, { type: 'stored', to, operation, round }, (done, sequel) => this.#perform(done, sequel));
  }

  #sendStored(to: number, operation: number, round: number, version: Version): void {
    const { store } = this.#desk;
    const here = store.durable(version.key);
    const newer = compareTags(here?.tag ?? null, version.tag) > 0 ? here : null;
    const vote = { votes: store.joined, bindings: this.#desk.bindings() };
    this.#desk.send(to, { type: 'stored', operation, round, newer, ...vote });
  }

  /** A record is durable and applied. */
  #perform(record: RegisterRecord, sequel: Sequel): void {
    const version = record.type === 'install' ? record.versions[0] : undefined;
    switch (sequel.type) {
      case 'nothing':
        break;
      case 'stored':
        if (version !== undefined) this.#sendStored(sequel.to, sequel.operation, sequel.round, version);
        break;
      case 'pushed':
        if (version !== undefined) this.#exchange.acknowledge(sequel.to, version);
        break;
      case 'bound':
        this.#exchange.onBound(sequel.to);
        break;
      case 'logged':
        this.#coordinator.onLogged(sequel.operation, sequel.round);
        break;
      default:
        return unreachable(sequel);
    }
    this.#coordinator.onApplied();
  }

  save(writer: ByteWriter): void {
    writer.bool(this.#started);
    this.#desk.save(writer);
    this.#exchange.save(writer);
    this.#coordinator.save(writer);
    this.#audit.save(writer);
  }

  load(reader: ByteReader): void {
    this.#started = reader.bool();
    this.#desk.load(reader);
    this.#exchange.load(reader);
    this.#coordinator.load(reader);
    this.#audit.load(reader);
  }
}
