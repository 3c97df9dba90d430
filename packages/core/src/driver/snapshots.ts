/**
 * The snapshots of one member: files, of which the newest is what peers get.
 *
 *   own     source ──► writer ──► durable under its name ──► named in the log ──► adopt
 *   peer's  chunks ──► arrival ──► whole ──► install: sync ──► loader, into a stage ──► its name, durable ──► named ──► adopt
 *   start   loader, into a stage ──► started
 *
 * In memory are the pieces under way: one of an own snapshot, one that is loaded, the chunks that a leader has in flight,
 * and the chunks that each peer is being read; never a whole snapshot.
 */
import { assert, defined } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import type { Recovered } from '../consensus/replica.ts';
import type { SnapshotSource, SnapshotStage } from '../consensus/state-machine.ts';
import type { DiskOperation, DiskResult } from '../world/world.ts';
import { ARRIVING_FILE, type Chunk, SnapshotArrival, type SnapshotRules, type Stored } from './snapshot-arrival.ts';
import { type SnapshotName, snapshotFile } from './snapshot-file.ts';
import { SnapshotInstall } from './snapshot-install.ts';
import { SnapshotLoader, type SnapshotSink } from './snapshot-loader.ts';
import { type ReadChunk, SnapshotReads, type WantedChunk } from './snapshot-reads.ts';
import { SnapshotWriter } from './snapshot-writer.ts';
import { corruptSnapshot, diskError, loadStored, type StoredSnapshot, saveStored } from './stored-snapshot.ts';

/** `own`: made here. `peer`: the leader's, to be installed. */
export type Purpose = 'own' | 'peer';

export interface SnapshotsOptions {
  readonly submit: (operation: DiskOperation) => number;
  readonly stage: () => SnapshotStage;
  /** A member whose state is in a store takes a peer's snapshot from here, and not by a stage. */
  readonly sink: SnapshotSink | null;
  readonly pieceBytes: number;
  readonly rules: SnapshotRules;
}

export interface OpenSnapshot {
  readonly name: SnapshotName;
  readonly source: SnapshotSource;
}

export type SnapshotProgress =
  | { readonly type: 'working' }
  /** What the log names is in its place. */
  | { readonly type: 'started' }
  /** Durable under its name; the log does not name it yet. */
  | { readonly type: 'written'; readonly snapshot: SnapshotName }
  | { readonly type: 'chunk'; readonly chunk: ReadChunk }
  | { readonly type: 'stored'; readonly stored: Stored }
  /** Durable, and in the stage or in the sink. */
  | { readonly type: 'arrived'; readonly snapshot: SnapshotName }
  | { readonly type: 'refused'; readonly snapshot: SnapshotName };

const WORKING: SnapshotProgress = { type: 'working' };
const LEFTOVERS = /^snapshot[-.]/;

export class Snapshots {
  readonly #submit: (operation: DiskOperation) => number;
  readonly #options: SnapshotsOptions;
  readonly #writer: SnapshotWriter;
  readonly #loader: SnapshotLoader;
  readonly #arrival: SnapshotArrival;
  readonly #install: SnapshotInstall;
  readonly #reads: SnapshotReads;
  #newest: StoredSnapshot | null = null;
  /** Durable under its name, and not named in the log yet. */
  #unnamed: StoredSnapshot | null = null;
  #listing = 0;

  constructor(options: SnapshotsOptions) {
    const { submit, pieceBytes, rules } = options;
    this.#submit = submit;
    this.#options = options;
    this.#writer = new SnapshotWriter(submit, pieceBytes, rules);
    this.#loader = new SnapshotLoader(submit, pieceBytes);
    this.#arrival = new SnapshotArrival(submit, rules);
    this.#install = new SnapshotInstall(submit, rules);
    this.#reads = new SnapshotReads(submit);
  }

  get newest(): SnapshotName | null {
    return this.#newest;
  }

  /** One is being made here, or a peer's is on its way into the place of the state. */
  get busy(): boolean {
    return this.#writer.busy || this.#arrival.whole !== null;
  }

  get isWriting(): boolean {
    return this.#writer.busy;
  }

