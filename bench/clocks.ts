/**
 * Vector clocks beside two of npm's, in one process and one run. Every contestant gets the same clocks in its own form;
 * answers are checked once before and used while measuring. Both libraries answer 0 for equal and for concurrent.
 */
import { decodeVectorClock, encodeVectorClock, VectorClock } from '@polder/core/clocks';
import * as thing from '@thi.ng/vclock';
import npm from 'vectorclock';

const MEMBERS = [3, 10, 100] as const;
const PAIRS = 400;
const WARM_UP_ROUNDS = 40;
const ROUNDS = 160;
/** Short enough that some rounds are not interrupted, on a busy machine too. */
const ROUND_MS = 2;

type Operation = 'compare' | 'merge';
type Counts = Record<string, number>;

/**
 * `one lineage`: clocks that came from one another or were compared before. `other members`: one member is missing in
 * the second. `from the wire`: the second is decoded first, from bytes here and with JSON.parse there.
 */
const KINDS = ['one lineage', 'other members', 'from the wire'] as const;
type Kind = (typeof KINDS)[number];

export interface ClockRow {
  readonly operation: Operation;
  readonly members: number;
  readonly kind: Kind;
  /** Nanoseconds per operation, of the fastest round: what else the machine does only ever adds. */
  readonly polderNs: number;
  readonly vectorclockNs: number;
  readonly thingNs: number;
}

/** Of every four pairs one is equal, one before, one after and one concurrent. */
function countsOf(members: number, pair: number, kind: Kind): [Counts, Counts] {
  const idOf = (i: number): string => `member-${String(i).padStart(3, '0')}`;
  const a: Counts = {};
  for (let i = 0; i < members; i++) a[idOf(i)] = 10 + ((i * 7 + pair) % 50);
  const b = { ...a };
  const [first, last] = [idOf(0), idOf(members - 1)];
  if (pair % 4 === 1 || pair % 4 === 3) b[last] = (b[last] ?? 0) + 1;
  if (pair % 4 === 2 || pair % 4 === 3) a[first] = (a[first] ?? 0) + 1;
  if (kind === 'other members') delete b[idOf(members >> 1)];
  return [a, b];
}

/** Does every pair once; the number keeps the work from being optimized away. */
type Pass = () => number;

function polderPass(pairs: readonly [Counts, Counts][], kind: Kind, operation: Operation): Pass {
  const clocks = pairs.map(
    ([a, b]) => [VectorClock.from(Object.entries(a)), VectorClock.from(Object.entries(b))] as const,
  );
  const messages = clocks.map(([a, b]) => [a, encodeVectorClock(b)] as const);
  return () => {
    let sum = 0;
    if (kind === 'from the wire') {
      if (operation === 'compare')
        for (const [a, bytes] of messages) sum += a.compare(decodeVectorClock(bytes, a)).length;
      else for (const [a, bytes] of messages) sum += a.merge(decodeVectorClock(bytes, a)).size;
    } else if (operation === 'compare') for (const [a, b] of clocks) sum += a.compare(b).length;
    else for (const [a, b] of clocks) sum += a.merge(b).size;
    return sum;
  };
}

interface ObjectClocks {
  readonly compare: (a: Counts, b: Counts) => number;
  readonly merge: (a: Counts, b: Counts) => Counts;
}

function objectPass(library: ObjectClocks, pairs: readonly [Counts, Counts][], kind: Kind, operation: Operation): Pass {
  const { compare, merge } = library;
  const messages = pairs.map(([a, b]) => [a, JSON.stringify(b)] as const);
  return () => {
    let sum = 0;
    if (kind === 'from the wire') {
      if (operation === 'compare') for (const [a, text] of messages) sum += compare(a, JSON.parse(text) as Counts);
      else for (const [a, text] of messages) sum += merge(a, JSON.parse(text) as Counts)['member-000'] ?? 0;
    } else if (operation === 'compare') for (const [a, b] of pairs) sum += compare(a, b);
    else for (const [a, b] of pairs) sum += merge(a, b)['member-000'] ?? 0;
    return sum;
  };
}

function measureNs(pass: Pass): number {
  const perOperation: number[] = [];
  let sink = 0;
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    let passes = 0;
    const startMs = performance.now();
    while (performance.now() - startMs < ROUND_MS) {
      sink += pass();
      passes++;
    }
    if (round >= WARM_UP_ROUNDS) perOperation.push(((performance.now() - startMs) * 1e6) / (passes * PAIRS));
  }
  if (Number.isNaN(sink)) throw new Error('a benchmark computed nothing');
  return Math.min(...perOperation);
}

function checkAnswers(pairs: readonly [Counts, Counts][]): void {
  const sign = { before: -1, after: 1, equal: 0, concurrent: 0 };
  for (const [a, b] of pairs) {
    const [x, y] = [VectorClock.from(Object.entries(a)), VectorClock.from(Object.entries(b))];
    const answers = [sign[x.compare(y)], npm.compare(a, b), thing.compare(a, b)];
    const merged = [x.merge(y), VectorClock.fromJson(npm.merge(a, b)), VectorClock.fromJson(thing.merge(a, b))];
    if (new Set(answers).size !== 1 || new Set(merged.map(String)).size !== 1)
      throw new Error('the contestants disagree');
  }
}

export function benchClocks(): ClockRow[] {
  const rows: ClockRow[] = [];
  for (const operation of ['compare', 'merge'] as const) {
    for (const members of MEMBERS) {
      for (const kind of KINDS) {
        const pairs = Array.from({ length: PAIRS }, (_, pair) => countsOf(members, pair, kind));
        checkAnswers(pairs);
        rows.push({
          operation,
          members,
          kind,
          polderNs: measureNs(polderPass(pairs, kind, operation)),
          vectorclockNs: measureNs(objectPass(npm, pairs, kind, operation)),
          thingNs: measureNs(objectPass(thing, pairs, kind, operation)),
        });
      }
    }
  }
  return rows;
}

export function formatClocks(rows: readonly ClockRow[]): string {
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, i) => (i === 0 ? cell.padEnd(28) : cell.padStart(i === 1 ? 7 : 22))).join('')}`;
  const times = (ns: number, base: number): string => `${Math.round(ns)} (${(ns / base).toFixed(1)}x)`;
  return [
    `vector clocks: ns per operation, fastest of ${ROUNDS} rounds; a quarter each before, after, equal, concurrent`,
    line(['', 'polder', 'vectorclock 0.0.0', '@thi.ng/vclock 0.1.10']),
    ...rows.map(({ operation, members, kind, polderNs, vectorclockNs, thingNs }) =>
      line([
        `${operation}, ${members}, ${kind}`,
        polderNs.toFixed(polderNs < 100 ? 1 : 0),
        times(vectorclockNs, polderNs),
        times(thingNs, polderNs),
      ]),
    ),
  ].join('\n');
}
