/**
 * A disk that keeps only what it promised: bytes after `sync`, names after `syncDirectory`. Until then a crash may
 * keep, lose or tear them. A failed sync drops what it should have written and forgets that it ever was dirty, as
 * real kernels do (PITFALLS R24).
 */
import { assert, defined, unreachable } from '../../base/assert.ts';
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import type { DiskOperation, DiskResult } from '../../world/world.ts';

const SECTOR_BYTES = 512;
const DONE: DiskResult = { type: 'done' };

type Change =
  | { readonly type: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly type: 'truncate'; readonly length: number };

/** null: the name does not exist on that side. */
interface NameChange {
  readonly file: string;
  readonly to: string | null;
  readonly content: Content | null;
}

/** An integer in [0, bound). */
export type Draws = (bound: number) => number;

export class SimulatedDisk {
  #names = new Map<string, Content>();
  #durableNames = new Map<string, Content>();
  #nameChanges: NameChange[] = [];
  #failures: { type: DiskOperation['type']; code: string }[] = [];
  /** Where the next append to a file lands instead of its end. */
  #misdirected = new Map<string, number>();
  #full = false;

  /** Applies the operation and gives its result: to be called when the operation completes, in order per file. */
  execute(operation: DiskOperation): DiskResult {
    const failure = this.#failures.findIndex((planned) => planned.type === operation.type);
    if (failure >= 0) {
      const [planned] = this.#failures.splice(failure, 1);
      return this.#fail(operation, defined(planned, 'the failure was found').code);
    }
    switch (operation.type) {
      case 'append':
        return this.#append(operation.file, operation.bytes);
      case 'syncDirectory':
        this.#durableNames = new Map(this.#names);
        this.#nameChanges = [];
        return DONE;
      case 'list':
        return { type: 'names', names: [...this.#names.keys()].sort() };
      case 'rename':
      case 'remove':
        return this.#unlink(operation.file, operation.type === 'rename' ? operation.to : null);
      default:
        return this.#onContent(operation);
    }
  }

  /** The next operation of this type fails with `code` (EIO, ENOSPC, …). */
  failNext(type: DiskOperation['type'], code: string): void {
    this.#failures.push({ type, code });
  }

  /** Appends fail with ENOSPC until there is room again. */
  setFull(full: boolean): void {
    this.#full = full;
  }

  /** Nothing that was planned goes wrong any more; what is damaged stays so. */
  calm(): void {
    this.#failures = [];
    this.#misdirected.clear();
    this.#full = false;
  }

  /** The next append to `file` is written at `offset`, over what is there, and leaves zeros where it belonged. */
  misdirectNext(file: string, offset: number): void {
    this.#misdirected.set(file, offset);
  }

  /** Bit rot: flips one bit, in what is durable too. */
  corrupt(file: string, offset: number, bit = 0): void {
    defined(this.#names.get(file), 'only a file that exists can rot').flip(offset, bit);
  }

  /** By name: how many bytes of each file that is there now would survive a loss of power. */
  durableSizes(): ReadonlyMap<string, number> {
    const sizes = new Map<string, number>();
    for (const file of [...this.#names.keys()].sort()) {
      const content = defined(this.#names.get(file), 'a listed name exists');
      if (this.#durableNames.get(file) === content) sizes.set(file, content.durableBytes);
    }
    return sizes;
  }

  /** The bytes of a file as a reader sees them now. */
  contents(file: string): Uint8Array | null {
    return this.#names.get(file)?.visible.slice() ?? null;
  }

  /** Power is lost: each unsynced name is kept or lost, each file keeps some part of what was not synced. */
  crash(draws: Draws): void {
    const names = this.#durableNames;
    for (const { file, to, content } of this.#nameChanges) {
      if (draws(2) === 0) continue;
      if (content !== null && to === null) names.set(file, content);
      else names.delete(file);
      if (content !== null && to !== null) names.set(to, content);
    }
    const seen = new Set<Content>();
    for (const content of names.values()) {
      if (seen.has(content)) continue;
      seen.add(content);
      content.crash(draws);
    }
    this.#names = new Map(names);
    this.#durableNames = names;
    this.#nameChanges = [];
    this.#failures = [];
    this.#misdirected.clear();
  }

  save(writer: ByteWriter): void {
    const contents = new Map<Content, number>();
    const idOf = (content: Content): number => {
      const id = contents.get(content) ?? contents.size;
      contents.set(content, id);
      return id;
    };
    for (const names of [this.#names, this.#durableNames]) {
      writer.varint(names.size);
      for (const [file, content] of names) {
        writer.string(file);
        writer.varint(idOf(content));
      }
    }
    writer.varint(this.#nameChanges.length);
    for (const change of this.#nameChanges) {
      writer.string(change.file);
      writer.bool(change.to !== null);
      if (change.to !== null) writer.string(change.to);
      writer.varint(change.content === null ? 0 : 1 + idOf(change.content));
    }
    writer.varint(this.#failures.length);
    for (const failure of this.#failures) {
      writer.string(failure.type);
      writer.string(failure.code);
    }
    writer.bool(this.#full);
    writer.varint(this.#misdirected.size);
    for (const [file, offset] of this.#misdirected) {
      writer.string(file);
      writer.varint(offset);
    }
    writer.varint(contents.size);
    for (const content of contents.keys()) content.save(writer);
  }

  load(reader: ByteReader): void {
    const contents = new Map<number, Content>();
    const withId = (id: number): Content => {
      const content = contents.get(id) ?? new Content();
      contents.set(id, content);
      return content;
    };
    this.#names = loadNames(reader, withId);
    this.#durableNames = loadNames(reader, withId);
    this.#nameChanges = [];
    for (let left = reader.varint(); left > 0; left--) {
      const file = reader.string();
      const to = reader.bool() ? reader.string() : null;
      const id = reader.varint();
      this.#nameChanges.push({ file, to, content: id === 0 ? null : withId(id - 1) });
    }
    this.#failures = [];
    for (let left = reader.varint(); left > 0; left--) {
      this.#failures.push({ type: reader.string() as DiskOperation['type'], code: reader.string() });
    }
    this.#full = reader.bool();
    this.#misdirected = new Map();
    for (let left = reader.varint(); left > 0; left--) this.#misdirected.set(reader.string(), reader.varint());
    const count = reader.varint();
    assert(count === contents.size, 'every content must be named');
    for (let id = 0; id < count; id++) withId(id).load(reader);
  }

  #append(file: string, bytes: Uint8Array): DiskResult {
    if (this.#full) return { type: 'error', code: 'ENOSPC', message: 'simulated: no space is left' };
    const content = this.#open(file);
    const offset = this.#misdirected.get(file);
    if (offset === undefined) content.append(bytes);
    else content.appendAt(offset, bytes);
    this.#misdirected.delete(file);
    return DONE;
  }

  #onContent(operation: Extract<DiskOperation, { type: 'sync' | 'read' | 'size' | 'truncate' }>): DiskResult {
    const content = this.#names.get(operation.file);
    if (content === undefined) return missing(operation.file);
    switch (operation.type) {
      case 'sync':
        content.sync();
        return DONE;
      case 'truncate':
        content.truncate(operation.length);
        return DONE;
      case 'size':
        return { type: 'size', sizeBytes: content.visible.length };
      case 'read':
        return { type: 'bytes', bytes: content.visible.slice(operation.offset, operation.offset + operation.length) };
      default:
        return unreachable(operation);
    }
  }

  /** A failed append may leave a part; a failed sync loses what it was to write; anything else did not happen. */
  #fail(operation: DiskOperation, code: string): DiskResult {
    if (operation.type === 'append') {
      this.#open(operation.file).append(operation.bytes.subarray(0, operation.bytes.length >> 1));
    }
    if (operation.type === 'sync') this.#names.get(operation.file)?.loseChanges();
    return { type: 'error', code, message: `simulated ${code} in ${operation.type}` };
  }

  #open(file: string): Content {
    const existing = this.#names.get(file);
    if (existing !== undefined) return existing;
    const content = new Content();
    this.#names.set(file, content);
    this.#nameChanges.push({ file, to: null, content });
    return content;
  }

  #unlink(file: string, to: string | null): DiskResult {
    const content = this.#names.get(file);
    if (content === undefined) return missing(file);
    this.#names.delete(file);
    if (to !== null) this.#names.set(to, content);
    this.#nameChanges.push({ file, to, content: to === null ? null : content });
    return DONE;
  }
}

function missing(file: string): DiskResult {
  return { type: 'error', code: 'ENOENT', message: `no file is named ${file}` };
}

function loadNames(reader: ByteReader, withId: (id: number) => Content): Map<string, Content> {
  const names = new Map<string, Content>();
  for (let left = reader.varint(); left > 0; left--) {
    const file = reader.string();
    names.set(file, withId(reader.varint()));
  }
  return names;
}

/** A file's bytes, whatever its names. */
class Content {
  readonly visible = new Growing();
  readonly #durable = new Growing();
  #changes: Change[] = [];

  append(bytes: Uint8Array): void {
    const offset = this.visible.length;
    this.visible.write(offset, bytes);
    this.#changes.push({ type: 'write', offset, bytes: bytes.slice() });
  }

  get durableBytes(): number {
    return this.#durable.length;
  }

  /** The bytes go to `offset`; the file grows by zeros. */
  appendAt(offset: number, bytes: Uint8Array): void {
    this.append(new Uint8Array(bytes.length));
    const inside = bytes.slice(0, Math.max(0, this.visible.length - offset));
    this.visible.write(offset, inside);
    this.#changes.push({ type: 'write', offset, bytes: inside });
  }

  truncate(length: number): void {
    this.visible.resize(length);
    this.#changes.push({ type: 'truncate', length });
  }

  sync(): void {
    for (const change of this.#changes) this.#keep(change);
    this.#changes = [];
  }

  loseChanges(): void {
    this.#changes = [];
  }

  flip(offset: number, bit: number): void {
    assert(offset < this.visible.length, 'only a byte that exists can rot');
    this.visible.flip(offset, bit);
    if (offset < this.#durable.length) this.#durable.flip(offset, bit);
  }

  /** A prefix of the changes survives; the first one that does not may survive in part. */
  crash(draws: Draws): void {
    const survivors = draws(this.#changes.length + 1);
    for (const change of this.#changes.slice(0, survivors)) this.#keep(change);
    const torn = this.#changes[survivors];
    if (torn?.type === 'write') this.#tear(torn.offset, torn.bytes, draws);
    this.#changes = [];
    this.visible.assign(this.#durable);
  }

  save(writer: ByteWriter): void {
    writer.bytes(this.visible.slice());
    writer.bytes(this.#durable.slice());
    writer.varint(this.#changes.length);
    for (const change of this.#changes) {
      writer.bool(change.type === 'write');
      writer.varint(change.type === 'write' ? change.offset : change.length);
      if (change.type === 'write') writer.bytes(change.bytes);
    }
  }

  load(reader: ByteReader): void {
    this.visible.resize(0);
    this.visible.write(0, reader.bytes());
    this.#durable.resize(0);
    this.#durable.write(0, reader.bytes());
    this.#changes = [];
    for (let left = reader.varint(); left > 0; left--) {
      const isWrite = reader.bool();
      const at = reader.varint();
      this.#changes.push(
        isWrite ? { type: 'write', offset: at, bytes: reader.bytes() } : { type: 'truncate', length: at },
      );
    }
  }

  #keep(change: Change): void {
    if (change.type === 'write') this.#durable.write(change.offset, change.bytes);
    else this.#durable.resize(change.length);
  }

  #tear(offset: number, bytes: Uint8Array, draws: Draws): void {
    const mode = draws(4);
    if (mode === 0) return;
    const torn = bytes.slice();
    const cut = draws(bytes.length + 1);
    if (mode === 1) return this.#durable.write(offset, torn.subarray(0, cut));
    if (mode === 2) {
      // The sector in which the write stopped holds garbage.
      const end = Math.min(bytes.length, cut + SECTOR_BYTES - ((offset + cut) % SECTOR_BYTES));
      for (let i = cut; i < end; i++) torn[i] = draws(256);
      return this.#durable.write(offset, torn.subarray(0, end));
    }
    // The length reached the disk before some of the sectors did.
    let hole = false;
    for (let i = 0; i < torn.length; i++) {
      if (i === 0 || (offset + i) % SECTOR_BYTES === 0) hole = draws(2) === 0;
      if (hole) torn[i] = 0;
    }
    this.#durable.write(offset, torn);
  }
}

class Growing {
  #bytes = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A gap before `offset` reads as zeros. */
  write(offset: number, bytes: Uint8Array): void {
    if (offset + bytes.length > this.#length) this.resize(offset + bytes.length);
    this.#bytes.set(bytes, offset);
  }

  resize(length: number): void {
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, this.#bytes.length * 2, 256));
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    if (length < this.#length) this.#bytes.fill(0, length, this.#length);
    this.#length = length;
  }

  flip(offset: number, bit: number): void {
    this.#bytes[offset] = (this.#bytes[offset] as number) ^ (1 << bit);
  }

  slice(start = 0, end: number = this.#length): Uint8Array {
    return this.#bytes.slice(Math.min(start, this.#length), Math.min(end, this.#length));
  }

  assign(other: Growing): void {
    this.resize(0);
    this.write(0, other.slice());
  }
}
