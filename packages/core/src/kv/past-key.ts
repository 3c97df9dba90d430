/** Keys of the past: a user's key, then a revision, in one byte string that sorts by both. */
import { PolderError } from '../base/error.ts';

const REVISION_BYTES = 12;

/**
 * A zero byte in the key becomes 0, 255 and the key ends with 0, 1: no key is then a prefix of another, and the
 * revision after it cannot be taken for a part of it.
 */
export function pastKey(key: Uint8Array, main: number, sub: number): Uint8Array {
  const start = beforeRevisions(key);
  const bytes = new Uint8Array(start.length + REVISION_BYTES);
  bytes.set(start);
  const view = new DataView(bytes.buffer);
  view.setUint32(start.length, Math.floor(main / 0x100000000));
  view.setUint32(start.length + 4, main % 0x100000000);
  view.setUint32(start.length + 8, sub);
  return bytes;
}

/** What `pastKey` was made of. Throws `MalformedBytes`. */
export function readPastKey(bytes: Uint8Array): {
  readonly key: Uint8Array;
  readonly main: number;
  readonly sub: number;
} {
  const end = bytes.length - REVISION_BYTES - 2;
  if (end < 0 || bytes[end] !== 0 || bytes[end + 1] !== 1) throw malformed();
  const key = new Uint8Array(end);
  let length = 0;
  for (let at = 0; at < end; at++) {
    const byte = bytes[at] as number;
    key[length++] = byte;
    if (byte === 0 && bytes[++at] !== 0xff) throw malformed();
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + end + 2);
  const main = view.getUint32(0) * 0x100000000 + view.getUint32(4);
  return { key: length === end ? key : key.slice(0, length), main, sub: view.getUint32(8) };
}

function malformed(): PolderError {
  return new PolderError('MalformedBytes', 'the store holds a past version under a key that is none');
}

/** Sorts after every past key of smaller keys and before those of `key` itself. */
export function beforeRevisions(key: Uint8Array): Uint8Array {
  let zeros = 0;
  for (const byte of key) if (byte === 0) zeros++;
  const bytes = new Uint8Array(key.length + zeros + 2);
  let at = 0;
  for (const byte of key) {
    bytes[at++] = byte;
    if (byte === 0) bytes[at++] = 0xff;
  }
  bytes[at] = 0;
  bytes[at + 1] = 1;
  return bytes;
}
