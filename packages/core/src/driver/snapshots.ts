import { assert } from '../base/assert.ts';
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { PolderError } from '../base/error.ts';
import type { Recovered } from '../consensus/replica.ts';
import type { DiskOperation, DiskResult } from '../world/world.ts';

/** A chunk's bytes, well under the frame's limit. */
const CHUNK_BYTES = 256 * 1024;
/** `syncDirectory`: from here on the name is durable. */
const LAST_STEP = 5;

export interface Snapshot {
  readonly index: number;
  readonly term: number;
  readonly bytes: Uint8Array;
}

/** `own`: made here. `peer`: the leader's, to be installed. */
export type Purpose = 'own' | 'peer';

interface Reading {
  readonly type: 'size' | 'read';
  readonly index: number;
  readonly term: number;
  readonly token: number;
}

interface Writing {
  readonly type: 'write';
  readonly snapshot: Snapshot;
  readonly purpose: Purpose;
  readonly step: number;
  readonly token: number;
}

type Job = { readonly type: 'idle' } | Reading | Writing;

export type SnapshotProgress =
  | { readonly type: 'working' }
  | { readonly type: 'failed'; readonly error: PolderError }
  | { readonly type: 'loaded'; readonly snapshot: Snapshot }
  /** Durable under its name; the log does not name it yet. */
  | { readonly type: 'written'; readonly snapshot: Snapshot; readonly purpose: Purpose };

export function snapshotFile(index: number): string {
  return `snapshot-${String(index).padStart(16, '0')}`;
}

/** The snapshots of one replica: files of {crc32c, state}, the newest also in memory, and the one that is arriving. */
export class Snapshots {
  readonly #submit: (operation: DiskOperation) => number;
  #newest: Snapshot | null = null;
  #job: Job = { type: 'idle' };
  #arriving: { index: number; term: number; chunks: Uint8Array[]; sizeBytes: number } | null = null;

  constructor(submit: (operation: DiskOperation) => number) {
    this.#submit = submit;
  }

  get newest(): Snapshot | null {
    return this.#newest;
  }

  get busy(): boolean {
    return this.#job.type !== 'idle';
  }

  /** The one that the log names. Throws `WrongStorage`. */
  read({ snapshotIndex: index, snapshotTerm: term, snapshotFile: named }: Recovered): void {
    if (named !== snapshotFile(index)) {
      const message = `the log names ${named}, which a member that keeps its data on disk wrote: start it with storage "lmdb"`;
      throw new PolderError('WrongStorage', message);
    }
    this.#job = { type: 'size', index, term, token: this.#submit({ type: 'size', file: snapshotFile(index) }) };
  }

  /** Written under another name, synced, renamed: a crash at any point leaves the old snapshot or the new one. */
  write(snapshot: Snapshot, purpose: Purpose): void {
    assert(!this.busy, 'one snapshot is written at a time');
    this.#write(snapshot, purpose, 0);
  }

