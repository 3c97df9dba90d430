/**
 * Turns a replica's decisions into what happens, one batch at a time:
 *
 *   events ──► replica.step … flush ──► outbox ──► one group of log records ──► one sync ──► persisted(mark)
 *                                         │                                                      │
 *                                         └─ what waits for no mark leaves at once      what waited leaves, is applied
 *
 * Group commit falls out: while a group is being synced the next one gathers.
 */
import { assert, unreachable } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import { readList, writeList } from '../consensus/entry-codec.ts';
import type { Effect, Mark, MembershipChange, Rejection, Replica, ReplicaEvent } from '../consensus/replica.ts';
import { Log } from '../log/index.ts';
import type { DiskOperation, DiskResult } from '../world/world.ts';
import { CHECKPOINT_RULES, type CheckpointProgress, Checkpoints, storeName } from './checkpoints.ts';
import { decodeFrame, FrameWriter } from './frame.ts';
import { type Group, loadGroup, saveGroup } from './group.ts';
import { APPLIES, type HeldApply, type HeldSend, READS, type ReadyRead, SENDS } from './held.ts';
import type { Input } from './input.ts';
import type { DriverOptions, DriverStatus } from './options.ts';
import { SNAPSHOT_RULES, type Stored } from './snapshot-arrival.ts';
import { type SnapshotName, snapshotFile } from './snapshot-file.ts';
import { type OpenSnapshot, type Purpose, type SnapshotProgress, Snapshots } from './snapshots.ts';
import { diskError } from './stored-snapshot.ts';

/** Of a snapshot so much is in memory at a time. */
const SNAPSHOT_PIECE_BYTES = 256 * 1024;

/** A snapshot in a file costs the whole state; naming a store in the log costs one record. */
const SNAPSHOT_ENTRIES = 100_000;
const STORE_ENTRIES = 10_000;

/** None of it is here any more: it is sent from its beginning. */
const notStored = ({ index, term }: SnapshotName): Stored => ({ index, term, nextOffset: 0, whole: false });

/** Hosts one replica. Made anew for every start of a member; `load` continues one that was saved between turns. */
export class Driver<Message, Result, Query, Answer> {
  readonly #options: DriverOptions<Message, Result, Query, Answer>;
  readonly #replica: Replica<Message>;
  readonly #log: Log;
  readonly #snapshots: Snapshots;
  /** null: the state machine's state is in memory, and its snapshots are files. */
  readonly #checkpoints: Checkpoints | null;
  readonly #frames: FrameWriter<Message>;
  #effects: Effect<Message>[] = [];
  #inbox: Input<Query>[] = [];
  #phase: DriverStatus['phase'] = 'opening';
  #boot = 0;
  #nextToken = 1;
  #nextId = 1;
  #persisted: Mark = 0;
  #group: Group = { records: [], mark: 0, snapshot: null };
  #writing: Group | null = null;
  #sends: HeldSend[] = [];
  #applies: HeldApply[] = [];
  #readyReads: ReadyRead[] = [];
  #queries = new Map<number, Query>();
  /** Changes of membership that wait for their outcome. */
  #changes = new Set<number>();
  #appliedTerm = 0;
  #snapshotIndex = 0;
  #malformed = 0;