  // ── at the start ──────────────────────────────────────────────────────────────────────────────────────────

  /** Loads the one that the log names. Throws `WrongStorage`. */
  start({ snapshotIndex: index, snapshotTerm: term, snapshotFile: named }: Recovered): void {
    if (named !== snapshotFile(index)) {
      const message = `the log names ${named}, which a member that keeps its data on disk wrote: start it with storage "lmdb"`;
      throw new PolderError('WrongStorage', message);
    }
    this.#loader.begin({ index, term }, named, this.#install.into(this.#options.stage()));
  }

  /** What an earlier life left half done, or had not removed yet. */
  removeLeftovers(): void {
    this.#listing = this.#submit({ type: 'list' });
  }

  #onListed(names: readonly string[]): void {
    this.#listing = 0;
    // Next time, if what is there may be of this life.
    if (this.#writer.busy || this.#unnamed !== null || this.#arrival.busy) return;
    const kept = this.#newest === null ? '' : snapshotFile(this.#newest.index);
    for (const file of names) {
      if (LEFTOVERS.test(file) && file !== kept) this.#submit({ type: 'remove', file });
    }
  }

  // ── an own one ────────────────────────────────────────────────────────────────────────────────────────────

  write({ name, source }: OpenSnapshot): void {
    this.#writer.begin(name, source);
  }

  /** The log names it now, or it is for peers only: it is what they get, and the one before may go. */
  adopt({ index }: SnapshotName, purpose: Purpose): void {
    const snapshot = purpose === 'own' ? this.#unnamed : this.#install.loaded;
    assert(snapshot?.index === index, 'what is adopted is durable');
    if (purpose === 'own') this.#unnamed = null;
    this.#replace(snapshot);
  }

