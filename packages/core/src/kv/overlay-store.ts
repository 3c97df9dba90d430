/**
 * A bounded overlay in memory over a tree of an engine: writes go to the newest layer, reads see every layer over the
 * tree. While a layer is being committed (frozen) the next one takes the writes.
 *
 *   active ── freeze(): its changes ──► frozen ── commit durable, settled() ──► gone: the tree holds it
 *      ▲                                    └──── commit failed, thaw() ──► merged back into active
 */
import { assert } from '../base/assert.ts';
import { type ByteReader, type ByteWriter, compareBytes, EMPTY_BYTES } from '../base/bytes.ts';
import type { Change, Tree } from './engine.ts';
import { type Direction, MemoryStore, type StoreCursor } from './memory-store.ts';
import type { OrderedStore, Visit } from './ordered-store.ts';

export interface ValueCodec<Value> {
  encode(value: Value): Uint8Array;
  decode(key: Uint8Array, bytes: Uint8Array): Value;
  /** About what a value takes in memory. */
  sizeOf(value: Value): number;
}

/** One key in one layer. */
interface Cell<Value> {
  /** null: deleted. */
  readonly value: Value | null;
  /** Whether the layers and the tree below hold the key. A deletion of what is not below needs no cell. */
  readonly below: boolean;
}

type Layer<Value> = MemoryStore<Cell<Value>>;

/** What a key and its place take in a layer, besides its bytes. */
const CELL_BYTES = 120;

export class OverlayStore<Value> implements OrderedStore<Value> {
  readonly #codec: ValueCodec<Value>;
  #tree: Tree;
  #active: Layer<Value> = new MemoryStore();
  /** Below the active layer, newest first. A snapshot may have several; a store has one while a commit is under way. */
  #frozen: readonly Layer<Value>[] = [];
  #size: number;
  #activeBytes = 0;
  #frozenBytes = 0;

  /** Takes the tree over: it is closed with the store, or when another takes its place. */
  constructor(tree: Tree, codec: ValueCodec<Value>) {
    this.#tree = tree;
    this.#codec = codec;
    this.#size = tree.size;
  }

  get size(): number {
    return this.#size;
  }

  /** About what the layers take in memory. */
  get overlayBytes(): number {
    return this.#activeBytes + this.#frozenBytes;
  }

  /** About what a freeze would take. */
  get activeBytes(): number {
    return this.#activeBytes;
  }

  get(key: Uint8Array): Value | undefined {
    const cell = this.#active.get(key) ?? this.#frozenCell(key);
    if (cell !== undefined) return cell.value ?? undefined;
    const bytes = this.#tree.get(key);
    return bytes === undefined ? undefined : this.#codec.decode(key, bytes);
  }

  put(key: Uint8Array, value: Value): void {
    const old = this.#active.get(key);
    const below = old?.below ?? this.#isBelow(key);
    if (old === undefined ? !below : old.value === null) this.#size++;
    this.#setCell(key, old, { value, below });
  }

  delete(key: Uint8Array): boolean {
    const old = this.#active.get(key);
    const below = old?.below ?? this.#isBelow(key);
    if (old === undefined ? !below : old.value === null) return false;
    this.#size--;
    this.#setCell(key, old, below ? { value: null, below } : null);
    return true;
  }

  scan(from: Uint8Array, to: Uint8Array | null, visit: Visit<Value>): void {
    this.#merge(from, to, 'ascending', visit);
  }

  scanBackward(from: Uint8Array, to: Uint8Array | null, visit: Visit<Value>): void {
    this.#merge(from, to, 'descending', visit);
  }

