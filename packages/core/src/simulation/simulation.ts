/** A protocol's members, whole, in virtual time: same options, same run, to the last bit. */
import { AssertionError, assert, defined } from '../base/assert.ts';
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { damageFrame } from './frame-damage.ts';
import { SimulatedMember } from './member.ts';
import type { Control, Protocol, ProtocolRun, ProtocolTypes } from './protocol.ts';
import { Violation } from './violation.ts';
import { EVENT_KINDS, EventQueue, type QueuedEvent } from './world/event-queue.ts';
import type { Latency } from './world/latency.ts';
import type { DiskSpeed, SharedWorld } from './world/member-world.ts';
import { LOCAL_LATENCY, SimulatedNetwork, type Weather } from './world/network.ts';
import { RandomStreams } from './world/random-streams.ts';
import { RollingHash } from './world/rolling-hash.ts';

export interface SimulationOptions<Types extends ProtocolTypes> {
  readonly protocol: Protocol<Types>;
  readonly seed: number;
  /** How long frames take when nothing is amiss. */
  readonly latency?: Latency;
  readonly diskSpeed?: DiskSpeed;
  /** A member that stops by itself is a violation, unless the test expects it. */
  readonly mayStop?: boolean;
  /** Of the protocol's own invariants, those that matter; without it, all. */
  readonly rules?: ReadonlySet<string>;
}

/** Something beside the members that lives in the world: it has timers, and hears the outcomes of what it asked. */
export interface Actor<Outcome> {
  onTimer(token: number): void;
  /** Never called from within `ask`. */
  onOutcome(id: number, outcome: Outcome): void;
  save(writer: ByteWriter): void;
  load(reader: ByteReader): void;
}

const DISK_SPEED: DiskSpeed = { minLatencyUs: 20, maxLatencyUs: 400 };
const MEMBERS_MAX = 31;

interface Asked {
  readonly member: number;
  readonly request: Uint8Array;
}

export class Simulation<Types extends ProtocolTypes> {
  readonly seed: number;
  readonly protocol: Protocol<Types>;
  readonly protocolRun: ProtocolRun<Types>;
  readonly network: SimulatedNetwork;
  /** What the world and the members draw. */
  readonly random: RandomStreams;
  /** What clients and the nemesis draw: nothing of it is drawn when a trace is played back. */
  readonly decisions: RandomStreams;
  readonly ids: readonly number[];
  /** Sees every event as it happens. Not part of the saved state. */
  trace: ((event: QueuedEvent) => void) | null = null;
  readonly #queue = new EventQueue();
  readonly #hash = new RollingHash();
  readonly #members: SimulatedMember<Types>[] = [];
  readonly #mayStop: boolean;
  readonly #actors: Actor<Types['outcome']>[] = [];
  readonly #stopped = new Map<number, Error>();
  /** Members whose disk a fault has damaged: they may refuse to go on. */
  #excused = new Set<number>();
  #nowUs = 0;
  #steps = 0;
  #events = 0;
  #lastId = 0;
  /** What is not settled, by id. */
  #asked = new Map<number, Asked>();

