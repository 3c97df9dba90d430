/**
 * The KV state as a stream of blocks, made and taken in piece by piece. Of the same state it is always the same.
 *
 *   first    format, applied index, configuration, sessions, revision, compacted + 1, living keys, past versions
 *   others   whole versions: of the living keys in their order, then of the past
 */
import { assert } from '../base/assert.ts';
import { ByteReader, ByteWriter, EMPTY_BYTES } from '../base/bytes.ts';
import { SessionTable } from '../consensus/sessions.ts';
import type { SnapshotSource, SnapshotStage } from '../consensus/state-machine.ts';
import { BlockReader, encodeBlock, malformedSnapshot } from './snapshot-blocks.ts';
import type { Version } from './version.ts';
import type { StagedVersions, VersionsView } from './versioned-store.ts';

const FORMAT = 3;
/** A block ends with the version that reaches this. */
const BLOCK_BYTES = 32 * 1024;
/** So much memory is taken for a piece at once. */
const PIECE_BYTES = 512 * 1024;
const SECTIONS = ['head', 'current', 'past', 'end'] as const;

/** All of the state but the versions. */
export interface KvScalars {
  readonly appliedIndex: number;
  readonly configuration: Uint8Array;
  readonly sessions: SessionTable;
}

interface Position {
  section: (typeof SECTIONS)[number];
  /** Of the last key visited in the section. */
  last: Uint8Array;
  crc: number;
  /** What of the block being read is left. */
  block: Uint8Array;
}

/** At most a block more than what is asked for is in memory. */
export class KvSnapshotSource implements SnapshotSource {
  readonly index: number;
  readonly #view: VersionsView;
  readonly #head: Uint8Array;
  /** Memory in which blocks are written: most are little more than they need to be. */
  readonly #content = new ByteWriter(2 * BLOCK_BYTES);
  #at: Position;

  constructor(scalars: KvScalars, view: VersionsView) {
    this.index = scalars.appliedIndex;
    this.#view = view;
    const { revision, compacted, current, past } = view;
    this.#head = encodeHead({ scalars, revision, compacted, currentCount: current.size, pastCount: past.size });
    this.#at = { section: 'head', last: EMPTY_BYTES, crc: 0, block: EMPTY_BYTES };
  }

  read(sizeMax: number): Uint8Array {
    return this.#read(this.#at, sizeMax);
  }

  rest(): Uint8Array {
    return this.#read({ ...this.#at }, Number.MAX_SAFE_INTEGER);
  }

  close(): void {
    this.#at = { section: 'end', last: EMPTY_BYTES, crc: 0, block: EMPTY_BYTES };
    this.#view.current.close();
    this.#view.past.close();
  }

  #read(at: Position, sizeMax: number): Uint8Array {
    const piece = new ByteWriter(Math.min(sizeMax, PIECE_BYTES));
    while (piece.length < sizeMax) {
      if (at.block.length === 0) this.#nextBlock(at);
      if (at.block.length === 0) break;
      const taken = at.block.subarray(0, sizeMax - piece.length);
      piece.raw(taken);
      at.block = at.block.subarray(taken.length);
    }
    return piece.finish();
  }

  #nextBlock(at: Position): void {
    let content: Uint8Array = EMPTY_BYTES;
    while (content.length === 0 && at.section !== 'end') {
      content = at.section === 'head' ? this.#head : this.#versions(at, this.#view[at.section]);
      if (content.length > 0 && at.section !== 'head') continue;
      at.section = SECTIONS[SECTIONS.indexOf(at.section) + 1] ?? 'end';
      at.last = EMPTY_BYTES;
    }
    if (content.length === 0) return;
    const { block, crc } = encodeBlock(content, at.crc);
    at.block = block;
    at.crc = crc;
  }

  #versions(at: Position, store: VersionsView['current']): Uint8Array {
    const writer = this.#content;
    writer.clear();
    store.scan(at.last.length === 0 ? EMPTY_BYTES : successor(at.last), null, (key, version) => {
      writeVersion(writer, version);
      at.last = key;
      return writer.length < BLOCK_BYTES;
    });
    return writer.finish();
  }
}

/** Besides the versions it keeps what is not a whole block yet. */
export class KvSnapshotStage implements SnapshotStage {
  readonly #stage: (revision: number, compacted: number) => StagedVersions;
  readonly #install: (scalars: KvScalars, versions: StagedVersions) => void;
  readonly #blocks = new BlockReader();
  #head: Uint8Array = EMPTY_BYTES;
  #scalars: KvScalars | null = null;
  #versions: StagedVersions | null = null;
  /** How many versions of each kind are still to come. */
  #currentLeft = 0;
  #pastLeft = 0;

  constructor(
    stage: (revision: number, compacted: number) => StagedVersions,
    install: (scalars: KvScalars, versions: StagedVersions) => void,
  ) {
    this.#stage = stage;
    this.#install = install;
  }

