/**
 * Dotted version vector sets (Almeida, Baquero, Gonçalves, Preguiça, Fonte: "Scalable and Accurate Causality Tracking
 * for Eventually Consistent Stores", 2014, §6): the concurrent values of one key and what they have seen, in a single
 * structure. For each id it holds the count n and the values with the dots n, n − 1, …: the newest ones, without gaps.
 *
 * An id stands for one incarnation of one member. A member that lost its state would give out its dots again, and one
 * of two different values with one dot disappears (PITFALLS G6); so it comes back under another id.
 */
import { assert } from '../base/assert.ts';
import type { ByteReader, ByteWriter } from '../base/bytes.ts';
import { PolderError } from '../base/error.ts';
import { checkMemberId } from './member-id.ts';
import { MAX_CLOCK_MEMBERS, VectorClock } from './vector-clock.ts';

/** Concurrent values under one id; a client that never reads before it writes would otherwise grow them for ever. */
export const MAX_SIBLINGS_PER_ID = 1024;

interface Entry<Value> {
  readonly id: string;
  /** The highest dot of this id that is known here. */
  readonly count: number;
  /** Newest first: their dots are count, count − 1, … */
  readonly values: readonly Value[];
}

export class DottedVersionVectorSet<Value> {
  /** Ascending by id. */
  readonly #entries: readonly Entry<Value>[];

  private constructor(entries: readonly Entry<Value>[]) {
    this.#entries = entries;
  }

  static empty<Value>(): DottedVersionVectorSet<Value> {
    return new DottedVersionVectorSet<Value>([]);
  }

  /** A first version, written at `id` by a client that had seen `context`. */
  static new<Value>(context: VectorClock, id: string, value: Value): DottedVersionVectorSet<Value> {
    return DottedVersionVectorSet.empty<Value>().update(context, id, value);
  }

  /**
   * The set after a write at `id` by a client that had seen `context`: what it had seen is replaced, what it had not
   * seen stays beside the new value. Throws `InvalidMemberId`, `ClockLimit`, `SiblingLimit`, `ClockOverflow`.
   */
  update(context: VectorClock, id: string, value: Value): DottedVersionVectorSet<Value> {
    checkMemberId(id);
    const seen = this.discard(context);
    const { count, values } = seen.#entry(id);
    if (count === Number.MAX_SAFE_INTEGER) {
      throw new PolderError('ClockOverflow', `the dots of ${id} are used up: give the member a new incarnation`);
    }
    if (values.length === MAX_SIBLINGS_PER_ID) {
      throw new PolderError(
        'SiblingLimit',
        `${id} holds ${values.length} concurrent values: read, then write with what was read`,
      );
    }
    const written: Entry<Value> = { id, count: count + 1, values: [value, ...values] };
    return new DottedVersionVectorSet(join(seen.#entries, [written], (_, added) => added));
  }

  /** What both replicas know: a value goes only if one of them has seen it replaced. */
  sync(other: DottedVersionVectorSet<Value>): DottedVersionVectorSet<Value> {
    return new DottedVersionVectorSet(join(this.#entries, other.#entries, syncEntries));
  }

  /** Without the values whose dots `context` covers, and knowing what it knows. */
  discard(context: VectorClock): DottedVersionVectorSet<Value> {
    const covered = context.entries().map(([id, count]): Entry<Value> => ({ id, count, values: [] }));
    return new DottedVersionVectorSet(join(this.#entries, covered, syncEntries));
  }

  /** All dots that are known here: the context a reader carries into its next write. */
  join(): VectorClock {
    return VectorClock.from(this.#entries.map(({ id, count }) => [id, count] as const));
  }

  /** The concurrent values, by id ascending and newest first. */
  values(): Value[] {
    return this.#entries.flatMap((entry) => entry.values);
  }

  /** Values with their dots, in the order of `values`. */
  dots(): { readonly id: string; readonly count: number; readonly value: Value }[] {
    return this.#entries.flatMap(({ id, count, values }) =>
      values.map((value, i) => ({ id, count: count - i, value })),
    );
  }

  write(writer: ByteWriter, writeValue: (value: Value) => void): void {
    writer.varint(this.#entries.length);
    for (const { id, count, values } of this.#entries) {
      writer.string(id);
      writer.varint(count);
      writer.varint(values.length);
      for (const value of values) writeValue(value);
    }
  }

  /** Throws `MalformedBytes`, `MalformedClock`, `InvalidMemberId`, `ClockLimit` or `SiblingLimit`. */
  static read<Value>(reader: ByteReader, readValue: () => Value): DottedVersionVectorSet<Value> {
    const size = reader.varint();
    checkMembers(size);
    const entries: Entry<Value>[] = [];
    let last = '';
    for (let i = 0; i < size; i++) {
      const id = reader.string();
      checkMemberId(id);
      const count = reader.varint();
      const length = reader.varint();
      if (id <= last || count === 0 || length > count) {
        throw new PolderError(
          'MalformedClock',
          'a version set came with ids out of order or more values than dots: do not trust it',
        );
      }
      if (length > MAX_SIBLINGS_PER_ID)
        throw new PolderError('SiblingLimit', `a set of ${length} values came: it is not read`);
      entries.push({ id, count, values: Array.from({ length }, readValue) });
      last = id;
    }
    return new DottedVersionVectorSet(entries);
  }

  #entry(id: string): Entry<Value> {
    return this.#entries.find((entry) => entry.id === id) ?? { id, count: 0, values: [] };
  }
}

/**
 * Of one id. The replica with the lower count has values down to its own lowest dot; whatever lies below that it has
 * seen replaced, and the other's values down there go.
 */
function syncEntries<Value>(a: Entry<Value>, b: Entry<Value>): Entry<Value> {
  const [newer, older] = a.count >= b.count ? [a, b] : [b, a];
  const kept = newer.count - older.count + older.values.length;
  assert(kept >= 0, 'a set has no more values than dots');
  return newer.values.length <= kept ? newer : { ...newer, values: newer.values.slice(0, kept) };
}

/** Both lists by id ascending; `both` decides where an id is in both. */
function join<Value>(
  a: readonly Entry<Value>[],
  b: readonly Entry<Value>[],
  both: (a: Entry<Value>, b: Entry<Value>) => Entry<Value>,
): Entry<Value>[] {
  const joined: Entry<Value>[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i];
    const right = b[j];
    if (left !== undefined && (right === undefined || left.id < right.id)) {
      joined.push(left);
      i++;
    } else if (right !== undefined && (left === undefined || right.id < left.id)) {
      joined.push(right);
      j++;
    } else {
      joined.push(both(left as Entry<Value>, right as Entry<Value>));
      i++;
      j++;
    }
  }
  checkMembers(joined.length);
  return joined;
}

function checkMembers(count: number): void {
  if (count <= MAX_CLOCK_MEMBERS) return;
  throw new PolderError('ClockLimit', `a version set holds at most ${MAX_CLOCK_MEMBERS} ids: retire old incarnations`);
}
