/**
 * A Storage on the simulated disk: each engine is a file of whole transactions, and lives in memory. What a crash
 * leaves of the file is what the disk leaves of it, so that a store reverts to its last durable transaction.
 */
import { assert, defined, unreachable } from '../../base/assert.ts';
import { ByteReader, ByteWriter, EMPTY_BYTES } from '../../base/bytes.ts';
import { crc32c } from '../../base/crc32c.ts';
import { type Engine, readTransaction, type Transaction, writeTransaction } from '../../kv/engine.ts';
import { MemoryEngine } from '../../kv/memory-engine.ts';
import type { Storage } from '../../kv/storage.ts';
import { Lane } from '../../log/lane.ts';
import type { DiskOperation, DiskResult } from '../../world/world.ts';

/** No driver counts so far: tokens from here on are this storage's. */
const FIRST_TOKEN = 2 ** 40;
const HEADER_BYTES = 12;
const MAGIC = 0x504f5354;
const GOALS = ['idle', 'list', 'size', 'read', 'repair', 'make', 'commit'] as const;

interface Opened {
  readonly engine: MemoryEngine;
  /** Of whole, durable transactions. */
  sizeBytes: number;
  /** Its name may not be durable yet. */
  isNew: boolean;
  /** A failed write may have left bytes behind `sizeBytes`. */
  dirty: boolean;
}

export interface FileStorageOptions {
  readonly submit: (token: number, operation: DiskOperation) => void;
  readonly deliver: (token: number, result: DiskResult) => void;
  /** For the zoo: what becomes of a transaction, each part synced before the next. */
  readonly transactionsOf?: (transaction: Transaction) => readonly Transaction[];
}

export class FileStorage implements Storage {
  readonly #options: FileStorageOptions;
  readonly #main: Lane;
  readonly #removal: Lane;
  readonly #opened = new Map<string, Opened>();
  #goal: (typeof GOALS)[number] = 'idle';
  /** What the main lane works on, and for whom. */
  #name = '';
  #token = 0;
  #added = 0;
  #nextToken = FIRST_TOKEN;
  /** Files that are there, besides the open ones. */
  #strays: string[] = [];

