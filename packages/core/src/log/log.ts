/**
 * The write-ahead log: a pure state machine over disk operations, whose completions come back by token.
 *
 *   closed ──open()──► opening: list → size, read, check each segment → cut the torn tail → write boot + 1 ──► open
 *   open ──write()──► busy: [roll: new segment, sync, sync directory] append, sync ──► open, `persisted` moves
 *   any ──an I/O error, a corrupt middle──► failed, for good: nothing is retried (PITFALLS R24)
 */
import { assert, defined, unreachable } from '../base/assert.ts';
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import type { LogRecord, Mark, Recovered } from '../consensus/replica.ts';
import type { DiskOperation, DiskResult } from '../world/world.ts';
import {
  encodeBatch,
  encodeSegmentHeader,
  LOG_RULES,
  type LogRules,
  MAX_SEGMENT_BYTES,
  type Position,
  SEGMENT_HEADER_BYTES,
  segmentName,
  segmentNumber,
} from './format.ts';
import { Lane } from './lane.ts';
import { HardState, type StoredRecord, writeRecord } from './records.ts';
import { corrupt, loadSegments, Recovery, type Segment, saveSegments } from './recovery.ts';

const SEGMENT_BYTES = 16 * 1024 * 1024;
const READ_BYTES = 4 * 1024 * 1024;
const STATES = ['closed', 'opening', 'open', 'failed'] as const;
/** What the main lane is after. */
const GOALS = ['idle', 'list', 'size', 'read', 'repair', 'boot', 'write'] as const;

export interface LogOptions {
  /** Gives the token with which the completion will come back through `onDisk`, never before `submit` returns. */
  readonly submit: (operation: DiskOperation) => number;
  /** A segment that has reached this size is closed before the next batch. Default 16 MiB. */
  readonly segmentBytes?: number;
  /** For the zoo. */
  readonly rules?: LogRules;
}

export class Log {
  readonly #segmentBytes: number;
  readonly #main: Lane;
  readonly #removal: Lane;
  #state: (typeof STATES)[number] = 'closed';
  #goal: (typeof GOALS)[number] = 'idle';
  #failure: PolderError | null = null;
  #recovered: Recovered | null = null;
  readonly #hardState = new HardState();
  /** Oldest first; the last is the open one. All durable. */
  #segments: Segment[] = [];
  /** The segment that the batch under way opens. */
  #rolling: Segment | null = null;
  #ordinal = 0;
  #persisted: Mark = 0;
  #pendingMark: Mark = 0;
  #durableSnapshotIndex = 0;
  #compactThrough = 0;
  readonly #rules: LogRules;
  #recovery: Recovery;
  #unread: number[] = [];
  #buffer = new Uint8Array(0);
  #filled = 0;

