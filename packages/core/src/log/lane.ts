/**
 * Disk operations that must complete one after the other: the next is submitted when the last is done. A sync is
 * submitted with the append before it, since a disk takes the operations on one file in order: it may do both at once.
 */
import { assert, defined, unreachable } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import type { DiskOperation } from '../world/world.ts';

export class Lane {
  readonly #submit: (operation: DiskOperation) => number;
  /** The first ones are under way, one for each token. */
  #operations: DiskOperation[] = [];
  #tokens: number[] = [];

  constructor(submit: (operation: DiskOperation) => number) {
    this.#submit = submit;
  }

  get busy(): boolean {
    return this.#operations.length > 0;
  }

  /** The operation that completes next. */
  get current(): DiskOperation {
    return defined(this.#operations[0], 'an idle lane has no operation');
  }

  start(operations: readonly DiskOperation[]): void {
    assert(!this.busy && operations.length > 0, 'a lane does one list of operations at a time');
    this.#operations = [...operations];
    this.#submitNext();
  }

  owns(token: number): boolean {
    return this.#tokens.includes(token);
  }

  /** The current operation is done; true when it was the last. */
  advance(): boolean {
    this.#operations.shift();
    this.#tokens.shift();
    if (!this.busy) return true;
    if (this.#tokens.length === 0) this.#submitNext();
    return false;
  }

  /** What is under way still has to be awaited; nothing follows it. */
  stop(): void {
    this.#operations = this.#operations.slice(0, this.#tokens.length);
  }

  #submitNext(): void {
    const [first, second] = this.#operations;
    assert(first !== undefined, 'there is an operation to submit');
    this.#tokens.push(this.#submit(first));
    if (first.type !== 'append' || second?.type !== 'sync' || second.file !== first.file) return;
    this.#tokens.push(this.#submit(second));
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#tokens.length);
    for (const token of this.#tokens) writer.varint(token);
    writer.varint(this.#operations.length);
    for (const operation of this.#operations) writeOperation(writer, operation);
  }

  load(reader: ByteReader): void {
    this.#tokens = [];
    for (let left = reader.varint(); left > 0; left--) this.#tokens.push(reader.varint());
    this.#operations = [];
    for (let left = reader.varint(); left > 0; left--) this.#operations.push(readOperation(reader));
  }
}

function writeOperation(writer: ByteWriter, operation: DiskOperation): void {
  writer.string(operation.type);
  switch (operation.type) {
    case 'append':
      writer.string(operation.file);
      return writer.bytes(operation.bytes);
    case 'read':
      writer.string(operation.file);
      writer.varint(operation.offset);
      return writer.varint(operation.length);
    case 'truncate':
      writer.string(operation.file);
      return writer.varint(operation.length);
    case 'rename':
      writer.string(operation.file);
      return writer.string(operation.to);
    case 'sync':
    case 'size':
    case 'remove':
      return writer.string(operation.file);
    case 'syncDirectory':
    case 'list':
      return;
    default:
      return unreachable(operation);
  }
}

function readOperation(reader: ByteReader): DiskOperation {
  const type = reader.string() as DiskOperation['type'];
  switch (type) {
    case 'append':
      return { type, file: reader.string(), bytes: reader.bytes() };
    case 'read':
      return { type, file: reader.string(), offset: reader.varint(), length: reader.varint() };
    case 'truncate':
      return { type, file: reader.string(), length: reader.varint() };
    case 'rename':
      return { type, file: reader.string(), to: reader.string() };
    case 'sync':
    case 'size':
    case 'remove':
      return { type, file: reader.string() };
    case 'syncDirectory':
    case 'list':
      return { type };
    default:
      return unreachable(type);
  }
}
