/**
 * Multi-version concurrency control over two ordered stores (etcd: server/storage/mvcc): `current` holds each living
 * key's newest version, `past` every superseded version and every tombstone until compaction. A version moves once.
 */
import { assert, defined } from '../base/assert.ts';
import { type ByteReader, type ByteWriter, compareBytes, equalBytes } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import { MemoryStore } from './memory-store.ts';
import type { OrderedStore } from './ordered-store.ts';
import { beforeRevisions, pastKey } from './past-key.ts';
import type { Version, VersionStores } from './version.ts';

export interface Found {
  readonly versions: Version[];
  /** How many keys the range holds, whatever the limit. */
  readonly count: number;
}

/** What a snapshot is made of. */
export interface VersionsView extends VersionStores {
  readonly revision: number;
  /** -1: never compacted. */
  readonly compacted: number;
}

/** A version of the past and where it is. */
interface Past {
  readonly key: Uint8Array;
  readonly version: Version;
}

const FIRST_REVISION = 1;
const NEVER_COMPACTED = -1;
const NO_KEY = new Uint8Array(0);

export function storesInMemory(): VersionStores {
  return { current: new MemoryStore<Version>(), past: new MemoryStore<Version>() };
}

export class VersionedStore {
  readonly #createStores: () => VersionStores;
  #current: OrderedStore<Version>;
  #past: OrderedStore<Version>;
  #revision = FIRST_REVISION;
  #compacted = NEVER_COMPACTED;
  /** Changes of the open transaction. */
  #changes = 0;
  #sizeBytes = 0;

  /** `createStores` gives the first two stores, and two empty ones for each `stage`. */
  constructor(createStores: () => VersionStores = storesInMemory) {
    this.#createStores = createStores;
    const { current, past } = createStores();
    this.#current = current;
    this.#past = past;
  }

  /** The revision that a read sees: inside a transaction that has written, the one it is about to make. */
  get revision(): number {
    return this.#changes > 0 ? this.#revision + 1 : this.#revision;
  }

  /** -1: never compacted. */
  get compacted(): number {
    return this.#compacted;
  }

  get keyCount(): number {
    return this.#current.size;
  }

  /** Keys and values of all versions still held. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get(key: Uint8Array): Version | undefined {
    return this.#current.get(key);
  }

  /** [from, to) as it was at `revision`, ascending; at most `limit` versions, 0 = all. */
  range(from: Uint8Array, to: Uint8Array | null, revision: number, limit: number): Found {
    assert(revision <= this.revision, 'no reading of the future');
    assert(revision >= this.#compacted, 'no reading of what is compacted');
    if (to !== null && compareBytes(from, to) >= 0) return { versions: [], count: 0 };
    if (revision < this.revision) return this.#pastRange(from, to, revision, limit);
    const versions: Version[] = [];
    this.#current.scan(from, to, (_, version) => {
      versions.push(version);
      return versions.length !== limit;
    });
    return { versions, count: limit === 0 ? versions.length : this.#current.count(from, to) };
  }

  count(from: Uint8Array, to: Uint8Array | null, revision: number): number {
    if (to !== null && compareBytes(from, to) >= 0) return 0;
    return revision < this.revision ? this.#pastRange(from, to, revision, 1).count : this.#current.count(from, to);
  }

