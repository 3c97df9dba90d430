import { defined } from '../base/assert.ts';
import { type ByteReader, ByteWriter } from '../base/bytes.ts';
import { Raft, type RaftRules, type RaftTiming, raftCodec } from '../consensus/raft/index.ts';
import type { RaftMessage } from '../consensus/raft/message.ts';
import { type ClientPort, Driver } from '../driver/index.ts';
import { encodeKvRequest, type KvRequest, type KvResult, KvStateMachine } from '../kv/index.ts';
import { loadEvent, saveEvent, type WorldEvent } from './event-queue.ts';
import type { Invariants } from './invariants.ts';
import { type DiskSpeed, MemberWorld, type SharedWorld } from './member-world.ts';
import { ObservedOutbox, ObservedReplica, ObservedStateMachine } from './observed.ts';
import { CONCERN } from './random-streams.ts';

type KvDriver = Driver<RaftMessage, KvResult, KvRequest, KvResult>;

export type MemberStatus = ReturnType<KvDriver['status']> & { readonly id: number };

/** One life of a member: gone at a crash, while its MemberWorld stays. */
interface Life {
  readonly driver: KvDriver;
  readonly machine: KvStateMachine;
}

export interface MemberOptions {
  readonly id: number;
  readonly members: readonly number[];
  readonly shared: SharedWorld;
  readonly invariants: Invariants;
  readonly diskSpeed: DiskSpeed;
  readonly timing: Partial<RaftTiming>;
  readonly rules: RaftRules | undefined;
  readonly clients: ClientPort<KvResult, KvResult>;
}

/** A member of a SimulatedCluster: the process that comes and goes, on the World that stays. */
export class SimulatedMember {
  readonly world: MemberWorld;
  readonly #options: MemberOptions;
  #life: Life | null = null;
  #directory: number;
  #paused = false;
  #turnQueued = false;
  /** What reached a paused member, in order. */
  #backlog: WorldEvent[] = [];

  constructor(options: MemberOptions) {
    this.#options = options;
    this.world = new MemberWorld(options.shared, options.id, options.diskSpeed);
    this.#directory = this.#newDirectory();
  }

  get id(): number {
    return this.#options.id;
  }

  get alive(): boolean {
    return this.#life !== null;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** The state machine's bytes: equal on members that applied the same. `null` while the member is down. */
  stateBytes(): Uint8Array | null {
    if (this.#life === null) return null;
    const writer = new ByteWriter();
    this.#life.machine.save(writer);
    return writer.finish();
  }

  /** `null` while the member is down. */
  status(): MemberStatus | null {
    return this.#life === null ? null : { id: this.id, ...this.#life.driver.status() };
  }

  start(): void {
    this.#life = this.#newLife();
    this.#life.driver.start();
    this.#wantTurn();
  }

  crash(): void {
    this.#life = null;
    this.#turnQueued = false;
    this.#paused = false;
    this.#backlog = [];
    this.world.crash();
    this.#options.invariants.onCrash(this.id);
  }

  wipe(): void {
    this.world.wipe();
    this.#directory = this.#newDirectory();
  }

  pause(): void {
    this.#paused = true;
  }

  /** What arrived meanwhile arrives now, in its order. */
  resume(): void {
    this.#paused = false;
    const backlog = this.#backlog;
    this.#backlog = [];
    const { queue } = this.#options.shared;
    for (const event of backlog) queue.push(this.#options.shared.nowUs(), event);
  }

  /** `null` unless the member can take it. */
  propose(request: KvRequest): number | null {
    const driver = this.#runningDriver();
    if (driver === null) return null;
    this.#wantTurn();
    return driver.propose(encodeKvRequest(request));
  }

  read(request: KvRequest): number | null {
    const driver = this.#runningDriver();
    if (driver === null) return null;
    this.#wantTurn();
    return driver.read(request);
  }

  transferLeadership(to: number): void {
    this.#runningDriver()?.transferLeadership(to);
    this.#wantTurn();
  }

  handle(event: Exclude<WorldEvent, { type: 'timer' }>): void {
    // A frame is addressed to the member; all else to the life that asked for it.
    if (event.type !== 'frame' && event.epoch !== this.world.epoch) return;
    if (this.#life === null) return;
    if (this.#paused) {
      this.#backlog.push(event);
      return;
    }
    const { driver } = this.#life;
    switch (event.type) {
      case 'frame':
        driver.onFrame(event.from, event.frame);
        return this.#wantTurn();
      case 'disk': {
        const { token, result } = this.world.completeDisk();
        driver.onDisk(token, result);
        return this.#wantTurn();
      }
      case 'wake':
        if (!this.world.takeWake(event.atUs)) return;
        driver.onWake();
        return this.#wantTurn();
      case 'turn':
        this.#turnQueued = false;
        return driver.turn();
    }
  }

  save(writer: ByteWriter): void {
    this.world.save(writer);
    writer.varint(this.#directory);
    writer.bool(this.#paused);
    writer.bool(this.#turnQueued);
    writer.varint(this.#backlog.length);
    for (const event of this.#backlog) saveEvent(writer, event);
    writer.bool(this.#life !== null);
    if (this.#life !== null) this.#life.driver.save(writer);
  }

  load(reader: ByteReader): void {
    this.world.load(reader);
    this.#directory = reader.varint();
    this.#paused = reader.bool();
    this.#turnQueued = reader.bool();
    this.#backlog = [];
    for (let count = reader.varint(); count > 0; count--) this.#backlog.push(loadEvent(reader));
    this.#life = reader.bool() ? this.#newLife() : null;
    if (this.#life !== null) this.#life.driver.load(reader);
  }

  #runningDriver(): KvDriver | null {
    if (this.#life === null || this.#paused) return null;
    return this.#life.driver.status().phase === 'running' ? this.#life.driver : null;
  }

  /** A little later, so that what arrives close together is one batch, as in a real event loop. */
  #wantTurn(): void {
    if (this.#turnQueued || this.#life === null) return;
    this.#turnQueued = true;
    const { shared } = this.#options;
    const delayUs = shared.random.below(CONCERN.turnDelay, this.id, 20);
    shared.queue.push(shared.nowUs() + delayUs, { type: 'turn', member: this.id, epoch: this.world.epoch });
  }

  #newDirectory(): number {
    return 1 + this.#options.shared.random.below(CONCERN.directory, this.id, 1 << 30);
  }

  #newLife(): Life {
    const { id, members, invariants, timing, rules, clients } = this.#options;
    const machine = new KvStateMachine();
    const directory = this.#directory;
    const driver: KvDriver = new Driver({
      member: id,
      directory,
      world: this.world,
      codec: raftCodec,
      createReplica: (outbox) => {
        const options = { member: id, directory, members, random: this.world.random, timing };
        const observed = new ObservedOutbox(id, invariants, outbox);
        const raft = new Raft(rules === undefined ? options : { ...options, rules }, observed);
        return new ObservedReplica(id, invariants, raft);
      },
      stateMachine: new ObservedStateMachine(id, invariants, machine),
      clients,
    });
    return { driver, machine };
  }
}

/** For messages about a member that must exist. */
export function memberOf(members: readonly (SimulatedMember | undefined)[], id: number): SimulatedMember {
  return defined(members[id], 'a member has an id from 1 to n');
}
