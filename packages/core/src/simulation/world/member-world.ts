import { assert, defined, unreachable } from '../../base/assert.ts';
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { PolderError } from '../../base/error.ts';
import type { Random } from '../../base/random.ts';
import type { Clock, Disk, DiskOperation, DiskResult, Network, World } from '../../world/world.ts';
import { SimulatedDisk } from './disk.ts';
import type { EventQueue } from './event-queue.ts';
import { MemberClock } from './member-clock.ts';
import type { SimulatedNetwork } from './network.ts';
import { CONCERN, type RandomStreams } from './random-streams.ts';

/** What all members of a simulation share. */
export interface SharedWorld {
  readonly queue: EventQueue;
  readonly random: RandomStreams;
  readonly network: SimulatedNetwork;
  nowUs(): number;
}

export interface DiskSpeed {
  readonly minLatencyUs: number;
  readonly maxLatencyUs: number;
}

interface InFlight {
  readonly token: number;
  readonly operation: DiskOperation;
}

/** One member's World: its clock, its network card, and a disk that outlives its crashes. */
export class MemberWorld implements World {
  readonly clock: Clock;
  readonly network: Network;
  readonly disk: Disk;
  readonly random: Random;
  readonly time = new MemberClock();
  readonly #shared: SharedWorld;
  readonly #member: number;
  readonly #speed: DiskSpeed;
  #files = new SimulatedDisk();
  /** Submitted, not completed: completes in this order, with its effect at completion. */
  #inFlight: InFlight[] = [];
  #diskFreeAtUs = 0;
  /** The disk takes so many times as long. */
  #slowness = 1;
  /** When the member wants to wake, by its own clock. */
  #wakeLocalUs = Number.POSITIVE_INFINITY;
  /** The earliest wake-up in the queue: a later wish waits for it, and is queued again then. */
  #queuedWakeUs = Number.POSITIVE_INFINITY;
  /** Counts starts and crashes: what an earlier life had queued means nothing to this one. */
  #epoch = 0;

