/** The KV state machine over an engine: what is applied lies in a bounded overlay until a checkpoint has written it. */
import { AssertionError, assert, unreachable } from '../base/assert.ts';
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import type { Entry } from '../consensus/replica.ts';
import type { DurableStateMachine, SnapshotSource, SnapshotStage } from '../consensus/state-machine.ts';
import type { Change, Engine } from './engine.ts';
import { OverlayStore } from './overlay-store.ts';
import type { KvRequest, KvResult } from './request.ts';
import type { KvSnapshotStage } from './snapshot.ts';
import { KvStateMachine } from './state-machine.ts';
import type { Storage } from './storage.ts';
import { CURRENT_VERSIONS, PAST_VERSIONS, type Version } from './version.ts';

const FORMAT = 1;
const CURRENT = 'current';
const PAST = 'past';
/** The trees that an engine must have. */
export const KV_TREES: readonly string[] = [CURRENT, PAST];
/** Holds the changes of a second or two under load, and is little beside what a process takes anyway. */
const MAX_OVERLAY_BYTES = 64 * 1024 * 1024;

interface Place {
  readonly index: number;
  readonly term: number;
}

const NOWHERE: Place = { index: 0, term: 0 };

export interface DurableKvOptions {
  readonly storage: Storage;
  /** Beyond so much in memory nothing is applied until a checkpoint is through. Default 64 MiB. */
  readonly maxOverlayBytes?: number;
}

/** A machine, and the store under it. */
class Mounted {
  readonly name: string;
  readonly engine: Engine;
  readonly current: OverlayStore<Version>;
  readonly past: OverlayStore<Version>;
  readonly machine: KvStateMachine;
  durable: Place = NOWHERE;

  constructor(name: string, engine: Engine) {
    this.name = name;
    this.engine = engine;
    this.current = new OverlayStore(engine.tree(CURRENT), CURRENT_VERSIONS);
    this.past = new OverlayStore(engine.tree(PAST), PAST_VERSIONS);
    this.machine = new KvStateMachine(() => ({ current: this.current, past: this.past }));
    if (engine.record !== null) this.#load(engine.record);
  }

  get overlayBytes(): number {
    return this.current.overlayBytes + this.past.overlayBytes;
  }

  commit(token: number, term: number): void {
    const changes = new Map<string, readonly Change[]>([
      [CURRENT, this.current.freeze()],
      [PAST, this.past.freeze()],
    ]);
    this.engine.commit(token, { changes, record: this.#record(term) });
  }

  settle(outcome: 'done' | 'error', place: Place): void {
    this.engine.settle(outcome);
    if (outcome === 'error') {
      this.current.thaw();
      this.past.thaw();
      return;
    }
    this.current.settled(this.engine.tree(CURRENT));
    this.past.settled(this.engine.tree(PAST));
    this.durable = place;
  }

  close(): void {
    this.current.close();
    this.past.close();
  }

  save(writer: ByteWriter): void {
    writer.string(this.name);
    writePlace(writer, this.durable);
    this.machine.saveRecord(writer);
    this.current.saveOverlay(writer);
    this.past.saveOverlay(writer);
  }

  static load(reader: ByteReader, storage: Storage): Mounted {
    const name = reader.string();
    const mounted = new Mounted(name, storage.engine(name));
    mounted.durable = readPlace(reader);
    mounted.machine.loadRecord(reader);
    mounted.current.loadOverlay(reader);
    mounted.past.loadOverlay(reader);
    return mounted;
  }

  #record(term: number): Uint8Array {
    const writer = new ByteWriter();
    writer.u8(FORMAT);
    writer.varint(term);
    this.machine.saveRecord(writer);
    return writer.finish();
  }

  #load(record: Uint8Array): void {
    const reader = new ByteReader(record);
    if (reader.u8() !== FORMAT) {
      throw new PolderError('UnknownFormat', `${this.name} was written by another version: run that version`);
    }
    const term = reader.varint();
    this.machine.loadRecord(reader);
    reader.end();
    this.durable = { index: this.machine.appliedIndex(), term };
  }
}

