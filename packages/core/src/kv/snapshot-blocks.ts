/** The blocks of a snapshot's stream: length (4), CRC-32C of every content up to and with this one's (4), content. */
import { ByteReader, ByteWriter, EMPTY_BYTES } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { PolderError } from '../base/error.ts';

const HEADER_BYTES = 8;
/** Many times what a request may carry. */
const CONTENT_BYTES_MAX = 64 * 1024 * 1024;

/** The block, and the checksum that the next one goes on from. */
export function encodeBlock(
  content: Uint8Array,
  previous: number,
): { readonly block: Uint8Array; readonly crc: number } {
  const crc = crc32c(content, 0, content.length, previous);
  const writer = new ByteWriter(content.length + HEADER_BYTES);
  writer.u32(content.length);
  writer.u32(crc);
  writer.raw(content);
  return { block: writer.finish(), crc };
}

/** Finds the blocks in bytes that come cut anywhere. It keeps what is not a whole block yet. */
export class BlockReader {
  #pending: Uint8Array = EMPTY_BYTES;
  #crc = 0;

  /** Whether it stands between two blocks. */
  get isEmpty(): boolean {
    return this.#pending.length === 0;
  }

  /** Throws `MalformedBytes`. */
  write(bytes: Uint8Array, onBlock: (content: Uint8Array) => void): void {
    let rest = this.#pending.length === 0 ? bytes : joined(this.#pending, bytes);
    while (rest.length >= HEADER_BYTES) {
      const header = new ByteReader(rest);
      const length = header.u32();
      if (length > CONTENT_BYTES_MAX) throw malformedSnapshot('it has a block of an impossible size');
      const end = HEADER_BYTES + length;
      if (rest.length < end) break;
      const content = rest.subarray(HEADER_BYTES, end);
      this.#crc = crc32c(content, 0, length, this.#crc);
      if (header.u32() !== this.#crc) throw malformedSnapshot('its checksum does not hold');
      onBlock(content);
      rest = rest.subarray(end);
    }
    this.#pending = rest.slice();
  }

  save(writer: ByteWriter): void {
    writer.bytes(this.#pending);
    writer.u32(this.#crc);
  }

  load(reader: ByteReader): void {
    this.#pending = reader.bytes();
    this.#crc = reader.u32();
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

export function malformedSnapshot(why: string): PolderError {
  return new PolderError('MalformedBytes', `the snapshot cannot be loaded: ${why}; take another one`);
}
