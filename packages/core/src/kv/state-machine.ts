import { assert } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import { isConfiguration } from '../consensus/configuration.ts';
import type { Entry } from '../consensus/replica.ts';
import { SessionTable } from '../consensus/sessions.ts';
import type { SnapshotSource, StateMachine } from '../consensus/state-machine.ts';
import { checkKvRequest } from './check.ts';
import { decodeKvRequest } from './codec.ts';
import { execute } from './execute.ts';
import { isReadOnly, type KvRequest, type KvResult } from './request.ts';
import { type KvScalars, KvSnapshotSource, KvSnapshotStage } from './snapshot.ts';
import type { VersionStores } from './version.ts';
import { storesInMemory, VersionedStore } from './versioned-store.ts';

/** etcd's KV as a replicated state machine: data, sessions and the applied index are one state. */
export class KvStateMachine implements StateMachine<KvResult, KvRequest, KvResult> {
  #store: VersionedStore;
  #sessions = new SessionTable();
  #appliedIndex = 0;
  #configuration = new Uint8Array(0);

  /** `createStores` gives the first stores, and empty ones for each snapshot that is staged. Default: in memory. */
  constructor(createStores: () => VersionStores = storesInMemory) {
    this.#store = new VersionedStore(createStores);
  }

  appliedIndex(): number {
    return this.#appliedIndex;
  }

  /** etcd's revision: 1 when empty. */
  revision(): number {
    return this.#store.revision;
  }

  /** 0: never compacted. */
  compactRevision(): number {
    return Math.max(0, this.#store.compacted);
  }

  keyCount(): number {
    return this.#store.keyCount;
  }

  /** Keys and values of all versions held; not what the process takes in memory. */
  sizeBytes(): number {
    return this.#store.sizeBytes;
  }

  /**
   * An entry that cannot be decoded throws and changes nothing: it is of a version that this member does not know,
   * and going on without it would part it from the others.
   */
  apply(entry: Entry): KvResult | null {
    assert(entry.index === this.#appliedIndex + 1, 'entries are applied in index order, each once');
    if (entry.origin === null) {
      if (isConfiguration(entry)) this.#configuration = entry.command.slice();
      this.#appliedIndex = entry.index;
      return null;
    }
    const request = decodeKvRequest(entry.command);
    this.#appliedIndex = entry.index;
    if (!this.#sessions.admit(entry.origin)) return null;
    // Asked again here: a peer's proposal is not believed to have been checked.
    const problem = checkKvRequest(request);
    return problem === null ? execute(this.#store, request) : { type: 'error', code: problem };
  }

  query(query: KvRequest): KvResult {
    assert(isReadOnly(query), 'a query changes nothing');
    const problem = checkKvRequest(query);
    return problem === null ? execute(this.#store, query) : { type: 'error', code: problem };
  }

  contains(member: number, boot: number, sequence: number): boolean {
    return this.#sessions.contains(member, boot, sequence);
  }

  configuration(): Uint8Array {
    return this.#configuration;
  }

  openSnapshot(): SnapshotSource {
    return new KvSnapshotSource(this.#scalars(), this.#store.view());
  }

  stageSnapshot(): KvSnapshotStage {
    const stage = (revision: number, compacted: number) => this.#store.stage(revision, compacted);
    return new KvSnapshotStage(stage, (scalars, versions) => {
      this.#appliedIndex = scalars.appliedIndex;
      this.#configuration = new Uint8Array(scalars.configuration);
      this.#sessions = scalars.sessions;
      this.#store.adopt(versions);
    });
  }

  save(writer: ByteWriter): void {
    const source = this.openSnapshot();
    writer.bytes(source.rest());
    source.close();
  }

  /** Throws `MalformedBytes` and is then as it was before. */
  load(reader: ByteReader): void {
    const stage = this.stageSnapshot();
    stage.write(reader.bytes());
    if (!stage.whole) throw new PolderError('MalformedBytes', 'the snapshot is cut short: take another one');
    stage.install();
  }

  #scalars(): KvScalars {
    return { appliedIndex: this.#appliedIndex, configuration: this.#configuration, sessions: this.#sessions };
  }

  /** What goes with stores that outlive this object, in the same transaction as they (PITFALLS R29). */
  saveRecord(writer: ByteWriter): void {
    writer.varint(this.#appliedIndex);
    this.#sessions.save(writer);
    writer.bytes(this.#configuration);
    this.#store.saveScalars(writer);
  }

  /** The stores hold what they held at `saveRecord`. Throws `MalformedBytes`. */
  loadRecord(reader: ByteReader): void {
    this.#appliedIndex = reader.varint();
    this.#sessions.load(reader);
    this.#configuration = new Uint8Array(reader.bytes());
    this.#store.loadScalars(reader);
  }
}
