/**
 * Serves clients' requests. Weaker levels are served from here alone; a strong request asks, and stores at, a majority
 * of the configured members (Attiya, Bar-Noy and Dolev, "Sharing memory robustly in message-passing systems", 1995),
 * with a write-back that goes on until a majority agrees, for weaker writes may hit the same key (PITFALLS G4).
 */
import { assert, defined, unreachable } from '../base/assert.ts';
import { type ByteReader, type ByteWriter, utf8 } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import { VectorClock } from '../clocks/index.ts';
import { readList, writeList } from '../consensus/entry-codec.ts';
import type { Desk } from './desk.ts';
import type { Exchange, Perform } from './exchange.ts';
import type { RegisterMessage } from './message.ts';
import { type Operation, type Reply, readOperation, writeOperation } from './operation.ts';
import {
  type FailureCode,
  isTimeout,
  type Level,
  notApplied,
  type RegisterEntry,
  type RegisterRequest,
  type Service,
} from './request.ts';
import { decodeToken, encodeToken } from './token.ts';
import { hasSuccessor, includes, laterTag, MAX_KEY_BYTES, MAX_VALUE_BYTES, type Tag, type Version } from './version.ts';

/** Questions of one boot. */
const NUMBERS = 2 ** 32;
export const MAX_RANGE_ENTRIES = 10_000;

export class Coordinator {
  readonly #desk: Desk;
  readonly #exchange: Exchange;
  readonly #configuration: number;
  readonly #perform: Perform;
  #operations = new Map<number, Operation>();
  #last = 0;

  constructor(desk: Desk, exchange: Exchange, configuration: number, perform: Perform) {
    this.#desk = desk;
    this.#exchange = exchange;
    this.#configuration = configuration;
    this.#perform = perform;
  }

  get underway(): number {
    return this.#operations.size;
  }

