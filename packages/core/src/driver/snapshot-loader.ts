/** Reads a snapshot's file, piece by piece, checks it, and hands it to a stage: `size` ──► `read` … `read` ──► loaded. */
import { assert } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { PolderError } from '../base/error.ts';
import type { SnapshotStage } from '../consensus/state-machine.ts';
import type { DiskOperation, DiskResult } from '../world/world.ts';
import { type SnapshotName, SnapshotOpener } from './snapshot-file.ts';
import type { StoredSnapshot } from './stored-snapshot.ts';

/** `pauses`: it has enough for now, and says by `resume` when it wants more. */
export type SnapshotSink = Pick<SnapshotStage, 'write' | 'whole'> & { readonly pauses?: boolean };

interface Job {
  readonly name: SnapshotName;
  readonly file: string;
  readonly sink: SnapshotSink;
  readonly opener: SnapshotOpener;
  /** 0: it waits for its sink. */
  token: number;
  /** -1: not known yet. */
  sizeBytes: number;
  offset: number;
  readonly checksums: number[];
}

export type LoadProgress =
  | { readonly type: 'working' }
  | { readonly type: 'loaded'; readonly snapshot: StoredSnapshot }
  | { readonly type: 'malformed'; readonly name: SnapshotName };

const WORKING: LoadProgress = { type: 'working' };

export class SnapshotLoader {
  readonly #submit: (operation: DiskOperation) => number;
  readonly #pieceBytes: number;
  #job: Job | null = null;

  constructor(submit: (operation: DiskOperation) => number, pieceBytes: number) {
    this.#submit = submit;
    this.#pieceBytes = pieceBytes;
  }

  get busy(): boolean {
    return this.#job !== null;
  }

  /** It waits for `resume`. */
  get pauses(): boolean {
    return this.#job?.token === 0;
  }

  owns(token: number): boolean {
    return this.#job?.token === token;
  }

  begin(name: SnapshotName, file: string, sink: SnapshotSink): void {
    assert(this.#job === null, 'one snapshot is loaded at a time');
    const token = this.#submit({ type: 'size', file });
    const opener = new SnapshotOpener(sink);
    this.#job = { name, file, sink, opener, token, sizeBytes: -1, offset: 0, checksums: [] };
  }

  /** What was asked for last has come. */
  onDisk(result: DiskResult): LoadProgress {
    const job = this.#job;
    assert(job !== null, 'a snapshot is being loaded');
    if (result.type === 'size') job.sizeBytes = result.sizeBytes;
    if (result.type !== 'bytes') return this.#read(job);
    try {
      return this.#onPiece(job, result.bytes);
    } catch (error) {
      if (!(error instanceof PolderError) || error.code !== 'MalformedBytes') throw error;
      this.#job = null;
      return { type: 'malformed', name: job.name };
    }
  }

  /** What is still read is not looked at. */
  cancel(): void {
    this.#job = null;
  }

  /** The sink wants more. */
  resume(): void {
    assert(this.#job !== null && this.pauses, 'what goes on had paused');
    this.#read(this.#job);
  }

  #onPiece(job: Job, bytes: Uint8Array): LoadProgress {
    job.opener.write(bytes);
    job.checksums.push(crc32c(bytes));
    job.offset += bytes.length;
    const { name, sizeBytes, checksums } = job;
    if (bytes.length > 0 && job.offset < sizeBytes) {
      if (job.sink.pauses !== true) return this.#read(job);
      job.token = 0;
      return WORKING;
    }
    job.opener.end();
    const found = job.opener.name;
    const isIt = found?.index === name.index && found.term === name.term && job.offset === sizeBytes;
    if (!isIt) throw new PolderError('MalformedBytes', 'the file holds another snapshot than its name says');
    this.#job = null;
    return { type: 'loaded', snapshot: { ...name, sizeBytes, checksums, pieceBytes: this.#pieceBytes } };
  }

  #read(job: Job): LoadProgress {
    const { file, offset } = job;
    job.token = this.#submit({ type: 'read', file, offset, length: this.#pieceBytes });
    return WORKING;
  }

  save(writer: ByteWriter): void {
    const job = this.#job;
    writer.bool(job !== null);
    if (job === null) return;
    writer.varint(job.name.index);
    writer.varint(job.name.term);
    writer.string(job.file);
    job.opener.save(writer);
    for (const value of [job.token, job.sizeBytes + 1, job.offset, job.checksums.length]) writer.varint(value);
    for (const checksum of job.checksums) writer.u32(checksum);
  }

  load(reader: ByteReader, sink: () => SnapshotSink): void {
    this.#job = null;
    if (!reader.bool()) return;
    const name = { index: reader.varint(), term: reader.varint() };
    const [file, into] = [reader.string(), sink()];
    const opener = new SnapshotOpener(into);
    opener.load(reader);
    const [token, sizeBytes, offset] = [reader.varint(), reader.varint() - 1, reader.varint()];
    const checksums: number[] = [];
    for (let left = reader.varint(); left > 0; left--) checksums.push(reader.u32());
    this.#job = { name, file, sink: into, opener, token, sizeBytes, offset, checksums };
  }
}
