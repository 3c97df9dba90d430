/**
 * The KV state as a stream of blocks, made and taken in piece by piece. Of the same state it is always the same.
 *
 *   block    length (4), CRC-32C of every block's content up to and with this one's (4), content
 *   first    format, applied index, configuration, sessions, revision, compacted + 1, living keys, past versions
 *   others   whole versions: of the living keys in their order, then of the past
 */
import { assert } from '../base/assert.ts';
import { ByteReader, ByteWriter, EMPTY_BYTES } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { PolderError } from '../base/error.ts';
import { SessionTable } from '../consensus/sessions.ts';
import type { SnapshotSource, SnapshotStage } from '../consensus/state-machine.ts';
import type { Version } from './version.ts';
import type { StagedVersions, VersionsView } from './versioned-store.ts';

const FORMAT = 3;
const BLOCK_HEADER_BYTES = 8;
/** A block ends with the version that reaches this. */
const BLOCK_BYTES = 32 * 1024;
/** Many times what a request may carry. */
const BLOCK_BYTES_MAX = 64 * 1024 * 1024;
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
  #at: Position;

  constructor(scalars: KvScalars, view: VersionsView) {
    this.index = scalars.appliedIndex;
    this.#view = view;
    this.#head = encodeHead(scalars, view);
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
    const piece = new ByteWriter(Math.min(sizeMax, BLOCK_BYTES));
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
    at.crc = crc32c(content, 0, content.length, at.crc);
    const block = new ByteWriter(content.length + BLOCK_HEADER_BYTES);
    block.u32(content.length);
    block.u32(at.crc);
    block.raw(content);
    at.block = block.finish();
  }

  #versions(at: Position, store: VersionsView['current']): Uint8Array {
    const writer = new ByteWriter(BLOCK_BYTES);
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
  #pending: Uint8Array = EMPTY_BYTES;
  #crc = 0;
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
    return this.#versions !== null && this.#currentLeft + this.#pastLeft === 0 && this.#pending.length === 0;
  }

  write(bytes: Uint8Array): void {
    let rest = this.#pending.length === 0 ? bytes : joined(this.#pending, bytes);
    while (rest.length >= BLOCK_HEADER_BYTES) {
      const header = new ByteReader(rest);
      const length = header.u32();
      if (length > BLOCK_BYTES_MAX) throw malformed('it has a block of an impossible size');
      const end = BLOCK_HEADER_BYTES + length;
      if (rest.length < end) break;
      const content = rest.subarray(BLOCK_HEADER_BYTES, end);
      this.#crc = crc32c(content, 0, length, this.#crc);
      if (header.u32() !== this.#crc) throw malformed('its checksum does not hold');
      this.#onBlock(content);
      rest = rest.subarray(end);
    }
    this.#pending = rest.slice();
  }

  #onBlock(content: Uint8Array): void {
    if (this.#versions === null) return this.#onHead(content.slice());
    const reader = new ByteReader(content);
    while (reader.remaining > 0) this.#add(this.#versions, readVersion(reader));
  }

  #add(versions: StagedVersions, version: Version): void {
    const isPast = this.#currentLeft === 0;
    if (isPast && this.#pastLeft === 0) throw malformed('it holds more than it says');
    versions.add(version, isPast);
    if (isPast) this.#pastLeft--;
    else this.#currentLeft--;
  }

  #onHead(head: Uint8Array): void {
    const reader = new ByteReader(head);
    if (reader.u8() !== FORMAT) throw malformed('its format is one that this version does not know');
    const [appliedIndex, configuration, sessions] = [reader.varint(), reader.bytes(), new SessionTable()];
    sessions.load(reader);
    const [revision, compacted] = [reader.varint(), reader.varint() - 1];
    this.#currentLeft = reader.varint();
    this.#pastLeft = reader.varint();
    reader.end();
    this.#scalars = { appliedIndex, configuration, sessions };
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
    writer.bytes(this.#pending);
    writer.u32(this.#crc);
    writer.bytes(this.#head);
    if (this.#versions === null) return;
    writer.varint(this.#currentLeft);
    writer.varint(this.#pastLeft);
    this.#versions.saveScalars(writer);
  }

  loadScalars(reader: ByteReader): void {
    this.#pending = reader.bytes();
    this.#crc = reader.u32();
    const head = reader.bytes();
    if (head.length === 0) return;
    this.#onHead(head);
    this.#currentLeft = reader.varint();
    this.#pastLeft = reader.varint();
    this.#versions?.loadScalars(reader);
  }
}

function encodeHead({ appliedIndex, configuration, sessions }: KvScalars, view: VersionsView): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(FORMAT);
  writer.varint(appliedIndex);
  writer.bytes(configuration);
  sessions.save(writer);
  writer.varint(view.revision);
  writer.varint(view.compacted + 1);
  writer.varint(view.current.size);
  writer.varint(view.past.size);
  return writer.finish();
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
  if (key.length === 0) throw malformed('it holds an empty key');
  if (sub > 0xffffffff) throw malformed('it holds an impossible revision');
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

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

function malformed(why: string): PolderError {
  return new PolderError('MalformedBytes', `the snapshot cannot be loaded: ${why}; take another one`);
}
