/** Keys of the past: a user's key, then a revision, in one byte string that sorts by both. */

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