type Job =
  | { readonly type: 'idle' }
  | { readonly type: 'opening'; readonly name: string }
  | { readonly type: 'writing'; readonly place: Place }
  /** The engine is being made that will hold a peer's snapshot. */
  | { readonly type: 'making'; readonly name: string }
  /** A part of the snapshot is being written, or what makes it whole. */
  | { readonly type: 'flushing' }
  | { readonly type: 'finishing'; readonly place: Place };

/** A peer's snapshot on its way into a store of its own. */
interface Staging {
  readonly mounted: Mounted;
  readonly stage: KvSnapshotStage;
}

/** Never written to. */
const NOTHING = new KvStateMachine();

const IDLE: Job = { type: 'idle' };
const JOBS = [
  'idle',
  'opening',
  'writing',
  'making',
  'flushing',
  'finishing',
] as const satisfies readonly Job['type'][];

function writePlace(writer: ByteWriter, { index, term }: Place): void {
  writer.varint(index);
  writer.varint(term);
}

function readPlace(reader: ByteReader): Place {
  return { index: reader.varint(), term: reader.varint() };
}

function readJob(reader: ByteReader): Job {
  const type = JOBS[reader.u8()] ?? 'idle';
  switch (type) {
    case 'idle':
    case 'flushing':
      return { type };
    case 'opening':
    case 'making':
      return { type, name: reader.string() };
    case 'writing':
    case 'finishing':
      return { type, place: readPlace(reader) };
    default:
      return unreachable(type);
  }
}

export class DurableKvStateMachine implements DurableStateMachine<KvResult, KvRequest, KvResult> {
  readonly #storage: Storage;
  readonly #maxOverlayBytes: number;
  /** null: not opened yet. */
  #mounted: Mounted | null = null;
  #staging: Staging | null = null;
  /** Whole, and durable. */
  #staged: Mounted | null = null;
  #job: Job = IDLE;

  constructor({ storage, maxOverlayBytes = MAX_OVERLAY_BYTES }: DurableKvOptions) {
    this.#storage = storage;
    this.#maxOverlayBytes = maxOverlayBytes;
  }

  // ── the store ─────────────────────────────────────────────────────────────────────────────────────────────

  get durable(): Place {
    return this.#mounted?.durable ?? NOWHERE;
  }

  get store(): string {
    return this.#open.name;
  }

  get overlayBytes(): number {
    return this.#mounted?.overlayBytes ?? 0;
  }

  get mayApply(): boolean {
    return this.overlayBytes < this.#maxOverlayBytes;
  }

  /** What the store takes on its device. */
  storeBytes(): number {
    return this.#mounted?.engine.sizeBytes ?? 0;
  }

