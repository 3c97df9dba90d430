import { assert, defined } from '../../base/assert.ts';
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { decodeConfiguration, encodeConfiguration } from '../configuration.ts';
import type { Configuration } from '../replica.ts';

interface Placed {
  readonly index: number;
  readonly configuration: Configuration;
}

/**
 * The configurations in the log, from the last one that is compacted away on. A member uses the newest, committed or
 * not (§6); one whose entry is truncated never was (PITFALLS R14).
 */
export class Configurations {
  #placed: Placed[];

  constructor(first: Configuration) {
    this.#placed = [{ index: 0, configuration: first }];
  }

  get latest(): Configuration {
    return this.#last.configuration;
  }

  get latestIndex(): number {
    return this.#last.index;
  }

  get #last(): Placed {
    return defined(this.#placed.at(-1), 'there always is a configuration');
  }

  committed(commitIndex: number): Configuration {
    return defined(
      this.#placed.findLast(({ index }) => index <= commitIndex),
      'what is compacted away is committed',
    ).configuration;
  }

  /** The one that is committed, and all that may come to be. */
  since(commitIndex: number): readonly Configuration[] {
    const base = this.#placed.findLastIndex(({ index }) => index <= commitIndex);
    return this.#placed.slice(base).map(({ configuration }) => configuration);
  }

  append(index: number, configuration: Configuration): void {
    assert(index > this.latestIndex, 'configurations follow each other');
    this.#placed.push({ index, configuration });
  }

  /** Whether that changed the newest one. */
  truncateFrom(index: number): boolean {
    const before = this.#placed.length;
    this.#placed = this.#placed.filter((placed) => placed.index < index);
    assert(this.#placed.length > 0, 'what is committed is not truncated');
    return this.#placed.length < before;
  }

  /** A snapshot holds it; what the log still has behind the snapshot, up to `lastIndex`, stays. */
  install(index: number, configuration: Configuration, lastIndex: number): void {
    const behind = this.#placed.filter((placed) => placed.index > index && placed.index <= lastIndex);
    this.#placed = [{ index, configuration }, ...behind];
  }

  compact(through: number): void {
    const base = this.#placed.findLastIndex(({ index }) => index <= through);
    if (base > 0) this.#placed = this.#placed.slice(base);
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#placed.length);
    for (const { index, configuration } of this.#placed) {
      writer.varint(index);
      writer.bytes(encodeConfiguration(configuration));
    }
  }

  load(reader: ByteReader): void {
    this.#placed = [];
    for (let left = reader.varint(); left > 0; left--) {
      this.#placed.push({ index: reader.varint(), configuration: decodeConfiguration(reader.bytes()) });
    }
  }
}
