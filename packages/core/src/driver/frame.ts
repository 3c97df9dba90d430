/** What goes from driver to driver: the sender's directory, then the replica's message. */
import { ByteReader, type ByteWriter } from '../base/bytes.ts';
import type { Codec } from '../consensus/replica.ts';

/** `writer`: memory to write in. */
export function encodeFrame<Message>(
  codec: Codec<Message>,
  directory: number,
  message: Message,
  writer: ByteWriter,
): Uint8Array {
  writer.clear();
  writer.varint(directory);
  codec.encode(writer, message);
  return writer.finish();
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
