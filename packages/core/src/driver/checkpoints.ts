/**
 * When a durable state machine writes what it has applied, and how far the log may therefore forget (PITFALLS R29):
 *
 *   applied … a while, or enough of it ──► checkpoint ──► durable ── enough entries since the last ──► named in the log
 *                                             └─ no room: nothing is lost, and it is tried again after a while
 */
import { assert } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import type { Recovered } from '../consensus/replica.ts';
import type { DurableStateMachine } from '../consensus/state-machine.ts';
import type { DiskResult } from '../world/world.ts';
import type { SnapshotName } from './snapshot-file.ts';
import type { SnapshotSink } from './snapshot-loader.ts';
import { diskError } from './stored-snapshot.ts';

export interface Place {
  readonly index: number;
  readonly term: number;
}

export interface CheckpointRules {
  /** Up to where the log may forget (PITFALLS R29). */
  readonly mayForget: (durable: Place, applied: Place) => Place;
}

export const CHECKPOINT_RULES: CheckpointRules = { mayForget: (durable) => durable };

export interface CheckpointOptions {
  /** What is applied becomes durable after about so long. Default 1 s: each one syncs the disk that the log waits for, and all it saves is reading so much log at a start. */
  readonly checkpointUs?: number;
  /** Or once so much waits in memory. Default 4 MiB. */
  readonly checkpointBytes?: number;
}

const CHECKPOINT_US = 1_000_000;
const CHECKPOINT_BYTES = 4 * 1024 * 1024;
/** How long after one for which there was no room. */
const RETRY_US = 1_000_000;
const FIRST_STORE = 'store-0-0';
const JOBS = ['idle', 'opening', 'writing', 'making', 'flushing', 'finishing'] as const;

export type CheckpointProgress =
  | { readonly type: 'opened' }
  /** A checkpoint is durable, or was not written for lack of room: then `full`. */
  | { readonly type: 'written' }
  /** The store that a peer's snapshot goes into wants its first bytes, or more. */
  | { readonly type: 'hungry' }
  /** A peer's snapshot is durable in a store of its own, and may be named in the log. */
  | { readonly type: 'staged' }
  /** There was no room for it. */
  | { readonly type: 'unstaged'; readonly snapshot: SnapshotName };

export function storeName(index: number, term: number): string {
  return `store-${index}-${term}`;
}

export class Checkpoints {
  readonly #machine: DurableStateMachine<unknown, unknown, unknown>;
  readonly #token: () => number;
  readonly #intervalUs: number;
  readonly #bytes: number;
  #job: (typeof JOBS)[number] = 'idle';
  /** Of the job. */
  #awaited = 0;
  /** A peer's snapshot, from when it has arrived until it is adopted. */
  #peer: SnapshotName | null = null;
  #peerIsDurable = false;
  /** When what is applied is to be written; Infinity: all is. */
  #dueUs = Number.POSITIVE_INFINITY;
  #full = false;

  constructor(
    machine: DurableStateMachine<unknown, unknown, unknown>,
    token: () => number,
    { checkpointUs = CHECKPOINT_US, checkpointBytes = CHECKPOINT_BYTES }: CheckpointOptions,
  ) {
    this.#machine = machine;
    this.#token = token;
    this.#intervalUs = checkpointUs;
    this.#bytes = checkpointBytes;
  }

  /** The last checkpoint found no room. */
  get full(): boolean {
    return this.#full;
  }

  get busy(): boolean {
    return this.#job !== 'idle';
  }

  /** When it wants to be asked again. */
  get dueUs(): number {
    return this.busy || this.hasPeer ? Number.POSITIVE_INFINITY : this.#dueUs;
  }

  /** A peer's snapshot is on its way into the place of this state: nothing of this state is worth a checkpoint. */
  get hasPeer(): boolean {
    return this.#peer !== null;
  }

  /** The peer's snapshot, once it is durable. */
  get staged(): SnapshotName | null {
    return this.#peerIsDurable ? this.#peer : null;
  }

  /** `file`: what the log names. Throws `WrongStorage`. */
  open(file: string): void {
    if (file !== '' && !file.startsWith('store-')) {
      const message = `the log names ${file}, which a member that keeps its data in memory wrote: start it with storage "memory"`;
      throw new PolderError('WrongStorage', message);
    }
    this.#begin('opening');
    this.#machine.open(this.#awaited, file === '' ? FIRST_STORE : file);
  }

  /** Where the log and the store go on together. Throws `StoreBehindLog` or `LogBehindStore`. */
  join(recovered: Recovered): Recovered {
    const { index, term } = this.#machine.durable;
    const { snapshotIndex, entries } = recovered;
    if (index < snapshotIndex) {
      const message = `${this.#machine.store} ends at index ${index}, and the log begins behind ${snapshotIndex}: ${REPLACE}`;
      throw new PolderError('StoreBehindLog', message);
    }
    const last = entries.at(-1)?.index ?? snapshotIndex;
    const same = entries.find((entry) => entry.index === index);
    if (last < index || (same !== undefined && same.term !== term)) {
      const message = `${this.#machine.store} holds index ${index} of term ${term}, which the log has lost: ${REPLACE}`;
      throw new PolderError('LogBehindStore', message);
    }
    return { ...recovered, snapshotIndex: index, snapshotTerm: term };
  }

