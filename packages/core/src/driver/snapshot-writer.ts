/**
 * Writes this member's own snapshot, one piece at a time, while the member goes on:
 *
 *   make ──► empty ──► append … (sync) … append ──► sync ──► rename ──► syncDirectory ──► written
 *
 * A crash at any point leaves the old snapshot, or the new one.
 */
import { assert } from '../base/assert.ts';
import { type ByteReader, type ByteWriter, EMPTY_BYTES } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import type { SnapshotSource } from '../consensus/state-machine.ts';
import type { DiskOperation } from '../world/world.ts';
import type { SnapshotRules } from './snapshot-arrival.ts';
import { type SnapshotName, SnapshotSealer, snapshotFile } from './snapshot-file.ts';
import type { StoredSnapshot } from './stored-snapshot.ts';

export const PART_FILE = 'snapshot.part';
/** So that the last sync is no long one, which would hold up the log's. */
const UNSYNCED_BYTES_MAX = 8 * 1024 * 1024;
const STEPS = ['make', 'empty', 'append', 'sync', 'lastSync', 'rename', 'syncDirectory'] as const;

interface Job {
  readonly sealer: SnapshotSealer;
  step: (typeof STEPS)[number];
  token: number;
  sizeBytes: number;
  unsyncedBytes: number;
  readonly checksums: number[];
}

export class SnapshotWriter {
  readonly #submit: (operation: DiskOperation) => number;
  readonly #pieceBytes: number;
  readonly #rules: SnapshotRules;
  #job: Job | null = null;

  constructor(submit: (operation: DiskOperation) => number, pieceBytes: number, rules: SnapshotRules) {
    this.#submit = submit;
    this.#pieceBytes = pieceBytes;
    this.#rules = rules;
  }

  get busy(): boolean {
    return this.#job !== null;
  }

  begin(name: SnapshotName, source: SnapshotSource): void {
    assert(this.#job === null, 'one snapshot is written at a time');
    const token = this.#submit({ type: 'append', file: PART_FILE, bytes: EMPTY_BYTES });
    const sealer = new SnapshotSealer(name, source);
    this.#job = { sealer, step: 'make', token, sizeBytes: 0, unsyncedBytes: 0, checksums: [] };
  }

  /** Gives it up, unless it is about to get its name: that is soon over. */
  cancel(): void {
    if (this.#job === null || this.#job.step === 'rename' || this.#job.step === 'syncDirectory') return;
    this.#job.sealer.close();
    this.#job = null;
  }

  owns(token: number): boolean {
    return this.#job?.token === token;
  }

  /** What was begun last is done. null: there is more to do. */
  onDisk(): StoredSnapshot | null {
    const job = this.#job;
    assert(job !== null, 'a snapshot is being written');
    const { name } = job.sealer;
    switch (job.step) {
      case 'make':
        return this.#do(job, 'empty', { type: 'truncate', file: PART_FILE, length: 0 });
      case 'empty':
      case 'sync':
        return this.#append(job);
      case 'append':
        if (job.unsyncedBytes < UNSYNCED_BYTES_MAX) return this.#append(job);
        job.unsyncedBytes = 0;
        return this.#do(job, 'sync', { type: 'sync', file: PART_FILE });
      case 'lastSync':
        return this.#do(job, 'rename', { type: 'rename', file: PART_FILE, to: snapshotFile(name.index) });
      case 'rename':
        return this.#do(job, 'syncDirectory', { type: this.#rules.syncsName() ? 'syncDirectory' : 'list' });
      case 'syncDirectory':
        this.#job = null;
        return { ...name, sizeBytes: job.sizeBytes, checksums: job.checksums, pieceBytes: this.#pieceBytes };
    }
  }

  #append(job: Job): null {
    const bytes = job.sealer.read(this.#pieceBytes);
    if (bytes.length === 0) {
      job.sealer.close();
      return this.#do(job, 'lastSync', { type: 'sync', file: PART_FILE });
    }
    job.sizeBytes += bytes.length;
    job.unsyncedBytes += bytes.length;
    job.checksums.push(crc32c(bytes));
    return this.#do(job, 'append', { type: 'append', file: PART_FILE, bytes });
  }

  #do(job: Job, step: Job['step'], operation: DiskOperation): null {
    job.step = step;
    job.token = this.#submit(operation);
    return null;
  }

  save(writer: ByteWriter): void {
    const job = this.#job;
    writer.bool(job !== null);
    if (job === null) return;
    job.sealer.save(writer);
    writer.u8(STEPS.indexOf(job.step));
    for (const value of [job.token, job.sizeBytes, job.unsyncedBytes, job.checksums.length]) writer.varint(value);
    for (const checksum of job.checksums) writer.u32(checksum);
  }

  load(reader: ByteReader): void {
    this.#job = null;
    if (!reader.bool()) return;
    const sealer = SnapshotSealer.load(reader);
    const step = STEPS[reader.u8()] ?? 'make';
    const job: Job = {
      sealer,
      step,
      token: reader.varint(),
      sizeBytes: reader.varint(),
      unsyncedBytes: 0,
      checksums: [],
    };
    job.unsyncedBytes = reader.varint();
    for (let left = reader.varint(); left > 0; left--) job.checksums.push(reader.u32());
    this.#job = job;
  }
}
