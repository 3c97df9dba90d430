/**
 * Keys longer than LMDB takes. A key is cut into pieces; all but the last are links, in order among the keys of their
 * level, and the keys behind a link form a level of their own, in another table, under the hash of what leads to it:
 *
 *   table `keys`       …, "short", ⟨piece 1 of long keys⟩ → how many keys lie behind it, "shorter", …
 *   table `long keys`  ⟨hash(piece 1)⟩ + "rest", ⟨hash(piece 1)⟩ + ⟨piece 2⟩ → …, ⟨hash(piece 1, piece 2)⟩ + "end", …
 *
 * A last piece is shorter than a link, so the two are never confused, and byte order is kept at every level.
 */
import { createHash } from 'node:crypto';

/** Of a link; a last piece is shorter. With a level's hash, 32 bytes, it stays below LMDB's 1,978 bytes. */
export const LINK_BYTES = 1_900;
/** The level of keys that need no link. */
export const TOP = new Uint8Array(0);

/** Where a key is kept: the level and its last piece, and the links that lead there, outermost first. */
export interface KeyPlace {
  readonly level: Uint8Array;
  readonly piece: Uint8Array;
  readonly links: readonly { readonly level: Uint8Array; readonly piece: Uint8Array }[];
}

export function placeOf(key: Uint8Array): KeyPlace {
  if (key.length < LINK_BYTES) return { level: TOP, piece: key, links: [] };
  const links: { level: Uint8Array; piece: Uint8Array }[] = [];
  let level: Uint8Array = TOP;
  let rest = key;
  while (rest.length >= LINK_BYTES) {
    const piece = rest.subarray(0, LINK_BYTES);
    links.push({ level, piece });
    level = levelBehind(level, piece);
    rest = rest.subarray(LINK_BYTES);
  }
  return { level, piece: rest, links };
}

export function levelBehind(level: Uint8Array, link: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(level).update(link).digest());
}

/** A piece under its level, as the table of long keys has it. */
export function inLevel(level: Uint8Array, piece: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(level.length + piece.length);
  bytes.set(level);
  bytes.set(piece, level.length);
  return bytes;
}

/** A bound, seen from the level behind `link`: `below` or `above` all its keys, or among them. */
export function boundBehind(bound: Uint8Array, link: Uint8Array): Uint8Array | 'below' | 'above' {
  const length = Math.min(bound.length, LINK_BYTES);
  for (let at = 0; at < length; at++) {
    if (bound[at] !== link[at]) return (bound[at] as number) < (link[at] as number) ? 'below' : 'above';
  }
  return bound.length < LINK_BYTES ? 'below' : bound.subarray(LINK_BYTES);
}
