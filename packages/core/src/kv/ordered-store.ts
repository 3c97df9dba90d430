/**
 * Keys in byte order with a value each. No key is empty. Values, and the bytes of keys, are immutable: a store may
 * share them with its snapshots. What every store promises is checked by `ordered-store.conformance.ts`.
 */
export interface OrderedStore<Value> {
  readonly size: number;
  get(key: Uint8Array): Value | undefined;
  put(key: Uint8Array, value: Value): void;
  /** Whether the key was there. */
  delete(key: Uint8Array): boolean;
  /** Ascending over [from, to), `to` null = to the end, until `visit` returns false. No writes meanwhile. */
  scan(from: Uint8Array, to: Uint8Array | null, visit: Visit<Value>): void;
  /** The same keys, descending. */
  scanBackward(from: Uint8Array, to: Uint8Array | null, visit: Visit<Value>): void;
  /** How many keys are in [from, to). */
  count(from: Uint8Array, to: Uint8Array | null): number;
  /** A store of its own with what is in this one now; both may be written afterwards. Closed when no longer needed. */
  snapshot(): OrderedStore<Value>;
  /** Lets go of what it holds beyond memory; it is not used afterwards. Its snapshots are not concerned. */
  close(): void;
}

/** False: that was enough. */
export type Visit<Value> = (key: Uint8Array, value: Value) => boolean;
