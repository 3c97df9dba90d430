import type { ByteReader, ByteWriter } from '../../base/bytes.ts';

/** 64 bits over a sequence of integers, as two lanes of 32: a fingerprint of a run, not a defence against anyone. */
export class RollingHash {
  #a = 0x811c9dc5;
  #b = 0x9e3779b9;

  /** Takes any non-negative safe integer. */
  add(value: number): void {
    this.#mix(value >>> 0);
    if (value > 0xffffffff) this.#mix(Math.floor(value / 0x100000000));
  }

  addBytes(bytes: Uint8Array): void {
    this.add(bytes.length);
    for (let i = 0; i < bytes.length; i++) this.#mix(bytes[i] as number);
  }

  /** Sixteen hexadecimal digits. */
  digest(): string {
    return this.#a.toString(16).padStart(8, '0') + this.#b.toString(16).padStart(8, '0');
  }

  /** 53 bits of the digest, to keep and compare cheaply. */
  number(): number {
    return this.#a * 0x200000 + (this.#b >>> 11);
  }

  save(writer: ByteWriter): void {
    writer.u32(this.#a);
    writer.u32(this.#b);
  }

  load(reader: ByteReader): void {
    this.#a = reader.u32();
    this.#b = reader.u32();
  }

  #mix(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 0x01000193) >>> 0;
    this.#a = (this.#a ^ (this.#a >>> 15)) >>> 0;
    const b = Math.imul(this.#b ^ word, 0x85ebca6b) >>> 0;
    this.#b = (((b << 13) | (b >>> 19)) + 0xe6546b64) >>> 0;
  }
}

/** The fingerprint of some bytes. */
export function hashOf(bytes: Uint8Array): string {
  const hash = new RollingHash();
  hash.addBytes(bytes);
  return hash.digest();
}
