/** Vector clocks as bytes and as JSON text. Both come from strangers, so both have limits and one form per clock. */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import { MAX_MEMBER_ID_BYTES } from './member-id.ts';
import type { Membership } from './membership.ts';
import { MAX_CLOCK_MEMBERS, VectorClock } from './vector-clock.ts';

/** Of one clock as text: more than the largest clock with the longest ids needs, short of what would tie a parser up. */
export const MAX_CLOCK_TEXT_LENGTH = 2 * MAX_CLOCK_MEMBERS * (MAX_MEMBER_ID_BYTES + 20);

/** How many members, then id and count of each, ids ascending: equal clocks give equal bytes. */
export function writeVectorClock(writer: ByteWriter, clock: VectorClock): void {
  const { counts } = clock;
  const ids = clock.membership.encodedIds;
  writer.varint(counts.length);
  for (let slot = 0; slot < counts.length; slot++) {
    writer.bytes(ids[slot] as Uint8Array);
    writer.varint(counts[slot] as number);
  }
}

/** Throws `MalformedBytes`, `MalformedClock`, `InvalidMemberId` or `ClockLimit`; a clock in another form is malformed too. */
export function readVectorClock(reader: ByteReader): VectorClock {
  const size = reader.varint();
  if (size > MAX_CLOCK_MEMBERS) {
    throw new PolderError('ClockLimit', `a clock of ${size} members came, above ${MAX_CLOCK_MEMBERS}: it is not read`);
  }
  const entries: (readonly [string, number])[] = [];
  let last = '';
  for (let i = 0; i < size; i++) {
    const id = reader.string();
    const count = reader.varint();
    if (id <= last || count === 0) {
      throw new PolderError(
        'MalformedClock',
        'a clock came with ids that do not ascend or a count of 0: do not trust it',
      );
    }
    entries.push([id, count]);
    last = id;
  }
  return VectorClock.from(entries);
}

export function encodeVectorClock(clock: VectorClock): Uint8Array {
  const writer = new ByteWriter(8 + clock.size * 20);
  writeVectorClock(writer, clock);
  return writer.finish();
}

/**
 * Throws as `readVectorClock` does, also for bytes left over. `known` is a clock that probably has the same members,
 * such as the receiver's own: then no id is decoded, and the two clocks share their membership at once.
 */
export function decodeVectorClock(bytes: Uint8Array, known?: VectorClock): VectorClock {
  const quick = known === undefined ? null : decodeWithMembership(bytes, known.membership);
  if (quick !== null) return quick;
  const reader = new ByteReader(bytes);
  const clock = readVectorClock(reader);
  reader.end();
  return clock;
}

/** null: not exactly a clock of these members; whether it is one at all, the slow way finds out. */
function decodeWithMembership(bytes: Uint8Array, membership: Membership): VectorClock | null {
  const ids = membership.encodedIds;
  const cursor = { offset: 0 };
  if (varintAt(bytes, cursor) !== ids.length) return null;
  const counts: number[] = [];
  for (let slot = 0; slot < ids.length; slot++) {
    const id = ids[slot] as Uint8Array;
    if (varintAt(bytes, cursor) !== id.length) return null;
    for (let i = 0; i < id.length; i++) if (bytes[cursor.offset++] !== id[i]) return null;
    const count = varintAt(bytes, cursor);
    if (count <= 0) return null;
    counts.push(count);
  }
  return cursor.offset === bytes.length ? VectorClock.ofMembership(membership, counts) : null;
}

/** −1: no safe integer stands there. */
function varintAt(bytes: Uint8Array, cursor: { offset: number }): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[cursor.offset++];
    if (byte === undefined) return -1;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return Number.isSafeInteger(value) ? value : -1;
    scale *= 0x80;
  }
  return -1;
}

/** From `{"id": count, …}`. Throws `MalformedClock`, `InvalidMemberId` or `ClockLimit`. */
export function parseVectorClock(json: string): VectorClock {
  if (json.length > MAX_CLOCK_TEXT_LENGTH) {
    throw new PolderError('ClockLimit', `a clock of ${json.length} characters came: it is not read`);
  }
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new PolderError('MalformedClock', 'the vector clock is not JSON: ask its sender for {"id": count, …}', {
      cause,
    });
  }
  return VectorClock.fromJson(value);
}