  get whole(): boolean {
    return this.#versions !== null && this.#currentLeft + this.#pastLeft === 0 && this.#blocks.isEmpty;
  }

  write(bytes: Uint8Array): void {
    this.#blocks.write(bytes, (content) => this.#onBlock(content));
  }

  #onBlock(content: Uint8Array): void {
    if (this.#versions === null) return this.#onHead(content.slice());
    const reader = new ByteReader(content);
    while (reader.remaining > 0) this.#add(this.#versions, readVersion(reader));
  }

  #add(versions: StagedVersions, version: Version): void {
    const isPast = this.#currentLeft === 0;
    if (isPast && this.#pastLeft === 0) throw malformedSnapshot('it holds more than it says');
    versions.add(version, isPast);
    if (isPast) this.#pastLeft--;
    else this.#currentLeft--;
  }

  #onHead(head: Uint8Array): void {
    const { scalars, revision, compacted, currentCount, pastCount } = decodeHead(head);
    this.#currentLeft = currentCount;
    this.#pastLeft = pastCount;
    this.#scalars = scalars;
    this.#head = head;
    this.#versions = this.#stage(revision, compacted);
  }

  install(): void {
    assert(this.#scalars !== null && this.#versions !== null && this.whole, 'what is installed is whole');
    this.#install(this.#scalars, this.#versions);
  }

  discard(): void {
    this.#versions?.discard();
  }

  save(writer: ByteWriter): void {
    this.saveScalars(writer);
    if (this.#versions === null) return;
    const { current, past } = this.#versions.stores;
    for (const store of [current, past]) {
      writer.varint(store.size);
      store.scan(EMPTY_BYTES, null, (key, version) => {
        writer.bytes(key);
        writeVersion(writer, version);
        return true;
      });
    }
  }

  load(reader: ByteReader): void {
    this.loadScalars(reader);
    if (this.#versions === null) return;
    const { current, past } = this.#versions.stores;
    for (const store of [current, past]) {
      for (let left = reader.varint(); left > 0; left--) store.put(reader.bytes(), readVersion(reader));
    }
  }

  /** All but the versions: where the stores are another's to save. */
  saveScalars(writer: ByteWriter): void {
    this.#blocks.save(writer);
    writer.bytes(this.#head);
    if (this.#versions === null) return;
    writer.varint(this.#currentLeft);
    writer.varint(this.#pastLeft);
    this.#versions.saveScalars(writer);
  }

  loadScalars(reader: ByteReader): void {
    this.#blocks.load(reader);
    const head = reader.bytes();
    if (head.length === 0) return;
    this.#onHead(head);
    this.#currentLeft = reader.varint();
    this.#pastLeft = reader.varint();
    this.#versions?.loadScalars(reader);
  }
}

/** What the first block says. */
interface Head {
  readonly scalars: KvScalars;
  readonly revision: number;
  /** -1: never compacted. */
  readonly compacted: number;
  readonly currentCount: number;
  readonly pastCount: number;
}

export function encodeHead({ scalars, revision, compacted, currentCount, pastCount }: Head): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(FORMAT);
  writer.varint(scalars.appliedIndex);
  writer.bytes(scalars.configuration);
  scalars.sessions.save(writer);
  for (const value of [revision, compacted + 1, currentCount, pastCount]) writer.varint(value);
  return writer.finish();
}

/** Throws `MalformedBytes`. */
export function decodeHead(head: Uint8Array): Head {
  const reader = new ByteReader(head);
  if (reader.u8() !== FORMAT) throw malformedSnapshot('its format is one that this version does not know');
  const [appliedIndex, configuration, sessions] = [reader.varint(), reader.bytes(), new SessionTable()];
  sessions.load(reader);
  const [revision, compacted] = [reader.varint(), reader.varint() - 1];
  const [currentCount, pastCount] = [reader.varint(), reader.varint()];
  reader.end();
  return { scalars: { appliedIndex, configuration, sessions }, revision, compacted, currentCount, pastCount };
}

function writeVersion(writer: ByteWriter, version: Version): void {
  writer.bytes(version.key);
  writer.varint(version.modRevision);
  writer.varint(version.sub);
  writer.bool(version.value !== null);
  if (version.value === null) return;
  writer.varint(version.createRevision);
  writer.varint(version.version);
  writer.bytes(version.value);
}

function readVersion(reader: ByteReader): Version {
  const key = reader.bytes();
  const modRevision = reader.varint();
  const sub = reader.varint();
  if (key.length === 0) throw malformedSnapshot('it holds an empty key');
  if (sub > 0xffffffff) throw malformedSnapshot('it holds an impossible revision');
  if (!reader.bool()) return { key, createRevision: 0, modRevision, sub, version: 0, value: null };
  const createRevision = reader.varint();
  return { key, createRevision, modRevision, sub, version: reader.varint(), value: reader.bytes() };
}

/** The least key above `key`. */
function successor(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}
