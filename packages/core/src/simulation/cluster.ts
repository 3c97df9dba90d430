/** A Raft cluster over the key-value state machine, whole, in virtual time: same options, same run, to the last bit. */
import { assert } from '../base/assert.ts';
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { type RaftRules, type RaftTiming, raftCodec } from '../consensus/raft/index.ts';
import type { RaftMessage } from '../consensus/raft/message.ts';
import type { Rejection } from '../consensus/replica.ts';
import { decodeFrame } from '../driver/index.ts';
import { encodeKvRequest, type KvRequest, type KvResult } from '../kv/index.ts';
import { EVENT_KINDS, EventQueue, type QueuedEvent } from './event-queue.ts';
import { Invariants, InvariantViolation } from './invariants.ts';
import { type MemberStatus, memberOf, SimulatedMember } from './member.ts';
import type { DiskSpeed, SharedWorld } from './member-world.ts';
import { type FrameVerdict, type NetworkWeather, SimulatedNetwork } from './network.ts';
import { RandomStreams } from './random-streams.ts';
import { RollingHash } from './rolling-hash.ts';

export interface ClusterOptions {
  readonly seed: number;
  /** How many; their ids are 1 to n. */
  readonly members: number;
  readonly timing?: Partial<RaftTiming>;
  readonly rules?: RaftRules;
  readonly diskSpeed?: DiskSpeed;
  /** A member makes a snapshot after so many entries, and keeps so many below it. */
  readonly snapshotEntries?: number;
  readonly trailingEntries?: number;
  /** A member that stops by itself is a violation, unless the test expects it. */
  readonly mayStop?: boolean;
}

export type Outcome =
  | { readonly type: 'pending' }
  | { readonly type: 'applied'; readonly index: number; readonly term: number; readonly result: KvResult }
  | { readonly type: 'answer'; readonly index: number; readonly term: number; readonly answer: KvResult }
  | { readonly type: 'rejected'; readonly reason: Rejection };

/** Something beside the members that lives in the world: it has timers, and hears the outcomes of what it asked. */
export interface Actor {
  onTimer(token: number): void;
  /** Never called from within propose or read. */
  onOutcome(id: number, outcome: Outcome): void;
  save(writer: ByteWriter): void;
  load(reader: ByteReader): void;
}

/** Ten times faster than the defaults, so that seconds of virtual time hold many elections. */
export const QUICK: Partial<RaftTiming> = {
  electionTimeoutUs: 100_000,
  heartbeatUs: 10_000,
  proposalTimeoutUs: 500_000,
};

const DISK_SPEED: DiskSpeed = { minLatencyUs: 20, maxLatencyUs: 400 };
const PENDING: Outcome = { type: 'pending' };

interface Asked {
  readonly member: number;
  /** 0: on its way to the member. */
  driverId: number;
  readonly kind: 'propose' | 'read';
}

export class SimulatedCluster {
  readonly seed: number;
  readonly size: number;
  readonly invariants: Invariants;
  readonly random: RandomStreams;
  readonly network: SimulatedNetwork;
  /** Decides about each message as it is sent; `null`: all are delivered. Not part of the saved state. */
  filter: ((from: number, to: number, message: RaftMessage) => FrameVerdict) | null = null;
  /** Sees every event as it happens. Not part of the saved state. */
  trace: ((event: QueuedEvent) => void) | null = null;
  readonly #queue = new EventQueue();
  readonly #hash = new RollingHash();
  readonly #members: SimulatedMember[] = [];
  readonly #mayStop: boolean;
  readonly #actors: Actor[] = [];
  readonly #stopped = new Map<number, Error>();
  #nowUs = 0;
  #steps = 0;
  #lastId = 0;
  /** What is not settled, by id. */
  #asked = new Map<number, Asked>();
  /** Settled in this process; a saved cluster holds only what is pending. */
  #outcomes = new Map<number, Outcome>();

