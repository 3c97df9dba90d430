/** What goes from driver to driver: the sender's directory, then the replica's message. */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import type { Codec } from '../consensus/replica.ts';

/** Writes frames, each in the same memory first; what is said to several peers is encoded once. */
export class FrameWriter<Message> {
  readonly #codec: Codec<Message>;
  readonly #directory: number;
  readonly #writer = new ByteWriter();
  #newest: { readonly message: Message; readonly frame: Uint8Array } | null = null;

  constructor(codec: Codec<Message>, directory: number) {
    this.#codec = codec;
    this.#directory = directory;
  }

  frameOf(message: Message): Uint8Array {
    if (this.#newest?.message === message) return this.#newest.frame;
    this.#writer.clear();
    this.#writer.varint(this.#directory);
    this.#codec.encode(this.#writer, message);
    const frame = this.#writer.finish();
    this.#newest = { message, frame };
    return frame;
  }
}

/** The message shares the frame's memory: a copy of each entry's bytes would be garbage for every member. Throws `MalformedBytes`. */
export function decodeFrame<Message>(
  codec: Codec<Message>,
  frame: Uint8Array,
): { directory: number; message: Message } {
  const reader = new ByteReader(frame, 'shared');
  const directory = reader.varint();
  const message = codec.decode(reader);
  reader.end();
  return { directory, message };
}
