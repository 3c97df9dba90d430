/** A request under way at its coordinator. */
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { readVectorClock, VectorClock, writeVectorClock } from '../clocks/index.ts';
import { readList, writeList } from '../consensus/entry-codec.ts';
import {
  type RegisterRequest,
  readNumbers,
  readRegisterRequest,
  writeNumbers,
  writeRegisterRequest,
} from './request.ts';
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

const STAGES = ['waiting', 'asking', 'storing', 'logging'] as const;

/**
 *   waiting ──has seen what the session has──► asking ──a majority of tags──► storing ──a majority agrees──► answered
 *      └──── eventual, causal ───────────────► logging ──durable here──► answered
 */
export type Stage = (typeof STAGES)[number];

export interface Reply {
  readonly member: number;
  readonly directory: number;
  readonly votes: boolean;
  readonly bindings: readonly number[];
  /** Asking: the newest there. Storing: what is newer there; null: it holds what it was to store. */
  readonly version: Version | null;
  readonly floor: Tag | null;
}

export interface Operation {
  readonly number: number;
  /** The client's. */
  readonly id: number;
  request: RegisterRequest;
  readonly deadlineUs: number;
  /** When it settles for less; Infinity: never. */
  readonly degradesUs: number;
  retryUs: number;
  stage: Stage;
  /** What the session has seen; null: no session. */
  seen: VectorClock | null;
  /** Counts questions, so that a late answer to an earlier one means nothing. */
  round: number;
  /** What is being stored. */
  version: Version | null;
  /** This member's own copy is durable. */
  logged: boolean;
  replies: Reply[];
  waited: boolean;
}

export function writeOperation(writer: ByteWriter, operation: Operation): void {
  const { number, id, request, deadlineUs, degradesUs, retryUs, stage, seen, round, version, logged } = operation;
  for (const count of [number, id, deadlineUs, retryUs, round]) writer.varint(count);
  writer.varint(degradesUs === Number.POSITIVE_INFINITY ? 0 : degradesUs + 1);
  writeRegisterRequest(writer, request);
  writer.u8(STAGES.indexOf(stage));
  writeMaybe(writer, seen, writeVectorClock);
  writeMaybe(writer, version, writeVersion);
  writer.bool(logged);
  writer.bool(operation.waited);
  writeList(writer, operation.replies, (to, reply) => {
    to.varint(reply.member);
    to.varint(reply.directory);
    to.bool(reply.votes);
    writeNumbers(to, reply.bindings);
    writeMaybe(to, reply.version, writeVersion);
    writeMaybe(to, reply.floor, writeTag);
  });
}

export function readOperation(reader: ByteReader): Operation {
  const [number, id, deadlineUs] = [reader.varint(), reader.varint(), reader.varint()];
  const [retryUs, round, degrades] = [reader.varint(), reader.varint(), reader.varint()];
  return {
    number,
    id,
    deadlineUs,
    retryUs,
    round,
    degradesUs: degrades === 0 ? Number.POSITIVE_INFINITY : degrades - 1,
    request: readRegisterRequest(reader),
    stage: STAGES[reader.u8()] ?? 'waiting',
    seen: readMaybe(reader, readVectorClock),
    version: readMaybe(reader, readVersion),
    logged: reader.bool(),
    waited: reader.bool(),
    replies: readList(reader, (from) => ({
      member: from.varint(),
      directory: from.varint(),
      votes: from.bool(),
      bindings: readNumbers(from),
      version: readMaybe(from, readVersion),
      floor: readMaybe(from, readTag),
    })),
  };
}
