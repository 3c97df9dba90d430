/**
 * What a causal session has seen, as bytes that travel with a client between members and processes: a version byte,
 * the configuration, then a vector. It comes back from strangers: it is checked, bounded, and never believed further
 * than that a read waits for it.
 */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import { readVectorClock, VectorClock, writeVectorClock } from '../clocks/index.ts';

const FORMAT = 1;
export const MAX_TOKEN_BYTES = 64 * 1_024;

export function encodeToken(configuration: number, seen: VectorClock): Uint8Array {
  const writer = new ByteWriter(8 + seen.size * 16);
  writer.u8(FORMAT);
  writer.varint(configuration);
  writeVectorClock(writer, seen);
  return writer.finish();
}

/** An empty token is a session that has seen nothing. Throws `MalformedToken`, or `ForeignToken` of another store. */
export function decodeToken(configuration: number, bytes: Uint8Array): VectorClock {
  if (bytes.length === 0) return VectorClock.empty;
  if (bytes.length > MAX_TOKEN_BYTES) throw malformed('is too long');
  let token: { format: number; configuration: number; seen: VectorClock };
  try {
    const reader = new ByteReader(bytes);
    token = { format: reader.u8(), configuration: reader.varint(), seen: readVectorClock(reader) };
    reader.end();
  } catch (cause) {
    if (!(cause instanceof PolderError)) throw cause;
    throw malformed('cannot be read', cause);
  }
  if (token.format !== FORMAT) throw malformed(`has format ${token.format}, not ${FORMAT}`);
  if (token.configuration !== configuration) {
    throw new PolderError('ForeignToken', 'the session token is of another store: begin a session here, without one');
  }
  return token.seen;
}

function malformed(what: string, cause?: unknown): PolderError {
  return new PolderError('MalformedToken', `the session token ${what}: pass it on as it came, or begin without one`, {
    cause,
  });
}
