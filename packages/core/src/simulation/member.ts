import { assert, defined, unreachable } from '../base/assert.ts';
import { type ByteReader, ByteWriter } from '../base/bytes.ts';
import { Raft, type RaftRules, type RaftTiming, raftCodec } from '../consensus/raft/index.ts';
import type { RaftMessage } from '../consensus/raft/message.ts';
import type { Codec } from '../consensus/replica.ts';
import { type ClientPort, Driver } from '../driver/index.ts';
import { decodeKvRequest, encodeKvRequest, type KvRequest, type KvResult, KvStateMachine } from '../kv/index.ts';
import { loadEvent, saveEvent, type WorldEvent } from './event-queue.ts';
import type { Invariants } from './invariants.ts';
import { type DiskSpeed, MemberWorld, type SharedWorld } from './member-world.ts';
import { ObservedOutbox, ObservedReplica, ObservedStateMachine } from './observed.ts';
import { CONCERN } from './random-streams.ts';

type TurnEvent = Extract<WorldEvent, { type: 'turn' }>;
type Arrived = Exclude<WorldEvent, { type: 'timer' | 'turn' }>;
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
  readonly snapshotEntries: number;
  readonly trailingEntries: number;
  /** The question that the cluster knows as `id` is the driver's `driverId`. */
  readonly onAsked: (id: number, driverId: number) => void;
}

/** A member of a SimulatedCluster: the process that comes and goes, on the World that stays. */
export class SimulatedMember {
  readonly world: MemberWorld;
  readonly #options: MemberOptions;
  #life: Life | null = null;
  #directory: number;
  #paused = false;
  #turnQueued = false;
  /** What waits for the next turn. */
  #arrived: Arrived[] = [];
  /** What reached a paused member, in order. */
  #backlog: (Arrived | TurnEvent)[] = [];

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
    this.#arrived = [];
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

  /** Asks a live member that leads; anyone else ignores it. */
  transferLeadership(to: number): void {
    const life = this.#life;
    assert(life !== null, 'only a live member hands leadership over');
    life.driver.transferLeadership(to);
    this.#turn(life.driver);
  }

  handle(event: Exclude<WorldEvent, { type: 'timer' }>): void {
    // A frame is addressed to the member; all else to the life that asked for it.
    if (event.type !== 'frame' && event.epoch !== this.world.epoch) return;
    if (this.#life === null) return;
    if (this.#paused) {
      this.#backlog.push(event);
    } else if (event.type === 'turn') {
      this.#turnQueued = false;
      this.#turn(this.#life.driver);
    } else {
      this.#arrived.push(event);
      this.#wantTurn();
    }
  }

  save(writer: ByteWriter): void {
    this.world.save(writer);
    writer.varint(this.#directory);
    writer.bool(this.#paused);
    writer.bool(this.#turnQueued);
    for (const events of [this.#arrived, this.#backlog]) {
      writer.varint(events.length);
      for (const event of events) saveEvent(writer, event);
    }
    writer.bool(this.#life !== null);
    if (this.#life !== null) this.#life.driver.save(writer);
  }

  load(reader: ByteReader): void {
    this.world.load(reader);
    this.#directory = reader.varint();
    this.#paused = reader.bool();
    this.#turnQueued = reader.bool();
    this.#arrived = loadEvents(reader) as Arrived[];
    this.#backlog = loadEvents(reader) as (Arrived | TurnEvent)[];
    this.#life = reader.bool() ? this.#newLife() : null;
    if (this.#life !== null) this.#life.driver.load(reader);
  }

  /** What arrived is handed over here and not before, so that between two events a driver can be saved. */
  #turn(driver: KvDriver): void {
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const event of arrived) this.#handOver(driver, event);
    driver.turn();
  }

  #handOver(driver: KvDriver, event: Arrived): void {
    switch (event.type) {
      case 'frame':
        return driver.onFrame(event.from, event.frame);
      case 'disk': {
        const { token, result } = this.world.completeDisk();
        return driver.onDisk(token, result);
      }
      case 'wake':
        if (this.world.takeWake(event.atUs)) driver.onWake();
        return;
      case 'request':
        if (event.kind === 'propose') this.#options.onAsked(event.id, driver.propose(event.request));
        else this.#options.onAsked(event.id, driver.read(decodeKvRequest(event.request)));
        return;
      default:
        unreachable(event);
    }
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
      queryCodec: requestCodec,
      createReplica: (outbox) => {
        const options = { member: id, directory, members, random: this.world.random, timing };
        const observed = new ObservedOutbox(id, invariants, outbox);
        const raft = new Raft(rules === undefined ? options : { ...options, rules }, observed);
        return new ObservedReplica(id, invariants, raft);
      },
      stateMachine: new ObservedStateMachine(id, invariants, machine),
      clients,
      snapshotEntries: this.#options.snapshotEntries,
      trailingEntries: this.#options.trailingEntries,
    });
    return { driver, machine };
  }
}

const requestCodec: Codec<KvRequest> = {
  encode: (writer, request) => writer.bytes(encodeKvRequest(request)),
  decode: (reader) => decodeKvRequest(reader.bytes()),
};

function loadEvents(reader: ByteReader): WorldEvent[] {
  const events: WorldEvent[] = [];
  for (let count = reader.varint(); count > 0; count--) events.push(loadEvent(reader));
  return events;
}

/** For messages about a member that must exist. */
export function memberOf(members: readonly (SimulatedMember | undefined)[], id: number): SimulatedMember {
  return defined(members[id], 'a member has an id from 1 to n');
}
