/** The invariants' eyes: wrappers around what a driver is given, which change nothing. */
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import type { RaftMessage } from '../../consensus/raft/message.ts';
import type { Effect, Entry, Outbox, Replica, ReplicaEvent, ReplicaStatus } from '../../consensus/replica.ts';
import type { StateMachine } from '../../consensus/state-machine.ts';
import type { Invariants } from './invariants.ts';

export class ObservedOutbox implements Outbox<RaftMessage> {
  readonly #member: number;
  readonly #invariants: Invariants;
  readonly #outbox: Outbox<RaftMessage>;

  constructor(member: number, invariants: Invariants, outbox: Outbox<RaftMessage>) {
    this.#member = member;
    this.#invariants = invariants;
    this.#outbox = outbox;
  }

  put(effect: Effect<RaftMessage>): void {
    this.#invariants.onEffect(this.#member, effect);
    this.#outbox.put(effect);
  }
}

/** Sees what a replica is told, and what it then says of itself. */
export class ObservedReplica implements Replica<RaftMessage> {
  readonly #member: number;
  readonly #invariants: Invariants;
  readonly #replica: Replica<RaftMessage>;

  constructor(member: number, invariants: Invariants, replica: Replica<RaftMessage>) {
    this.#member = member;
    this.#invariants = invariants;
    this.#replica = replica;
  }

  step(nowUs: number, event: ReplicaEvent<RaftMessage>): void {
    if (event.type === 'start') this.#invariants.onStart(this.#member, event.recovered);
    if (event.type === 'snapshotInstalled') this.#invariants.onInstalled(this.#member, event.index, event.term);
    this.#replica.step(nowUs, event);
    this.#invariants.onStatus(this.#member, this.#replica.status());
  }

  deadlineUs(): number {
    return this.#replica.deadlineUs();
  }

  status(): ReplicaStatus {
    return this.#replica.status();
  }

  save(writer: ByteWriter): void {
    this.#replica.save(writer);
  }

  load(reader: ByteReader): void {
    this.#replica.load(reader);
  }
}

/** Sees what becomes durable, whatever the replica is told of it. */
export class ObservedDurability implements Replica<RaftMessage> {
  readonly #member: number;
  readonly #invariants: Invariants;
  readonly #replica: Replica<RaftMessage>;

  constructor(member: number, invariants: Invariants, replica: Replica<RaftMessage>) {
    this.#member = member;
    this.#invariants = invariants;
    this.#replica = replica;
  }

  step(nowUs: number, event: ReplicaEvent<RaftMessage>): void {
    if (event.type === 'persisted') this.#invariants.onPersisted(this.#member, event.mark);
    this.#replica.step(nowUs, event);
  }

  deadlineUs(): number {
    return this.#replica.deadlineUs();
  }

  status(): ReplicaStatus {
    return this.#replica.status();
  }

  save(writer: ByteWriter): void {
    this.#replica.save(writer);
  }

  load(reader: ByteReader): void {
    this.#replica.load(reader);
  }
}

export class ObservedStateMachine<Result, Query, Answer> implements StateMachine<Result, Query, Answer> {
  readonly #member: number;
  readonly #invariants: Invariants;
  readonly #machine: StateMachine<Result, Query, Answer>;

  constructor(member: number, invariants: Invariants, machine: StateMachine<Result, Query, Answer>) {
    this.#member = member;
    this.#invariants = invariants;
    this.#machine = machine;
  }

  appliedIndex(): number {
    return this.#machine.appliedIndex();
  }

  apply(entry: Entry): Result | null {
    this.#invariants.onApplied(this.#member, entry);
    return this.#machine.apply(entry);
  }

  query(query: Query): Answer {
    return this.#machine.query(query);
  }

  contains(member: number, boot: number, sequence: number): boolean {
    return this.#machine.contains(member, boot, sequence);
  }

  save(writer: ByteWriter): void {
    this.#machine.save(writer);
  }

  load(reader: ByteReader): void {
    this.#machine.load(reader);
    this.#invariants.onLoaded(this.#member, this.#machine.appliedIndex());
  }
}