  constructor(shared: SharedWorld, member: number, speed: DiskSpeed) {
    this.#shared = shared;
    this.#member = member;
    this.#speed = speed;
    this.random = shared.random.of(member);
    this.clock = {
      monotonicUs: () => this.time.monotonicUs(shared.nowUs()),
      wallMs: () => this.time.wallMs(shared.nowUs()),
      wakeAt: (atUs) => this.#wakeAt(atUs),
    };
    this.network = { send: (peer, frame) => shared.network.send(shared.nowUs(), member, peer, frame) };
    this.disk = { submit: (token, operation) => this.#submit(token, operation) };
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** What faults break: `corrupt`, `failNext`, … */
  get files(): SimulatedDisk {
    return this.#files;
  }

  setDiskSlowness(times: number): void {
    assert(times >= 1 && times <= 10_000, 'a slow disk is up to 10,000 times slower');
    this.#slowness = times;
  }

  setDrift(driftPpm: number): void {
    this.time.setDrift(this.#shared.nowUs(), driftPpm);
    // What was queued was queued by the old pace.
    this.#queueWake();
  }

  /** Whether the wake-up in the queue at `atUs` is one that the member wants now; if so it is used up. */
  takeWake(atUs: number): boolean {
    if (this.#queuedWakeUs === atUs) this.#queuedWakeUs = Number.POSITIVE_INFINITY;
    if (this.clock.monotonicUs() < this.#wakeLocalUs) {
      this.#queueWake();
      return false;
    }
    this.#wakeLocalUs = Number.POSITIVE_INFINITY;
    return true;
  }

  /** The oldest operation in flight takes effect and completes. */
  completeDisk(): { token: number; result: DiskResult } {
    const { token, operation } = defined(this.#inFlight.shift(), 'a disk completion has an operation in flight');
    return { token, result: this.#files.execute(operation) };
  }

  /** The process is gone: some of what was in flight still happened. Without power, what was not synced may be lost. */
  crash(power = true): void {
    const draws = (bound: number): number => this.#shared.random.below(CONCERN.diskCrash, this.#member, bound);
    while (this.#inFlight.length > 0 && draws(2) === 0) this.completeDisk();
    this.#inFlight = [];
    if (power) this.#files.crash(draws);
    this.#forgetProcess();
  }

  /** A new, empty directory. */
  wipe(): void {
    assert(this.#inFlight.length === 0, 'only the disk of a member that is down is replaced');
    this.#files = new SimulatedDisk();
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#epoch);
    writer.varint(this.#diskFreeAtUs);
    writer.varint(this.#slowness);
    for (const atUs of [this.#wakeLocalUs, this.#queuedWakeUs]) writer.varint(Number.isFinite(atUs) ? atUs + 1 : 0);
    this.time.save(writer);
    this.#files.save(writer);
    writer.varint(this.#inFlight.length);
    for (const { token, operation } of this.#inFlight) {
      writer.varint(token);
      saveOperation(writer, operation);
    }
  }

  load(reader: ByteReader): void {
    this.#epoch = reader.varint();
    this.#diskFreeAtUs = reader.varint();
    this.#slowness = reader.varint();
    this.#wakeLocalUs = timeOrNever(reader);
    this.#queuedWakeUs = timeOrNever(reader);
    this.time.load(reader);
    this.#files = new SimulatedDisk();
    this.#files.load(reader);
    this.#inFlight = [];
    for (let count = reader.varint(); count > 0; count--) {
      this.#inFlight.push({ token: reader.varint(), operation: loadOperation(reader) });
    }
  }

  #forgetProcess(): void {
    this.#epoch++;
    this.#wakeLocalUs = Number.POSITIVE_INFINITY;
    this.#queuedWakeUs = Number.POSITIVE_INFINITY;
    this.#diskFreeAtUs = 0;
  }

  #wakeAt(localUs: number): void {
    assert(
      localUs === Number.POSITIVE_INFINITY || Number.isSafeInteger(localUs),
      'a wake-up is at an integer microsecond',
    );
    this.#wakeLocalUs = localUs;
    this.#queueWake();
  }

  /** One entry in the queue is enough, the earliest. */
  #queueWake(): void {
    if (this.#wakeLocalUs === Number.POSITIVE_INFINITY) return;
    const atUs = Math.max(this.time.whenUs(this.#wakeLocalUs), this.#shared.nowUs());
    if (atUs >= this.#queuedWakeUs) return;
    this.#queuedWakeUs = atUs;
    this.#shared.queue.push(atUs, { type: 'wake', member: this.#member, epoch: this.#epoch, atUs });
  }

  #submit(token: number, operation: DiskOperation): void {
    const { minLatencyUs, maxLatencyUs } = this.#speed;
    const range = maxLatencyUs - minLatencyUs + 1;
    const drawnUs = minLatencyUs + this.#shared.random.below(CONCERN.diskLatency, this.#member, range);
    const latencyUs = drawnUs * this.#slowness;
    this.#diskFreeAtUs = Math.max(this.#diskFreeAtUs, this.#shared.nowUs()) + latencyUs;
    this.#inFlight.push({ token, operation });
    this.#shared.queue.push(this.#diskFreeAtUs, { type: 'disk', member: this.#member, epoch: this.#epoch });
  }
}

function timeOrNever(reader: ByteReader): number {
  const saved = reader.varint();
  return saved === 0 ? Number.POSITIVE_INFINITY : saved - 1;
}

const OPERATIONS = [
  'append',
  'sync',
  'syncDirectory',
  'read',
  'size',
  'truncate',
  'rename',
  'remove',
  'list',
] as const satisfies readonly DiskOperation['type'][];

function saveOperation(writer: ByteWriter, operation: DiskOperation): void {
  writer.u8(OPERATIONS.indexOf(operation.type));
  if ('file' in operation) writer.string(operation.file);
  switch (operation.type) {
    case 'append':
      return writer.bytes(operation.bytes);
    case 'read':
      writer.varint(operation.offset);
      return writer.varint(operation.length);
    case 'truncate':
      return writer.varint(operation.length);
    case 'rename':
      return writer.string(operation.to);
    case 'sync':
    case 'syncDirectory':
    case 'size':
    case 'remove':
    case 'list':
      return;
    default:
      unreachable(operation);
  }
}

function loadOperation(reader: ByteReader): DiskOperation {
  const type = OPERATIONS[reader.u8()];
  if (type === undefined) throw new PolderError('MalformedBytes', 'a saved world holds an unknown disk operation');
  if (type === 'list' || type === 'syncDirectory') return { type };
  const file = reader.string();
  switch (type) {
    case 'append':
      return { type, file, bytes: reader.bytes() };
    case 'read':
      return { type, file, offset: reader.varint(), length: reader.varint() };
    case 'truncate':
      return { type, file, length: reader.varint() };
    case 'rename':
      return { type, file, to: reader.string() };
    case 'sync':
    case 'size':
    case 'remove':
      return { type, file };
    default:
      return unreachable(type);
  }
}
