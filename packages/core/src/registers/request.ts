/** What clients ask, and what every answer tells them. */
import { unreachable } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import { readList, writeList } from '../consensus/entry-codec.ts';
import { readMaybe, readTag, type Tag, writeMaybe, writeTag } from './version.ts';

export const LEVELS = ['weak', 'eventual', 'causal', 'strong'] as const;
export type Level = (typeof LEVELS)[number];

export const DEFAULT_LEVEL: Level = 'eventual';
export const DEFAULT_TIMEOUT_US = 5_000_000;
const MAX_TIMEOUT_US = 86_400_000_000;

export interface Terms {
  readonly level: Level;
  /** What the caller accepts when no majority is there; null: nothing less. Only strong requests have something less. */
  readonly degradeTo: Exclude<Level, 'strong'> | null;
  readonly timeoutUs: number;
  /** The session's token; null: no session. An empty one begins a session. */
  readonly token: Uint8Array | null;
}

export type RegisterRequest =
  /** `value` null deletes. `tag`: this repeats a strong write whose outcome was unknown, under its tag (PITFALLS G5). */
  | (Terms & {
      readonly type: 'write';
      readonly key: string;
      readonly value: Uint8Array | null;
      readonly tag: Tag | null;
    })
  | (Terms & { readonly type: 'read'; readonly key: string })
  /** Every key that begins with `prefix`, ascending. */
  | (Terms & { readonly type: 'range'; readonly prefix: string; readonly limit: number });

/** Told with every answer. */
export interface Service {
  /** The level that it was served at: a lower one only if the caller accepts it. */
  readonly level: Level;
  /** Members that took part. */
  readonly reached: readonly number[];
  /** Writes older than this have been seen; null: some member has not been heard from since this one started. 0 at strong. */
  readonly stalenessMs: number | null;
  /** The session from here on; null: none was given. */
  readonly token: Uint8Array | null;
}

export interface RegisterEntry {
  readonly key: string;
  readonly tag: Tag;
  readonly value: Uint8Array;
}

export type FailureCode =
  /** Too few configured members answered in time. */
  | 'NoMajority'
  /** Members kept answering with newer versions: try again. */
  | 'Contended'
  /** This member has not seen what the session has: try again, or another member. */
  | 'BehindToken'
  /** This directory does not take part in majorities yet. */
  | 'NotJoined'
  /** This member's clock is further from the others' than the bound: set it. */
  | 'ClockDrift'
  /** The key's bucket takes strong requests only, or none of them. */
  | 'LevelRefused'
  | 'MalformedToken'
  | 'ForeignToken'
  | 'InvalidRequest'
  | 'TimedOut'
  | 'Cancelled'
  /** The member has not read its log yet. */
  | 'Starting'
  /** What is to be repeated was collected meanwhile: nobody can tell any more. */
  | 'TooLate';

export type RegisterOutcome =
  | (Service & { readonly type: 'written'; readonly tag: Tag })
  /** `value` null: absent; `tag`: of the version, or of the tombstone if there is one. */
  | (Service & { readonly type: 'read'; readonly tag: Tag | null; readonly value: Uint8Array | null })
  | (Service & { readonly type: 'range'; readonly entries: readonly RegisterEntry[]; readonly more: boolean })
  /** Certain: it has had no effect and will have none. */
  | { readonly type: 'NotApplied'; readonly code: FailureCode; readonly reached: readonly number[] }
  /** It may have taken effect, may yet, or never. Repeat it under this tag; a new one could undo what was written since. */
  | {
      readonly type: 'Unknown';
      readonly code: FailureCode;
      readonly reached: readonly number[];
      readonly tag: Tag | null;
    };

export function notApplied(code: FailureCode, reached: readonly number[] = []): RegisterOutcome {
  return { type: 'NotApplied', code, reached };
}

export function isTimeout(timeoutUs: number): boolean {
  return Number.isSafeInteger(timeoutUs) && timeoutUs > 0 && timeoutUs <= MAX_TIMEOUT_US;
}

const TYPES = ['write', 'read', 'range'] as const;

export function writeRegisterRequest(writer: ByteWriter, request: RegisterRequest): void {
  writer.u8(TYPES.indexOf(request.type));
  writer.u8(LEVELS.indexOf(request.level));
  writer.u8(request.degradeTo === null ? LEVELS.length : LEVELS.indexOf(request.degradeTo));
  writer.varint(request.timeoutUs);
  writeMaybe(writer, request.token, (to, token) => to.bytes(token));
  switch (request.type) {
    case 'write':
      writer.string(request.key);
      writeMaybe(writer, request.value, (to, value) => to.bytes(value));
      return writeMaybe(writer, request.tag, writeTag);
    case 'read':
      return writer.string(request.key);
    case 'range':
      writer.string(request.prefix);
      return writer.varint(request.limit);
    default:
      return unreachable(request);
  }
}

/** Throws `MalformedBytes`. */
export function readRegisterRequest(reader: ByteReader): RegisterRequest {
  const type = TYPES[reader.u8()];
  const level = LEVELS[reader.u8()];
  const degradeTo = LEVELS[reader.u8()] ?? null;
  const timeoutUs = reader.varint();
  const token = readMaybe(reader, (from) => from.bytes());
  if (level === undefined || degradeTo === 'strong' || type === undefined) {
    throw new PolderError('MalformedBytes', 'a request of an unknown type or level came: it is of another version');
  }
  const terms = { level, degradeTo, timeoutUs, token };
  switch (type) {
    case 'write': {
      const key = reader.string();
      const value = readMaybe(reader, (from) => from.bytes());
      return { type, ...terms, key, value, tag: readMaybe(reader, readTag) };
    }
    case 'read':
      return { type, ...terms, key: reader.string() };
    case 'range':
      return { type, ...terms, prefix: reader.string(), limit: reader.varint() };
    default:
      return unreachable(type);
  }
}

/** For lists of members in saved states. */
export function writeNumbers(writer: ByteWriter, numbers: readonly number[]): void {
  writeList(writer, numbers, (to, number) => to.varint(number));
}

export function readNumbers(reader: ByteReader): number[] {
  return readList(reader, (from) => from.varint());
}
