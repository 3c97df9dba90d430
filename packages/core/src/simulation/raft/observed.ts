/** The invariants' eyes: wrappers around what a driver is given, which change nothing. */
import type { ByteReader } from '../../base/bytes.ts';
import type { RaftMessage } from '../../consensus/raft/message.ts';
import type { Effect, Entry, Outbox, Replica, ReplicaEvent } from '../../consensus/replica.ts';
import type { SnapshotStage, StateMachine } from '../../consensus/state-machine.ts';
import { type DurableKvOptions, DurableKvStateMachine } from '../../kv/index.ts';
import type { Invariants } from './invariants.ts';
import { WrappedReplica, WrappedStateMachine } from './wrapped.ts';

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
export class ObservedReplica extends WrappedReplica {
  readonly #member: number;
  readonly #invariants: Invariants;

  constructor(member: number, invariants: Invariants, replica: Replica<RaftMessage>) {
    super(replica);
    this.#member = member;
    this.#invariants = invariants;
  }

  override step(nowUs: number, event: ReplicaEvent<RaftMessage>): void {
    if (event.type === 'start') this.#invariants.onStart(this.#member, event.recovered);
    if (event.type === 'snapshotInstalled') this.#invariants.onInstalled(this.#member, event.index, event.term);
    super.step(nowUs, event);
    this.#invariants.onStatus(this.#member, this.status());
  }
}

/** Sees what becomes durable, whatever the replica is told of it. */
export class ObservedDurability extends WrappedReplica {
  readonly #member: number;
  readonly #invariants: Invariants;

  constructor(member: number, invariants: Invariants, replica: Replica<RaftMessage>) {
    super(replica);
    this.#member = member;
    this.#invariants = invariants;
  }

  override step(nowUs: number, event: ReplicaEvent<RaftMessage>): void {
    if (event.type === 'persisted') this.#invariants.onPersisted(this.#member, event.mark);
    super.step(nowUs, event);
  }
}

export class ObservedStateMachine<Result, Query, Answer> extends WrappedStateMachine<Result, Query, Answer> {
  readonly #member: number;
  readonly #invariants: Invariants;

  constructor(member: number, invariants: Invariants, machine: StateMachine<Result, Query, Answer>) {
    super(machine);
    this.#member = member;
    this.#invariants = invariants;
  }

  override apply(entry: Entry): Result | null {
    this.#invariants.onApplied(this.#member, entry);
    return super.apply(entry);
  }

  override stageSnapshot(): SnapshotStage {
    const stage = super.stageSnapshot();
    return {
      write: (bytes) => stage.write(bytes),
      get whole() {
        return stage.whole;
      },
      install: () => {
        stage.install();
        this.#invariants.onLoaded(this.#member, this.appliedIndex());
      },
      discard: () => stage.discard(),
      save: (writer) => stage.save(writer),
      load: (reader) => stage.load(reader),
    };
  }

  override load(reader: ByteReader): void {
    super.load(reader);
    this.#invariants.onLoaded(this.#member, this.appliedIndex());
  }
}

/** Tells when its store is opened or replaced. */
export class ObservedDurableKv extends DurableKvStateMachine {
  readonly #member: number;
  readonly #invariants: Invariants;
  #opening = false;

  constructor(member: number, invariants: Invariants, options: DurableKvOptions) {
    super(options);
    this.#member = member;
    this.#invariants = invariants;
  }

  override open(token: number, store: string): void {
    super.open(token, store);
    this.#opening = true;
  }

  override settle(outcome: 'done' | 'error'): void {
    super.settle(outcome);
    if (this.#opening) this.#invariants.onLoaded(this.#member, this.appliedIndex());
    this.#opening = false;
  }

  override adopt(): void {
    super.adopt();
    this.#invariants.onLoaded(this.#member, this.appliedIndex());
  }
}
