/** Bases for wrappers around a member's parts: everything is handed on, but for what a subclass overrides. */
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import type { RaftMessage } from '../../consensus/raft/message.ts';
import type { Entry, Replica, ReplicaEvent, ReplicaStatus } from '../../consensus/replica.ts';
import type { SnapshotSource, SnapshotStage, StateMachine } from '../../consensus/state-machine.ts';

export class WrappedReplica implements Replica<RaftMessage> {
  protected readonly inner: Replica<RaftMessage>;

  constructor(inner: Replica<RaftMessage>) {
    this.inner = inner;
  }

  step(nowUs: number, event: ReplicaEvent<RaftMessage>): void {
    this.inner.step(nowUs, event);
  }

  deadlineUs(): number {
    return this.inner.deadlineUs();
  }

  status(): ReplicaStatus {
    return this.inner.status();
  }

  save(writer: ByteWriter): void {
    this.inner.save(writer);
  }

  load(reader: ByteReader): void {
    this.inner.load(reader);
  }
}

export class WrappedStateMachine<Result, Query, Answer> implements StateMachine<Result, Query, Answer> {
  protected readonly inner: StateMachine<Result, Query, Answer>;

  constructor(inner: StateMachine<Result, Query, Answer>) {
    this.inner = inner;
  }

  appliedIndex(): number {
    return this.inner.appliedIndex();
  }

  apply(entry: Entry): Result | null {
    return this.inner.apply(entry);
  }

  query(query: Query): Answer {
    return this.inner.query(query);
  }

  contains(member: number, boot: number, sequence: number): boolean {
    return this.inner.contains(member, boot, sequence);
  }

  configuration(): Uint8Array {
    return this.inner.configuration();
  }

  openSnapshot(): SnapshotSource {
    return this.inner.openSnapshot();
  }

  stageSnapshot(): SnapshotStage {
    return this.inner.stageSnapshot();
  }

  save(writer: ByteWriter): void {
    this.inner.save(writer);
  }

  load(reader: ByteReader): void {
    this.inner.load(reader);
  }
}