  #replace(snapshot: StoredSnapshot | null): void {
    const old = this.#newest;
    this.#newest = snapshot;
    if (old !== null && old.index !== snapshot?.index) this.#remove(this.#reads.retire(old));
  }

  #remove(snapshots: readonly SnapshotName[]): void {
    for (const { index } of snapshots) this.#submit({ type: 'remove', file: snapshotFile(index) });
  }

  // ── for peers ─────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * A member whose state is in a store has no snapshot at hand. One is written for the peers that need it, unless the
   * last one still serves: what follows it is in the log, which begins behind `logBase`.
   */
  read(wanted: WantedChunk, logBase: number, open: () => OpenSnapshot): void {
    const serves = !this.#isForPeers || (this.#newest !== null && this.#newest.index >= logBase);
    if (wanted.index > 0 || serves) return this.#reads.read(wanted, this.#newest);
    this.#reads.wait(wanted);
    if (!this.busy) this.write(open());
  }

  /** Snapshots here are for peers only: the log names stores. */
  get #isForPeers(): boolean {
    return this.#options.sink !== null;
  }

  serve(): void {
    this.#reads.serve(this.#newest);
  }

  close(peer: number): void {
    this.#remove(this.#reads.close(peer));
    if (this.#isForPeers && this.#newest !== null && !this.#reads.uses(this.#newest.index)) this.#replace(null);
  }

  // ── a peer's ──────────────────────────────────────────────────────────────────────────────────────────────

  /** null: there is nothing to say yet. */
  store(chunk: Chunk): Stored | null {
    return this.#arrival.store(chunk);
  }

  /** What is whole makes an own one pointless: it is newer. */
  install(): void {
    assert(this.#arrival.whole !== null, 'what is installed is whole');
    this.#writer.cancel();
    if (!this.#isForPeers) this.#install.begin();
  }

  /** The sink is ready for its first piece, or for more. */
  fill(): void {
    const { sink } = this.#options;
    const name = this.#arrival.whole;
    assert(sink !== null && name !== null, 'a sink is filled with what is whole');
    if (this.#loader.busy) this.#loader.resume();
    else this.#loader.begin(name, ARRIVING_FILE, sink);
  }

  get fillPauses(): boolean {
    return this.#loader.pauses;
  }

  /** The log names it: its state takes the place of this one. */
  finish(): void {
    this.#install.finish();
    this.drop();
    if (this.#isForPeers) this.#submit({ type: 'remove', file: ARRIVING_FILE });
  }

  /** A peer's is on its way into the place of a state in memory. */
  get installs(): boolean {
    return this.#install.busy;
  }

  /** What may be named in the log. */
  get arrived(): SnapshotName | null {
    return this.#install.named;
  }

  /** Whatever arrived is not wanted. */
  drop(): void {
    this.#arrival.drop();
    this.#loader.cancel();
  }

  // ── the disk ──────────────────────────────────────────────────────────────────────────────────────────────

  /** null: not this class's token. Throws `DiskError` and `CorruptSnapshot`. */
  onDisk(token: number, result: DiskResult): SnapshotProgress | null {
    const progress = this.#onDisk(token, result);
    if (progress !== null && result.type === 'error') throw diskError(result.code, result.message);
    return progress;
  }

  #onDisk(token: number, result: DiskResult): SnapshotProgress | null {
    // An error is told from progress by the caller: no part goes on after one.
    if (result.type === 'error') return this.#owns(token) ? WORKING : null;
    if (token === this.#listing && result.type === 'names') {
      this.#onListed(result.names);
      return WORKING;
    }
    if (this.#writer.owns(token)) return this.#onWritten(this.#writer.onDisk());
    if (this.#install.owns(token)) return this.#onInstalling();
    if (this.#loader.owns(token)) return this.#onLoading(result);
    const chunk = this.#reads.onDisk(token, result);
    if (chunk !== null) return { type: 'chunk', chunk };
    const stored = this.#arrival.onDisk(token);
    return stored === null ? null : { type: 'stored', stored };
  }

  #owns(token: number): boolean {
    const parts = [this.#writer, this.#install, this.#loader, this.#reads, this.#arrival];
    return token === this.#listing || parts.some((part) => part.owns(token));
  }

  #onWritten(snapshot: StoredSnapshot | null): SnapshotProgress {
    if (snapshot === null) return WORKING;
    this.#unnamed = snapshot;
    return { type: 'written', snapshot };
  }

  #onInstalling(): SnapshotProgress {
    const name = defined(this.#arrival.whole ?? undefined, 'what is installed is whole');
    switch (this.#install.onDisk(name)) {
      case 'working':
        return WORKING;
      case 'synced':
        this.#loader.begin(name, ARRIVING_FILE, this.#install.into(this.#options.stage()));
        return WORKING;
      case 'named':
        return { type: 'arrived', snapshot: name };
    }
  }

  #onLoading(result: DiskResult): SnapshotProgress {
    const progress = this.#loader.onDisk(result);
    switch (progress.type) {
      case 'working':
        return WORKING;
      case 'malformed':
        if (this.#arrival.whole === null) throw corruptSnapshot(progress.name.index);
        this.#install.drop();
        this.#arrival.drop();
        return { type: 'refused', snapshot: progress.name };
      case 'loaded':
        return this.#onLoaded(progress.snapshot);
    }
  }

  #onLoaded(snapshot: StoredSnapshot): SnapshotProgress {
    if (this.#arrival.whole === null) {
      this.#install.finish();
      this.#newest = snapshot;
      return { type: 'started' };
    }
    if (this.#isForPeers) return { type: 'arrived', snapshot };
    this.#install.onLoaded(snapshot);
    return WORKING;
  }

  save(writer: ByteWriter): void {
    saveStored(writer, this.#newest);
    saveStored(writer, this.#unnamed);
    writer.varint(this.#listing);
    for (const part of [this.#writer, this.#arrival, this.#install, this.#loader, this.#reads]) part.save(writer);
  }

  load(reader: ByteReader): void {
    this.#newest = loadStored(reader);
    this.#unnamed = loadStored(reader);
    this.#listing = reader.varint();
    this.#writer.load(reader);
    this.#arrival.load(reader);
    this.#install.load(reader, this.#options.stage);
    this.#loader.load(reader, () => this.#options.sink ?? this.#install.stage);
    this.#reads.load(reader);
  }
}