  #write(snapshot: Snapshot, purpose: Purpose, step: number): void {
    const file = snapshotFile(snapshot.index);
    const part = `${file}.part`;
    const operations: DiskOperation[] = [
      { type: 'append', file: part, bytes: new Uint8Array(0) },
      { type: 'truncate', file: part, length: 0 },
      { type: 'append', file: part, bytes: sealed(snapshot.bytes) },
      { type: 'sync', file: part },
      { type: 'rename', file: part, to: file },
      { type: 'syncDirectory' },
    ];
    const operation = operations[step];
    if (operation === undefined) return;
    this.#job = { type: 'write', snapshot, purpose, step, token: this.#submit(operation) };
  }

  /** null: not this class's token. */
  onDisk(token: number, result: DiskResult): SnapshotProgress | null {
    const job = this.#job;
    if (job.type === 'idle' || job.token !== token) return null;
    if (result.type === 'error') return { type: 'failed', error: diskError(result.code, result.message) };
    if (job.type !== 'write') return this.#onReading(job, result);
    if (job.step < LAST_STEP) {
      this.#write(job.snapshot, job.purpose, job.step + 1);
      return { type: 'working' };
    }
    this.#job = { type: 'idle' };
    return { type: 'written', snapshot: job.snapshot, purpose: job.purpose };
  }

  #onReading(job: Reading, result: DiskResult): SnapshotProgress {
    if (job.type === 'size') {
      assert(result.type === 'size', 'a size answers size');
      const operation = { type: 'read', file: snapshotFile(job.index), offset: 0, length: result.sizeBytes } as const;
      this.#job = { type: 'read', index: job.index, term: job.term, token: this.#submit(operation) };
      return { type: 'working' };
    }
    assert(result.type === 'bytes', 'bytes answer read');
    this.#job = { type: 'idle' };
    return this.#onRead(job.index, job.term, result.bytes);
  }

  #onRead(index: number, term: number, file: Uint8Array): SnapshotProgress {
    const bytes = file.subarray(4);
    if (file.length < 4 || new ByteReader(file).u32() !== crc32c(bytes)) {
      const name = snapshotFile(index);
      const message = `${name} is corrupt: the member cannot start from it. Restore the data directory, or replace this member.`;
      return { type: 'failed', error: new PolderError('CorruptSnapshot', message) };
    }
    this.#newest = { index, term, bytes };
    return { type: 'loaded', snapshot: this.#newest };
  }

  /** The log names it now: it is what peers get, and the one before may go. */
  adopt(snapshot: Snapshot): void {
    const old = this.#newest;
    this.#newest = snapshot;
    if (old !== null && old.index !== snapshot.index) this.#submit({ type: 'remove', file: snapshotFile(old.index) });
  }

  /** In memory only, for peers. */
  offer(snapshot: Snapshot): void {
    this.#newest = snapshot;
  }

  /** The chunk at `offset` of snapshot `index`; of the newest, from its start, when that one is gone. */
  chunk(index: number, offset: number): { snapshot: Snapshot; offset: number; data: Uint8Array; done: boolean } | null {
    const snapshot = this.#newest;
    if (snapshot === null) return null;
    const from = snapshot.index === index && offset <= snapshot.bytes.length ? offset : 0;
    const data = snapshot.bytes.slice(from, from + CHUNK_BYTES);
    return { snapshot, offset: from, data, done: from + data.length === snapshot.bytes.length };
  }

  /** Returns the next offset wanted; a chunk out of order changes nothing. */
  store(index: number, term: number, offset: number, data: Uint8Array): number {
    if (offset === 0) this.#arriving = { index, term, chunks: [], sizeBytes: 0 };
    const arriving = this.#arriving;
    if (arriving === null || arriving.index !== index || arriving.term !== term) return 0;
    if (offset === arriving.sizeBytes) {
      arriving.chunks.push(data);
      arriving.sizeBytes += data.length;
    }
    return arriving.sizeBytes;
  }

  /** What has arrived, whole. */
  takeArrived(): Snapshot {
    const arriving = this.#arriving;
    assert(arriving !== null, 'a snapshot is arriving');
    this.#arriving = null;
    const bytes = new Uint8Array(arriving.sizeBytes);
    let offset = 0;
    for (const chunk of arriving.chunks) {
      bytes.set(chunk, offset);
      offset += chunk.length;
    }
    return { index: arriving.index, term: arriving.term, bytes };
  }

  save(writer: ByteWriter): void {
    saveSnapshot(writer, this.#newest);
    const job = this.#job;
    writer.u8(['idle', 'size', 'read', 'write'].indexOf(job.type));
    if (job.type === 'size' || job.type === 'read') {
      for (const value of [job.index, job.term, job.token]) writer.varint(value);
    } else if (job.type === 'write') {
      saveSnapshot(writer, job.snapshot);
      writer.bool(job.purpose === 'own');
      writer.varint(job.step);
      writer.varint(job.token);
    }
    writer.bool(this.#arriving !== null);
    if (this.#arriving === null) return;
    writer.varint(this.#arriving.index);
    writer.varint(this.#arriving.term);
    writer.varint(this.#arriving.chunks.length);
    for (const chunk of this.#arriving.chunks) writer.bytes(chunk);
  }

  load(reader: ByteReader): void {
    this.#newest = loadSnapshot(reader);
    const kind = reader.u8();
    if (kind === 0) this.#job = { type: 'idle' };
    else if (kind === 3) {
      const snapshot = loadSnapshot(reader);
      assert(snapshot !== null, 'a snapshot is being written');
      const purpose = reader.bool() ? 'own' : 'peer';
      this.#job = { type: 'write', snapshot, purpose, step: reader.varint(), token: reader.varint() };
    } else {
      const type = kind === 1 ? 'size' : 'read';
      this.#job = { type, index: reader.varint(), term: reader.varint(), token: reader.varint() };
    }
    this.#arriving = null;
    if (!reader.bool()) return;
    const arriving = { index: reader.varint(), term: reader.varint(), chunks: [] as Uint8Array[], sizeBytes: 0 };
    for (let left = reader.varint(); left > 0; left--) {
      const chunk = reader.bytes();
      arriving.chunks.push(chunk);
      arriving.sizeBytes += chunk.length;
    }
    this.#arriving = arriving;
  }
}

function sealed(bytes: Uint8Array): Uint8Array {
  const writer = new ByteWriter(bytes.length + 4);
  writer.u32(crc32c(bytes));
  writer.raw(bytes);
  return writer.finish();
}

export function diskError(code: string, message: string): PolderError {
  return new PolderError(
    'DiskError',
    `the disk failed (${code}: ${message}): the member stops. Mend the disk, then start it again.`,
  );
}

export function saveSnapshot(writer: ByteWriter, snapshot: Snapshot | null): void {
  writer.bool(snapshot !== null);
  if (snapshot === null) return;
  writer.varint(snapshot.index);
  writer.varint(snapshot.term);
  writer.bytes(snapshot.bytes);
}

export function loadSnapshot(reader: ByteReader): Snapshot | null {
  return reader.bool() ? { index: reader.varint(), term: reader.varint(), bytes: reader.bytes() } : null;
}
