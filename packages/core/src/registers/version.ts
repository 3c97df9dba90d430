/** One version of one key: what it holds, where it stands in the order, and what it has seen. */
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import {
  compareHybridTimes,
  type HybridTime,
  MAX_PHYSICAL_MS,
  readHybridTime,
  readVectorClock,
  type VectorClock,
  writeHybridTime,
  writeVectorClock,
} from '../clocks/index.ts';

export const MAX_KEY_BYTES = 4_096;
export const MAX_VALUE_BYTES = 1_024 * 1_024;

/** The order of versions of one key. No two different values of a key ever carry one tag. */
export interface Tag {
  readonly time: HybridTime;
  readonly member: number;
  /** Of the member's data directory: a wiped member is another one (PITFALLS G6). */
  readonly incarnation: number;
  /** How often that directory had been started: a weak write leaves no trace in it, and its tag must not come again. */
  readonly boot: number;
}

/** One durable write: the sequence-th of its origin, counted from 1. */
export interface Dot {
  readonly origin: string;
  readonly sequence: number;
}

export interface Version {
  readonly key: string;
  readonly tag: Tag;
  /** null: a weak write, which no vector counts. */
  readonly dot: Dot | null;
  /** What the writer's session had seen. */
  readonly dependencies: VectorClock;
  /** null: a tombstone. */
  readonly value: Uint8Array | null;
}

export function originOf(member: number, incarnation: number): string {
  return `${member}#${incarnation}`;
}

/** null stands for "no version at all": before every tag. */
export function compareTags(a: Tag | null, b: Tag | null): number {
  if (a === null || b === null) return (a === null ? 0 : 1) - (b === null ? 0 : 1);
  const byWriter = a.member - b.member || a.incarnation - b.incarnation || a.boot - b.boot;
  return compareHybridTimes(a.time, b.time) || byWriter;
}

export function laterTag(a: Tag | null, b: Tag | null): Tag | null {
  return compareTags(a, b) >= 0 ? a : b;
}

export function covers(vector: VectorClock, dot: Dot): boolean {
  return vector.get(dot.origin) >= dot.sequence;
}

/** Whether `vector` has seen everything that `other` has. */
export function includes(vector: VectorClock, other: VectorClock): boolean {
  return other.entries().every(([origin, count]) => vector.get(origin) >= count);
}

export function writeTag(writer: ByteWriter, tag: Tag): void {
  writeHybridTime(writer, tag.time);
  writer.varint(tag.member);
  writer.varint(tag.incarnation);
  writer.varint(tag.boot);
}

/** The last of all times has no successor: a key that had it could never be written again (PITFALLS G14). */
export function hasSuccessor({ time }: Tag): boolean {
  return time.physicalMs < MAX_PHYSICAL_MS;
}

/** Throws `MalformedBytes`. */
export function readTag(reader: ByteReader): Tag {
  const tag = readAnyTag(reader);
  if (hasSuccessor(tag)) return tag;
  throw new PolderError('MalformedBytes', 'a tag came that nothing can follow: it is not read');
}

function readAnyTag(reader: ByteReader): Tag {
  return { time: readHybridTime(reader), member: reader.varint(), incarnation: reader.varint(), boot: reader.varint() };
}

export function writeMaybe<T>(
  writer: ByteWriter,
  value: T | null,
  write: (writer: ByteWriter, value: T) => void,
): void {
  writer.bool(value !== null);
  if (value !== null) write(writer, value);
}

export function readMaybe<T>(reader: ByteReader, read: (reader: ByteReader) => T): T | null {
  return reader.bool() ? read(reader) : null;
}

export function writeVersion(writer: ByteWriter, version: Version): void {
  writer.string(version.key);
  writeTag(writer, version.tag);
  writer.string(version.dot?.origin ?? '');
  if (version.dot !== null) writer.varint(version.dot.sequence);
  writeVectorClock(writer, version.dependencies);
  writeMaybe(writer, version.value, (to, value) => to.bytes(value));
}

/** Throws `MalformedBytes` and what the clocks throw. */
export function readVersion(reader: ByteReader): Version {
  const key = reader.string();
  const tag = readTag(reader);
  const origin = reader.string();
  const dot = origin === '' ? null : { origin, sequence: reader.varint() };
  const dependencies = readVectorClock(reader);
  const value = readMaybe(reader, (from) => from.bytes());
  if (key.length > MAX_KEY_BYTES || (value?.length ?? 0) > MAX_VALUE_BYTES || dot?.sequence === 0) {
    throw new PolderError('MalformedBytes', 'a version is larger than any that a member writes: it is not read');
  }
  return { key, tag, dot, dependencies, value };
}
