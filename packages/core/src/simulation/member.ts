import { assert, unreachable } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import type { Control, Process, ProtocolRun, ProtocolTypes } from './protocol.ts';
import { loadEvent, saveEvent, type WorldEvent } from './world/event-queue.ts';
import { type DiskSpeed, MemberWorld, type SharedWorld } from './world/member-world.ts';
import { CONCERN } from './world/random-streams.ts';

type TurnEvent = Extract<WorldEvent, { type: 'turn' }>;
type Arrived = Exclude<WorldEvent, { type: 'timer' | 'turn' }>;

export interface MemberOptions<Types extends ProtocolTypes> {
  readonly id: number;
  readonly members: readonly number[];
  readonly shared: SharedWorld;
  readonly diskSpeed: DiskSpeed;
  readonly run: ProtocolRun<Types>;
  readonly onAnswered: (id: number, outcome: Types['outcome']) => void;
  readonly onStopped: (error: Error) => void;
}

/** A member of a Simulation: the process that comes and goes, on the World that stays. */
export class SimulatedMember<Types extends ProtocolTypes> {
  readonly world: MemberWorld;
  readonly #options: MemberOptions<Types>;
  #process: Process<Types['status']> | null = null;
  #directory: number;
  #paused = false;
  #turnQueued = false;
  /** What waits for the next turn. */
  #arrived: Arrived[] = [];
  /** What reached a paused member, in order. */
  #backlog: (Arrived | TurnEvent)[] = [];

  constructor(options: MemberOptions<Types>) {
    this.#options = options;
    this.world = new MemberWorld(options.shared, options.id, options.diskSpeed);
    this.#directory = this.#newDirectory();
  }

  get id(): number {
    return this.#options.id;
  }

  get alive(): boolean {
    return this.#process !== null;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** The replicated state's bytes: equal on members that applied the same. `null` while the member is down. */
  stateBytes(): Uint8Array | null {
    return this.#process === null ? null : this.#options.run.stateOf(this.#process);
  }

  /** `null` while the member is down. */
  status(): (Types['status'] & { readonly id: number }) | null {
    return this.#process === null ? null : { id: this.id, ...this.#process.status() };
  }

  start(): void {
    this.#process = this.#newProcess();
    this.#process.start();
    this.#wantTurn();
  }

  crash(power: boolean): void {
    this.#process = null;
    this.#turnQueued = false;
    this.#paused = false;
    this.#backlog = [];
    this.#arrived = [];
    this.world.crash(power);
    this.#options.run.onCrashed(this.id);
  }

  wipe(): void {
    this.world.wipe();
    this.#directory = this.#newDirectory();
    this.#options.run.onWiped(this.id);
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

  control(command: Control): void {
    assert(this.#process !== null, 'only a live member takes a command');
    this.#process.onControl(command);
    this.#turn(this.#process);
  }

  /** False: the event meant nothing to the life that the member now has. */
  handle(event: Exclude<WorldEvent, { type: 'timer' }>): boolean {
    // A frame is addressed to the member; all else to the life that asked for it.
    if (event.type !== 'frame' && event.epoch !== this.world.epoch) return false;
    if (this.#process === null) return false;
    if (event.type === 'wake' && !this.#paused && !this.world.takeWake(event.atUs)) return false;
    if (this.#paused) {
      this.#backlog.push(event);
    } else if (event.type === 'turn') {
      this.#turnQueued = false;
      this.#turn(this.#process);
    } else {
      this.#arrived.push(event);
      this.#wantTurn();
    }
    return true;
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
    writer.bool(this.#process !== null);
    if (this.#process !== null) this.#process.save(writer);
  }

  load(reader: ByteReader): void {
    this.world.load(reader);
    this.#directory = reader.varint();
    this.#paused = reader.bool();
    this.#turnQueued = reader.bool();
    this.#arrived = loadEvents(reader) as Arrived[];
    this.#backlog = loadEvents(reader) as (Arrived | TurnEvent)[];
    this.#process = reader.bool() ? this.#newProcess() : null;
    if (this.#process !== null) this.#process.load(reader);
  }

  /** What arrived is handed over here and not before, so that between two events a process can be saved. */
  #turn(process: Process<Types['status']>): void {
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const event of arrived) this.#handOver(process, event);
    process.turn();
  }

  #handOver(process: Process<Types['status']>, event: Arrived): void {
    switch (event.type) {
      case 'frame':
        return process.onFrame(event.from, event.frame);
      case 'disk': {
        const { token, result } = this.world.completeDisk();
        return process.onDisk(token, result);
      }
      case 'wake':
        return process.onWake();
      case 'request':
        return process.onRequest(event.id, event.request);
      default:
        unreachable(event);
    }
  }

  /** A little later, so that what arrives close together is one batch, as in a real event loop. */
  #wantTurn(): void {
    if (this.#turnQueued || this.#process === null) return;
    this.#turnQueued = true;
    const { shared } = this.#options;
    const delayUs = shared.random.below(CONCERN.turnDelay, this.id, 20);
    shared.queue.push(shared.nowUs() + delayUs, { type: 'turn', member: this.id, epoch: this.world.epoch });
  }

  #newDirectory(): number {
    return 1 + this.#options.shared.random.below(CONCERN.directory, this.id, 1 << 30);
  }

  #newProcess(): Process<Types['status']> {
    const { id, members, run, onAnswered, onStopped } = this.#options;
    const { epoch } = this.world;
    return run.createProcess({
      member: id,
      members,
      directory: this.#directory,
      world: this.world,
      answer: onAnswered,
      // A process of an earlier life has no voice.
      stop: (error) => {
        if (epoch === this.world.epoch) onStopped(error);
      },
    });
  }
}

function loadEvents(reader: ByteReader): WorldEvent[] {
  const events: WorldEvent[] = [];
  for (let count = reader.varint(); count > 0; count--) events.push(loadEvent(reader));
  return events;
}
