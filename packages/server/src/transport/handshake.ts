/**
 * Who speaks to whom. Both sides open with a preamble that no version changes (magic, version), then a hello frame;
 * the side that listens may answer with a refusal frame instead. Directory ids make a wiped member a stranger (PITFALLS R26).
 */
import { assert, ByteReader, ByteWriter, PolderError, utf8, wrapFrame } from '@polder/core';
import { type MemberContext, readMemberContext, writeMemberContext } from './member-context.ts';

export const PROTOCOL_VERSION = 2;
export const PREAMBLE_BYTES = 8;
export const HELLO_CHANNEL = 0xff;
export const REFUSAL_CHANNEL = 0xfe;
/** Everything before the handshake's end is from a stranger. */
export const MAX_HANDSHAKE_FRAME_BYTES = 2048;
export const MAX_CLUSTER_BYTES = 256;

const MAGIC = utf8('POLDER');

export type RefusalCode = 'WrongCluster' | 'WrongMember' | 'DirectoryMismatch' | 'VersionMismatch';

const REFUSAL_CODES: readonly RefusalCode[] = ['WrongCluster', 'WrongMember', 'DirectoryMismatch', 'VersionMismatch'];

export interface Hello {
  readonly cluster: string;
  readonly member: number;
  readonly directory: number;
  /** Whom the sender believes it talks to, or `ANYONE`. */
  readonly to: number;
  /** Where the sender is to be found: a member that lags behind may not know it yet, and must be able to answer. */
  readonly about: MemberContext;
  /** It was started to be added to a cluster that runs. */
  readonly joins: boolean;
}

/** Asks only who is there. */
export const ANYONE = 0;

export interface Refusal {
  readonly code: RefusalCode;
  /** What differs and what to do about it. */
  readonly message: string;
}

export function encodeHello(hello: Hello, version = PROTOCOL_VERSION): Uint8Array {
  const writer = new ByteWriter();
  writer.string(hello.cluster);
  writer.varint(hello.member);
  writer.varint(hello.directory);
  writer.varint(hello.to);
  writeMemberContext(writer, hello.about);
  writer.bool(hello.joins);
  return withPreamble(wrapFrame(HELLO_CHANNEL, writer.finish()), version);
}

/** Throws `MalformedBytes`. */
export function decodeHello(payload: Uint8Array): Hello {
  const reader = new ByteReader(payload);
  const cluster = reader.string();
  const member = reader.varint();
  const directory = reader.varint();
  const to = reader.varint();
  const about = readMemberContext(reader);
  const joins = reader.bool();
  reader.end();
  return { cluster, member, directory, to, about, joins };
}

export function encodeRefusal(refusal: Refusal): Uint8Array {
  const writer = new ByteWriter();
  writer.string(refusal.code);
  writer.string(refusal.message);
  return withPreamble(wrapFrame(REFUSAL_CHANNEL, writer.finish()), PROTOCOL_VERSION);
}

/** Throws `MalformedBytes`. */
export function decodeRefusal(payload: Uint8Array): Refusal {
  const reader = new ByteReader(payload);
  const name = reader.string();
  const message = reader.string();
  reader.end();
  const code = REFUSAL_CODES.find((known) => known === name);
  if (code === undefined) throw new PolderError('MalformedBytes', 'the peer refused for a reason unknown here');
  return { code, message };
}

/** The version in a preamble, or null when the bytes are not Polder's. */
export function preambleVersion(preamble: Uint8Array): number | null {
  assert(preamble.length === PREAMBLE_BYTES, 'a preamble has its size');
  for (let i = 0; i < MAGIC.length; i++) {
    if (preamble[i] !== MAGIC[i]) return null;
  }
  return (preamble[6] as number) + (preamble[7] as number) * 0x100;
}

export interface Expectation {
  readonly cluster: string;
  readonly member: number;
  /** Why whoever is on the other side may not be there; null: it may. */
  readonly refuses: (hello: Hello) => Refusal | null;
}

export function refuseVersion(version: number): Refusal | null {
  if (version === PROTOCOL_VERSION) return null;
  return {
    code: 'VersionMismatch',
    message: `peer protocol ${version} meets ${PROTOCOL_VERSION}: run the same version of Polder on every member`,
  };
}

export function refuseHello(hello: Hello, expect: Expectation): Refusal | null {
  if (hello.cluster !== expect.cluster) {
    return {
      code: 'WrongCluster',
      message: `member ${hello.member} is of cluster ${quoted(hello.cluster)}, this one of ${quoted(expect.cluster)}: check the peer addresses`,
    };
  }
  if (hello.to !== expect.member && hello.to !== ANYONE) {
    return {
      code: 'WrongMember',
      message: `member ${hello.member} looked for member ${hello.to} and found ${expect.member}: check the peer addresses`,
    };
  }
  return expect.refuses(hello);
}

export function wrongMember(message: string): Refusal {
  return { code: 'WrongMember', message };
}

/** PITFALLS R26: the process under this name has another directory than the one that is here. */
export function wrongDirectory({ member, directory }: Hello, known: number): Refusal {
  const message =
    `member ${member} came with data directory ${directory} but is known by ${known}, which is connected: ` +
    'two processes have the same number; give this one another';
  return { code: 'DirectoryMismatch', message };
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, MAX_CLUSTER_BYTES));
}

function withPreamble(frame: Uint8Array, version: number): Uint8Array {
  const bytes = new Uint8Array(PREAMBLE_BYTES + frame.length);
  bytes.set(MAGIC, 0);
  bytes[6] = version & 0xff;
  bytes[7] = version >> 8;
  bytes.set(frame, PREAMBLE_BYTES);
  return bytes;
}
