import { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { RAFT_RULES, Raft, raftCodec } from '../../consensus/raft/index.ts';
import type { RaftMessage } from '../../consensus/raft/message.ts';
import type { Codec, Outbox, Replica } from '../../consensus/replica.ts';
import type { StateMachine } from '../../consensus/state-machine.ts';
import { type ClientPort, Driver } from '../../driver/index.ts';
import { decodeKvRequest, encodeKvRequest, type KvRequest, type KvResult, KvStateMachine } from '../../kv/index.ts';
import { LOG_RULES } from '../../log/index.ts';
import type { DiskResult } from '../../world/world.ts';
import type { Control, Environment, Process } from '../protocol.ts';
import { FileStorage } from './file-storage.ts';
import type { Invariants } from './invariants.ts';
import { changesFor } from './membership.ts';
import {
  ObservedDurability,
  ObservedDurableKv,
  ObservedOutbox,
  ObservedReplica,
  ObservedStateMachine,
} from './observed.ts';

import { type DiskPath, NO_SABOTAGE, type Sabotage } from './sabotage.ts';
import { QUICK, type RaftOutcome, type RaftSimulationOptions, type RaftStatus } from './types.ts';

type KvDriver = Driver<RaftMessage, KvResult, KvRequest, KvResult>;

/** Driver, replica, state machine and log of one member for one life. */
export class RaftProcess implements Process<RaftStatus> {
  readonly #environment: Environment<RaftOutcome>;
  readonly #options: RaftSimulationOptions;
  readonly #sabotage: Sabotage;
  readonly #invariants: Invariants;
  readonly #machine: StateMachine<KvResult, KvRequest, KvResult>;
  readonly #disk: DiskPath;
  /** null: the state is in memory. */
  readonly #storage: FileStorage | null;
  readonly #durable: ObservedDurableKv | null;
  /** Of a member that may be added. */
  readonly #directoryOf: (member: number) => number;
  readonly #driver: KvDriver;
  /** By the driver's id: the simulation's. Proposals and reads count together. */
  #asked = new Map<number, number>();
  /** For a member that proposes again later. */
  #previous: Uint8Array | null = null;

  constructor(
    environment: Environment<RaftOutcome>,
    options: RaftSimulationOptions,
    invariants: Invariants,
    directoryOf: (member: number) => number,
  ) {
    this.#directoryOf = directoryOf;
    this.#environment = environment;
    this.#options = options;
    this.#sabotage = options.sabotage ?? NO_SABOTAGE;
    this.#invariants = invariants;
    this.#disk = this.#sabotage.disk({ world: environment.world, onResult: (_, result) => result });
    this.#storage = options.durable === true ? this.#newStorage() : null;
    this.#durable = this.#storage === null ? null : this.#newDurable(this.#storage);
    this.#machine = this.#sabotage.stateMachine(this.#durable ?? new KvStateMachine());
    this.#driver = this.#newDriver();
  }

  start(): void {
    this.#driver.start();
  }

  onFrame(from: number, frame: Uint8Array): void {
    this.#driver.onFrame(from, frame);
  }

  onDisk(token: number, result: DiskResult): void {
    const seen = this.#disk.onResult(token, result);
    if (this.#storage?.onDisk(token, seen) !== true) this.#driver.onDisk(token, seen);
  }

  onWake(): void {
    this.#driver.onWake();
  }

  onRequest(id: number, request: Uint8Array): void {
    const reader = new ByteReader(request);
    const reads = reader.bool();
    const bytes = reader.bytes();
    const driverId = reads ? this.#driver.read(decodeKvRequest(bytes)) : this.#driver.propose(bytes);
    this.#asked.set(driverId, id);
    if (!reads) this.#proposeAgain(bytes);
  }

  #proposeAgain(command: Uint8Array): void {
    const { proposesAgain } = this.#sabotage;
    if (proposesAgain === 'at once') this.#driver.propose(command);
    if (proposesAgain !== 'later') return;
    if (this.#previous !== null) this.#driver.propose(this.#previous);
    this.#previous = command;
  }

  onControl(command: Control): void {
    if (command.type === 'transferLeadership') this.#driver.transferLeadership(Number(command['to']));
    if (command.type === 'unreachable') this.#driver.onUnreachable(Number(command['peer']));
    if (command.type === 'changeMembership') this.#changeMembership(command);
  }

  #changeMembership(command: Control): void {
    if (this.#options.initial === undefined) return;
    const { members } = this.#environment;
    const spares = { lastId: members.length, directoryOf: this.#directoryOf };
    const changes = changesFor(this.#driver.status().configuration, command, spares);
    if (changes.length > 0) this.#driver.changeMembership(changes);
  }

  turn(): void {
    this.#driver.turn();
  }

  status(): RaftStatus {
    const status = this.#driver.status();
    return { ...status, member: this.#environment.member, leads: status.role === 'leader', ready: status.registered };
  }

  stateBytes(): Uint8Array {
    const writer = new ByteWriter();
    this.#machine.save(writer);
    return writer.finish();
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#asked.size);
    for (const [driverId, id] of this.#asked) {
      writer.varint(driverId);
      writer.varint(id);
    }
    writer.bool(this.#previous !== null);
    if (this.#previous !== null) writer.bytes(this.#previous);
    this.#storage?.save(writer);
    this.#driver.save(writer);
  }

  load(reader: ByteReader): void {
    this.#asked = new Map();
    for (let left = reader.varint(); left > 0; left--) this.#asked.set(reader.varint(), reader.varint());
    this.#previous = reader.bool() ? reader.bytes() : null;
    this.#storage?.load(reader);
    this.#driver.load(reader);
  }

  #newStorage(): FileStorage {
    return new FileStorage({
      submit: (token, operation) => this.#disk.world.disk.submit(token, operation),
      deliver: (token, result) => this.#driver.onDisk(token, result),
      transactionsOf: this.#sabotage.transactionsOf,
    });
  }

  #newDurable(storage: FileStorage): ObservedDurableKv {
    const { maxOverlayBytes } = this.#options;
    const options = { storage, ...(maxOverlayBytes === undefined ? {} : { maxOverlayBytes }) };
    return new ObservedDurableKv(this.#environment.member, this.#invariants, options);
  }

  #newDriver(): KvDriver {
    const { member, directory, stop } = this.#environment;
    const { snapshotEntries = 10_000, trailingEntries = 1_000 } = this.#options;
    const { segmentBytes, snapshotChunkBytes, observer } = this.#options;
    const { clock } = this.#environment.world;
    const clients: ClientPort<KvResult, KvResult> = {
      onProposed: (driverId, outcome) => this.#answer(driverId, outcome),
      onRead: (driverId, outcome) => this.#answer(driverId, outcome),
      onChanged: (_, outcome) => {
        if (outcome.type === 'changed') this.#invariants.onMembershipChanged();
      },
      onStarted: () => {},
      onStopped: stop,
    };
    return new Driver({
      member,
      directory: this.#sabotage.directory(directory),
      world: this.#disk.world,
      logRules: { ...LOG_RULES, ...this.#sabotage.logRules },
      codec: raftCodec,
      queryCodec: requestCodec,
      createReplica: (outbox) => this.#newReplica(outbox),
      stateMachine: new ObservedStateMachine(member, this.#invariants, this.#machine),
      ...(this.#durable === null ? {} : { durable: this.#durable }),
      checkpoints: this.#options.checkpoints ?? {},
      checkpointRules: this.#sabotage.checkpointRules,
      snapshotRules: this.#sabotage.snapshotRules,
      ...(snapshotChunkBytes === undefined ? {} : { snapshotPieceBytes: snapshotChunkBytes }),
      clients,
      snapshotEntries,
      trailingEntries,
      ...(segmentBytes === undefined ? {} : { segmentBytes }),
      ...(observer === undefined ? {} : { observer: observer(member, () => clock.monotonicUs()) }),
    });
  }

  #newReplica(outbox: Outbox<RaftMessage>): Replica<RaftMessage> {
    const { member, members, world } = this.#environment;
    const { rules: broken, directory, outbox: wrapOutbox, replica: wrapReplica } = this.#sabotage;
    const { initial = members.length, snapshotChunkBytes } = this.#options;
    const options = {
      member,
      members: member > initial ? [] : members.slice(0, initial),
      directory: directory(this.#environment.directory),
      random: world.random,
      timing: this.#options.timing ?? QUICK,
      ...(snapshotChunkBytes === undefined ? {} : { snapshots: { chunkBytes: snapshotChunkBytes } }),
      leaseReads: this.#options.leaseReads ?? false,
      rules: { ...(this.#options.rules ?? RAFT_RULES), ...broken },
    };
    const observed = wrapOutbox(new ObservedOutbox(member, this.#invariants, outbox));
    const replica = new ObservedReplica(member, this.#invariants, new Raft(options, observed));
    const wrapped = wrapReplica(replica, observed, { member, members });
    return new ObservedDurability(member, this.#invariants, wrapped);
  }

  #answer(driverId: number, outcome: RaftOutcome): void {
    const id = this.#asked.get(driverId);
    // A proposal that was given up as Unknown may be applied later.
    if (id === undefined) return;
    this.#asked.delete(driverId);
    this.#environment.answer(id, this.#sabotage.outcome(outcome));
  }
}

const requestCodec: Codec<KvRequest> = {
  encode: (writer, request) => writer.bytes(encodeKvRequest(request)),
  decode: (reader) => decodeKvRequest(reader.bytes()),
};