  constructor(options: FileStorageOptions) {
    this.#options = options;
    const submit = (operation: DiskOperation): number => {
      options.submit(this.#nextToken, operation);
      return this.#nextToken++;
    };
    this.#main = new Lane(submit);
    this.#removal = new Lane(submit);
  }

  engine(name: string): Engine {
    return this.#of(name).engine;
  }

  open(token: number, name: string): void {
    this.#begin('list', token, name, [{ type: 'list' }]);
  }

  create(token: number, name: string): void {
    this.#strays = this.#strays.filter((stray) => stray !== name);
    this.#add(name, true);
    // Emptied if it is there: an append makes it otherwise.
    const bytes = EMPTY_BYTES;
    this.#begin('make', token, name, [
      { type: 'append', file: name, bytes },
      { type: 'truncate', file: name, length: 0 },
    ]);
  }

  keepOnly(name: string): void {
    for (const other of [...this.#opened.keys()].filter((open) => open !== name)) {
      this.#opened.delete(other);
      this.#strays.push(other);
    }
    this.#removeStrays();
  }

  /** False: not a token of this storage. */
  onDisk(token: number, result: DiskResult): boolean {
    if (token < FIRST_TOKEN) return false;
    if (this.#removal.owns(token)) {
      // What cannot be removed takes space only.
      if (this.#removal.advance()) this.#removeStrays();
      return true;
    }
    assert(this.#main.owns(token), 'a completion is of something that was begun');
    if (result.type === 'error') {
      this.#main.stop();
      this.#main.advance();
      this.#onFailed(result);
    } else if (this.#main.advance()) {
      this.#onDone(result);
    }
    return true;
  }

  #onFailed(error: Extract<DiskResult, { type: 'error' }>): void {
    if (this.#goal === 'commit') this.#of(this.#name).dirty = true;
    this.#end(error);
  }

  #onDone(result: DiskResult): void {
    const goal = this.#goal;
    switch (goal) {
      case 'list':
        assert(result.type === 'names', 'a list gives names');
        return this.#onListed(result.names);
      case 'size':
        assert(result.type === 'size', 'a size gives a size');
        return this.#begin('read', this.#token, this.#name, [
          { type: 'read', file: this.#name, offset: 0, length: result.sizeBytes },
        ]);
      case 'read':
        assert(result.type === 'bytes', 'a read gives bytes');
        return this.#onRead(result.bytes);
      case 'commit': {
        const opened = this.#of(this.#name);
        opened.sizeBytes += this.#added;
        opened.isNew = false;
        opened.dirty = false;
        return this.#end({ type: 'done' });
      }
      case 'repair':
      case 'make':
        return this.#end({ type: 'done' });
      case 'idle':
        return;
      default:
        return unreachable(goal);
    }
  }

  #onListed(names: readonly string[]): void {
    this.#strays = names.filter((name) => name.startsWith('store-') && name !== this.#name);
    if (names.includes(this.#name)) {
      return this.#begin('size', this.#token, this.#name, [{ type: 'size', file: this.#name }]);
    }
    this.#add(this.#name, true);
    this.#end({ type: 'done' });
  }

  #onRead(bytes: Uint8Array): void {
    const opened = this.#add(this.#name, true);
    for (;;) {
      const length = transactionAt(bytes, opened.sizeBytes);
      if (length === 0) break;
      const payload = bytes.subarray(opened.sizeBytes + HEADER_BYTES, opened.sizeBytes + length);
      opened.engine.restore(readTransaction(new ByteReader(payload)));
      opened.sizeBytes += length;
    }
    for (let at = opened.sizeBytes; at < bytes.length; at++) {
      if (transactionAt(bytes, at) === 0) continue;
      const message = `${this.#name} is damaged at byte ${opened.sizeBytes}, before what was written at ${at}`;
      return this.#end({ type: 'error', code: 'CorruptStore', message });
    }
    // What was visible but not synced when the process died must not count as durable before it is.
    this.#begin('repair', this.#token, this.#name, [
      { type: 'truncate', file: this.#name, length: opened.sizeBytes },
      { type: 'sync', file: this.#name },
      { type: 'syncDirectory' },
    ]);
  }

  #add(name: string, isNew: boolean): Opened {
    const engine = new MemoryEngine((token, transaction) => this.#commit(name, token, transaction));
    const opened: Opened = { engine, sizeBytes: 0, isNew, dirty: false };
    this.#opened.set(name, opened);
    return opened;
  }

  #commit(name: string, token: number, transaction: Transaction): void {
    const { sizeBytes, isNew, dirty } = this.#of(name);
    const { transactionsOf = (whole: Transaction) => [whole] } = this.#options;
    const parts = transactionsOf(transaction).map(sealed);
    this.#added = parts.reduce((sum, part) => sum + part.length, 0);
    this.#begin('commit', token, name, [
      ...(dirty ? [{ type: 'truncate', file: name, length: sizeBytes } as const] : []),
      ...parts.flatMap(
        (bytes) =>
          [
            { type: 'append', file: name, bytes },
            { type: 'sync', file: name },
          ] as const,
      ),
      ...(isNew ? [{ type: 'syncDirectory' } as const] : []),
    ]);
  }

  #begin(goal: (typeof GOALS)[number], token: number, name: string, operations: readonly DiskOperation[]): void {
    this.#goal = goal;
    this.#token = token;
    this.#name = name;
    this.#main.start(operations);
  }

  #end(result: DiskResult): void {
    this.#goal = 'idle';
    this.#options.deliver(this.#token, result);
  }

  #removeStrays(): void {
    const name = this.#removal.busy ? undefined : this.#strays.shift();
    if (name !== undefined) this.#removal.start([{ type: 'remove', file: name }]);
  }

  #of(name: string): Opened {
    return defined(this.#opened.get(name), 'the engine is open');
  }

  save(writer: ByteWriter): void {
    this.#main.save(writer);
    this.#removal.save(writer);
    writer.u8(GOALS.indexOf(this.#goal));
    writer.string(this.#name);
    for (const value of [this.#token, this.#added, this.#nextToken, this.#strays.length]) writer.varint(value);
    for (const stray of this.#strays) writer.string(stray);
    writer.varint(this.#opened.size);
    for (const [name, { engine, sizeBytes, isNew, dirty }] of this.#opened) {
      writer.string(name);
      writer.varint(sizeBytes);
      writer.bool(isNew);
      writer.bool(dirty);
      engine.save(writer);
    }
  }

  load(reader: ByteReader): void {
    this.#main.load(reader);
    this.#removal.load(reader);
    this.#goal = GOALS[reader.u8()] ?? 'idle';
    this.#name = reader.string();
    this.#token = reader.varint();
    this.#added = reader.varint();
    this.#nextToken = reader.varint();
    this.#strays = [];
    for (let left = reader.varint(); left > 0; left--) this.#strays.push(reader.string());
    for (let left = reader.varint(); left > 0; left--) {
      const opened = this.#add(reader.string(), true);
      opened.sizeBytes = reader.varint();
      opened.isNew = reader.bool();
      opened.dirty = reader.bool();
      opened.engine.load(reader);
    }
  }
}

function sealed(transaction: Transaction): Uint8Array {
  const payload = new ByteWriter();
  writeTransaction(payload, transaction);
  const bytes = payload.finish();
  const writer = new ByteWriter(bytes.length + HEADER_BYTES);
  writer.u32(MAGIC);
  writer.u32(crc32c(bytes));
  writer.u32(bytes.length);
  writer.raw(bytes);
  return writer.finish();
}

/** How long the transaction at `offset` is, its header included; 0: there is none whole. */
function transactionAt(bytes: Uint8Array, offset: number): number {
  if (bytes.length - offset < HEADER_BYTES) return 0;
  const reader = new ByteReader(bytes.subarray(offset, offset + HEADER_BYTES));
  if (reader.u32() !== MAGIC) return 0;
  const sum = reader.u32();
  const length = reader.u32();
  // Zeros behind the magic, as a torn write leaves them, are the sum of nothing.
  if (length === 0) return 0;
  const end = offset + HEADER_BYTES + length;
  if (end > bytes.length || crc32c(bytes.subarray(offset + HEADER_BYTES, end)) !== sum) return 0;
  return end - offset;
}
