/** Chunks of snapshots are read for peers; a snapshot that one of them still reads is kept, whatever newer ones there are. */

import { assert } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { readList, writeList } from '../consensus/entry-codec.ts';
import type { ReplicaEvent } from '../consensus/replica.ts';
import type { DiskOperation, DiskResult } from '../world/world.ts';
import { snapshotFile } from './snapshot-file.ts';
import { checkPiece, loadStored, type StoredSnapshot, saveStored } from './stored-snapshot.ts';

export interface WantedChunk {
  readonly to: number;
  /** 0: the newest. */
  readonly index: number;
  readonly offset: number;
  readonly lengthMax: number;
}

/** What the replica is told of it. */
export type ReadChunk = Omit<Extract<ReplicaEvent<never>, { type: 'snapshotRead' }>, 'type'>;

interface Read {
  readonly token: number;
  readonly to: number;
  readonly offset: number;
  readonly snapshot: StoredSnapshot;
}

export class SnapshotReads {
  readonly #submit: (operation: DiskOperation) => number;
  #reads: Read[] = [];
  /** By peer: what it reads. */
  #open = new Map<number, StoredSnapshot>();
  /** Peers that wait for the newest, each with what it wants. */
  #waiting = new Map<number, WantedChunk>();
  /** Of these there are newer ones. */
  #retired: StoredSnapshot[] = [];

  constructor(submit: (operation: DiskOperation) => number) {
    this.#submit = submit;
  }

  owns(token: number): boolean {
    return this.#reads.some((read) => read.token === token);
  }

  uses(index: number): boolean {
    for (const snapshot of this.#open.values()) if (snapshot.index === index) return true;
    return this.#reads.some(({ snapshot }) => snapshot.index === index);
  }

  wait(wanted: WantedChunk): void {
    this.#waiting.set(wanted.to, wanted);
  }

  /** What is gone, or was never there, is not read. */
  read({ to, index, offset, lengthMax }: WantedChunk, newest: StoredSnapshot | null): void {
    if (index === 0 && newest !== null) this.#open.set(to, newest);
    const snapshot = this.#open.get(to);
    if (snapshot === undefined || (index > 0 && snapshot.index !== index)) return;
    const length = Math.min(lengthMax, snapshot.sizeBytes - offset);
    if (length <= 0) return;
    const token = this.#submit({ type: 'read', file: snapshotFile(snapshot.index), offset, length });
    this.#reads.push({ token, to, offset, snapshot });
  }

  serve(newest: StoredSnapshot | null): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const wanted of waiting) this.read(wanted, newest);
  }

  /** null: not its token. Throws `CorruptSnapshot`. */
  onDisk(token: number, result: DiskResult): ReadChunk | null {
    const read = this.#reads.find((each) => each.token === token);
    if (read === undefined) return null;
    assert(result.type === 'bytes', 'bytes answer read');
    this.#reads = this.#reads.filter((each) => each !== read);
    const { to, offset, snapshot } = read;
    checkPiece(snapshot, offset, result.bytes);
    const { index, term, sizeBytes } = snapshot;
    return { to, index, term, offset, data: result.bytes, sizeBytes };
  }

  /** Returns which may be removed. */
  retire(snapshot: StoredSnapshot): readonly StoredSnapshot[] {
    this.#retired.push(snapshot);
    return this.#unused();
  }

  close(peer: number): readonly StoredSnapshot[] {
    this.#open.delete(peer);
    this.#waiting.delete(peer);
    return this.#unused();
  }

  #unused(): readonly StoredSnapshot[] {
    const unused = this.#retired.filter(({ index }) => !this.uses(index));
    this.#retired = this.#retired.filter((snapshot) => !unused.includes(snapshot));
    return unused;
  }

  save(writer: ByteWriter): void {
    writeList(writer, this.#reads, (to, read) => {
      to.varint(read.token);
      to.varint(read.to);
      to.varint(read.offset);
      saveStored(to, read.snapshot);
    });
    writeList(writer, [...this.#open], (to, [peer, snapshot]) => {
      to.varint(peer);
      saveStored(to, snapshot);
    });
    writeList(writer, [...this.#waiting.values()], (to, wanted) => {
      for (const value of [wanted.to, wanted.offset, wanted.lengthMax]) to.varint(value);
    });
    writeList(writer, this.#retired, saveStored);
  }

  load(reader: ByteReader): void {
    this.#reads = readList(reader, (from) => ({
      token: from.varint(),
      to: from.varint(),
      offset: from.varint(),
      snapshot: loadOne(from),
    }));
    this.#open = new Map(readList(reader, (from) => [from.varint(), loadOne(from)] as const));
    const waiting = readList(reader, (from) => ({
      to: from.varint(),
      index: 0,
      offset: from.varint(),
      lengthMax: from.varint(),
    }));
    this.#waiting = new Map(waiting.map((wanted) => [wanted.to, wanted]));
    this.#retired = readList(reader, loadOne);
  }
}

function loadOne(reader: ByteReader): StoredSnapshot {
  const snapshot = loadStored(reader);
  assert(snapshot !== null, 'a snapshot was saved');
  return snapshot;
}
