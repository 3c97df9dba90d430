import { compareBytes } from '@polder/core';
import type { Tree, Visit } from '@polder/core/kv';
import type { Database } from 'lmdb';
import { boundBehind, inLevel, LINK_BYTES, levelBehind, placeOf, TOP } from './piece.ts';
import type { ReadView } from './read-view.ts';

export type Table = Database<Uint8Array, Uint8Array>;

/** The two tables of one tree. */
export interface Tables {
  readonly keys: Table;
  readonly longKeys: Table;
}

export interface TreeSize {
  readonly keys: number;
  /** Of these, how many lie behind links. */
  readonly longKeys: number;
}

/** To `doesExist`: whatever the value. Its types do not know. */
const ANY = undefined as unknown as Uint8Array;

/** Of a range downwards: without it LMDB's wrapper leaves out a key that is a single zero byte. */
const NO_END = { end: undefined } as unknown as { end: Uint8Array };

type Direction = 'ascending' | 'descending';

const NOTHING = new Uint8Array(0);
/** Sorts after every piece. */
const LAST_PIECE = new Uint8Array(LINK_BYTES + 1).fill(0xff);

/** A tree as one read transaction sees it. */
export class LmdbTree implements Tree {
  readonly #tables: Tables;
  readonly #view: ReadView;
  readonly #size: TreeSize;

  constructor(tables: Tables, view: ReadView, size: TreeSize) {
    this.#tables = tables;
    this.#view = view.share();
    this.#size = size;
  }

  get size(): number {
    return this.#size.keys;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const { level, piece } = placeOf(key);
    const bytes = this.#table(level).get(inLevel(level, piece), this.#view.options);
    return bytes === undefined ? undefined : plain(bytes);
  }

  has(key: Uint8Array): boolean {
    const { level, piece } = placeOf(key);
    return this.#table(level).doesExist(inLevel(level, piece), ANY, this.#view.options);
  }

  scan(from: Uint8Array, to: Uint8Array | null, visit: Visit<Uint8Array>): void {
    if (to === null || compareBytes(from, to) < 0)
      this.#walk(TOP, NOTHING, { from, to, direction: 'ascending' }, visit);
  }

  scanBackward(from: Uint8Array, to: Uint8Array | null, visit: Visit<Uint8Array>): void {
    if (to === null || compareBytes(from, to) < 0)
      this.#walk(TOP, NOTHING, { from, to, direction: 'descending' }, visit);
  }

  /** LMDB knows no ranks: it walks its leaves, at about 0.1 µs a key, and ten times slower where long keys are held. */
  count(from: Uint8Array, to: Uint8Array | null): number {
    if (to !== null && compareBytes(from, to) >= 0) return 0;
    if (this.#size.longKeys === 0) {
      // No key is as long as a link, so a longer bound is as good as its beginning.
      const start = from.length === 0 ? {} : { start: from.subarray(0, LINK_BYTES) };
      const end = to === null ? {} : { end: to.subarray(0, LINK_BYTES) };
      return this.#tables.keys.getKeysCount({ ...start, ...end, ...this.#view.options });
    }
    let count = 0;
    this.scan(from, to, () => {
      count++;
      return true;
    });
    return count;
  }

  snapshot(): Tree {
    return new LmdbTree(this.#tables, this.#view, this.#size);
  }

  close(): void {
    this.#view.release();
  }

  #table(level: Uint8Array): Table {
    return level === TOP ? this.#tables.keys : this.#tables.longKeys;
  }

  /** False: `visit` has had enough. `leading` is what leads to the level. */
  #walk(
    level: Uint8Array,
    leading: Uint8Array,
    range: { readonly from: Uint8Array; readonly to: Uint8Array | null; readonly direction: Direction },
    visit: Visit<Uint8Array>,
  ): boolean {
    const { from, to, direction } = range;
    for (const { key, value } of this.#table(level).getRange({ ...walkFrom(level, range), ...this.#view.options })) {
      const piece = plain(key).subarray(level.length);
      if (piece.length < LINK_BYTES) {
        const ends = direction === 'ascending' ? isBeyond(piece, to) : compareBytes(piece, from) < 0;
        if (ends) return true;
        if (direction === 'descending' && isBeyond(piece, to)) continue;
        if (!visit(leading.length === 0 ? piece : inLevel(leading, piece), plain(value))) return false;
        continue;
      }
      const above = to === null ? 'above' : boundBehind(to, piece);
      const below = boundBehind(from, piece);
      if (above === 'below' || below === 'above') {
        if (direction === (above === 'below' ? 'ascending' : 'descending')) return true;
        continue;
      }
      const inner = {
        from: below === 'below' ? NOTHING : below,
        to: above === 'above' ? null : above,
        direction,
      };
      if (!this.#walk(levelBehind(level, piece), inLevel(leading, piece), inner, visit)) return false;
    }
    return true;
  }
}

function isBeyond(piece: Uint8Array, to: Uint8Array | null): boolean {
  return to !== null && compareBytes(piece, to) >= 0;
}

/** Where in a table the walk over a level's range begins, and where the level ends. */
function walkFrom(
  level: Uint8Array,
  { from, to, direction }: { readonly from: Uint8Array; readonly to: Uint8Array | null; readonly direction: Direction },
): { start?: Uint8Array; end?: Uint8Array; reverse?: boolean } {
  if (direction === 'ascending') {
    const start = inLevel(level, from.subarray(0, LINK_BYTES));
    return { ...(start.length === 0 ? {} : { start }), ...(level === TOP ? {} : { end: after(level) }) };
  }
  const start = to === null ? (level === TOP ? null : after(level)) : inLevel(level, to.subarray(0, LINK_BYTES));
  const end = level === TOP ? NO_END : { end: before(level) };
  return { reverse: true, ...(start === null ? {} : { start }), ...end };
}

/** The first place that is in no level up to this one. A level is a hash, and none of those is all ones. */
function after(level: Uint8Array): Uint8Array {
  const next = level.slice();
  let at = next.length - 1;
  while (next[at] === 0xff) next[at--] = 0;
  next[at] = (next[at] as number) + 1;
  return next;
}

/** A place below the level's first key and above every key of the levels before. */
function before(level: Uint8Array): Uint8Array {
  const previous = level.slice();
  let at = previous.length - 1;
  while (previous[at] === 0) previous[at--] = 0xff;
  previous[at] = (previous[at] as number) - 1;
  return inLevel(previous, LAST_PIECE);
}

/** Not a Buffer, which would read and compare differently in the hands of callers. */
export function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