  /** Keeps copies: what it is given may be a small part of a large message. */
  put(key: Uint8Array, value: Uint8Array): void {
    assert(key.length > 0, 'no key is empty');
    const previous = this.#current.get(key);
    const modRevision = this.#revision + 1;
    if (previous !== undefined) this.#past.put(pastKey(key, previous.modRevision, previous.sub), previous);
    const ownKey = previous?.key ?? key.slice();
    this.#current.put(ownKey, {
      key: ownKey,
      createRevision: previous?.createRevision ?? modRevision,
      modRevision,
      sub: this.#changes++,
      version: (previous?.version ?? 0) + 1,
      value: value.slice(),
    });
    this.#sizeBytes += key.length + value.length;
  }

  delete(key: Uint8Array): void {
    const previous = defined(this.#current.get(key), 'only living keys are deleted');
    const modRevision = this.#revision + 1;
    const tombstone = {
      key: previous.key,
      createRevision: 0,
      modRevision,
      sub: this.#changes++,
      version: 0,
      value: null,
    };
    this.#past.put(pastKey(key, previous.modRevision, previous.sub), previous);
    this.#past.put(pastKey(key, modRevision, tombstone.sub), tombstone);
    this.#current.delete(key);
    this.#sizeBytes += key.length;
  }

  /** Ends a transaction: one that changed something made one revision. */
  commit(): void {
    if (this.#changes > 0) this.#revision++;
    this.#changes = 0;
    assert(Number.isSafeInteger(this.#revision), 'revisions stay safe integers');
  }

  /** Forgets what no read at `revision` or later can see. Reads every version of the past, none of the present. */
  compact(revision: number): void {
    assert(this.#changes === 0, 'no compaction inside a transaction');
    assert(revision > this.#compacted && revision <= this.#revision, 'compaction moves forward, not into the future');
    this.#compacted = revision;
    // Not the versions themselves: their values may be many times what memory holds.
    const unseen: { readonly key: Uint8Array; readonly sizeBytes: number }[] = [];
    const forget = ({ key, version }: Past): void => {
      unseen.push({ key, sizeBytes: sizeOf(version) });
    };
    let newest: Past | null = null;
    const settle = (last: Past | null): void => {
      // What the key was at `revision` stays, unless that was: absent, or its present version.
      if (last === null) return;
      const present = this.#current.get(last.version.key);
      if (last.version.value === null || (present !== undefined && present.modRevision <= revision)) forget(last);
    };
    this.#past.scan(NO_KEY, null, (key, version) => {
      if (newest !== null && !equalBytes(newest.version.key, version.key)) {
        settle(newest);
        newest = null;
      }
      if (version.modRevision > revision) return true;
      if (newest !== null) forget(newest);
      newest = { key, version };
      return true;
    });
    settle(newest);
    for (const { key, sizeBytes } of unseen) {
      assert(this.#past.delete(key), 'what is compacted was there');
      this.#sizeBytes -= sizeBytes;
    }
  }

  /** The versions as they are now, and stay; its stores are to be closed. */
  view(): VersionsView {
    assert(this.#changes === 0, 'no snapshot inside a transaction');
    const [current, past] = [this.#current.snapshot(), this.#past.snapshot()];
    return { revision: this.#revision, compacted: this.#compacted, current, past };
  }

  /** What `stage` gave and its user has filled takes the place of everything. */
  adopt(staged: StagedVersions): void {
    this.#current = staged.stores.current;
    this.#past = staged.stores.past;
    this.#revision = staged.revision;
    this.#compacted = staged.compacted;
    this.#changes = 0;
    this.#sizeBytes = staged.sizeBytes;
  }

  /** Throws `MalformedBytes`. */
  stage(revision: number, compacted: number): StagedVersions {
    if (revision < FIRST_REVISION || compacted > revision) throw malformed('its revisions contradict each other');
    return new StagedVersions(this.#createStores(), revision, compacted);
  }

  /** What its stores, which outlive it, do not say. */
  saveScalars(writer: ByteWriter): void {
    assert(this.#changes === 0, 'no saving inside a transaction');
    writer.varint(this.#revision);
    writer.varint(this.#compacted + 1);
    writer.varint(this.#sizeBytes);
  }

  /** Goes on with stores that already hold what they held at `saveScalars`. */
  loadScalars(reader: ByteReader): void {
    this.#revision = reader.varint();
    this.#compacted = reader.varint() - 1;
    this.#sizeBytes = reader.varint();
  }

  #pastRange(from: Uint8Array, to: Uint8Array | null, revision: number, limit: number): Found {
    const superseded = this.#superseded(from, to, revision);
    const versions: Version[] = [];
    let count = 0;
    let next = 0;
    const add = (version: Version): void => {
      count++;
      if (limit === 0 || versions.length < limit) versions.push(version);
    };
    this.#current.scan(from, to, (key, version) => {
      for (let older = superseded[next]; older !== undefined; older = superseded[next]) {
        const order = compareBytes(older.key, key);
        if (order > 0) break;
        next++;
        // The present version, where old enough, is newer than any in the past.
        if (older.value !== null && (order < 0 || version.modRevision > revision)) add(older);
      }
      if (version.modRevision <= revision) add(version);
      return true;
    });
    for (const older of superseded.slice(next)) if (older.value !== null) add(older);
    return { versions, count };
  }

  /** Of each key in [from, to) the newest version in the past that is not above `revision`. */
  #superseded(from: Uint8Array, to: Uint8Array | null, revision: number): Version[] {
    const found: Version[] = [];
    this.#past.scan(beforeRevisions(from), to === null ? null : beforeRevisions(to), (_, version) => {
      if (version.modRevision > revision) return true;
      const last = found[found.length - 1];
      if (last !== undefined && equalBytes(last.key, version.key)) found[found.length - 1] = version;
      else found.push(version);
      return true;
    });
    return found;
  }
}

/** Versions that come in from elsewhere, in order: first the living, then those of the past. */
export class StagedVersions {
  readonly stores: VersionStores;
  readonly revision: number;
  readonly compacted: number;
  sizeBytes = 0;
  #last: Uint8Array = NO_KEY;
  #isPast = false;

  constructor(stores: VersionStores, revision: number, compacted: number) {
    this.stores = stores;
    this.revision = revision;
    this.compacted = compacted;
  }

  /** Throws `MalformedBytes`. */
  add(version: Version, isPast: boolean): void {
    if (isPast && !this.#isPast) this.#last = NO_KEY;
    this.#isPast = isPast;
    const key = isPast ? pastKey(version.key, version.modRevision, version.sub) : version.key;
    if (compareBytes(this.#last, key) >= 0) throw malformed('its keys are not in order');
    if (!isPast && version.value === null) throw malformed('it holds a living tombstone');
    if (version.modRevision > this.revision) throw malformed('it holds a version of the future');
    (isPast ? this.stores.past : this.stores.current).put(key, version);
    this.sizeBytes += sizeOf(version);
    this.#last = key;
  }

  saveScalars(writer: ByteWriter): void {
    writer.varint(this.sizeBytes);
    writer.bytes(this.#last);
    writer.bool(this.#isPast);
  }

  loadScalars(reader: ByteReader): void {
    this.sizeBytes = reader.varint();
    this.#last = reader.bytes();
    this.#isPast = reader.bool();
  }

  discard(): void {
    this.stores.current.close();
    this.stores.past.close();
  }
}

function sizeOf(version: Version): number {
  return version.key.length + (version.value?.length ?? 0);
}

function malformed(why: string): PolderError {
  return new PolderError('MalformedBytes', `the snapshot cannot be loaded: ${why}; take another one`);
}