  constructor(options: DriverOptions<Message, Result, Query, Answer>) {
    this.#options = options;
    this.#frames = new FrameWriter(options.codec, options.directory);
    const submit = (operation: DiskOperation) => this.#submit(operation);
    const { segmentBytes, logRules } = options;
    this.#log = new Log({
      submit,
      ...(segmentBytes === undefined ? {} : { segmentBytes }),
      ...(logRules === undefined ? {} : { rules: logRules }),
    });
    const { durable, checkpoints = {} } = options;
    this.#checkpoints = durable === undefined ? null : new Checkpoints(durable, () => this.#nextToken++, checkpoints);
    this.#snapshots = new Snapshots({
      submit,
      stage: () => options.stateMachine.stageSnapshot(),
      sink: this.#checkpoints?.sink ?? null,
      pieceBytes: options.snapshotPieceBytes ?? SNAPSHOT_PIECE_BYTES,
      rules: { ...SNAPSHOT_RULES, ...options.snapshotRules },
    });
    this.#replica = options.createReplica({ put: (effect) => this.#effects.push(effect) });
  }

  /** Frames that could not be decoded: never believed, always counted. */
  get malformedFrames(): number {
    return this.#malformed;
  }

  start(): void {
    this.#log.open();
  }

  // ── what comes in: queued until turn() ──────────────────────────────────────────────────────────────────────

  onFrame(from: number, frame: Uint8Array): void {
    this.#inbox.push({ type: 'frame', from, frame });
  }

  onDisk(token: number, result: DiskResult): void {
    this.#inbox.push({ type: 'disk', token, result });
  }

  onWake(): void {
    this.#inbox.push({ type: 'wake' });
  }

  /** The connection to a peer broke: a hint that its process has died, which may be wrong. */
  onUnreachable(peer: number): void {
    this.#inbox.push({ type: 'unreachable', peer });
  }

  /** Returns the id under which `clients.onProposed` answers. */
  propose(command: Uint8Array): number {
    const id = this.#nextId++;
    this.#inbox.push({ type: 'propose', id, command });
    return id;
  }

  /** A linearizable read; returns the id under which `clients.onRead` answers. */
  read(query: Query): number {
    const id = this.#nextId++;
    this.#inbox.push({ type: 'read', id, query });
    return id;
  }

  transferLeadership(to: number): void {
    this.#inbox.push({ type: 'transfer', to });
  }

  /** Only the leader does it; returns the id under which `clients.onChanged` answers. */
  changeMembership(changes: readonly MembershipChange[]): number {
    const id = this.#nextId++;
    this.#inbox.push({ type: 'change', id, changes });
    return id;
  }

  /** The state as it is here and now: it may be stale. */
  query(query: Query): Answer {
    return this.#options.stateMachine.query(query);
  }

  status(): DriverStatus {
    const appliedIndex = this.#options.stateMachine.appliedIndex();
    const storeIsFull = this.#checkpoints?.full ?? false;
    return { ...this.#replica.status(), phase: this.#phase, appliedIndex, storeIsFull };
  }

  // ── a turn ────────────────────────────────────────────────────────────────────────────────────────────────

  turn(): void {
    if (this.#phase === 'stopped') return;
    const inputs = this.#inbox;
    this.#inbox = [];
    try {
      for (const input of inputs) this.#onInput(input);
      if (this.#phase !== 'running') return;
      this.#step({ type: 'flush' });
      this.#drain();
      this.#release();
      this.#write();
      this.#maybeSnapshot();
      const dueUs = this.#checkpoints?.dueUs ?? Number.POSITIVE_INFINITY;
      this.#options.world.clock.wakeAt(Math.min(this.#replica.deadlineUs(), dueUs));
    } catch (error) {
      this.#stop(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #onInput(input: Input<Query>): void {
    if (this.#hasStopped()) return;
    if (input.type === 'disk') return this.#onDiskResult(input.token, input.result);
    if (this.#phase === 'opening') return this.#onEarly(input);
    switch (input.type) {
      case 'frame':
        return this.#onPeerFrame(input.from, input.frame);
      case 'wake':
        return this.#step({ type: 'tick' });
      case 'propose':
        this.#options.observer?.onProposed(input.id);
        return this.#step({ type: 'propose', id: input.id, command: input.command });
      case 'read':
        this.#queries.set(input.id, input.query);
        return this.#step({ type: 'read', id: input.id });
      case 'change':
        this.#changes.add(input.id);
        return this.#step({ type: 'change', id: input.id, changes: input.changes });
      case 'unreachable':
        return this.#step({ type: 'unreachable', peer: input.peer });
      case 'transfer':
        return this.#step({ type: 'control', command: { type: 'transferLeadership', to: input.to } });
      default:
        return unreachable(input);
    }
  }

  #hasStopped(): boolean {
    return this.#phase === 'stopped';
  }

  /** Before the log is open nothing can be promised. */
  #onEarly(input: Input<Query>): void {
    if (input.type === 'propose') this.#options.clients.onProposed(input.id, { type: 'rejected', reason: 'NoLeader' });
    if (input.type === 'change') this.#options.clients.onChanged(input.id, { type: 'rejected', reason: 'NotLeader' });
    if (input.type === 'read') this.#options.clients.onRead(input.id, { type: 'rejected', reason: 'NoLeader' });
  }

  #onPeerFrame(from: number, frame: Uint8Array): void {
    let decoded: { directory: number; message: Message };
    try {
      decoded = decodeFrame(this.#options.codec, frame);
    } catch (error) {
      if (!(error instanceof PolderError)) throw error;
      this.#malformed++;
      return;
    }
    this.#options.observer?.onMessage(from, decoded.message);
    this.#step({ type: 'receive', from, directory: decoded.directory, message: decoded.message });
  }

  #step(event: ReplicaEvent<Message>): void {
    this.#replica.step(this.#options.world.clock.monotonicUs(), event);
  }

  // ── effects ───────────────────────────────────────────────────────────────────────────────────────────────

  #drain(): void {
    const effects = this.#effects;
    this.#effects = [];
    for (const effect of effects) this.#onEffect(effect);
  }

  #onEffect(effect: Effect<Message>): void {
    switch (effect.type) {
      case 'send': {
        const frame = this.#frames.frameOf(effect.message);
        if (effect.after <= this.#persisted) return this.#options.world.network.send(effect.to, frame);
        this.#sends.push({ to: effect.to, frame, after: effect.after });
        return;
      }
      case 'persist':
        if (effect.record.type === 'entry') this.#options.observer?.onAppended(effect.record.entry.index);
        this.#group.records.push(effect.record);
        this.#group.mark = effect.mark;
        return;
      case 'apply':
        this.#options.observer?.onCommitted(effect.entry.index);
        this.#applies.push({ entry: effect.entry, after: effect.after });
        return;
      case 'readReady':
        this.#readyReads.push({ id: effect.id, index: effect.index });
        return;
      case 'changed':
        this.#changes.delete(effect.id);
        return this.#options.clients.onChanged(effect.id, { type: 'changed', index: effect.index });
      case 'rejected':
        return this.#onRejected(effect.id, effect.reason);
      case 'readSnapshot':
        return this.#snapshots.read(effect, this.#replica.status().firstIndex - 1, () => this.openSnapshot());
      case 'closeSnapshot':
        return this.#snapshots.close(effect.to);
      case 'storeSnapshot':
        return this.#onStored(this.#snapshots.store(effect));
      case 'installSnapshot':
        this.#snapshots.install();
        return this.#checkpoints?.stage({ index: effect.index, term: effect.term });
      case 'stop':
        throw new PolderError(effect.code, effect.message);
      default:
        return unreachable(effect);
    }
  }

  #onRejected(id: number, reason: Rejection): void {
    const { clients } = this.#options;
    if (this.#changes.delete(id)) clients.onChanged(id, { type: 'rejected', reason });
    else if (this.#queries.delete(id)) clients.onRead(id, { type: 'rejected', reason });
    else clients.onProposed(id, { type: 'rejected', reason });
  }

  /** Lets out what is durable now: first the messages, then the entries, then the reads that waited for them. */
  #release(): void {
    const held = this.#sends;
    if (held.length > 0) this.#sends = held.filter((send) => send.after > this.#persisted);
    for (const { to, frame, after } of held) {
      if (after <= this.#persisted) this.#options.world.network.send(to, frame);
    }
    this.#apply();
    this.#answerReads();
  }

  #apply(): void {
    const { stateMachine, clients, member, observer } = this.#options;
    if (this.#applies.length > 0) observer?.onApplying();
    let done = 0;
    for (const { entry, after } of this.#applies) {
      if (after > this.#persisted || this.#options.durable?.mayApply === false) break;
      done++;
      assert(entry.index === stateMachine.appliedIndex() + 1, 'entries are applied in order, without a gap');
      const result = stateMachine.apply(entry);
      this.#appliedTerm = entry.term;
      const { origin } = entry;
      if (result === null || origin?.member !== member || origin.boot !== this.#boot) continue;
      clients.onProposed(origin.sequence, { type: 'applied', index: entry.index, term: entry.term, result });
    }
    if (done === 0) return;
    observer?.onApplied(stateMachine.appliedIndex());
    this.#applies = this.#applies.slice(done);
    this.#step({ type: 'applied', index: stateMachine.appliedIndex() });
  }

  #answerReads(): void {
    if (this.#readyReads.length === 0) return;
    const { stateMachine, clients } = this.#options;
    const applied = stateMachine.appliedIndex();
    this.#readyReads = this.#readyReads.filter(({ id, index }) => {
      const query = this.#queries.get(id);
      if (query === undefined || index > applied) return query !== undefined;
      this.#queries.delete(id);
      const answer = stateMachine.query(query);
      clients.onRead(id, { type: 'answer', index: applied, term: this.#appliedTerm, answer });
      return false;
    });
  }

  // ── the log ───────────────────────────────────────────────────────────────────────────────────────────────

  #write(): void {
    if (this.#log.busy || this.#writing !== null || this.#group.records.length === 0) return;
    this.#writing = this.#group;
    this.#group = { records: [], mark: this.#writing.mark, snapshot: null };
    this.#options.observer?.onWriting();
    this.#log.write(this.#writing.records, this.#writing.mark);
  }

  #onDiskResult(token: number, result: DiskResult): void {
    const checkpoint = this.#checkpoints?.onDisk(this.#options.world.clock.monotonicUs(), token, result) ?? null;
    if (checkpoint !== null) return this.#onCheckpoint(checkpoint);
    const progress = this.#snapshots.onDisk(token, result);
    if (progress !== null) return this.#onSnapshot(progress);
    if (!this.#log.onDisk(token, result)) {
      // Removing an old snapshot: that it fails loses nothing, but says that the disk does.
      if (result.type === 'error') throw diskError(result.code, result.message);
      return;
    }
    if (this.#log.failure !== null) throw this.#log.failure;
    if (this.#phase === 'opening') return this.#onLogProgress();
    if (this.#writing !== null && !this.#log.busy) this.#onGroupWritten(this.#writing);
  }

  #onLogProgress(): void {
    const { recovered } = this.#log;
    if (this.#log.state !== 'open' || recovered === null) return;
    if (this.#checkpoints !== null) this.#checkpoints.open(recovered.snapshotFile);
    else if (recovered.snapshotIndex === 0) this.#startReplica();
    else this.#snapshots.start(recovered);
  }

  #startReplica(): void {
    assert(this.#log.recovered !== null, 'the log is open');
    this.#snapshotIndex = this.#log.recovered.snapshotIndex;
    const recovered = this.#checkpoints?.join(this.#log.recovered) ?? this.#log.recovered;
    assert(this.#options.stateMachine.appliedIndex() === recovered.snapshotIndex, 'the state is the snapshot’s');
    this.#boot = recovered.boot;
    this.#appliedTerm = recovered.snapshotTerm;
    this.#phase = 'running';
    this.#step({ type: 'start', recovered, configuration: this.#options.stateMachine.configuration() });
    this.#log.releaseRecovered();
    this.#snapshots.removeLeftovers();
    this.#options.clients.onStarted();
  }

  #onGroupWritten(group: Group): void {
    this.#writing = null;
    if (group.mark > this.#persisted) {
      this.#persisted = group.mark;
      this.#options.observer?.onDurable();
      this.#step({ type: 'persisted', mark: group.mark });
    }
    if (group.snapshot !== null) this.#onNamedInLog(group.snapshot.snapshot, group.snapshot.purpose);
  }

  // ── snapshots ─────────────────────────────────────────────────────────────────────────────────────────────

  #maybeSnapshot(): void {
    if (this.#checkpoints !== null) {
      return this.#checkpoints.maybeBegin(this.#options.world.clock.monotonicUs(), this.#appliedTerm);
    }
    const { stateMachine, snapshotEntries = SNAPSHOT_ENTRIES } = this.#options;
    const applied = stateMachine.appliedIndex();
    if (applied - this.#snapshotIndex < snapshotEntries || this.#snapshotUnderWay) return;
    this.#snapshotIndex = applied;
    this.#snapshots.write(this.openSnapshot());
  }

  /**
   * Until the log names it, no other one is begun: the leader's may be newer than the one that is made here, and named
   * after it an older snapshot would take its place, without the entries between the two (PITFALLS R17).
   */
  get #snapshotUnderWay(): boolean {
    return this.#snapshots.busy || this.#namingInLog;
  }

  get #namingInLog(): boolean {
    return this.#group.snapshot !== null || (this.#writing?.snapshot ?? null) !== null;
  }

  #onCheckpoint(progress: CheckpointProgress): void {
    switch (progress.type) {
      case 'opened':
        return this.#startReplica();
      case 'hungry':
        return this.#snapshots.fill();
      case 'written':
      case 'staged':
        return this.#maybeNameStore();
      case 'unstaged':
        this.#snapshots.drop();
        return this.#onStored(notStored(progress.snapshot));
      default:
        return unreachable(progress);
    }
  }

  /** The log may forget what a store holds durably, and nothing beyond (PITFALLS R29). */
  #maybeNameStore(): void {
    const { durable, snapshotEntries = STORE_ENTRIES, checkpointRules = CHECKPOINT_RULES } = this.#options;
    if (this.#checkpoints === null || durable === undefined || this.#namingInLog) return;
    const { staged } = this.#checkpoints;
    if (staged !== null) return this.#nameInLog(staged, 'peer', storeName(staged.index, staged.term));
    const applied = { index: durable.appliedIndex(), term: this.#appliedTerm };
    const { index, term } = checkpointRules.mayForget(durable.durable, applied);
    if (index - this.#snapshotIndex < snapshotEntries) return;
    this.#snapshotIndex = index;
    this.#nameInLog({ index, term }, 'own', durable.store);
  }

  #onSnapshot(progress: SnapshotProgress): void {
    switch (progress.type) {
      case 'working':
        if (this.#snapshots.fillPauses) this.#checkpoints?.flush();
        return;
      case 'started':
        return this.#startReplica();
      case 'written':
        if (this.#checkpoints === null) return this.#nameInLog(progress.snapshot, 'own');
        this.#snapshots.adopt(progress.snapshot, 'own');
        return this.#snapshots.serve();
      case 'chunk':
        return this.#step({ type: 'snapshotRead', ...progress.chunk });
      case 'stored':
        return this.#onStored(progress.stored);
      case 'arrived':
        if (this.#checkpoints !== null) return this.#checkpoints.finish(progress.snapshot);
        return this.#maybeNameArrived();
      case 'refused':
        this.#checkpoints?.discard();
        return this.#onStored(notStored(progress.snapshot));
      default:
        return unreachable(progress);
    }
  }

  /** An own one that is about to be named is older: it is named first. */
  #maybeNameArrived(): void {
    const { arrived } = this.#snapshots;
    if (arrived !== null && !this.#namingInLog && !this.#snapshots.isWriting) this.#nameInLog(arrived, 'peer');
  }

  #onStored(stored: Stored | null): void {
    if (stored === null) return;
    this.#step({ type: 'snapshotStored', ...stored });
    this.#drain();
    // It was not asked for: the state has passed it meanwhile.
    if (stored.whole && !this.#snapshots.installs && this.#checkpoints?.hasPeer !== true) this.#snapshots.drop();
  }

  #nameInLog(snapshot: SnapshotName, purpose: Purpose, file = snapshotFile(snapshot.index)): void {
    const { index, term } = snapshot;
    this.#group.records.push({ type: 'snapshot', index, term, file });
    this.#group.snapshot = { snapshot, purpose };
  }

  /** The snapshot stands: what it replaces may go. */
  #onNamedInLog(snapshot: SnapshotName, purpose: Purpose): void {
    const { index, term } = snapshot;
    if (this.#checkpoints === null) this.#snapshots.adopt(snapshot, purpose);
    this.#log.compact(index);
    if (purpose === 'own') {
      const through = Math.max(0, index - (this.#options.trailingEntries ?? 1_000));
      this.#step({ type: 'compacted', index, term, through });
    } else {
      this.#install(snapshot);
    }
    this.#maybeNameStore();
    this.#maybeNameArrived();
  }

  #install(snapshot: SnapshotName): void {
    this.#apply();
    const { stateMachine, member } = this.#options;
    const { index, term } = snapshot;
    assert(stateMachine.appliedIndex() < index, 'a snapshot never takes the state back');
    // Those for which a full store had no room are in the snapshot.
    assert((this.#applies.at(-1)?.entry.index ?? 0) <= index, 'nothing is committed while a snapshot is installed');
    this.#applies = [];
    this.#checkpoints?.adopt();
    this.#snapshots.finish();
    this.#snapshotIndex = index;
    this.#appliedTerm = term;
    const settled = (sequence: number) => stateMachine.contains(member, this.#boot, sequence);
    const configuration = stateMachine.configuration();
    this.#step({ type: 'snapshotInstalled', index, term, configuration, settled });
  }

  /** The state as it is here and now; to be closed. */
  openSnapshot(): OpenSnapshot {
    const { stateMachine } = this.#options;
    const name = { index: stateMachine.appliedIndex(), term: this.#appliedTerm };
    return { name, source: stateMachine.openSnapshot() };
  }

  // ── stopping, saving ──────────────────────────────────────────────────────────────────────────────────────

  #submit(operation: DiskOperation): number {
    const token = this.#nextToken++;
    this.#options.world.disk.submit(token, operation);
    return token;
  }

  /** Between turns. */
  save(writer: ByteWriter): void {
    const { queryCodec } = this.#options;
    assert(queryCodec !== undefined, 'a driver that is saved knows the bytes of its queries');
    assert(this.#inbox.length === 0 && this.#effects.length === 0, 'a driver is saved between turns');
    writer.u8(['opening', 'running', 'stopped'].indexOf(this.#phase));
    for (const value of [
      this.#boot,
      this.#nextToken,
      this.#nextId,
      this.#persisted,
      this.#appliedTerm,
      this.#snapshotIndex,
      this.#malformed,
    ]) {
      writer.varint(value);
    }
    saveGroup(writer, this.#group);
    writer.bool(this.#writing !== null);
    if (this.#writing !== null) saveGroup(writer, this.#writing);
    writeList(writer, this.#sends, SENDS.write);
    writeList(writer, this.#applies, APPLIES.write);
    writeList(writer, this.#readyReads, READS.write);
    writeList(writer, [...this.#changes], (to, id) => to.varint(id));
    writeList(writer, [...this.#queries], (to, [id, query]) => {
      to.varint(id);
      queryCodec.encode(to, query);
    });
    for (const part of [this.#log, this.#snapshots, this.#replica]) part.save(writer);
    const { stateMachine, durable } = this.#options;
    this.#checkpoints?.save(writer);
    if (durable === undefined) stateMachine.save(writer);
    else durable.saveProcess(writer);
  }

  load(reader: ByteReader): void {
    const { queryCodec } = this.#options;
    assert(queryCodec !== undefined, 'a driver that is loaded knows the bytes of its queries');
    this.#phase = (['opening', 'running', 'stopped'] as const)[reader.u8()] ?? 'stopped';
    this.#boot = reader.varint();
    this.#nextToken = reader.varint();
    this.#nextId = reader.varint();
    this.#persisted = reader.varint();
    this.#appliedTerm = reader.varint();
    this.#snapshotIndex = reader.varint();
    this.#malformed = reader.varint();
    this.#group = loadGroup(reader);
    this.#writing = reader.bool() ? loadGroup(reader) : null;
    this.#sends = readList(reader, SENDS.read);
    this.#applies = readList(reader, APPLIES.read);
    this.#readyReads = readList(reader, READS.read);
    this.#changes = new Set(readList(reader, (from) => from.varint()));
    this.#queries = new Map(readList(reader, (from) => [from.varint(), queryCodec.decode(from)] as const));
    for (const part of [this.#log, this.#snapshots, this.#replica]) part.load(reader);
    const { stateMachine, durable } = this.#options;
    this.#checkpoints?.load(reader);
    if (durable === undefined) stateMachine.load(reader);
    else durable.loadProcess(reader);
  }

  #stop(error: Error): void {
    this.#phase = 'stopped';
    this.#options.world.clock.wakeAt(Number.POSITIVE_INFINITY);
    this.#options.clients.onStopped(error);
  }
}