  deadlineUs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { deadlineUs, degradesUs, retryUs, stage } of this.#operations.values()) {
      next = Math.min(next, deadlineUs, degradesUs, stage === 'waiting' ? deadlineUs : retryUs);
    }
    return next;
  }

  // ── requests ──────────────────────────────────────────────────────────────────────────────────────────────

  onRequest(id: number, request: RegisterRequest): void {
    const refusal = this.#refusal(request);
    if (refusal !== null) return this.#desk.answer(id, notApplied(refusal));
    let seen: VectorClock | null = null;
    try {
      if (request.token !== null) seen = decodeToken(this.#configuration, request.token);
    } catch (error) {
      if (!(error instanceof PolderError)) throw error;
      this.#desk.counters.malformedTokens++;
      return this.#desk.answer(id, notApplied(error.code as FailureCode));
    }
    const { monotonicUs } = this.#desk.now;
    const number = this.#desk.boot * NUMBERS + ++this.#last;
    const { timeoutUs, degradeTo } = request;
    const operation: Operation = {
      number,
      id,
      request,
      deadlineUs: monotonicUs + timeoutUs,
      degradesUs: degradeTo === null ? Number.POSITIVE_INFINITY : monotonicUs + Math.ceil(timeoutUs / 2),
      retryUs: 0,
      stage: 'waiting',
      seen,
      round: 0,
      version: null,
      logged: false,
      replies: [],
      waited: false,
    };
    this.#operations.set(number, operation);
    this.#begin(operation);
  }

  #refusal(request: RegisterRequest): FailureCode | null {
    const key = request.type === 'range' ? request.prefix : request.key;
    if (utf8(key).length > MAX_KEY_BYTES || !isTimeout(request.timeoutUs)) return 'InvalidRequest';
    if (request.type === 'write' && (request.value?.length ?? 0) > MAX_VALUE_BYTES) return 'InvalidRequest';
    if (request.type === 'write' && request.tag !== null && request.level !== 'strong') return 'InvalidRequest';
    if (request.type === 'write' && request.tag !== null && !hasSuccessor(request.tag)) return 'InvalidRequest';
    if (request.type === 'range' && (request.limit < 1 || request.limit > MAX_RANGE_ENTRIES)) return 'InvalidRequest';
    if (request.type === 'range' && request.level === 'strong') return 'LevelRefused';
    const weaker = request.level !== 'strong' || request.degradeTo !== null;
    if (request.type === 'write' && weaker && this.#desk.admits(key) === 'strong') return 'LevelRefused';
    return this.underway >= this.#desk.limits.requests ? 'Contended' : null;
  }

  cancel(id: number): void {
    for (const operation of this.#operations.values()) {
      if (operation.id === id) return this.#giveUp(operation, 'Cancelled');
    }
  }

  /** Something has been applied: who waited for it may go on. */
  onApplied(): void {
    for (const operation of this.#operations.values()) if (operation.stage === 'waiting') this.#begin(operation);
  }

  #begin(operation: Operation): void {
    const { request, seen } = operation;
    const { store, rules } = this.#desk;
    const waits = (request.level === 'causal' || request.level === 'strong') && rules.waitsForToken;
    if (waits && seen !== null && !includes(store.vector, seen)) {
      if (!operation.waited) this.#desk.counters.waits++;
      operation.waited = true;
      return;
    }
    switch (request.type) {
      case 'write':
        return request.level === 'strong' ? this.#ask(operation) : this.#writeHere(operation, request);
      case 'read':
        return request.level === 'strong' ? this.#ask(operation) : this.#readHere(operation, request);
      case 'range':
        return this.#rangeHere(operation, request);
      default:
        return unreachable(request);
    }
  }

  // ── from here alone ───────────────────────────────────────────────────────────────────────────────────────

  #writeHere(operation: Operation, request: Extract<RegisterRequest, { type: 'write' }>): void {
    const { key, value, level } = request;
    const tag = this.#desk.newTag(key, null, false);
    if (tag === null) return this.#fail(operation, 'ClockDrift');
    if (level === 'weak') {
      const version = { key, tag, dot: null, dependencies: VectorClock.empty, value };
      this.#desk.store.putWeak(version);
      for (const peer of this.#desk.peers) this.#desk.send(peer, { type: 'weak', version });
      return this.#written(operation, version, 'weak', [this.#desk.member]);
    }
    const dependencies = level === 'causal' ? (operation.seen ?? VectorClock.empty) : VectorClock.empty;
    const version = this.#desk.mint(key, tag, value, dependencies);
    operation.stage = 'logging';
    operation.version = version;
    this.#log(operation, version, (mark) => this.#exchange.spread(version, mark));
  }

  /** Logged here before anybody hears of it (PITFALLS G7). */
  #log(operation: Operation, version: Version, send: (mark: number) => void): void {
    const { number, round } = operation;
    const record = { type: 'install', versions: [version], vector: null } as const;
    const mark = this.#desk.persist(record, { type: 'logged', operation: number, round }, this.#perform);
    send(mark);
  }

  onLogged(number: number, round: number): void {
    const operation = this.#operations.get(number);
    if (operation === undefined || operation.round !== round) return;
    operation.logged = true;
    const version = defined(operation.version ?? undefined, 'what was logged is a version');
    if (operation.stage === 'logging') {
      this.#exchange.remember(version);
      return this.#written(operation, version, operation.request.level, [this.#desk.member]);
    }
    this.#countStored(operation);
  }

  #readHere(operation: Operation, request: Extract<RegisterRequest, { type: 'read' }>): void {
    const { store } = this.#desk;
    const version = request.level === 'causal' ? store.visible(request.key) : store.newest(request.key);
    this.#read(operation, version, [this.#desk.member]);
  }

  #rangeHere(operation: Operation, request: Extract<RegisterRequest, { type: 'range' }>): void {
    const { store } = this.#desk;
    const entries: RegisterEntry[] = [];
    let more = false;
    for (const key of store.keys()) {
      if (!key.startsWith(request.prefix)) continue;
      const version = request.level === 'causal' ? store.visible(key) : store.newest(key);
      if (version === null) continue;
      this.#see(operation, version);
      if (version.value === null) continue;
      more = entries.length === request.limit;
      if (more) break;
      entries.push({ key, tag: version.tag, value: version.value });
    }
    this.#operations.delete(operation.number);
    const service = this.#service(operation, request.level, [this.#desk.member]);
    this.#desk.answer(operation.id, { type: 'range', ...service, entries, more });
  }

  // ── a majority: which tags are there? ─────────────────────────────────────────────────────────────────────

  #ask(operation: Operation): void {
    const { request } = operation;
    const { rules, store } = this.#desk;
    if (rules.joinsFirst && !store.joined) return this.#settleForLess(operation, 'NotJoined');
    operation.stage = 'asking';
    operation.round++;
    operation.replies = [];
    if (request.type === 'write' && (!rules.asksForTags || (request.tag !== null && rules.keepsTag))) {
      return this.#choose(operation, request, null);
    }
    this.#send(operation);
    this.#countAsked(operation);
  }

  /** To whoever has not answered this round. */
  #send(operation: Operation, after = 0): void {
    operation.retryUs = this.#desk.now.monotonicUs + this.#desk.timing.retryUs;
    const message = this.#question(operation);
    for (const peer of this.#desk.peers) {
      if (!operation.replies.some(({ member }) => member === peer)) this.#desk.send(peer, message, after);
    }
  }

  #question({ number, round, stage, request, version }: Operation): RegisterMessage {
    assert(request.type !== 'range', 'a range is read here');
    if (stage === 'asking') return { type: 'query', operation: number, round, key: request.key };
    return {
      type: 'store',
      operation: number,
      round,
      version: defined(version ?? undefined, 'there is what to store'),
    };
  }

  onQueried(from: number, directory: number, message: Extract<RegisterMessage, { type: 'queried' }>): void {
    const operation = this.#operations.get(message.operation);
    if (operation?.stage !== 'asking' || operation.round !== message.round) return;
    const { votes, bindings, version, floor } = message;
    this.#addReply(operation, { member: from, directory, votes, bindings, version, floor });
    this.#countAsked(operation);
  }

  #addReply(operation: Operation, reply: Reply): void {
    operation.replies = operation.replies.filter(({ member }) => member !== reply.member);
    operation.replies.push(reply);
  }

  /** Answers that count: of directories that take part, and that nobody among them knows to be gone (PITFALLS G6). */
  #votes({ replies }: Operation): readonly Reply[] {
    const { rules, members } = this.#desk;
    const own = this.#desk.bindings();
    return replies.filter(({ member, directory, votes }) => {
      if (rules.joinsFirst && !votes) return false;
      if (!rules.knowsGoneDirectories) return true;
      const place = members.indexOf(member);
      return [own, ...replies.map(({ bindings }) => bindings)].every((bindings) => {
        const known = bindings[place] ?? 0;
        return known === 0 || known === directory;
      });
    });
  }

  #isMajority(operation: Operation, agreeing: number): boolean {
    const { rules, members } = this.#desk;
    const hints = rules.countsHints ? this.#exchange.away().length : 0;
    return agreeing + hints >= rules.majority(members.length, operation.replies.length + 1);
  }

  #countAsked(operation: Operation): void {
    const votes = this.#votes(operation);
    if (!this.#isMajority(operation, votes.length + 1)) return;
    const { request } = operation;
    const { store } = this.#desk;
    assert(request.type !== 'range', 'a range is read here');
    if (request.type === 'write') {
      const floor = votes.reduce<Tag | null>((highest, { floor: tag }) => laterTag(highest, tag), null);
      return this.#choose(operation, request, floor);
    }
    const own = store.newest(request.key);
    const found = [own, ...votes.map(({ version }) => version)];
    const newest = found.reduce((best, version) => this.#later(best, version));
    const agreeing = found.filter((version) => this.#isSame(version, newest)).length;
    if (!this.#desk.rules.writesBack || this.#isMajority(operation, agreeing)) {
      return this.#read(operation, newest, this.#reached(votes));
    }
    this.#desk.counters.readRepairs++;
    this.#store(operation, defined(newest ?? undefined, 'what not all have is a version'));
  }

  /** Durable there, and the same: a weak version is neither. */
  #isSame(version: Version | null, other: Version | null): boolean {
    if (other === null || version === null) return version === other;
    return version.dot !== null && other.dot !== null && this.#desk.rules.compare(version.tag, other.tag) === 0;
  }

  #later(a: Version | null, b: Version | null): Version | null {
    const order = this.#desk.rules.compare(a?.tag ?? null, b?.tag ?? null);
    // Of a weak version and its durable copy, the copy.
    if (order === 0) return a?.dot == null ? b : a;
    return order > 0 ? a : b;
  }

  // ── a majority: hold this ─────────────────────────────────────────────────────────────────────────────────

  #choose(operation: Operation, request: Extract<RegisterRequest, { type: 'write' }>, floor: Tag | null): void {
    const { rules } = this.#desk;
    const { key, value } = request;
    if (request.tag !== null && rules.keepsTag) return this.#repeat(operation, request, request.tag);
    const tag = this.#desk.newTag(key, floor, rules.asksForTags);
    if (tag === null) return this.#fail(operation, 'ClockDrift');
    this.#store(operation, this.#desk.mint(key, tag, value, operation.seen ?? VectorClock.empty));
  }

  /** The same write again, under the tag that it has had: what came after it stays after it (PITFALLS G5). */
  #repeat(operation: Operation, { key, value }: Extract<RegisterRequest, { type: 'write' }>, tag: Tag): void {
    const { store, rules } = this.#desk;
    const known = store.durable(key);
    if (known !== null && rules.compare(known.tag, tag) === 0) return this.#store(operation, known);
    if (known === null && rules.compare(tag, store.collectedThrough) <= 0) {
      this.#operations.delete(operation.number);
      return this.#desk.answer(operation.id, { type: 'Unknown', code: 'TooLate', reached: [], tag });
    }
    this.#store(operation, this.#desk.mint(key, tag, value, operation.seen ?? VectorClock.empty));
  }

  /** Begins a round: its own copy is logged first, then the others hear of it. */
  #store(operation: Operation, found: Version): void {
    const { store } = this.#desk;
    operation.stage = 'storing';
    operation.round++;
    operation.replies = [];
    operation.logged = false;
    // A weak version that a strong read returns becomes a durable one, under its tag.
    const version = found.dot === null ? this.#desk.mint(found.key, found.tag, found.value) : found;
    operation.version = version;
    if (!store.knows(version)) return this.#log(operation, version, (mark) => this.#send(operation, mark));
    operation.logged = true;
    this.#send(operation);
    this.#countStored(operation);
  }

  onStored(from: number, directory: number, message: Extract<RegisterMessage, { type: 'stored' }>): void {
    const operation = this.#operations.get(message.operation);
    if (operation?.stage !== 'storing' || operation.round !== message.round) return;
    const { votes, bindings, newer } = message;
    this.#addReply(operation, { member: from, directory, votes, bindings, version: newer, floor: null });
    this.#countStored(operation);
  }

  #countStored(operation: Operation): void {
    const { request, version, logged } = operation;
    assert(version !== null && request.type !== 'range', 'something is being stored');
    const votes = this.#votes(operation);
    if (request.type === 'write') {
      if (!logged || !this.#isMajority(operation, votes.length + 1)) return;
      return this.#written(operation, version, 'strong', this.#reached(votes));
    }
    if (this.#desk.rules.confirms && this.#adopt(operation, version, votes)) return;
    const agreeing = votes.filter(({ version: newer }) => newer === null || !this.#desk.rules.confirms).length;
    if (!logged || !this.#isMajority(operation, agreeing + 1)) return;
    this.#read(operation, version, this.#reached(votes));
  }

  /** Something newer is about: what a majority will hold is that, or what comes after it. */
  #adopt(operation: Operation, version: Version, votes: readonly Reply[]): boolean {
    const { store, counters, limits } = this.#desk;
    let newer = [store.durable(version.key), ...votes.map((vote) => vote.version)].reduce((a, b) => this.#later(a, b));
    newer = this.#later(version, newer);
    if (newer === null || this.#desk.rules.compare(newer.tag, version.tag) === 0) return false;
    if (operation.round >= limits.rounds) {
      counters.contended++;
      this.#fail(operation, 'Contended');
    } else this.#store(operation, newer);
    return true;
  }

  #reached(votes: readonly Reply[]): number[] {
    return [this.#desk.member, ...votes.map(({ member }) => member)].sort((a, b) => a - b);
  }

  // ── time, and the end ─────────────────────────────────────────────────────────────────────────────────────

  tick(): void {
    const { monotonicUs } = this.#desk.now;
    for (const operation of this.#operations.values()) {
      if (operation.deadlineUs <= monotonicUs) this.#giveUp(operation, null);
      else if (operation.degradesUs <= monotonicUs) this.#settleForLess(operation, 'NoMajority');
      else if (operation.stage !== 'waiting' && operation.retryUs <= monotonicUs) this.#again(operation);
    }
  }

  #again(operation: Operation): void {
    if (operation.stage === 'logging' || (operation.stage === 'storing' && !operation.logged)) {
      operation.retryUs = this.#desk.now.monotonicUs + this.#desk.timing.retryUs;
    } else this.#send(operation);
  }

  /** A strong request for which there is no majority, whose caller accepts less: told so in the answer. */
  #settleForLess(operation: Operation, code: FailureCode): void {
    const { request, stage, version } = operation;
    const { degradeTo } = request;
    if (degradeTo === null || request.level !== 'strong') {
      if (request.level === 'strong' && code === 'NotJoined') this.#fail(operation, code);
      return;
    }
    if (stage === 'storing' && request.type === 'write') {
      if (!operation.logged || version === null) return;
      this.#desk.counters.degraded++;
      this.#exchange.remember(version);
      const level = degradeTo === 'weak' ? 'eventual' : degradeTo;
      return this.#written(operation, version, level, this.#reached(this.#votes(operation)));
    }
    this.#desk.counters.degraded++;
    operation.request = { ...request, level: degradeTo, degradeTo: null };
    operation.stage = 'waiting';
    operation.round++;
    operation.replies = [];
    operation.version = null;
    this.#begin(operation);
  }

  #giveUp(operation: Operation, code: FailureCode | null): void {
    const { stage, request, version } = operation;
    const reached = this.#reached(this.#votes(operation));
    this.#operations.delete(operation.number);
    const why = code ?? (stage === 'waiting' ? 'BehindToken' : stage === 'logging' ? 'TimedOut' : 'NoMajority');
    const repeated = request.type === 'write' ? request.tag : null;
    const mayHaveHappened = request.type === 'write' && (version !== null || repeated !== null);
    if (!mayHaveHappened || !this.#desk.rules.reportsUnknown)
      return this.#desk.answer(operation.id, notApplied(why, reached));
    this.#desk.counters.unknownOutcomes++;
    this.#desk.answer(operation.id, { type: 'Unknown', code: why, reached, tag: version?.tag ?? repeated });
  }

  #fail(operation: Operation, code: FailureCode): void {
    this.#operations.delete(operation.number);
    this.#desk.answer(operation.id, notApplied(code, this.#reached(this.#votes(operation))));
  }

  #written(operation: Operation, version: Version, level: Level, reached: readonly number[]): void {
    this.#operations.delete(operation.number);
    this.#see(operation, version);
    const service = this.#service(operation, level, reached);
    this.#desk.answer(operation.id, { type: 'written', ...service, tag: version.tag });
  }

  #read(operation: Operation, version: Version | null, reached: readonly number[]): void {
    this.#operations.delete(operation.number);
    if (version !== null) this.#see(operation, version);
    const service = this.#service(operation, operation.request.level, reached);
    this.#desk.answer(operation.id, {
      type: 'read',
      ...service,
      tag: version?.tag ?? null,
      value: version?.value ?? null,
    });
  }

  /** The session has seen this version, and what it came from. */
  #see(operation: Operation, { dot, dependencies }: Version): void {
    if (operation.seen === null || dot === null) return;
    operation.seen = operation.seen.merge(dependencies).merge(VectorClock.from([[dot.origin, dot.sequence]]));
  }

  #service({ seen }: Operation, level: Level, reached: readonly number[]): Service {
    const token = seen === null ? null : encodeToken(this.#configuration, seen);
    return { level, reached, token, stalenessMs: level === 'strong' ? 0 : this.#exchange.stalenessMs() };
  }

  save(writer: ByteWriter): void {
    writeList(writer, [...this.#operations.values()], writeOperation);
    writer.varint(this.#last);
  }

  load(reader: ByteReader): void {
    this.#operations = new Map(readList(reader, readOperation).map((operation) => [operation.number, operation]));
    this.#last = reader.varint();
  }
}
