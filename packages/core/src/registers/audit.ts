/**
 * Finds what the exchange has missed: weak versions, which no vector counts, and what a lost log has taken along.
 * Range-based set reconciliation (Meyer, "Range-based set reconciliation", 2023) over the winning versions, ordered by
 * hybrid time, for differences are mostly recent: sums of ranges that agree end it, those that differ are divided.
 */
import { defined } from '../base/assert.ts';
import { type ByteReader, ByteWriter } from '../base/bytes.ts';
import { crc32c } from '../base/crc32c.ts';
import { compareHybridTimes, HYBRID_TIME_ZERO } from '../clocks/index.ts';
import type { Desk } from './desk.ts';
import type { Perform } from './exchange.ts';
import type { RangeSum, RegisterMessage, TimeRange } from './message.ts';
import { compareTags, type Tag, type Version, writeTag } from './version.ts';

/** A range of at most so many versions is sent rather than divided. */
const LEAF = 16;
const BRANCHES = 8;

export class Audit {
  readonly #desk: Desk;
  readonly #perform: Perform;
  #nextUs = 0;
  #turn = 0;

  constructor(desk: Desk, perform: Perform) {
    this.#desk = desk;
    this.#perform = perform;
  }

  deadlineUs(): number {
    return this.#desk.peers.length === 0 ? Number.POSITIVE_INFINITY : this.#nextUs;
  }

  tick(): void {
    const { now, timing, peers, rules, store } = this.#desk;
    if (this.#nextUs > now.monotonicUs || peers.length === 0) return;
    this.#nextUs = now.monotonicUs + timing.auditUs;
    if (!rules.exchanges) return;
    const peer = defined(peers[this.#turn++ % peers.length], 'a turn names a peer');
    const ranges = [sumOf(this.#winners(), { from: HYBRID_TIME_ZERO, to: null })];
    this.#desk.send(peer, { type: 'audit', collected: store.collectedThrough, ranges });
  }

  onAudit(from: number, { ranges, collected }: Extract<RegisterMessage, { type: 'audit' }>): void {
    const winners = this.#winners();
    const divided: RangeSum[] = [];
    for (const range of ranges.slice(0, BRANCHES * BRANCHES)) {
      const own = sumOf(winners, range);
      if (own.sum === range.sum && own.count === range.count) continue;
      const inside = winners.filter(({ tag }) => isIn(tag, range));
      if (inside.length <= LEAF || range.count <= LEAF) this.#sendAll(from, range, inside, true);
      else divided.push(...divide(inside, range).map((part) => sumOf(inside, part)));
    }
    if (divided.length === 0) return;
    this.#desk.send(from, {
      type: 'audit',
      collected:
        compareTags(collected, this.#desk.store.collectedThrough) > 0 ? collected : this.#desk.store.collectedThrough,
      ranges: divided,
    });
  }

  #sendAll(to: number, range: TimeRange, versions: readonly Version[], wants: boolean): void {
    const { store, limits } = this.#desk;
    const page = versions.slice(0, limits.pageVersions);
    this.#desk.send(to, { type: 'repair', range, collected: store.collectedThrough, wants, versions: page });
  }

  onRepair(from: number, { range, collected, wants, versions }: Extract<RegisterMessage, { type: 'repair' }>): void {
    const { store, counters } = this.#desk;
    if (wants) this.#giveBack(from, range, versions);
    const durable: Version[] = [];
    for (const version of versions) {
      if (store.knows(version)) continue;
      this.#desk.hearTag(version.tag);
      if (version.dot !== null) durable.push(version);
      else if (this.#mayTake(version, collected)) {
        store.putWeak(version);
        counters.auditRepairs++;
      }
    }
    counters.auditRepairs += durable.length;
    if (durable.length > 0) {
      this.#desk.persist({ type: 'install', versions: durable, vector: null }, { type: 'nothing' }, this.#perform);
    }
  }

  #giveBack(to: number, range: TimeRange, theirs: readonly Version[]): void {
    const tags = new Map(theirs.map(({ key, tag }) => [key, tag]));
    const newer = this.#winners().filter(
      ({ key, tag }) => isIn(tag, range) && compareTags(tag, tags.get(key) ?? null) > 0,
    );
    if (newer.length > 0) this.#sendAll(to, range, newer, false);
  }

  /** What the sender still holds after it has collected as much as this member was not deleted (PITFALLS G13). */
  #mayTake(version: Version, collected: Tag | null): boolean {
    const { store, rules } = this.#desk;
    if (!rules.guardsResurrection || compareTags(version.tag, store.collectedThrough) > 0) return true;
    return compareTags(collected, store.collectedThrough) >= 0;
  }

  onWeak(version: Version): void {
    const { store, rules } = this.#desk;
    if (version.dot !== null) return;
    this.#desk.hearTag(version.tag);
    if (rules.guardsResurrection && compareTags(version.tag, store.collectedThrough) <= 0) return;
    store.putWeak(version);
  }

  #winners(): Version[] {
    const { store } = this.#desk;
    const winners = store.keys().map((key) => store.newest(key));
    return winners.filter((version) => version !== null).sort((a, b) => compareTags(a.tag, b.tag));
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#nextUs);
    writer.varint(this.#turn);
  }

  load(reader: ByteReader): void {
    this.#nextUs = reader.varint();
    this.#turn = reader.varint();
  }
}

function isIn({ time }: Tag, { from, to }: TimeRange): boolean {
  return compareHybridTimes(time, from) >= 0 && (to === null || compareHybridTimes(time, to) < 0);
}

function sumOf(versions: readonly Version[], range: TimeRange): RangeSum {
  let count = 0;
  let sum = 0;
  for (const { key, tag } of versions) {
    if (!isIn(tag, range)) continue;
    const writer = new ByteWriter();
    writer.string(key);
    writeTag(writer, tag);
    count++;
    sum = (sum + crc32c(writer.finish())) >>> 0;
  }
  return { from: range.from, to: range.to, count, sum };
}

/** Into parts of about as many versions each; what has one time stays together. */
function divide(versions: readonly Version[], range: TimeRange): TimeRange[] {
  const parts: TimeRange[] = [];
  let { from } = range;
  for (let branch = 1; branch < BRANCHES; branch++) {
    const at = versions[Math.floor((versions.length * branch) / BRANCHES)]?.tag.time;
    if (at === undefined || compareHybridTimes(at, from) <= 0) continue;
    parts.push({ from, to: at });
    from = at;
  }
  return [...parts, { from, to: range.to }];
}
