/**
 * The bytes of a segment: a header, then batches. Every batch carries its own place, so that neither a misdirected
 * write nor a value that happens to look like a batch is taken for one; and `synced`, how far the log was known to
 * be durable when the batch was written, by which a corrupt middle is told from a torn tail (SPEC.md L3).
 */
import { assert } from '../base/assert.ts';
import { crc32c } from '../base/crc32c.ts';

const SEGMENT_MAGIC = 0x474c4f50; // 'POLG'
const BATCH_MAGIC = 0x54424f50; // 'POBT'
const VERSION = 1;
export const SEGMENT_HEADER_BYTES = 16;
export const BATCH_HEADER_BYTES = 44;
/** Offsets are 32 bits wide; far above any batch that the limits on proposals allow. */
export const MAX_SEGMENT_BYTES = 0x40000000;

/** A byte of the log: everything in earlier segments lies before it. */
export interface Position {
  readonly segment: number;
  readonly offset: number;
}

export interface BatchHeader {
  readonly segment: number;
  readonly offset: number;
  /** Counts the batches of the log from 1, through all boots: a gap means that a batch is missing. */
  readonly ordinal: number;
  /** The highest mark of the batch, in its boot; for people who look at a log. */
  readonly mark: number;
  /** Everything before this place was durable when the batch was written. */
  readonly synced: Position;
}

export interface Batch extends BatchHeader {
  readonly payload: Uint8Array;
  readonly end: number;
}

export function segmentName(segment: number): string {
  return `log-${segment}.wal`;
}

/** null: not a segment of a log. */
export function segmentNumber(name: string): number | null {
  const match = /^log-([1-9][0-9]{0,8})\.wal$/.exec(name);
  return match === null ? null : Number(match[1]);
}

export function encodeSegmentHeader(segment: number): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, SEGMENT_MAGIC, true);
  view.setUint32(4, VERSION, true);
  view.setUint32(8, segment, true);
  view.setUint32(12, crc32c(bytes, 0, 12), true);
  return bytes;
}

/** `version`: whole, but of a format that this program does not know. */
export function checkSegmentHeader(bytes: Uint8Array, segment: number): 'good' | 'bad' | 'version' {
  if (bytes.length < SEGMENT_HEADER_BYTES) return 'bad';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== SEGMENT_MAGIC) return 'bad';
  if (view.getUint32(12, true) !== crc32c(bytes, 0, 12)) return 'bad';
  if (view.getUint32(4, true) !== VERSION) return 'version';
  return view.getUint32(8, true) === segment ? 'good' : 'bad';
}

export function encodeBatch(header: BatchHeader, payload: Uint8Array): Uint8Array {
  assert(header.offset + BATCH_HEADER_BYTES + payload.length <= MAX_SEGMENT_BYTES, 'a batch must fit its segment');
  const bytes = new Uint8Array(BATCH_HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, BATCH_MAGIC, true);
  view.setUint32(8, payload.length, true);
  view.setUint32(12, header.segment, true);
  view.setUint32(16, header.offset, true);
  setUint64(view, 20, header.ordinal);
  setUint64(view, 28, header.mark);
  view.setUint32(36, header.synced.segment, true);
  view.setUint32(40, header.synced.offset, true);
  bytes.set(payload, BATCH_HEADER_BYTES);
  view.setUint32(4, crc32c(bytes, 8), true);
  return bytes;
}

/** What recovery goes by; replaced only by the zoo. */
export interface LogRules {
  /** Whether a batch's bytes are those that were written. */
  readonly checksumHolds: (stored: number, computed: number) => boolean;
  /** Whether a bad place was durable once, given the offset of a batch that says so (L3). */
  readonly isCorruptMiddle: (witness: number | null) => witness is number;
}

export const LOG_RULES: LogRules = {
  checksumHolds: (stored, computed) => stored === computed,
  isCorruptMiddle: (witness) => witness !== null,
};

/** The batch at `offset`, or null when the bytes there are not a whole batch of this place. */
export function readBatch(bytes: Uint8Array, segment: number, offset: number, rules = LOG_RULES): Batch | null {
  if (bytes.length - offset < BATCH_HEADER_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, bytes.length - offset);
  if (view.getUint32(0, true) !== BATCH_MAGIC) return null;
  const end = offset + BATCH_HEADER_BYTES + view.getUint32(8, true);
  if (end > bytes.length) return null;
  if (view.getUint32(12, true) !== segment || view.getUint32(16, true) !== offset) return null;
  if (!rules.checksumHolds(view.getUint32(4, true), crc32c(bytes, offset + 8, end))) return null;
  const synced = { segment: view.getUint32(36, true), offset: view.getUint32(40, true) };
  const payload = bytes.subarray(offset + BATCH_HEADER_BYTES, end);
  return { segment, offset, ordinal: getUint64(view, 20), mark: getUint64(view, 28), synced, payload, end };
}

/**
 * The offset of a batch behind `bad` that was written after `bad` had become durable, or null. The lengths cannot
 * be trusted behind a bad place, so every byte is tried.
 */
export function findWitness(bytes: Uint8Array, segment: number, bad: number): number | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = bad + 1; offset + BATCH_HEADER_BYTES <= bytes.length; offset++) {
    if (view.getUint32(offset, true) !== BATCH_MAGIC) continue;
    const batch = readBatch(bytes, segment, offset);
    if (batch !== null && isBefore({ segment, offset: bad }, batch.synced)) return offset;
  }
  return null;
}

function isBefore(a: Position, b: Position): boolean {
  return a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);
}

function setUint64(view: DataView, at: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, 'a header field must be a non-negative safe integer');
  view.setUint32(at, value % 0x100000000, true);
  view.setUint32(at + 4, Math.floor(value / 0x100000000), true);
}

function getUint64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x100000000;
}
