/** A participant's durable values: a file of records, each {length, crc32c, name, value}; the last of a name counts. */
import { assert } from '../../base/assert.ts';
import { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { crc32c } from '../../base/crc32c.ts';
import { PolderError } from '../../base/error.ts';
import type { DiskOperation, DiskResult } from '../../world/world.ts';
import type { Json } from '../protocol.ts';

const FILE = 'values';
const HEADER_BYTES = 8;
const READ_BYTES = 1 << 24;

type Phase = 'listing' | 'reading' | 'cutting' | 'open';

export interface StorageHooks {
  submit(operation: DiskOperation): void;
  onOpen(stored: Readonly<Record<string, Json>>): void;
  onStored(name: string): void;
}

/** Completions come in the order of submission: so what is under way is a queue. */
export class Storage {
  readonly #hooks: StorageHooks;
  #phase: Phase = 'listing';
  #found: [string, Json][] = [];
  #fileExists = false;
  /** By operation under way: the name that is durable once it completes, or null. */
  #underWay: (string | null)[] = [];

  constructor(hooks: StorageHooks) {
    this.#hooks = hooks;
  }

  get isOpen(): boolean {
    return this.#phase === 'open';
  }

  open(): void {
    this.#submit({ type: 'list' }, null);
  }

  store(name: string, value: Json): void {
    assert(this.#phase === 'open', 'values are stored after the start');
    this.#submit({ type: 'append', file: FILE, bytes: encodeRecord(name, value) }, null);
    if (!this.#fileExists) this.#submit({ type: 'syncDirectory' }, null);
    this.#fileExists = true;
    this.#submit({ type: 'sync', file: FILE }, name);
  }

  /** Throws `DiskError`: nothing is retried. */
  onDisk(result: DiskResult): void {
    const stored = this.#underWay.shift();
    if (result.type === 'error') throw new PolderError('DiskError', `${result.message}: the member stops`);
    if (this.#phase !== 'open') return this.#onOpening(result);
    if (stored !== null && stored !== undefined) this.#hooks.onStored(stored);
  }

  save(writer: ByteWriter): void {
    const [phase, found, underWay] = [this.#phase, this.#found, this.#underWay];
    writer.string(JSON.stringify({ phase, found, underWay, fileExists: this.#fileExists }));
  }

  load(reader: ByteReader): void {
    const saved = JSON.parse(reader.string());
    this.#phase = saved.phase;
    this.#found = saved.found;
    this.#underWay = saved.underWay;
    this.#fileExists = saved.fileExists;
  }

  #onOpening(result: DiskResult): void {
    if (result.type === 'names') {
      this.#fileExists = result.names.includes(FILE);
      if (!this.#fileExists) return this.#opened();
      this.#phase = 'reading';
      return this.#submit({ type: 'read', file: FILE, offset: 0, length: READ_BYTES }, null);
    }
    if (result.type === 'bytes') {
      const { records, end } = decodeRecords(result.bytes);
      this.#found = records;
      if (end === result.bytes.length) return this.#opened();
      this.#phase = 'cutting';
      // A torn tail: nobody was told that it is stored.
      this.#submit({ type: 'truncate', file: FILE, length: end }, null);
      return this.#submit({ type: 'sync', file: FILE }, null);
    }
    if (this.#underWay.length === 0) this.#opened();
  }

  #opened(): void {
    this.#phase = 'open';
    const stored = Object.fromEntries(this.#found);
    this.#found = [];
    this.#hooks.onOpen(stored);
  }

  #submit(operation: DiskOperation, name: string | null): void {
    this.#underWay.push(name);
    this.#hooks.submit(operation);
  }
}

function encodeRecord(name: string, value: Json): Uint8Array {
  const body = new ByteWriter();
  body.string(name);
  body.string(JSON.stringify(value));
  const payload = body.finish();
  const record = new ByteWriter(HEADER_BYTES + payload.length);
  record.u32(payload.length);
  record.u32(crc32c(payload));
  record.raw(payload);
  return record.finish();
}

function decodeRecords(bytes: Uint8Array): { records: [string, Json][]; end: number } {
  const records: [string, Json][] = [];
  let end = 0;
  while (bytes.length - end >= HEADER_BYTES) {
    const header = new ByteReader(bytes.subarray(end, end + HEADER_BYTES));
    const [length, checksum] = [header.u32(), header.u32()];
    const payload = bytes.subarray(end + HEADER_BYTES, end + HEADER_BYTES + length);
    if (payload.length < length || length === 0 || crc32c(payload) !== checksum) break;
    const body = new ByteReader(payload);
    records.push([body.string(), JSON.parse(body.string())]);
    end += HEADER_BYTES + length;
  }
  return { records, end };
}