  /** Takes as long as the tree's own count, and looks at every cell of the range; of everything it is known. */
  count(from: Uint8Array, to: Uint8Array | null): number {
    if (from.length === 0 && to === null) return this.#size;
    if (to !== null && compareBytes(from, to) >= 0) return 0;
    let count = this.#tree.count(from, to);
    for (const layer of [this.#active, ...this.#frozen]) {
      layer.scan(from, to, (_, cell) => {
        if (cell.value === null) count--;
        else if (!cell.below) count++;
        return true;
      });
    }
    return count;
  }

  /** Shares the layers; what is written to it stays in memory. */
  snapshot(): OverlayStore<Value> {
    const copy = new OverlayStore(this.#tree.snapshot(), this.#codec);
    copy.#frozen = [this.#active.snapshot(), ...this.#frozen.map((layer) => layer.snapshot())];
    copy.#size = this.#size;
    return copy;
  }

  close(): void {
    this.#tree.close();
  }

  /** What the active layer changes in the tree, by key. It stays readable, and is kept until `settled` or `thaw`. */
  freeze(): Change[] {
    assert(this.#frozen.length === 0, 'one layer is committed at a time');
    const changes: Change[] = [];
    this.#active.scan(EMPTY_BYTES, null, (key, { value, below }) => {
      changes.push({ key, bytes: value === null ? null : this.#codec.encode(value), existed: below });
      return true;
    });
    this.#frozen = [this.#active];
    this.#frozenBytes = this.#activeBytes;
    this.#active = new MemoryStore();
    this.#activeBytes = 0;
    return changes;
  }

  /** `tree` holds the frozen layer now. */
  settled(tree: Tree): void {
    assert(this.#frozen.length === 1, 'a frozen layer was committed');
    this.#frozen = [];
    this.#frozenBytes = 0;
    this.#tree.close();
    this.#tree = tree;
  }

  /** The commit failed and changed nothing: what was frozen waits for the next one. */
  thaw(): void {
    const frozen = this.#frozen[0];
    assert(frozen !== undefined && this.#frozen.length === 1, 'a frozen layer was to be committed');
    const newer = this.#active;
    this.#active = frozen;
    this.#activeBytes = this.#frozenBytes;
    this.#frozen = [];
    this.#frozenBytes = 0;
    newer.scan(EMPTY_BYTES, null, (key, cell) => {
      const old = this.#active.get(key);
      const { value } = cell;
      const below = old?.below ?? cell.below;
      this.#setCell(key, old, value === null && !below ? null : { value, below });
      return true;
    });
  }

  /** The layers. The tree is another's to save. */
  saveOverlay(writer: ByteWriter): void {
    for (const value of [this.#size, this.#activeBytes, this.#frozenBytes, this.#frozen.length]) writer.varint(value);
    for (const layer of [this.#active, ...this.#frozen]) {
      writer.varint(layer.size);
      layer.scan(EMPTY_BYTES, null, (key, { value, below }) => {
        writer.bytes(key);
        writer.bool(below);
        writer.bool(value !== null);
        if (value !== null) writer.bytes(this.#codec.encode(value));
        return true;
      });
    }
  }

  /** Over a tree as it was at `saveOverlay`. */
  loadOverlay(reader: ByteReader): void {
    this.#size = reader.varint();
    this.#activeBytes = reader.varint();
    this.#frozenBytes = reader.varint();
    const frozen = reader.varint();
    const layers = Array.from({ length: frozen + 1 }, () => this.#loadLayer(reader));
    this.#active = layers.shift() ?? new MemoryStore();
    this.#frozen = layers;
  }

  #loadLayer(reader: ByteReader): Layer<Value> {
    const layer: Layer<Value> = new MemoryStore();
    for (let left = reader.varint(); left > 0; left--) {
      const key = reader.bytes();
      const below = reader.bool();
      layer.put(key, { value: reader.bool() ? this.#codec.decode(key, reader.bytes()) : null, below });
    }
    return layer;
  }

  #frozenCell(key: Uint8Array): Cell<Value> | undefined {
    for (const layer of this.#frozen) {
      const cell = layer.get(key);
      if (cell !== undefined) return cell;
    }
    return undefined;
  }

  #isBelow(key: Uint8Array): boolean {
    const cell = this.#frozenCell(key);
    return cell === undefined ? this.#tree.has(key) : cell.value !== null;
  }

  #setCell(key: Uint8Array, old: Cell<Value> | undefined, cell: Cell<Value> | null): void {
    if (old !== undefined) this.#activeBytes -= this.#bytesOf(key, old);
    if (cell === null) {
      this.#active.delete(key);
    } else {
      this.#active.put(key, cell);
      this.#activeBytes += this.#bytesOf(key, cell);
    }
  }

  #bytesOf(key: Uint8Array, cell: Cell<Value>): number {
    return CELL_BYTES + key.length + (cell.value === null ? 0 : this.#codec.sizeOf(cell.value));
  }

  /** The tree is walked; at each of its keys, what the layers hold up to there comes first. */
  #merge(from: Uint8Array, to: Uint8Array | null, direction: Direction, visit: Visit<Value>): void {
    if (to !== null && compareBytes(from, to) >= 0) return;
    const cells = new LayerCursor([this.#active, ...this.#frozen], from, to, direction);
    const sign = direction === 'ascending' ? 1 : -1;
    let more = true;
    const visitTree: Visit<Uint8Array> = (key, bytes) => {
      let order = -1;
      while (more && cells.key !== null && order < 0) {
        order = sign * compareBytes(cells.key, key);
        if (order > 0) break;
        more = cells.visit(visit);
      }
      if (more && order !== 0) more = visit(key, this.#codec.decode(key, bytes));
      return more;
    };
    if (direction === 'ascending') this.#tree.scan(from, to, visitTree);
    else this.#tree.scanBackward(from, to, visitTree);
    while (more && cells.key !== null) more = cells.visit(visit);
  }
}

/** Walks several layers as one: of a key in several, the newest layer's cell. */
class LayerCursor<Value> {
  readonly #cursors: readonly StoreCursor<Cell<Value>>[];
  readonly #sign: 1 | -1;
  #current: StoreCursor<Cell<Value>> | null = null;

  constructor(layers: readonly Layer<Value>[], from: Uint8Array, to: Uint8Array | null, direction: Direction) {
    this.#cursors = layers.map((layer) => layer.cursor(from, to, direction));
    this.#sign = direction === 'ascending' ? 1 : -1;
    this.#choose();
  }

  get key(): Uint8Array | null {
    return this.#current?.key ?? null;
  }

  /** Visits the entry that it stands on, unless it is a deletion, and moves on. */
  visit(visit: Visit<Value>): boolean {
    const current = this.#current;
    assert(current !== null && current.key !== null, 'a cursor stands on an entry');
    const { key, value: cell } = current;
    for (const cursor of this.#cursors) {
      if (cursor.key !== null && (cursor === current || compareBytes(cursor.key, key) === 0)) cursor.next();
    }
    this.#choose();
    return cell.value === null || visit(key, cell.value);
  }

  /** The first key in the direction; the newest layer comes first among equals. */
  #choose(): void {
    this.#current = null;
    for (const cursor of this.#cursors) {
      if (cursor.key === null) continue;
      if (this.#current?.key == null || this.#sign * compareBytes(cursor.key, this.#current.key) < 0) {
        this.#current = cursor;
      }
    }
  }
}
