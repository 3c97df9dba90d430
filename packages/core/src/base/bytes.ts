import { assert } from './assert.ts';
import { PolderError } from './error.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const EMPTY_BYTES = new Uint8Array(0);

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

export function text(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Lexicographic order of unsigned bytes: the order of keys everywhere. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = a.length < b.length ? a.length : b.length;
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/** Grows as it is written; little-endian; integers above 2^53 do not exist inside Polder. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Starts anew in the memory that it has: for whoever writes one message after the other. */
  clear(): void {
    this.#length = 0;
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0);
  }

  u32(value: number): void {
    assert(value >= 0 && value <= 0xffffffff, 'u32 out of range');
    this.#reserve(4);
    this.#bytes[this.#length++] = value & 0xff;
    this.#bytes[this.#length++] = (value >>> 8) & 0xff;
    this.#bytes[this.#length++] = (value >>> 16) & 0xff;
    this.#bytes[this.#length++] = value >>> 24;
  }

  /** A non-negative safe integer in 1 to 8 bytes, seven bits each (LEB128). */
  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, 'varint must be a non-negative safe integer');
    this.#reserve(8);
    let rest = value;
    while (rest > 0x7fffffff) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    // What fits 31 bits is shifted, which is several times faster.
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#length++] = rest;
  }

  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.raw(value);
  }

  string(value: string): void {
    this.bytes(encoder.encode(value));
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/** Reads what a ByteWriter wrote. Bytes may come from a hostile peer: every read is bounded and throws `MalformedBytes`. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #shares: boolean;
  #offset = 0;

  /** `shared`: what is read are views of `bytes`, which nobody changes or reuses; else copies. */
  constructor(bytes: Uint8Array, memory: 'copied' | 'shared' = 'copied') {
    this.#bytes = bytes;
    this.#shares = memory === 'shared';
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    const value = this.#bytes[this.#offset];
    if (value === undefined) throw malformed('ends early');
    this.#offset++;
    return value;
  }

  bool(): boolean {
    const value = this.u8();
    if (value > 1) throw malformed('holds a boolean that is neither 0 nor 1');
    return value === 1;
  }

  u32(): number {
    const a = this.u8();
    const b = this.u8();
    const c = this.u8();
    return a + b * 0x100 + c * 0x10000 + this.u8() * 0x1000000;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
      scale *= 0x80;
    }
    throw malformed('holds an integer above 2^53');
  }

  bytes(): Uint8Array {
    return this.raw(this.varint());
  }

  string(): string {
    const bytes = this.bytes();
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw malformed('holds text that is not UTF-8', cause);
    }
  }

  raw(length: number): Uint8Array {
    if (length > this.remaining) throw malformed('ends early');
    const end = this.#offset + length;
    const value = this.#shares ? this.#bytes.subarray(this.#offset, end) : this.#bytes.slice(this.#offset, end);
    this.#offset = end;
    return value;
  }

  /** What is left, shared with what is read. */
  rest(): Uint8Array {
    const value = this.#bytes.subarray(this.#offset);
    this.#offset = this.#bytes.length;
    return value;
  }

  /** Trailing bytes mean that writer and reader disagree about the format. */
  end(): void {
    if (this.remaining !== 0) throw malformed('has bytes left over');
  }
}

function malformed(what: string, cause?: unknown): PolderError {
  return new PolderError('MalformedBytes', `the message ${what}: it is not of this version's format`, { cause });
}
