/** What goes into a log entry beside the user's command. */
import { ByteReader, ByteWriter, PolderError } from '@polder/core';

export type Envelope =
  | { readonly type: 'plain'; readonly command: Uint8Array }
  | { readonly type: 'once'; readonly session: number; readonly sequence: number; readonly command: Uint8Array }
  /** A session that is named by this entry's index. */
  | { readonly type: 'open' }
  | { readonly type: 'end'; readonly session: number };

const TYPES = ['plain', 'once', 'open', 'end'] as const;

export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const writer = new ByteWriter(envelope.type === 'plain' ? envelope.command.length + 1 : 64);
  writer.u8(TYPES.indexOf(envelope.type));
  switch (envelope.type) {
    case 'plain':
      writer.raw(envelope.command);
      break;
    case 'once':
      writer.varint(envelope.session);
      writer.varint(envelope.sequence);
      writer.raw(envelope.command);
      break;
    case 'open':
      break;
    case 'end':
      writer.varint(envelope.session);
      break;
  }
  return writer.finish();
}

/** Throws `MalformedBytes`. */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  const reader = new ByteReader(bytes);
  const type = TYPES[reader.u8()];
  switch (type) {
    case 'plain':
      return { type, command: reader.rest() };
    case 'once':
      return { type, session: reader.varint(), sequence: reader.varint(), command: reader.rest() };
    case 'open':
      return { type };
    case 'end':
      return { type, session: reader.varint() };
    default:
      throw new PolderError(
        'MalformedBytes',
        'an entry is of a kind that this version does not know: update this member',
      );
  }
}
