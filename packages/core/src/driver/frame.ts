/** What goes from driver to driver: the sender's directory, then the replica's message. */
import { ByteReader, ByteWriter } from '../base/bytes.ts';
import type { Codec } from '../consensus/replica.ts';

export function encodeFrame<Message>(codec: Codec<Message>, directory: number, message: Message): Uint8Array {
  const writer = new ByteWriter();
  writer.varint(directory);
  codec.encode(writer, message);
  return writer.finish();
}

/** Throws `MalformedBytes`. */
export function decodeFrame<Message>(
  codec: Codec<Message>,
  frame: Uint8Array,
): { directory: number; message: Message } {
  const reader = new ByteReader(frame);
  const directory = reader.varint();
  const message = codec.decode(reader);
  reader.end();
  return { directory, message };
}