  open(token: number, store: string): void {
    assert(this.#mounted === null && this.#job.type === 'idle', 'a machine is opened once, before all else');
    this.#job = { type: 'opening', name: store };
    this.#storage.open(token, store);
  }

  checkpoint(token: number, term: number): void {
    assert(this.#job.type === 'idle', 'one thing at a time');
    const index = this.appliedIndex();
    assert(index > this.durable.index, 'a checkpoint has something to write');
    this.#job = { type: 'writing', place: { index, term } };
    this.#open.commit(token, term);
  }

  stage(token: number, store: string): void {
    assert(this.#job.type === 'idle' && store !== this.store, 'another store is made when nothing else is under way');
    this.discardStage();
    this.#job = { type: 'making', name: store };
    this.#storage.create(token, store);
  }

  get staging(): Pick<SnapshotStage, 'write' | 'whole'> {
    return this.#stagingNow.stage;
  }

  get stagedBytes(): number {
    return this.#staging?.mounted.overlayBytes ?? 0;
  }

  flushStage(token: number): void {
    assert(this.#job.type === 'idle', 'one thing at a time');
    this.#job = { type: 'flushing' };
    this.#stagingNow.mounted.commit(token, NOWHERE.term);
  }

  finishStage(token: number, term: number): void {
    assert(this.#job.type === 'idle', 'one thing at a time');
    const { mounted, stage } = this.#stagingNow;
    stage.install();
    this.#job = { type: 'finishing', place: { index: mounted.machine.appliedIndex(), term } };
    mounted.commit(token, term);
  }

  /** It may be gone already: the leader began again with a newer one, or another leader did. */
  discardStage(): void {
    this.#staging?.mounted.close();
    this.#staged?.close();
    this.#staging = null;
    this.#staged = null;
  }

  settle(outcome: 'done' | 'error'): void {
    const job = this.#job;
    this.#job = IDLE;
    switch (job.type) {
      case 'idle':
        throw new AssertionError('an outcome is of something that was begun');
      case 'opening':
        if (outcome === 'done') this.#mounted = new Mounted(job.name, this.#storage.engine(job.name));
        if (outcome === 'done') this.#storage.keepOnly(job.name);
        return;
      case 'writing':
        return this.#open.settle(outcome, job.place);
      case 'making':
        if (outcome === 'done') this.#staging = this.#newStaging(job.name);
        return;
      case 'flushing':
        return this.#stagingNow.mounted.settle(outcome, NOWHERE);
      case 'finishing':
        this.#stagingNow.mounted.settle(outcome, job.place);
        if (outcome === 'error') return;
        this.#staged = this.#stagingNow.mounted;
        this.#staging = null;
        return;
      default:
        return unreachable(job);
    }
  }

  adopt(): void {
    const staged = this.#staged;
    assert(staged !== null && this.#job.type === 'idle', 'what is adopted was staged, and is durable');
    assert(staged.durable.index > this.appliedIndex(), 'a snapshot never takes the state back');
    this.#open.close();
    this.#mounted = staged;
    this.#staged = null;
    this.#storage.keepOnly(staged.name);
  }

  #newStaging(name: string): Staging {
    const mounted = new Mounted(name, this.#storage.engine(name));
    return { mounted, stage: mounted.machine.stageSnapshot() };
  }

  get #stagingNow(): Staging {
    assert(this.#staging !== null, 'a snapshot is being staged');
    return this.#staging;
  }

  get #open(): Mounted {
    assert(this.#mounted !== null, 'the store is open');
    return this.#mounted;
  }

  /** Before the store is open: an empty one. */
  get #machine(): KvStateMachine {
    return this.#mounted?.machine ?? NOTHING;
  }

  // ── the machine ───────────────────────────────────────────────────────────────────────────────────────────

  appliedIndex(): number {
    return this.#machine.appliedIndex();
  }

  revision(): number {
    return this.#machine.revision();
  }

  compactRevision(): number {
    return this.#machine.compactRevision();
  }

  keyCount(): number {
    return this.#machine.keyCount();
  }

  sizeBytes(): number {
    return this.#machine.sizeBytes();
  }

  apply(entry: Entry): KvResult | null {
    return this.#open.machine.apply(entry);
  }

  query(query: KvRequest): KvResult {
    return this.#machine.query(query);
  }

  contains(member: number, boot: number, sequence: number): boolean {
    return this.#machine.contains(member, boot, sequence);
  }

  configuration(): Uint8Array {
    return this.#machine.configuration();
  }

  /** The same bytes as a machine in memory gives for the same state. */
  openSnapshot(): SnapshotSource {
    return this.#machine.openSnapshot();
  }

  stageSnapshot(): SnapshotStage {
    throw new AssertionError('a durable machine takes a state by stage and adopt, never in place');
  }

  save(writer: ByteWriter): void {
    this.#machine.save(writer);
  }

  saveProcess(writer: ByteWriter): void {
    const job = this.#job;
    writer.u8(JOBS.indexOf(job.type));
    if (job.type === 'opening' || job.type === 'making') writer.string(job.name);
    if (job.type === 'writing' || job.type === 'finishing') writePlace(writer, job.place);
    for (const mounted of [this.#mounted, this.#staged, this.#staging?.mounted ?? null]) {
      writer.bool(mounted !== null);
      mounted?.save(writer);
    }
    this.#staging?.stage.saveScalars(writer);
  }

  loadProcess(reader: ByteReader): void {
    this.#job = readJob(reader);
    const mount = (): Mounted | null => (reader.bool() ? Mounted.load(reader, this.#storage) : null);
    this.#mounted = mount();
    this.#staged = mount();
    const mounted = mount();
    this.#staging = mounted === null ? null : { mounted, stage: mounted.machine.stageSnapshot() };
    this.#staging?.stage.loadScalars(reader);
  }

  load(): void {
    throw new AssertionError('a durable machine takes a state by stage and adopt, never in place');
  }
}
