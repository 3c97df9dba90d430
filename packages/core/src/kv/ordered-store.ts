/** Keys in byte order with a value each. Values are immutable: a store may share them with its snapshots. */
export interface OrderedStore<Value> {
  readonly size: number;
  get(key: Uint8Array): Value | undefined;
  put(key: Uint8Array, value: Value): void;
  /** Whether the key was there. */
  delete(key: Uint8Array): boolean;
  /** Ascending over [from, to), `to` null = to the end, until `visit` returns false. No writes meanwhile. */
  scan(from: Uint8Array, to: Uint8Array | null, visit: (key: Uint8Array, value: Value) => boolean): void;
  /** The same keys, descending. */
  scanBackward(from: Uint8Array, to: Uint8Array | null, visit: (key: Uint8Array, value: Value) => boolean): void;
  /** How many keys are in [from, to). */
  count(from: Uint8Array, to: Uint8Array | null): number;
  /** A store of its own with what is in this one now; both may be written afterwards. */
  snapshot(): OrderedStore<Value>;
}
