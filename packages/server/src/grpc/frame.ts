import { GrpcCode, GrpcError } from './status.ts';

/** Of one received message: etcd's 1.5 MiB request plus 512 KiB of overhead. */
export const MAX_MESSAGE_BYTES = 2 * 1024 * 1024;

const HEADER_BYTES = 5;

/** A message with gRPC's prefix: a compressed flag, always 0 here, and the length, big-endian. */
export function frameMessage(message: Uint8Array): Uint8Array {
  const framed = Buffer.allocUnsafe(HEADER_BYTES + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, HEADER_BYTES);
  return framed;
}

/** Cuts a byte stream into messages. Its bytes come from strangers: at most one message's worth is ever held. */
export class FrameReader {
  readonly #maxBytes: number;
  #chunks: Uint8Array[] = [];
  #held = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Throws a GrpcError for a frame that is too large, compressed or not a frame at all. */
  push(chunk: Uint8Array): Uint8Array[] {
    // A plain view: Node's chunks are Buffers, whose `slice` does not copy as everyone else's does.
    this.#chunks.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.#held += chunk.length;
    const messages: Uint8Array[] = [];
    while (this.#held >= HEADER_BYTES) {
      const bytes = this.#join();
      const length = this.#lengthOf(bytes);
      if (bytes.length < HEADER_BYTES + length) break;
      messages.push(bytes.subarray(HEADER_BYTES, HEADER_BYTES + length));
      this.#chunks = [bytes.subarray(HEADER_BYTES + length)];
      this.#held = bytes.length - HEADER_BYTES - length;
    }
    return messages;
  }

  /** At the end of the stream: a message cut short is an error. */
  end(): void {
    if (this.#held > 0) throw new GrpcError(GrpcCode.internal, 'grpc: the stream ends in the middle of a message');
  }

  /** Joins only when the pieces hold what is wanted next, so that a message in many pieces costs linear time. */
  #join(): Uint8Array {
    const first = this.#chunks[0] as Uint8Array;
    if (this.#chunks.length === 1) return first;
    if (first.length >= HEADER_BYTES && this.#held < HEADER_BYTES + this.#lengthOf(first)) return first;
    const joined = new Uint8Array(this.#held);
    let offset = 0;
    for (const chunk of this.#chunks) {
      joined.set(chunk, offset);
      offset += chunk.length;
    }
    this.#chunks = [joined];
    return joined;
  }

  #lengthOf(bytes: Uint8Array): number {
    const flag = bytes[0] as number;
    if (flag === 1) {
      throw new GrpcError(GrpcCode.unimplemented, 'grpc: Decompressor is not installed for the message encoding');
    }
    if (flag !== 0) throw new GrpcError(GrpcCode.internal, `grpc: received unexpected payload format ${flag}`);
    const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(1);
    if (length > this.#maxBytes) {
      const text = `grpc: received message larger than max (${length} vs. ${this.#maxBytes})`;
      throw new GrpcError(GrpcCode.resourceExhausted, text);
    }
    return length;
  }
}
