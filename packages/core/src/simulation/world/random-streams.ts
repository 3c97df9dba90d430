import { assert } from '../../base/assert.ts';
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import { draw, type Random, scaled } from '../../base/random.ts';

/** What the simulation itself draws for. A replica's own concerns are below 1,000. */
export const CONCERN = {
  networkLoss: 1001,
  networkLatency: 1002,
  networkDuplicate: 1003,
  networkSpike: 1004,
  diskLatency: 1005,
  diskCrash: 1006,
  turnDelay: 1007,
  directory: 1008,
  client: 1009,
  nemesis: 1010,
  plan: 1011,
  networkCorrupt: 1012,
  networkCopy: 1013,
  clock: 1014,
  prober: 1015,
} as const;

/** Keys (members, links, clients) are small integers. */
const KEYS = 0x100000;

/** One counter per (concern, key): one more draw in one of them moves nothing in another (PITFALLS D1). */
export class RandomStreams {
  readonly #seed: number;
  #counters = new Map<number, number>();
  #draws = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** How many draws were made in all. */
  get draws(): number {
    return this.#draws;
  }

  below(concern: number, key: number, bound: number): number {
    assert(key >= 0 && key < KEYS, 'a random stream has a key that is out of range');
    assert(bound >= 1, 'a draw needs a bound of at least 1');
    const stream = concern * KEYS + key;
    const n = this.#counters.get(stream) ?? 0;
    this.#counters.set(stream, n + 1);
    this.#draws++;
    return scaled(draw(this.#seed, concern, key, n), bound);
  }

  /** The n-th draw of a stream that counts for itself, of 32 bits. */
  word(concern: number, key: number, n: number): number {
    return draw(this.#seed, concern, key, n);
  }

  /** The streams of one member, as its World hands them out. */
  of(key: number): Random {
    return { below: (concern, bound) => this.below(concern, key, bound) };
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#draws);
    writer.varint(this.#counters.size);
    for (const [stream, n] of [...this.#counters].sort((a, b) => a[0] - b[0])) {
      writer.varint(stream);
      writer.varint(n);
    }
  }

  load(reader: ByteReader): void {
    this.#draws = reader.varint();
    this.#counters = new Map();
    for (let count = reader.varint(); count > 0; count--) this.#counters.set(reader.varint(), reader.varint());
  }
}
