/** What replicas tell one another. Every message names the configuration (PITFALLS G1); a frame, the sender's directory. */
import { unreachable } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import {
  type HybridTime,
  readHybridTime,
  readVectorClock,
  type VectorClock,
  writeHybridTime,
  writeVectorClock,
} from '../clocks/index.ts';
import { readList, writeList } from '../consensus/entry-codec.ts';
import {
  readMaybe,
  readTag,
  readVersion,
  type Tag,
  type Version,
  writeMaybe,
  writeTag,
  writeVersion,
} from './version.ts';

/** Where one stands in another's feed of changes: `life` changes when the numbers begin anew. */
export interface Cursor {
  readonly life: number;
  readonly at: number;
}

/** From a time, inclusive, to another, exclusive; null: without end. */
export interface TimeRange {
  readonly from: HybridTime;
  readonly to: HybridTime | null;
}

/** The versions whose tags lie in a range, as a sum: equal sets have equal sums, others hardly ever. */
export interface RangeSum extends TimeRange {
  readonly count: number;
  readonly sum: number;
}

export type RegisterMessage =
  /** A directory makes itself known, until each peer has bound it. */
  | { readonly type: 'join' }
  | { readonly type: 'bound'; readonly joined: boolean }
  /** What is the newest at `key`? */
  | { readonly type: 'query'; readonly operation: number; readonly round: number; readonly key: string }
  | {
      readonly type: 'queried';
      readonly operation: number;
      readonly round: number;
      readonly version: Version | null;
      /** New tags must exceed it. */
      readonly floor: Tag | null;
      readonly votes: boolean;
      readonly bindings: readonly number[];
    }
  /** Hold at least this. */
  | { readonly type: 'store'; readonly operation: number; readonly round: number; readonly version: Version }
  | {
      readonly type: 'stored';
      readonly operation: number;
      readonly round: number;
      /** The newest that is durable here, if it is not the one that was to be stored. */
      readonly newer: Version | null;
      readonly votes: boolean;
      readonly bindings: readonly number[];
    }
  /** An eventual or causal write, sent until it is acknowledged. */
  | { readonly type: 'push'; readonly version: Version }
  | { readonly type: 'pushed'; readonly origin: string; readonly sequence: number }
  /** A weak write, sent once. */
  | { readonly type: 'weak'; readonly version: Version }
  /** What has changed since `cursor` that `seen` does not count? */
  | {
      readonly type: 'pull';
      readonly seen: VectorClock;
      readonly cursor: Cursor;
      readonly wallMs: number;
      readonly joined: boolean;
    }
  | {
      readonly type: 'delta';
      readonly from: Cursor;
      readonly next: Cursor;
      readonly versions: readonly Version[];
      /** With the last page: whoever has all of them has seen this. */
      readonly vector: VectorClock | null;
      readonly collected: Tag | null;
      readonly joined: boolean;
      /** As the pull said, and as the wall is here. */
      readonly askedMs: number;
      readonly wallMs: number;
    }
  | { readonly type: 'audit'; readonly collected: Tag | null; readonly ranges: readonly RangeSum[] }
  /** All versions of a range that differs; `wants`: send yours that are newer. */
  | {
      readonly type: 'repair';
      readonly range: TimeRange;
      readonly collected: Tag | null;
      readonly wants: boolean;
      readonly versions: readonly Version[];
    };

export const REGISTER_MESSAGE_TYPES = [
  'join',
  'bound',
  'query',
  'queried',
  'store',
  'stored',
  'push',
  'pushed',
  'weak',
  'pull',
  'delta',
  'audit',
  'repair',
] as const satisfies readonly RegisterMessage['type'][];

