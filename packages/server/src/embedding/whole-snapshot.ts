/** A snapshot that is made and taken at once, as the streams that core moves: its length, then its bytes. */
import {
  assert,
  type ByteReader,
  type ByteWriter,
  PolderError,
  type SnapshotSource,
  type SnapshotStage,
} from '@polder/core';

const LENGTH_BYTES = 8;

export class WholeSnapshot implements SnapshotSource {
  readonly index: number;
  #left: Uint8Array;

  constructor(index: number, bytes: Uint8Array) {
    this.index = index;
    this.#left = new Uint8Array(LENGTH_BYTES + bytes.length);
    new DataView(this.#left.buffer).setFloat64(0, bytes.length);
    this.#left.set(bytes, LENGTH_BYTES);
  }

  read(sizeMax: number): Uint8Array {
    const bytes = this.#left.subarray(0, sizeMax);
    this.#left = this.#left.subarray(bytes.length);
    return bytes;
  }

  rest(): Uint8Array {
    return this.#left;
  }

  close(): void {
    this.#left = this.#left.subarray(this.#left.length);
  }
}

export class WholeStage implements SnapshotStage {
  readonly #restore: (bytes: Uint8Array) => void;
  #pieces: Uint8Array[] = [];
  #sizeBytes = 0;

  /** `restore` throws `MalformedBytes`. */
  constructor(restore: (bytes: Uint8Array) => void) {
    this.#restore = restore;
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes.slice());
    this.#sizeBytes += bytes.length;
    const expected = this.#expectedBytes();
    const isLength = expected === null || (Number.isSafeInteger(expected) && expected >= LENGTH_BYTES);
    if (isLength && this.#sizeBytes <= (expected ?? LENGTH_BYTES)) return;
    throw new PolderError('MalformedBytes', 'the snapshot has another length than it says: take another one');
  }

  get whole(): boolean {
    return this.#sizeBytes === this.#expectedBytes();
  }

  install(): void {
    assert(this.whole, 'a snapshot is installed whole');
    this.#restore(this.#joined().subarray(LENGTH_BYTES));
    this.discard();
  }

  discard(): void {
    this.#pieces = [];
    this.#sizeBytes = 0;
  }

  save(writer: ByteWriter): void {
    writer.bytes(this.#joined());
  }

  load(reader: ByteReader): void {
    this.discard();
    this.write(reader.bytes());
  }

  /** null: not even the length has come. */
  #expectedBytes(): number | null {
    if (this.#sizeBytes < LENGTH_BYTES) return null;
    if ((this.#pieces[0]?.length ?? 0) < LENGTH_BYTES) this.#pieces = [this.#joined()];
    const first = this.#pieces[0] as Uint8Array;
    return LENGTH_BYTES + new DataView(first.buffer, first.byteOffset).getFloat64(0);
  }

  #joined(): Uint8Array {
    const bytes = new Uint8Array(this.#sizeBytes);
    let at = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }
}
