/**
 * What a replica holds. Everything durable in it is the log's records, applied in their order; weak versions lie
 * beside it and are gone with the process. Of each key: the newest version; the newest that is causally visible, since
 * the vector counts it; and a weak one, if it is newer than both.
 */
import { unreachable } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { readVectorClock, VectorClock, writeVectorClock } from '../clocks/index.ts';
import { readList, writeList } from '../consensus/entry-codec.ts';
import type { Collected, RegisterRecord } from './record.ts';
import type { RegisterRules } from './rules.ts';
import {
  covers,
  includes,
  laterTag,
  originOf,
  readMaybe,
  readTag,
  readVersion,
  type Tag,
  type Version,
  writeMaybe,
  writeTag,
  writeVersion,
} from './version.ts';

interface Slot {
  newest: Version | null;
  visible: Version | null;
  weak: Version | null;
  /** Where it stands in the feed. */
  at: number;
}

/** A page of what has changed. */
export interface FeedPage {
  readonly versions: readonly Version[];
  readonly next: number;
  /** Nothing comes after it: whoever has all pages has seen what the vector counts. */
  readonly last: boolean;
}

const COMPACT_SLACK = 64;

export class Store {
  readonly #rules: RegisterRules;
  #slots = new Map<string, Slot>();
  #vector = VectorClock.empty;
  /** Versions that came before something that precedes them, by dot. */
  #uncovered = new Map<string, Version>();
  /** Keys in the order of their last change; a key stands where its slot says, and elsewhere no more. */
  #feed: string[] = [];
  /** Raised when the feed is numbered anew, so that older cursors mean nothing. */
  #feedEpoch = 1;
  #bindings = new Map<number, number>();
  #gone = new Set<number>();
  #collectedThrough: Tag | null = null;
  #collected = 0;
  #superseded = 0;
  joined = false;

  constructor(rules: RegisterRules) {
    this.#rules = rules;
  }

  get vector(): VectorClock {
    return this.#vector;
  }

  get feedEpoch(): number {
    return this.#feedEpoch;
  }

  /** The highest tag of a tombstone that is gone from here: where nothing stands, something up to this may have stood. */
  get collectedThrough(): Tag | null {
    return this.#collectedThrough;
  }

  get collected(): number {
    return this.#collected;
  }

  /** Writes that lost against another one that was not their successor. */
  get superseded(): number {
    return this.#superseded;
  }

  get records(): number {
    return this.#slots.size;
  }

  get uncovered(): number {
    return this.#uncovered.size;
  }

  binding(member: number): number {
    return this.#bindings.get(member) ?? 0;
  }

  isGone(directory: number): boolean {
    return this.#gone.has(directory);
  }

  /** What eventual and weak reads answer. */
  newest(key: string): Version | null {
    const slot = this.#slots.get(key);
    return slot === undefined ? null : this.#later(slot.weak, slot.newest);
  }

  durable(key: string): Version | null {
    return this.#slots.get(key)?.newest ?? null;
  }

  visible(key: string): Version | null {
    const slot = this.#slots.get(key);
    if (slot === undefined) return null;
    return this.#rules.readsVisible ? slot.visible : slot.newest;
  }

  /** The lowest that a new tag of this key must exceed. */
  floor(key: string): Tag | null {
    return this.newest(key)?.tag ?? this.#collectedThrough;
  }