export function writeRegisterMessage(writer: ByteWriter, message: RegisterMessage): void {
  writer.u8(REGISTER_MESSAGE_TYPES.indexOf(message.type));
  switch (message.type) {
    case 'join':
      return;
    case 'bound':
      return writer.bool(message.joined);
    case 'query':
      writer.varint(message.operation);
      writer.varint(message.round);
      return writer.string(message.key);
    case 'queried':
      writer.varint(message.operation);
      writer.varint(message.round);
      writeMaybe(writer, message.version, writeVersion);
      writeMaybe(writer, message.floor, writeTag);
      return writeVote(writer, message);
    case 'store':
      writer.varint(message.operation);
      writer.varint(message.round);
      return writeVersion(writer, message.version);
    case 'stored':
      writer.varint(message.operation);
      writer.varint(message.round);
      writeMaybe(writer, message.newer, writeVersion);
      return writeVote(writer, message);
    case 'push':
    case 'weak':
      return writeVersion(writer, message.version);
    case 'pushed':
      writer.string(message.origin);
      return writer.varint(message.sequence);
    case 'pull':
      writeVectorClock(writer, message.seen);
      writeCursor(writer, message.cursor);
      writer.varint(message.wallMs);
      return writer.bool(message.joined);
    case 'delta':
      writeCursor(writer, message.from);
      writeCursor(writer, message.next);
      writeList(writer, message.versions, writeVersion);
      writeMaybe(writer, message.vector, writeVectorClock);
      writeMaybe(writer, message.collected, writeTag);
      writer.bool(message.joined);
      writer.varint(message.askedMs);
      return writer.varint(message.wallMs);
    case 'audit':
      writeMaybe(writer, message.collected, writeTag);
      return writeList(writer, message.ranges, writeRangeSum);
    case 'repair':
      writeRange(writer, message.range);
      writeMaybe(writer, message.collected, writeTag);
      writer.bool(message.wants);
      return writeList(writer, message.versions, writeVersion);
    default:
      return unreachable(message);
  }
}

/** Throws `MalformedBytes` and what the clocks throw. */
export function readRegisterMessage(reader: ByteReader): RegisterMessage {
  const type = REGISTER_MESSAGE_TYPES[reader.u8()];
  switch (type) {
    case 'join':
      return { type };
    case 'bound':
      return { type, joined: reader.bool() };
    case 'query':
      return { type, operation: reader.varint(), round: reader.varint(), key: reader.string() };
    case 'queried': {
      const [operation, round] = [reader.varint(), reader.varint()];
      const version = readMaybe(reader, readVersion);
      return { type, operation, round, version, floor: readMaybe(reader, readTag), ...readVote(reader) };
    }
    case 'store':
      return { type, operation: reader.varint(), round: reader.varint(), version: readVersion(reader) };
    case 'stored': {
      const [operation, round] = [reader.varint(), reader.varint()];
      return { type, operation, round, newer: readMaybe(reader, readVersion), ...readVote(reader) };
    }
    case 'push':
    case 'weak':
      return { type, version: readVersion(reader) };
    case 'pushed':
      return { type, origin: reader.string(), sequence: reader.varint() };
    case 'pull': {
      const seen = readVectorClock(reader);
      return { type, seen, cursor: readCursor(reader), wallMs: reader.varint(), joined: reader.bool() };
    }
    case 'delta':
      return {
        type,
        from: readCursor(reader),
        next: readCursor(reader),
        versions: readList(reader, readVersion),
        vector: readMaybe(reader, readVectorClock),
        collected: readMaybe(reader, readTag),
        joined: reader.bool(),
        askedMs: reader.varint(),
        wallMs: reader.varint(),
      };
    case 'audit':
      return { type, collected: readMaybe(reader, readTag), ranges: readList(reader, readRangeSum) };
    case 'repair':
      return {
        type,
        range: readRange(reader),
        collected: readMaybe(reader, readTag),
        wants: reader.bool(),
        versions: readList(reader, readVersion),
      };
    case undefined:
      throw new PolderError(
        'MalformedBytes',
        'a message of unknown type came: it is of another version of this program',
      );
    default:
      return unreachable(type);
  }
}

interface Vote {
  readonly votes: boolean;
  readonly bindings: readonly number[];
}

function writeVote(writer: ByteWriter, { votes, bindings }: Vote): void {
  writer.bool(votes);
  writeList(writer, bindings, (to, directory) => to.varint(directory));
}

function readVote(reader: ByteReader): Vote {
  return { votes: reader.bool(), bindings: readList(reader, (from) => from.varint()) };
}

function writeCursor(writer: ByteWriter, { life, at }: Cursor): void {
  writer.varint(life);
  writer.varint(at);
}

function readCursor(reader: ByteReader): Cursor {
  return { life: reader.varint(), at: reader.varint() };
}

function writeRange(writer: ByteWriter, { from, to }: TimeRange): void {
  writeHybridTime(writer, from);
  writeMaybe(writer, to, writeHybridTime);
}

function readRange(reader: ByteReader): TimeRange {
  return { from: readHybridTime(reader), to: readMaybe(reader, readHybridTime) };
}

function writeRangeSum(writer: ByteWriter, range: RangeSum): void {
  writeRange(writer, range);
  writer.varint(range.count);
  writer.u32(range.sum);
}

function readRangeSum(reader: ByteReader): RangeSum {
  return { ...readRange(reader), count: reader.varint(), sum: reader.u32() };
}
