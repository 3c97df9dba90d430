/** Where a range that starts at `key` ends, exclusive; null: nowhere. (etcd: KV API, "Key ranges".) */
export function upperBound(key: Uint8Array, rangeEnd: Uint8Array | undefined): Uint8Array | null {
  if (rangeEnd === undefined || rangeEnd.length === 0) {
    // The next key in byte order: the range then holds `key` alone.
    const next = new Uint8Array(key.length + 1);
    next.set(key);
    return next;
  }
  return rangeEnd.length === 1 && rangeEnd[0] === 0 ? null : rangeEnd;
}