  constructor(options: SimulationOptions<Types>) {
    const { seed, protocol } = options;
    assert(protocol.members >= 1 && protocol.members <= MEMBERS_MAX, 'a simulated cluster has 1 to 31 members');
    this.seed = seed;
    this.protocol = protocol;
    this.ids = Array.from({ length: protocol.members }, (_, i) => i + 1);
    this.#mayStop = options.mayStop ?? false;
    this.random = new RandomStreams(seed);
    this.decisions = new RandomStreams(seed);
    this.network = new SimulatedNetwork({
      members: protocol.members,
      queue: this.#queue,
      random: this.random,
      kindOf: protocol.kindOf,
      damage: protocol.damage ?? damageFrame,
      calm: options.latency ?? LOCAL_LATENCY,
    });
    this.protocolRun = protocol.begin({
      nowUs: () => this.#nowUs,
      violated: (rule, sentence) => {
        if (options.rules !== undefined && !options.rules.has(rule)) return;
        throw new Violation(rule, sentence, this.#nowUs);
      },
    });
    for (const id of this.ids) this.#members[id] = this.#newMember(id, options.diskSpeed ?? DISK_SPEED);
    for (const id of this.ids) this.member(id).start();
  }

  get size(): number {
    return this.ids.length;
  }

  get nowUs(): number {
    return this.#nowUs;
  }

  /** Everything that was taken from the queue. */
  get steps(): number {
    return this.#steps;
  }

  /** What happened to a live member: a frame delivered, a wake-up due, a disk operation completed, a client's question. */
  get events(): number {
    return this.#events;
  }

  /** Over (time, sequence, member, event kind, draws) of every event so far. */
  get hash(): string {
    return this.#hash.digest();
  }

  /** The same as a number, to keep one for each event. */
  get fingerprint(): number {
    return this.#hash.number();
  }

  /** Why members stopped by themselves. */
  get stopped(): ReadonlyMap<number, Error> {
    return this.#stopped;
  }

  get excused(): ReadonlySet<number> {
    return this.#excused;
  }

  member(id: number): SimulatedMember<Types> {
    return defined(this.#members[id], 'a member has an id from 1 to n');
  }

  /** The next event happens; false when nothing ever will. Throws `Violation`. */
  step(): boolean {
    const queued = this.#queue.pop();
    if (queued === null) return false;
    const { timeUs, sequence, event } = queued;
    assert(timeUs >= this.#nowUs, 'virtual time never goes back');
    this.#nowUs = timeUs;
    this.#steps++;
    if (event.type === 'timer') {
      this.#actors[event.owner]?.onTimer(event.token);
      this.trace?.(queued);
      return true;
    }
    try {
      if (this.member(event.member).handle(event) && event.type !== 'turn') this.#events++;
      // A process that stops is gone, with all that was asked of it.
      if (this.#stopped.has(event.member) && this.member(event.member).alive) this.crash(event.member);
    } catch (error) {
      if (error instanceof Violation) throw error;
      const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      throw new Violation('No crash', `member ${event.member}: ${what}`, timeUs, error);
    }
    this.#hash.add(timeUs);
    this.#hash.add(sequence);
    this.#hash.add(event.member * 8 + EVENT_KINDS[event.type]);
    this.#hash.add(this.random.draws);
    this.trace?.(queued);
    return true;
  }

  /** The next event, if it comes by then; else it is then, and false. */
  stepBy(endUs: number): boolean {
    if (this.#queue.nextTimeUs() <= endUs) return this.step();
    this.#nowUs = endUs;
    return false;
  }

  run(durationUs: number): void {
    const endUs = this.#nowUs + durationUs;
    while (this.stepBy(endUs));
  }

  /** Whether the predicate came true within the limit; it is asked after every event. */
  runUntil(predicate: () => boolean, limitUs: number): boolean {
    const endUs = this.#nowUs + limitUs;
    while (!predicate()) if (!this.stepBy(endUs)) return false;
    return true;
  }

  /** By id - 1; `null` for a member that is down. */
  status(): ((Types['status'] & { readonly id: number }) | null)[] {
    return this.ids.map((id) => this.member(id).status());
  }

  /**
   * Asks a member; the actors hear the outcome under the id that is given back. 0: refused at the door, as a
   * connection to a process that is not there is; nothing happened.
   */
  ask(member: number, request: Types['request']): number {
    if (!this.member(member).alive) return 0;
    const id = ++this.#lastId;
    const bytes = this.protocol.encodeRequest(request);
    this.#asked.set(id, { member, request: bytes });
    const { epoch } = this.member(member).world;
    this.#queue.push(this.#nowUs, { type: 'request', member, epoch, id, request: bytes });
    return id;
  }

  // ── faults: each may be asked for at any time, and does nothing where it makes no sense ─────────────────────

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

  setWeather(weather: Weather): void {
    this.network.setWeather(weather);
  }

  /** Its process dies, and unless `power` is false its unsynced writes with it. So does what it had been asked. */
  crash(id: number, power = true): void {
    if (!this.member(id).alive) return;
    this.member(id).crash(power);
    for (const [asked, { member, request }] of [...this.#asked]) {
      if (member === id) this.#finish(asked, this.protocolRun.lost(request));
    }
  }

  restart(id: number): void {
    if (this.member(id).alive) return;
    this.#stopped.delete(id);
    this.member(id).start();
  }

  /** The member, if it runs, dies; its disk is replaced by an empty one, with a directory of its own. */
  wipe(id: number): void {
    this.crash(id);
    this.member(id).wipe();
  }

  pause(id: number): void {
    if (this.member(id).alive) this.member(id).pause();
  }

  resume(id: number): void {
    if (this.member(id).paused) this.member(id).resume();
  }

  control(id: number, command: Control): void {
    if (this.member(id).alive && !this.member(id).paused) this.member(id).control(command);
  }

  /** Its disk is damaged: from now on it may stop, or refuse to start, without breaking a promise. */
  excuse(id: number): void {
    this.#excused.add(id);
  }

  // ── what lives beside the members ─────────────────────────────────────────────────────────────────────────

  /** Its number is the owner of its timers. Attach the same actors in the same order before `load`. */
  attach(actor: Actor<Types['outcome']>): number {
    this.#actors.push(actor);
    return this.#actors.length - 1;
  }

  timer(owner: number, atUs: number, token: number): void {
    assert(Number.isSafeInteger(atUs), 'a timer is set for an integer microsecond');
    this.#queue.push(Math.max(atUs, this.#nowUs), { type: 'timer', member: 0, owner, token });
  }

  save(): Uint8Array {
    const writer = new ByteWriter(1 << 16);
    this.saveTo(writer);
    return writer.finish();
  }

  saveTo(writer: ByteWriter): void {
    for (const value of [this.#nowUs, this.#steps, this.#events, this.#lastId]) writer.varint(value);
    this.#hash.save(writer);
    this.random.save(writer);
    this.decisions.save(writer);
    this.#queue.save(writer);
    this.network.save(writer);
    for (const id of this.ids) this.member(id).save(writer);
    writer.varint(this.#asked.size);
    for (const [id, { member, request }] of this.#asked) {
      writer.varint(id);
      writer.varint(member);
      writer.bytes(request);
    }
    writer.varint(this.#excused.size);
    for (const id of [...this.#excused].sort((a, b) => a - b)) writer.varint(id);
    writer.varint(this.#stopped.size);
    for (const [id, { message }] of this.#stopped) {
      writer.varint(id);
      writer.string(message);
    }
    this.protocolRun.save(writer);
    for (const actor of this.#actors) actor.save(writer);
  }

  /** Goes on exactly where `save` was called, in a simulation made with the same options and actors. */
  load(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes);
    this.loadFrom(reader);
    reader.end();
  }

  loadFrom(reader: ByteReader): void {
    this.#nowUs = reader.varint();
    this.#steps = reader.varint();
    this.#events = reader.varint();
    this.#lastId = reader.varint();
    this.#hash.load(reader);
    this.random.load(reader);
    this.decisions.load(reader);
    this.#queue.load(reader);
    this.network.load(reader);
    for (const id of this.ids) this.member(id).load(reader);
    this.#asked = new Map();
    for (let count = reader.varint(); count > 0; count--) {
      const id = reader.varint();
      this.#asked.set(id, { member: reader.varint(), request: reader.bytes() });
    }
    this.#excused = new Set();
    for (let count = reader.varint(); count > 0; count--) this.#excused.add(reader.varint());
    this.#stopped.clear();
    for (let count = reader.varint(); count > 0; count--) {
      this.#stopped.set(reader.varint(), new Error(reader.string()));
    }
    this.protocolRun.load(reader);
    for (const actor of this.#actors) actor.load(reader);
  }

  #newMember(id: number, diskSpeed: DiskSpeed): SimulatedMember<Types> {
    const shared: SharedWorld = {
      queue: this.#queue,
      random: this.random,
      network: this.network,
      nowUs: () => this.#nowUs,
    };
    return new SimulatedMember({
      id,
      members: this.ids,
      shared,
      diskSpeed,
      run: this.protocolRun,
      onAnswered: (asked, outcome) => this.#onAnswered(asked, outcome),
      onStopped: (error) => this.#onStopped(id, error),
    });
  }

  #onAnswered(id: number, outcome: Types['outcome']): void {
    this.protocolRun.onAnswered(outcome);
    // What was given up as unknown may still be answered: nobody waits for it any more.
    if (this.#asked.has(id)) this.#finish(id, outcome);
  }

  #finish(id: number, outcome: Types['outcome']): void {
    this.#asked.delete(id);
    for (const actor of this.#actors) actor.onOutcome(id, outcome);
  }

  #onStopped(member: number, error: Error): void {
    if (error instanceof Violation) throw error;
    const excused = this.#excused.has(member) && !(error instanceof AssertionError);
    if (!this.#mayStop && !excused && this.protocolRun.mayStop?.(member, error) !== true) {
      throw new Violation('No stop', `member ${member} stopped: ${error.message}`, this.#nowUs, error);
    }
    this.#stopped.set(member, error);
  }
}
