/**
 * What the others need to know of a member. It stands in the configuration, as the member's context, and in the hello
 * by which a process introduces itself before it is a member.
 */
import { ByteReader, ByteWriter, PolderError } from '@polder/core';

export interface MemberContext {
  /** Unique among the members; another one may have it later. */
  readonly name: string;
  readonly peerHost: string;
  readonly peerPort: number;
  readonly clientHost: string;
  readonly clientPort: number;
}

/** Of the name and of each host. */
const TEXT_BYTES_MAX = 255;

export function encodeMemberContext(context: MemberContext): Uint8Array {
  const writer = new ByteWriter();
  writeMemberContext(writer, context);
  return writer.finish();
}

/** Throws `MalformedBytes`. */
export function decodeMemberContext(bytes: Uint8Array): MemberContext {
  const reader = new ByteReader(bytes);
  const context = readMemberContext(reader);
  reader.end();
  return context;
}

export function writeMemberContext(writer: ByteWriter, context: MemberContext): void {
  for (const text of [context.name, context.peerHost, context.clientHost]) writer.string(text);
  for (const port of [context.peerPort, context.clientPort]) writer.varint(port);
}

export function readMemberContext(reader: ByteReader): MemberContext {
  const [name, peerHost, clientHost] = [reader.string(), reader.string(), reader.string()];
  const [peerPort, clientPort] = [reader.varint(), reader.varint()];
  const fits = isShort(name) && isShort(peerHost) && isShort(clientHost) && peerPort <= 65_535 && clientPort <= 65_535;
  if (!fits) throw new PolderError('MalformedBytes', 'a member’s addresses are none: it runs another version');
  return { name, peerHost, peerPort, clientHost, clientPort };
}

function isShort(text: string): boolean {
  return Buffer.byteLength(text) <= TEXT_BYTES_MAX;
}