  keys(): string[] {
    return [...this.#slots.keys()].sort(byCodeUnits);
  }

  /** Its effect is here, or was replaced. */
  knows(version: Version): boolean {
    if (version.dot === null) return this.#later(this.newest(version.key), version) !== version;
    if (this.#rules.guardsResurrection && covers(this.#vector, version.dot)) return true;
    return this.#uncovered.has(dotName(version));
  }

  /** False: there is something newer. */
  putWeak(version: Version): boolean {
    const slot = this.#slot(version.key);
    if (this.#compare(version.tag, this.newest(version.key)?.tag ?? null) <= 0) return false;
    slot.weak = version;
    return true;
  }

  apply(record: RegisterRecord): void {
    switch (record.type) {
      case 'install':
        for (const version of record.versions) this.#install(version);
        if (record.vector !== null) this.#vector = this.#vector.merge(record.vector);
        return this.#settle();
      case 'bind':
        return this.#bind(record.member, record.directory);
      case 'joined':
        this.joined = true;
        return;
      case 'collect':
        for (const tombstone of record.tombstones) this.#collect(tombstone);
        return;
      default:
        return unreachable(record);
    }
  }

  /** Another member's word: nothing is written, for whoever matters has written it. */
  hearCollected(tag: Tag | null): void {
    this.#collectedThrough = laterTag(this.#collectedThrough, tag);
  }

  /** Versions that changed after `from` and that `seen` does not count, at most about `limit`. */
  page(from: number, seen: VectorClock, limit: number): FeedPage {
    const versions: Version[] = [];
    let at = from;
    for (; at < this.#feed.length && versions.length < limit; at++) {
      const key = this.#feed[at] as string;
      const slot = this.#slots.get(key);
      if (slot?.at !== at) continue;
      const { newest, visible } = slot;
      if (visible !== null && visible !== newest && !counts(seen, visible)) versions.push(visible);
      if (newest !== null && !counts(seen, newest)) versions.push(newest);
    }
    return { versions, next: at, last: at >= this.#feed.length };
  }

  /** Tombstones whose dots `cut` counts. */
  tombstones(cut: VectorClock): Collected[] {
    const found: Collected[] = [];
    for (const { newest, visible } of this.#slots.values()) {
      if (newest === null || newest !== visible || newest.value !== null) continue;
      if (counts(cut, newest)) found.push({ key: newest.key, tag: newest.tag });
    }
    return found;
  }

  #install(version: Version): void {
    if (version.dot === null || this.knows(version)) return;
    const slot = this.#slot(version.key);
    if (this.#compare(version.tag, slot.newest?.tag ?? null) > 0) slot.newest = version;
    else this.#superseded++;
    if (slot.weak !== null && this.#compare(slot.newest?.tag ?? null, slot.weak.tag) >= 0) slot.weak = null;
    this.#uncovered.set(dotName(version), version);
    this.#touch(version.key, slot);
  }

  /** Moves the vector over what is next of its origin and whose dependencies are here. */
  #settle(): void {
    for (let moved = this.#uncovered.size > 0; moved; ) {
      moved = false;
      for (const [name, version] of this.#uncovered) {
        if (!this.#isNext(version)) continue;
        this.#uncovered.delete(name);
        this.#show(version);
        moved = true;
      }
    }
  }

  #isNext({ dot, dependencies }: Version): boolean {
    if (dot === null) return false;
    if (covers(this.#vector, dot)) return true;
    if (dot.sequence !== this.#vector.get(dot.origin) + 1 || !includes(this.#vector, dependencies)) return false;
    this.#vector = this.#vector.tick(dot.origin);
    return true;
  }

  #show(version: Version): void {
    const slot = this.#slot(version.key);
    if (this.#compare(version.tag, slot.visible?.tag ?? null) <= 0) return;
    slot.visible = version;
    this.#touch(version.key, slot);
  }

  #bind(member: number, directory: number): void {
    const before = this.binding(member);
    if (before !== 0 && before !== directory) this.#gone.add(before);
    this.#bindings.set(member, directory);
  }

  #collect({ key, tag }: Collected): void {
    const slot = this.#slots.get(key);
    if (this.#compare(slot?.newest?.tag ?? null, tag) === 0 && slot?.newest?.value === null) {
      this.#slots.delete(key);
      this.#collected++;
      if (slot.weak !== null) this.#slot(key).weak = slot.weak;
    }
    this.#collectedThrough = laterTag(this.#collectedThrough, tag);
  }

  #slot(key: string): Slot {
    let slot = this.#slots.get(key);
    if (slot === undefined) {
      slot = { newest: null, visible: null, weak: null, at: -1 };
      this.#slots.set(key, slot);
    }
    return slot;
  }

  #touch(key: string, slot: Slot): void {
    if (this.#feed.length > 2 * this.#slots.size + COMPACT_SLACK) this.#renumber();
    slot.at = this.#feed.length;
    this.#feed.push(key);
  }

  #renumber(): void {
    this.#feed = this.#feed.filter((key, at) => this.#slots.get(key)?.at === at);
    for (const [at, key] of this.#feed.entries()) this.#slot(key).at = at;
    this.#feedEpoch++;
  }

  #later(a: Version | null, b: Version | null): Version | null {
    return this.#compare(a?.tag ?? null, b?.tag ?? null) >= 0 ? a : b;
  }

  #compare(a: Tag | null, b: Tag | null): number {
    return this.#rules.compare(a, b);
  }

  save(writer: ByteWriter): void {
    const slots = [...this.#slots].sort(([a], [b]) => byCodeUnits(a, b));
    writeList(writer, slots, (to, [key, { newest, visible, weak, at }]) => {
      to.string(key);
      for (const version of [newest, visible, weak]) writeMaybe(to, version, writeVersion);
      to.varint(at + 1);
    });
    writeVectorClock(writer, this.#vector);
    writeList(writer, [...this.#uncovered.values()], writeVersion);
    writeList(writer, this.#feed, (to, key) => to.string(key));
    writer.varint(this.#feedEpoch);
    writeList(
      writer,
      [...this.#bindings].sort(([a], [b]) => a - b),
      (to, [member, directory]) => {
        to.varint(member);
        to.varint(directory);
      },
    );
    writeList(
      writer,
      [...this.#gone].sort((a, b) => a - b),
      (to, directory) => to.varint(directory),
    );
    writeMaybe(writer, this.#collectedThrough, writeTag);
    writer.varint(this.#collected);
    writer.varint(this.#superseded);
    writer.bool(this.joined);
  }

  load(reader: ByteReader): void {
    this.#slots = new Map(
      readList(reader, (from) => {
        const key = from.string();
        const newest = readMaybe(from, readVersion);
        const seen = readMaybe(from, readVersion);
        const weak = readMaybe(from, readVersion);
        // One version is one object: the two are told apart by identity.
        const same = newest !== null && seen !== null && dotName(newest) === dotName(seen);
        return [key, { newest, visible: same ? newest : seen, weak, at: from.varint() - 1 }];
      }),
    );
    this.#vector = readVectorClock(reader);
    this.#uncovered = new Map(readList(reader, readVersion).map((version) => [dotName(version), version]));
    this.#feed = readList(reader, (from) => from.string());
    this.#feedEpoch = reader.varint();
    this.#bindings = new Map(readList(reader, (from) => [from.varint(), from.varint()]));
    this.#gone = new Set(readList(reader, (from) => from.varint()));
    this.#collectedThrough = readMaybe(reader, readTag);
    this.#collected = reader.varint();
    this.#superseded = reader.varint();
    this.joined = reader.bool();
  }

  /** What members that have come to rest have alike: versions by key, and what they have seen. */
  digest(writer: ByteWriter): void {
    for (const key of this.keys()) {
      const version = this.newest(key);
      if (version === null || version.value === null) continue;
      writer.string(key);
      writeTag(writer, version.tag);
      writer.bytes(version.value);
    }
  }

  /** The member's own next sequence, after everything that its log holds. */
  lastSequence(member: number, incarnation: number): number {
    const origin = originOf(member, incarnation);
    let last = this.#vector.get(origin);
    for (const { dot } of this.#uncovered.values()) if (dot?.origin === origin) last = Math.max(last, dot.sequence);
    return last;
  }
}

function dotName({ dot }: Version): string {
  return dot === null ? '' : `${dot.sequence}@${dot.origin}`;
}

function counts(vector: VectorClock, { dot }: Version): boolean {
  return dot !== null && covers(vector, dot);
}

/** The same everywhere, and the order of `<`. */
function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