  /** After entries were applied, and at `dueUs`. `term` is that of the last one. */
  maybeBegin(nowUs: number, term: number): void {
    const machine = this.#machine;
    if (this.busy || this.hasPeer || machine.appliedIndex() <= machine.durable.index) return;
    if (this.#dueUs === Number.POSITIVE_INFINITY) this.#dueUs = nowUs + this.#intervalUs;
    const much = !this.#full && machine.overlayBytes >= this.#bytes;
    if (nowUs < this.#dueUs && !much) return;
    this.#begin('writing');
    machine.checkpoint(this.#awaited, term);
  }

  stage(snapshot: SnapshotName): void {
    assert(!this.hasPeer, 'one snapshot is installed at a time');
    this.#peer = snapshot;
    if (!this.busy) this.#stage(snapshot);
  }

  #stage({ index, term }: SnapshotName): void {
    this.#begin('making');
    this.#machine.stage(this.#awaited, storeName(index, term));
  }

  /** Where a peer's snapshot goes: it pauses when so much of it is in memory that it is to be written first. */
  get sink(): SnapshotSink {
    const [machine, bytes] = [this.#machine, this.#bytes];
    return {
      write: (piece) => machine.staging.write(piece),
      get whole() {
        return machine.staging.whole;
      },
      get pauses() {
        return machine.stagedBytes >= bytes;
      },
    };
  }

  /** What has come so far is written, and `hungry` then. */
  flush(): void {
    this.#begin('flushing');
    this.#machine.flushStage(this.#awaited);
  }

  /** All of it has come. */
  finish({ term }: SnapshotName): void {
    this.#begin('finishing');
    this.#machine.finishStage(this.#awaited, term);
  }

  /** What came did not hold. */
  discard(): void {
    this.#machine.discardStage();
    this.#forgetPeer();
  }

  /** The log names what was staged. */
  adopt(): void {
    assert(this.staged !== null, 'what is adopted is durable');
    this.#machine.adopt();
    this.#forgetPeer();
    this.#dueUs = Number.POSITIVE_INFINITY;
  }

  #forgetPeer(): void {
    this.#peer = null;
    this.#peerIsDurable = false;
  }

  /** null: not a token of its. Throws what stops the member. */
  onDisk(nowUs: number, token: number, result: DiskResult): CheckpointProgress | null {
    if (!this.busy || token !== this.#awaited) return null;
    const failed = result.type === 'error';
    if (failed && this.#job === 'opening') throw new PolderError(result.code, result.message);
    if (failed && result.code !== 'ENOSPC') throw diskError(result.code, result.message);
    this.#machine.settle(failed ? 'error' : 'done');
    const job = this.#job;
    this.#job = 'idle';
    if (job === 'opening') return { type: 'opened' };
    this.#full = failed;
    if (job !== 'writing') return this.#onStaged(failed, job === 'finishing');
    this.#dueUs = failed ? nowUs + RETRY_US : Number.POSITIVE_INFINITY;
    if (this.#peer !== null) this.#stage(this.#peer);
    return { type: 'written' };
  }

  #onStaged(failed: boolean, isWhole: boolean): CheckpointProgress {
    const snapshot = this.#peer;
    assert(snapshot !== null, 'a snapshot is being staged');
    this.#peerIsDurable = isWhole && !failed;
    if (!failed) return { type: isWhole ? 'staged' : 'hungry' };
    this.discard();
    return { type: 'unstaged', snapshot };
  }

  #begin(job: Exclude<(typeof JOBS)[number], 'idle'>): void {
    assert(!this.busy, 'one thing at a time');
    this.#job = job;
    this.#awaited = this.#token();
  }

  save(writer: ByteWriter): void {
    writer.u8(JOBS.indexOf(this.#job));
    writer.varint(this.#awaited);
    writer.varint(this.#peer?.index ?? 0);
    writer.varint(this.#peer?.term ?? 0);
    writer.bool(this.#peerIsDurable);
    writer.varint(Number.isFinite(this.#dueUs) ? this.#dueUs + 1 : 0);
    writer.bool(this.#full);
  }

  load(reader: ByteReader): void {
    this.#job = JOBS[reader.u8()] ?? 'idle';
    this.#awaited = reader.varint();
    const peer = { index: reader.varint(), term: reader.varint() };
    this.#peer = peer.index === 0 ? null : peer;
    this.#peerIsDurable = reader.bool();
    const dueUs = reader.varint();
    this.#dueUs = dueUs === 0 ? Number.POSITIVE_INFINITY : dueUs - 1;
    this.#full = reader.bool();
  }
}

const REPLACE =
  'starting without what is missing could lose acknowledged writes, so this member stays down. Keep a copy of its data ' +
  'directory, check the disk, then replace the member: give it an empty data directory and let the others bring it up to date';
