/**
 * A snapshot as a file, and as it goes from member to member: the bytes are the same in both.
 *
 *   header    "PLDS", format (4), index (8), term (8), CRC-32C of these (4)
 *   body      what the state machine's `openSnapshot` gives
 *   trailer   CRC-32C of header and body (4)
 *
 * Numbers are little-endian.
 */
import { assert } from '../base/assert.ts';
import { ByteReader, ByteWriter, EMPTY_BYTES } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { PolderError } from '../base/error.ts';
import type { SnapshotSource, SnapshotStage } from '../consensus/state-machine.ts';

/** Which state: of one index and its term there is only one. */
export interface SnapshotName {
  readonly index: number;
  readonly term: number;
}

const MAGIC = 0x53444c50;
const FORMAT = 1;
const HEADER_BYTES = 28;
const TRAILER_BYTES = 4;
const HIGH = 0x1_0000_0000;

export function snapshotFile(index: number): string {
  return `snapshot-${String(index).padStart(16, '0')}`;
}

/** The file's bytes, piece by piece, as the source gives its own. */
export class SnapshotSealer {
  readonly name: SnapshotName;
  readonly #source: SnapshotSource;
  #crc = 0;
  /** Header or trailer, as far as it was not read yet. */
  #framing: Uint8Array;
  #ended = false;

  constructor(name: SnapshotName, source: SnapshotSource) {
    assert(source.index === name.index, 'a source is of its index');
    this.name = name;
    this.#source = source;
    this.#framing = encodeHeader(name);
    this.#crc = crc32c(this.#framing);
  }

  /** Exactly `sizeMax` bytes, fewer at the end, none behind it. */
  read(sizeMax: number): Uint8Array {
    let body: Uint8Array = EMPTY_BYTES;
    if (!this.#ended && this.#framing.length < sizeMax) {
      body = this.#source.read(sizeMax - this.#framing.length);
      this.#crc = crc32c(body, 0, body.length, this.#crc);
      // All but a few pieces.
      if (body.length === sizeMax) return body;
    }
    const piece = new ByteWriter(sizeMax);
    this.#readFraming(piece, sizeMax);
    if (!this.#ended && piece.length < sizeMax) {
      piece.raw(body);
      if (piece.length < sizeMax) {
        this.#ended = true;
        this.#framing = encodeTrailer(this.#crc);
        this.#readFraming(piece, sizeMax);
      }
    }
    return piece.finish();
  }

  #readFraming(piece: ByteWriter, sizeMax: number): void {
    const taken = this.#framing.subarray(0, sizeMax - piece.length);
    piece.raw(taken);
    this.#framing = this.#framing.subarray(taken.length);
  }

  close(): void {
    this.#source.close();
  }

  save(writer: ByteWriter): void {
    writer.varint(this.name.index);
    writer.varint(this.name.term);
    writer.bytes(this.#ended ? EMPTY_BYTES : this.#source.rest());
    writer.u32(this.#crc);
    writer.bytes(this.#framing);
    writer.bool(this.#ended);
  }

  static load(reader: ByteReader): SnapshotSealer {
    const name = { index: reader.varint(), term: reader.varint() };
    const sealer = new SnapshotSealer(name, new BytesSource(name.index, reader.bytes()));
    sealer.#crc = reader.u32();
    sealer.#framing = reader.bytes();
    sealer.#ended = reader.bool();
    return sealer;
  }
}

/** Checks a file's bytes as they come, and hands the body on; `end` says whether that was all. */
export class SnapshotOpener {
  readonly #stage: Pick<SnapshotStage, 'write' | 'whole'>;
  #name: SnapshotName | null = null;
  #crc = 0;
  /** What may be the trailer, or is not a whole header yet. */
  #kept: Uint8Array = EMPTY_BYTES;

  constructor(stage: Pick<SnapshotStage, 'write' | 'whole'>) {
    this.#stage = stage;
  }

  /** Known once the header has come. */
  get name(): SnapshotName | null {
    return this.#name;
  }

  /** Throws `MalformedBytes`. */
  write(bytes: Uint8Array): void {
    let rest = joined(this.#kept, bytes);
    if (this.#name === null && rest.length >= HEADER_BYTES) {
      this.#name = decodeHeader(rest);
      this.#crc = crc32c(rest, 0, HEADER_BYTES);
      rest = rest.subarray(HEADER_BYTES);
    }
    const bodyBytes = this.#name === null ? 0 : Math.max(0, rest.length - TRAILER_BYTES);
    if (bodyBytes > 0) {
      this.#crc = crc32c(rest, 0, bodyBytes, this.#crc);
      this.#stage.write(rest.subarray(0, bodyBytes));
    }
    this.#kept = rest.slice(bodyBytes);
  }

  /** Throws `MalformedBytes`: it was not whole. */
  end(): void {
    const ends = this.#name !== null && this.#kept.length === TRAILER_BYTES;
    if (!ends || new ByteReader(this.#kept).u32() !== this.#crc || !this.#stage.whole) {
      throw malformed('it is cut short or damaged');
    }
  }

  save(writer: ByteWriter): void {
    writer.bool(this.#name !== null);
    writer.varint(this.#name?.index ?? 0);
    writer.varint(this.#name?.term ?? 0);
    writer.u32(this.#crc);
    writer.bytes(this.#kept);
  }

  load(reader: ByteReader): void {
    const isKnown = reader.bool();
    const name = { index: reader.varint(), term: reader.varint() };
    this.#name = isKnown ? name : null;
    this.#crc = reader.u32();
    this.#kept = reader.bytes();
  }
}

/** A source whose bytes are at hand. */
export class BytesSource implements SnapshotSource {
  readonly index: number;
  #bytes: Uint8Array;

  constructor(index: number, bytes: Uint8Array) {
    this.index = index;
    this.#bytes = bytes;
  }

  read(sizeMax: number): Uint8Array {
    const piece = this.#bytes.slice(0, sizeMax);
    this.#bytes = this.#bytes.subarray(piece.length);
    return piece;
  }

  rest(): Uint8Array {
    return this.#bytes.slice();
  }

  close(): void {
    this.#bytes = EMPTY_BYTES;
  }
}

function encodeHeader({ index, term }: SnapshotName): Uint8Array {
  const writer = new ByteWriter(HEADER_BYTES);
  writer.u32(MAGIC);
  writer.u32(FORMAT);
  for (const value of [index, term]) {
    writer.u32(value % HIGH);
    writer.u32(Math.floor(value / HIGH));
  }
  writer.u32(crc32c(writer.finish()));
  return writer.finish();
}

function encodeTrailer(crc: number): Uint8Array {
  const writer = new ByteWriter(TRAILER_BYTES);
  writer.u32(crc);
  return writer.finish();
}

function decodeHeader(bytes: Uint8Array): SnapshotName {
  const reader = new ByteReader(bytes);
  if (reader.u32() !== MAGIC) throw malformed('it does not begin as a snapshot of Polder’s does');
  if (reader.u32() !== FORMAT) throw malformed('its format is one that this version does not know');
  const [indexLow, indexHigh, termLow, termHigh] = [reader.u32(), reader.u32(), reader.u32(), reader.u32()];
  if (reader.u32() !== crc32c(bytes, 0, HEADER_BYTES - 4)) throw malformed('its header is damaged');
  return { index: indexHigh * HIGH + indexLow, term: termHigh * HIGH + termLow };
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

function malformed(why: string): PolderError {
  return new PolderError('MalformedBytes', `the snapshot cannot be used: ${why}; take another one`);
}
