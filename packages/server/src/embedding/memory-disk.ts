/** `FileDisk`'s contract over memory: for members that keep nothing beyond their process. */
import { randomInt } from 'node:crypto';
import { assert, type Disk, type DiskOperation, type DiskResult } from '@polder/core';

/** A file is a list of what was appended: a log grows without being copied. */
type Pieces = Uint8Array[];

export class MemoryDisk implements Disk {
  /** Another process, another directory (PITFALLS R26): a member without one never comes back. */
  readonly identity = { directory: randomInt(1, 2 ** 48 - 1) };
  readonly #files = new Map<string, Pieces>();
  #deliver: ((token: number, result: DiskResult) => void) | null = null;
  #closed = false;

  onComplete(deliver: (token: number, result: DiskResult) => void): void {
    assert(this.#deliver === null, 'completions have one receiver');
    this.#deliver = deliver;
  }

  /** Done at once, told later: in the order of submission. */
  submit(token: number, operation: DiskOperation): void {
    assert(!this.#closed, 'the disk is open');
    const deliver = this.#deliver;
    assert(deliver !== null, 'completions have a receiver');
    const result = this.#run(operation);
    queueMicrotask(() => {
      if (!this.#closed) deliver(token, result);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#files.clear();
  }

  #run(operation: DiskOperation): DiskResult {
    switch (operation.type) {
      case 'append': {
        const pieces = this.#files.get(operation.file) ?? [];
        if (operation.bytes.length > 0) pieces.push(operation.bytes);
        this.#files.set(operation.file, pieces);
        return { type: 'done' };
      }
      case 'syncDirectory':
        return { type: 'done' };
      case 'list':
        return { type: 'names', names: [...this.#files.keys()].sort() };
      case 'sync':
      case 'read':
      case 'size':
      case 'truncate':
      case 'rename':
      case 'remove':
        return this.#onFile(operation, this.#files.get(operation.file));
    }
  }

  #onFile(
    operation: Exclude<DiskOperation, { type: 'append' | 'syncDirectory' | 'list' }>,
    pieces: Pieces | undefined,
  ): DiskResult {
    const { type, file } = operation;
    if (pieces === undefined)
      return { type: 'error', code: 'ENOENT', message: `${type} of ${file} failed: no such file` };
    switch (operation.type) {
      case 'sync':
        return { type: 'done' };
      case 'size':
        return { type: 'size', sizeBytes: sizeOf(pieces) };
      case 'read':
        return { type: 'bytes', bytes: read(pieces, operation.offset, operation.length) };
      case 'truncate':
        this.#files.set(file, [truncated(pieces, operation.length)]);
        return { type: 'done' };
      case 'rename':
        this.#files.delete(file);
        this.#files.set(operation.to, pieces);
        return { type: 'done' };
      case 'remove':
        this.#files.delete(file);
        return { type: 'done' };
    }
  }
}

function sizeOf(pieces: Pieces): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

/** Fewer bytes than asked for: the file ends there. */
function read(pieces: Pieces, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, Math.min(length, sizeOf(pieces) - offset)));
  let at = 0;
  for (const piece of pieces) {
    const from = Math.max(0, offset - at);
    const to = Math.min(piece.length, offset + bytes.length - at);
    if (to > from) bytes.set(piece.subarray(from, to), at + from - offset);
    at += piece.length;
  }
  return bytes;
}

/** As ftruncate: what is added is zeros. */
function truncated(pieces: Pieces, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(read(pieces, 0, length));
  return bytes;
}