  constructor(options: ClusterOptions) {
    const { seed, members } = options;
    assert(members >= 1 && members <= 9, 'a simulated cluster has 1 to 9 members');
    this.seed = seed;
    this.size = members;
    this.#mayStop = options.mayStop ?? false;
    this.invariants = new Invariants(seed, members);
    this.random = new RandomStreams(seed);
    this.network = new SimulatedNetwork(members, this.#queue, this.random);
    this.network.filter = (from, to, frame) => this.#judge(from, to, frame);
    const shared: SharedWorld = {
      queue: this.#queue,
      random: this.random,
      network: this.network,
      nowUs: () => this.#nowUs,
    };
    const ids = Array.from({ length: members }, (_, i) => i + 1);
    for (const id of ids) {
      this.#members[id] = new SimulatedMember({
        id,
        members: ids,
        shared,
        invariants: this.invariants,
        diskSpeed: options.diskSpeed ?? DISK_SPEED,
        timing: options.timing ?? QUICK,
        rules: options.rules,
        snapshotEntries: options.snapshotEntries ?? 10_000,
        trailingEntries: options.trailingEntries ?? 1_000,
        onAsked: (asked, driverId) => {
          const entry = this.#asked.get(asked);
          if (entry !== undefined) entry.driverId = driverId;
        },
        clients: {
          onProposed: (driverId, outcome) => this.#settle(id, 'propose', driverId, outcome),
          onRead: (driverId, outcome) => this.#settle(id, 'read', driverId, outcome),
          onStarted: () => {},
          onStopped: (error) => this.#onStopped(id, error),
        },
      });
    }
    for (const id of ids) this.member(id).start();
  }

  get nowUs(): number {
    return this.#nowUs;
  }

  get steps(): number {
    return this.#steps;
  }

  get ids(): readonly number[] {
    return Array.from({ length: this.size }, (_, i) => i + 1);
  }

  /** Over (time, sequence, member, event kind, draws) of every event so far. */
  get hash(): string {
    return this.#hash.digest();
  }

  /** Why members stopped by themselves. */
  get stopped(): ReadonlyMap<number, Error> {
    return this.#stopped;
  }

  member(id: number): SimulatedMember {
    return memberOf(this.#members, id);
  }

  /** The next event happens; false when nothing ever will. */
  step(): boolean {
    const queued = this.#queue.pop();
    if (queued === null) return false;
    const { timeUs, sequence, event } = queued;
    assert(timeUs >= this.#nowUs, 'virtual time never goes back');
    this.#nowUs = timeUs;
    this.#steps++;
    try {
      if (event.type === 'timer') this.#actors[event.owner]?.onTimer(event.token);
      else this.member(event.member).handle(event);
      // A process that stops is gone, with all that was asked of it.
      if (this.#stopped.has(event.member) && this.member(event.member).alive) this.crash(event.member);
    } catch (error) {
      if (error instanceof InvariantViolation) throw error;
      const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      throw new InvariantViolation('No crash', `at ${timeUs} us member ${event.member}: ${what}`, this.seed, error);
    }
    for (const value of [timeUs, sequence, event.member, EVENT_KINDS[event.type], this.random.draws]) {
      this.#hash.add(value);
    }
    this.trace?.(queued);
    return true;
  }

  run(durationUs: number): void {
    const endUs = this.#nowUs + durationUs;
    while (this.#queue.nextTimeUs() <= endUs) this.step();
    this.#nowUs = endUs;
  }

  /** Whether the predicate came true within the limit; it is asked after every event. */
  runUntil(predicate: () => boolean, limitUs: number): boolean {
    const endUs = this.#nowUs + limitUs;
    while (!predicate()) {
      if (this.#queue.nextTimeUs() > endUs) {
        this.#nowUs = endUs;
        return false;
      }
      this.step();
    }
    return true;
  }

  /** The live leader of the highest term, or 0. It may be cut off; `run` until others agree if that matters. */
  leader(): number {
    let leader: MemberStatus | null = null;
    for (const status of this.status()) {
      if (status?.role === 'leader' && (leader === null || status.term > leader.term)) leader = status;
    }
    return leader?.id ?? 0;
  }

  /** By id - 1; `null` for a member that is down. */
  status(): (MemberStatus | null)[] {
    return this.ids.map((id) => this.member(id).status());
  }

  propose(member: number, request: KvRequest): number {
    return this.#ask(member, 'propose', request);
  }

  /** Linearizable. */
  read(member: number, request: KvRequest): number {
    return this.#ask(member, 'read', request);
  }

  outcome(id: number): Outcome {
    return this.#outcomes.get(id) ?? PENDING;
  }

  /** Cuts both directions between the two groups. */
  partition(a: readonly number[], b: readonly number[]): void {
    for (const left of a) {
      for (const right of b) {
        this.network.block(left, right);
        this.network.block(right, left);
      }
    }
  }

  blockOneWay(from: number, to: number): void {
    this.network.block(from, to);
  }

  /** Every link works again; the weather stays. */
  heal(): void {
    this.network.unblockAll();
  }

  setWeather(weather: NetworkWeather): void {
    this.network.setWeather(weather);
  }

  /** What the member had asked is settled as Unknown, for whoever asked died with it. */
  crash(id: number): void {
    assert(this.member(id).alive, 'only a live member can crash');
    this.member(id).crash();
    for (const [asked, { member, kind }] of [...this.#asked]) {
      if (member === id) this.#finish(asked, { type: 'rejected', reason: kind === 'read' ? 'NotApplied' : 'Unknown' });
    }
  }

  restart(id: number): void {
    assert(!this.member(id).alive, 'only a member that is down can restart');
    this.#stopped.delete(id);
    this.member(id).start();
  }

  /** Its disk is replaced by an empty one, with a directory of its own. The member must be down. */
  wipe(id: number): void {
    assert(!this.member(id).alive, 'only a member that is down can be wiped');
    this.member(id).wipe();
  }

  pause(id: number): void {
    this.member(id).pause();
  }

  resume(id: number): void {
    this.member(id).resume();
  }

  transferLeadership(from: number, to: number): void {
    this.member(from).transferLeadership(to);
  }

  /** How many frames the filter had held; each sets out now, `times` times. */
  releaseHeld(times = 1): number {
    return this.network.releaseHeld(this.#nowUs, times);
  }

  /** Its number is the owner of its timers. Attach the same actors in the same order before `load`. */
  attach(actor: Actor): number {
    this.#actors.push(actor);
    return this.#actors.length - 1;
  }

  timer(owner: number, atUs: number, token: number): void {
    this.#queue.push(Math.max(atUs, this.#nowUs), { type: 'timer', member: 0, owner, token });
  }

  save(): Uint8Array {
    const writer = new ByteWriter(1 << 16);
    writer.varint(this.#nowUs);
    writer.varint(this.#steps);
    writer.varint(this.#lastId);
    this.#hash.save(writer);
    this.random.save(writer);
    this.#queue.save(writer);
    this.network.save(writer);
    for (const id of this.ids) this.member(id).save(writer);
    writer.varint(this.#asked.size);
    for (const [id, { member, driverId, kind }] of this.#asked) {
      writer.varint(id);
      writer.varint(member);
      writer.varint(driverId);
      writer.bool(kind === 'read');
    }
    this.invariants.save(writer);
    for (const actor of this.#actors) actor.save(writer);
    return writer.finish();
  }

  /** Goes on exactly where `save` was called, in a cluster made with the same options and actors. */
  load(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes);
    this.#nowUs = reader.varint();
    this.#steps = reader.varint();
    this.#lastId = reader.varint();
    this.#hash.load(reader);
    this.random.load(reader);
    this.#queue.load(reader);
    this.network.load(reader);
    for (const id of this.ids) this.member(id).load(reader);
    this.#asked = new Map();
    this.#outcomes = new Map();
    for (let count = reader.varint(); count > 0; count--) {
      const id = reader.varint();
      const member = reader.varint();
      this.#asked.set(id, { member, driverId: reader.varint(), kind: reader.bool() ? 'read' : 'propose' });
    }
    this.invariants.load(reader);
    for (const actor of this.#actors) actor.load(reader);
    reader.end();
  }

  #ask(member: number, kind: Asked['kind'], request: KvRequest): number {
    const id = ++this.#lastId;
    if (!this.member(member).alive) {
      // Refused at the door, as a connection to a process that is not there is.
      this.#outcomes.set(id, { type: 'rejected', reason: 'NoLeader' });
      return id;
    }
    this.#asked.set(id, { member, driverId: 0, kind });
    const { epoch } = this.member(member).world;
    this.#queue.push(this.#nowUs, { type: 'request', member, epoch, id, kind, request: encodeKvRequest(request) });
    return id;
  }

  #settle(member: number, kind: Asked['kind'], driverId: number, outcome: Outcome): void {
    if (outcome.type === 'applied') this.invariants.onAcknowledged(outcome.index, outcome.term);
    for (const [id, asked] of this.#asked) {
      if (asked.member !== member || asked.kind !== kind || asked.driverId !== driverId) continue;
      return this.#finish(id, outcome);
    }
    // A proposal that was given up as Unknown may be applied later: nobody waits for it any more.
    assert(outcome.type === 'applied', 'a driver answers what was asked, once');
  }

  #finish(id: number, outcome: Outcome): void {
    this.#asked.delete(id);
    this.#outcomes.set(id, outcome);
    for (const actor of this.#actors) actor.onOutcome(id, outcome);
  }

  #onStopped(member: number, error: Error): void {
    if (error instanceof InvariantViolation) throw error;
    if (!this.#mayStop) {
      const sentence = `member ${member} stopped at ${this.#nowUs} us: ${error.message}`;
      throw new InvariantViolation('No stop', sentence, this.seed, error);
    }
    this.#stopped.set(member, error);
  }

  #judge(from: number, to: number, frame: Uint8Array): FrameVerdict {
    if (this.filter === null) return 'deliver';
    return this.filter(from, to, decodeFrame(raftCodec, frame).message);
  }
}