  constructor(options: LogOptions) {
    this.#segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
    assert(this.#segmentBytes > 0 && this.#segmentBytes <= MAX_SEGMENT_BYTES / 2, 'segmentBytes out of range');
    this.#rules = options.rules ?? LOG_RULES;
    this.#recovery = new Recovery(this.#rules);
    this.#main = new Lane(options.submit);
    this.#removal = new Lane(options.submit);
  }

  get state(): 'closed' | 'opening' | 'open' | 'failed' {
    return this.#state;
  }

  /** Why the log failed: `CorruptLog` or `DiskError`. */
  get failure(): PolderError | null {
    return this.#failure;
  }

  /** What the log held when it was opened, until `releaseRecovered`. */
  get recovered(): Recovered | null {
    return this.#recovered;
  }

  /** Lets go of the recovered entries, once the replica has them. */
  releaseRecovered(): void {
    this.#recovered = null;
    this.#recovery = new Recovery(this.#rules);
  }

  /** A batch is being written and synced. */
  get busy(): boolean {
    return this.#state === 'open' && this.#main.busy;
  }

  /** The highest durable mark of this boot; everything up to it survives power loss. */
  get persisted(): Mark {
    return this.#persisted;
  }

  /** Begins recovery; it ends in `open` or `failed`. */
  open(): void {
    assert(this.#state === 'closed', 'a log is opened once');
    this.#state = 'opening';
    this.#begin('list', [{ type: 'list' }]);
  }

  /** False: not a token of this log. */
  onDisk(token: number, result: DiskResult): boolean {
    const lane = this.#main.owns(token) ? this.#main : this.#removal.owns(token) ? this.#removal : null;
    if (lane === null) return false;
    if (this.#state === 'failed') {
      lane.advance();
      return true;
    }
    if (result.type === 'error') {
      this.#fail(diskError(lane.current, result.code, result.message));
      lane.advance();
    } else if (lane.advance()) {
      if (lane === this.#removal) this.#onRemoved();
      else this.#onMain(result);
    }
    return true;
  }

  /** Writes one batch: one append, one sync (and a new segment before it when the open one is full). */
  write(records: readonly LogRecord[], mark: Mark): void {
    assert(this.#state === 'open' && !this.busy, 'a log writes when open, one batch at a time');
    assert(records.length > 0, 'a batch holds at least one record');
    assert(mark >= this.#persisted, 'marks never fall');
    this.#pendingMark = mark;
    this.#begin('write', this.#batch(records, mark));
  }

  /**
   * Entries up to `throughIndex` are in a durable snapshot that this log names: drops the oldest segments that hold
   * nothing above it, never the open one.
   */
  compact(throughIndex: number): void {
    assert(this.#state === 'open', 'only an open log compacts');
    assert(throughIndex <= this.#durableSnapshotIndex, 'entries go only after a durable snapshot record covers them');
    this.#compactThrough = Math.max(this.#compactThrough, throughIndex);
    this.#removeOldest();
  }

  save(writer: ByteWriter): void {
    this.#main.save(writer);
    this.#removal.save(writer);
    writer.u8(STATES.indexOf(this.#state));
    writer.u8(GOALS.indexOf(this.#goal));
    writer.string(this.#failure?.code ?? '');
    writer.string(this.#failure?.message ?? '');
    this.#hardState.save(writer);
    saveSegments(writer, this.#segments);
    saveSegments(writer, this.#rolling === null ? [] : [this.#rolling]);
    writer.varint(this.#ordinal);
    writer.varint(this.#persisted);
    writer.varint(this.#pendingMark);
    writer.varint(this.#durableSnapshotIndex);
    writer.varint(this.#compactThrough);
    this.#recovery.save(writer);
    writer.varint(this.#unread.length);
    for (const number of this.#unread) writer.varint(number);
    writer.bytes(this.#buffer);
    writer.varint(this.#filled);
    writer.varint(this.#recovered?.boot ?? 0);
  }

  load(reader: ByteReader): void {
    this.#main.load(reader);
    this.#removal.load(reader);
    this.#state = defined(STATES[reader.u8()], 'a saved state must exist');
    this.#goal = defined(GOALS[reader.u8()], 'a saved goal must exist');
    const code = reader.string();
    const message = reader.string();
    this.#failure = code === '' ? null : new PolderError(code, message);
    this.#hardState.load(reader);
    this.#segments = loadSegments(reader);
    this.#rolling = loadSegments(reader)[0] ?? null;
    this.#ordinal = reader.varint();
    this.#persisted = reader.varint();
    this.#pendingMark = reader.varint();
    this.#durableSnapshotIndex = reader.varint();
    this.#compactThrough = reader.varint();
    this.#recovery.load(reader);
    this.#unread = [];
    for (let left = reader.varint(); left > 0; left--) this.#unread.push(reader.varint());
    this.#buffer = new Uint8Array(reader.bytes());
    this.#filled = reader.varint();
    const boot = reader.varint();
    this.#recovered = boot === 0 ? null : this.#recovery.finish(boot);
  }

  #begin(goal: (typeof GOALS)[number], operations: readonly DiskOperation[]): void {
    this.#goal = goal;
    this.#main.start(operations);
  }

  #onMain(result: DiskResult): void {
    const goal = this.#goal;
    switch (goal) {
      case 'list':
        assert(result.type === 'names', 'a list gives names');
        return this.#onListed(result.names);
      case 'size':
        assert(result.type === 'size', 'a size gives a size');
        return this.#onSized(result.sizeBytes);
      case 'read':
        assert(result.type === 'bytes', 'a read gives bytes');
        return this.#onRead(result.bytes);
      case 'repair':
        return this.#onRepaired();
      case 'boot':
        return this.#onBooted();
      case 'write':
        return this.#onWritten();
      case 'idle':
        throw new PolderError('DiskError', 'a completion came while nothing was under way');
      default:
        return unreachable(goal);
    }
  }

  #onListed(names: readonly string[]): void {
    for (const name of names) {
      const number = segmentNumber(name);
      if (number !== null) this.#unread.push(number);
    }
    this.#unread.sort((a, b) => a - b);
    for (let i = 1; i < this.#unread.length; i++) {
      const expected = defined(this.#unread[i - 1], 'inside the list') + 1;
      if (this.#unread[i] !== expected) return this.#fail(corrupt(expected, 0, 'is missing, yet later segments exist'));
    }
    this.#readNext();
  }

  #readNext(): void {
    const next = this.#unread[0];
    if (next === undefined) this.#repair();
    else this.#begin('size', [{ type: 'size', file: segmentName(next) }]);
  }

  #onSized(sizeBytes: number): void {
    const number = defined(this.#unread[0], 'a segment is being read');
    if (sizeBytes > MAX_SEGMENT_BYTES) return this.#fail(corrupt(number, MAX_SEGMENT_BYTES, 'goes on too long'));
    this.#buffer = new Uint8Array(sizeBytes);
    this.#filled = 0;
    this.#readMore(number);
  }

  #readMore(number: number): void {
    const length = Math.min(READ_BYTES, this.#buffer.length - this.#filled);
    if (length === 0) return this.#check(number);
    this.#begin('read', [{ type: 'read', file: segmentName(number), offset: this.#filled, length }]);
  }

  #onRead(bytes: Uint8Array): void {
    const number = defined(this.#unread[0], 'a segment is being read');
    if (bytes.length === 0 || bytes.length > this.#buffer.length - this.#filled) {
      const operation: DiskOperation = { type: 'read', file: segmentName(number), offset: this.#filled, length: 0 };
      return this.#fail(diskError(operation, 'EIO', 'the file changed its length while it was read'));
    }
    this.#buffer.set(bytes, this.#filled);
    this.#filled += bytes.length;
    this.#readMore(number);
  }

  #check(number: number): void {
    const bytes = this.#buffer;
    this.#buffer = new Uint8Array(0);
    this.#unread.shift();
    if (this.#believe(() => this.#recovery.addSegment(number, bytes, this.#unread.length === 0))) this.#readNext();
  }

  /** The tail may be valid and yet not durable (the process died, not the machine): it is synced before use. */
  #repair(): void {
    const recovery = this.#recovery;
    if (!this.#believe(() => recovery.finish(0))) return;
    // A copy: the recovered state must not move with what is written from now on.
    this.#hardState.load(new ByteReader(recovery.hardState.encode()));
    this.#segments = recovery.segments.map((segment) => ({ ...segment }));
    this.#ordinal = recovery.ordinal;
    const operations: DiskOperation[] = [];
    const repair = recovery.repair;
    if (repair.type === 'drop') {
      operations.push({ type: 'remove', file: segmentName(repair.segment) }, { type: 'syncDirectory' });
    } else if (repair.type === 'cut') {
      operations.push({ type: 'truncate', file: segmentName(repair.segment), length: repair.offset });
    }
    const last = this.#segments.at(-1);
    if (last === undefined) {
      const { segment, bytes } = this.#newSegment(1, { segment: 0, offset: 0 });
      this.#segments.push(segment);
      operations.push({ type: 'append', file: segmentName(1), bytes });
    }
    operations.push({ type: 'sync', file: segmentName(last?.number ?? 1) }, { type: 'syncDirectory' });
    this.#begin('repair', operations);
  }

  #onRepaired(): void {
    this.#durableSnapshotIndex = this.#hardState.snapshotIndex;
    this.#begin('boot', this.#batch([{ type: 'boot', boot: this.#hardState.boot + 1 }], 0));
  }

  #onBooted(): void {
    this.#finishBatch();
    this.#recovered = this.#recovery.finish(this.#hardState.boot);
    this.#state = 'open';
  }

  #onWritten(): void {
    this.#finishBatch();
    this.#durableSnapshotIndex = this.#hardState.snapshotIndex;
    assert(this.#pendingMark >= this.#persisted, 'marks never fall');
    this.#persisted = this.#pendingMark;
    if (this.#compactThrough > 0) this.#removeOldest();
  }

  #finishBatch(): void {
    this.#goal = 'idle';
    // Only now may older segments go: the new one holds the hard state, durably.
    if (this.#rolling !== null) this.#segments.push(this.#rolling);
    this.#rolling = null;
  }

  /** The operations that make one batch durable. */
  #batch(records: readonly StoredRecord[], mark: Mark): DiskOperation[] {
    const operations: DiskOperation[] = [];
    let segment = defined(this.#segments.at(-1), 'an open log has a segment');
    if (segment.sizeBytes >= this.#segmentBytes) {
      const rolled = this.#newSegment(segment.number + 1, { segment: segment.number, offset: segment.sizeBytes });
      segment = rolled.segment;
      this.#rolling = segment;
      const file = segmentName(segment.number);
      operations.push({ type: 'append', file, bytes: rolled.bytes }, { type: 'sync', file }, { type: 'syncDirectory' });
    }
    const writer = new ByteWriter();
    for (const record of records) {
      const older = record.type === 'snapshot' && record.index <= this.#hardState.snapshotIndex;
      assert(!older, 'a snapshot takes the place of an older one, never of a newer');
      writeRecord(writer, record);
      this.#hardState.apply(record);
      if (record.type === 'entry') segment.lastIndex = Math.max(segment.lastIndex, record.entry.index);
    }
    const place = { segment: segment.number, offset: segment.sizeBytes };
    this.#ordinal += 1;
    const bytes = encodeBatch({ ...place, ordinal: this.#ordinal, mark, synced: place }, writer.finish());
    segment.sizeBytes += bytes.length;
    const file = segmentName(segment.number);
    operations.push({ type: 'append', file, bytes }, { type: 'sync', file });
    return operations;
  }

  #newSegment(number: number, synced: Position): { segment: Segment; bytes: Uint8Array } {
    const writer = new ByteWriter();
    writer.raw(encodeSegmentHeader(number));
    this.#ordinal += 1;
    const header = { segment: number, offset: SEGMENT_HEADER_BYTES, ordinal: this.#ordinal, mark: 0, synced };
    writer.raw(encodeBatch(header, this.#hardState.encode()));
    return { segment: { number, sizeBytes: writer.length, lastIndex: 0 }, bytes: writer.finish() };
  }

  /** One at a time, each durable before the next, so that no crash leaves a gap between segments. */
  #removeOldest(): void {
    const oldest = this.#segments[0];
    if (this.#removal.busy || oldest === undefined || this.#segments.length < 2) return;
    if (oldest.lastIndex > this.#compactThrough) return;
    this.#removal.start([{ type: 'remove', file: segmentName(oldest.number) }, { type: 'syncDirectory' }]);
  }

  #onRemoved(): void {
    this.#segments.shift();
    this.#removeOldest();
  }

  #believe(check: () => void): boolean {
    try {
      check();
      return true;
    } catch (error) {
      if (!(error instanceof PolderError)) throw error;
      this.#fail(error);
      return false;
    }
  }

  #fail(error: PolderError): void {
    assert(this.#state !== 'failed' && this.#failure === null, 'a log fails once');
    this.#state = 'failed';
    this.#failure = error;
    this.#main.stop();
    this.#removal.stop();
  }
}

function diskError(operation: DiskOperation, code: string, message: string): PolderError {
  const file = 'file' in operation ? ` of ${operation.file}` : '';
  return new PolderError(
    'DiskError',
    `${operation.type}${file} failed with ${code}: ${message}. What is on the disk is not known, so nothing is tried ` +
      'again and this member stops. Check the disk (space, permissions, health), then start the member.',
  );
}
