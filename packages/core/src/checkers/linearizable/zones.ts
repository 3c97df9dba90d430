import type { HistoryEvent } from '../history.ts';
import { type Columns, FAIL, OK } from './columns.ts';
import { ValueTable } from './value-table.ts';

const NEVER = 0x7fffffff;
/** In place of a cluster, of a read without an answer: it asks nothing of anybody. */
const NONE = -1;

/**
 * Linearizability of a register whose values are each written once, in time linear in the number of operations
 * (Gibbons and Korach, "Testing shared memories", 1997, section 4). The write of a value and its reads are a cluster,
 * which must come together. Its zone lies between the first return and the last invocation of the cluster; when the
 * first return is earlier the zone is forward, and the register held the value for all of it. Legal: no two forward
 * zones overlap, no backward zone lies within a forward one, and no read returns before its write begins.
 *
 * A write of unknown outcome that nobody read never happened; one that was read happened, and returns never.
 */
export class Zones {
  readonly #columns: Columns;
  readonly #events: Int32Array;
  /** By operation, twice its cluster, and one more for the write; cluster 0 is null, which is there from the start. */
  readonly #clusterOf: Int32Array;
  /** By cluster. */
  readonly #written: Uint8Array;
  readonly #firstReturn: Int32Array;
  readonly #lastInvoked: Int32Array;
  readonly #byFirstReturn: Int32Array;

  private constructor(columns: Columns, events: Int32Array, clusterOf: Int32Array, clusters: number) {
    this.#columns = columns;
    this.#events = events;
    this.#clusterOf = clusterOf;
    this.#written = new Uint8Array(clusters);
    this.#firstReturn = new Int32Array(clusters);
    this.#lastInvoked = new Int32Array(clusters);
    this.#byFirstReturn = new Int32Array(clusters);
  }

  /**
   * null when the operations are not all reads and writes of different values. `clusterOf` has room for every
   * operation of the history; keys may share it, one after the other.
   */
  static of(
    history: readonly HistoryEvent[],
    columns: Columns,
    events: Int32Array,
    clusterOf: Int32Array,
  ): Zones | null {
    const { invokedAt, completedAt, outcome } = columns;
    const values = new ValueTable();
    values.id(null);
    const written = new Uint8Array(events.length + 1);
    written[0] = 1;
    for (const operation of events) {
      if (operation < 0 || outcome[operation] === FAIL) continue;
      const invoke = history[invokedAt[operation] as number] as HistoryEvent;
      if (invoke.f === 'write') {
        const cluster = values.id(invoke.value);
        if (written[cluster] === 1) return null;
        written[cluster] = 1;
        clusterOf[operation] = 2 * cluster + 1;
      } else if (invoke.f !== 'read') {
        return null;
      } else if (outcome[operation] === OK) {
        const ok = history[completedAt[operation] as number] as HistoryEvent;
        clusterOf[operation] = 2 * values.id(ok.value);
      } else {
        clusterOf[operation] = NONE;
      }
    }
    return new Zones(columns, events, clusterOf, values.size);
  }

  /** The first operation whose return cannot be explained; -1 when all can. */
  firstImpossible(): number {
    const { length } = this.#events;
    if (this.#legal(length)) return -1;
    // A prefix that cannot be explained cannot be by anything that follows: hence the search by halves.
    let [legal, illegal] = [0, length];
    while (illegal - legal > 1) {
      const middle = Math.floor((legal + illegal) / 2);
      if (this.#legal(middle)) legal = middle;
      else illegal = middle;
    }
    return ~(this.#events[illegal - 1] as number);
  }

  /** Whether so many events from the start can be explained. */
  #legal(length: number): boolean {
    const { invokedAt, completedAt, outcome } = this.#columns;
    const [written, firstReturn, lastInvoked] = [this.#written, this.#firstReturn, this.#lastInvoked];
    written.fill(0);
    firstReturn.fill(NEVER);
    lastInvoked.fill(-1);
    [written[0], firstReturn[0]] = [1, -1];
    let returned = 1;
    const end = length === this.#events.length ? NEVER : this.#position(length);
    for (let i = 0; i < length; i++) {
      const event = this.#events[i] as number;
      const operation = event < 0 ? ~event : event;
      const ended = outcome[operation] as number;
      const role = this.#clusterOf[operation] as number;
      if (ended === FAIL || role === NONE) continue;
      const cluster = role >>> 1;
      if (event < 0) {
        if (ended !== OK) continue;
        if (written[cluster] === 0) return false;
        if (firstReturn[cluster] !== NEVER) continue;
        firstReturn[cluster] = completedAt[operation] as number;
        this.#byFirstReturn[returned++] = cluster;
      } else if ((role & 1) === 1) {
        written[cluster] = 1;
        lastInvoked[cluster] = Math.max(lastInvoked[cluster] as number, invokedAt[operation] as number);
      } else if ((completedAt[operation] as number) < end) {
        lastInvoked[cluster] = invokedAt[operation] as number;
      }
    }
    return this.#zonesAreApart(returned);
  }

  #position(i: number): number {
    const event = this.#events[i] as number;
    return (event < 0 ? this.#columns.completedAt[~event] : this.#columns.invokedAt[event]) as number;
  }

  /** Of the clusters of which something returned, in the order in which that happened. */
  #zonesAreApart(clusters: number): boolean {
    let forwardStart = NEVER;
    let forwardEnd = -1;
    for (let i = 0; i < clusters; i++) {
      const cluster = this.#byFirstReturn[i] as number;
      const first = this.#firstReturn[cluster] as number;
      const last = this.#lastInvoked[cluster] as number;
      if (first < last) {
        if (first < forwardEnd) return false;
        [forwardStart, forwardEnd] = [first, last];
      } else if (first < forwardEnd && last > forwardStart) {
        return false;
      }
    }
    return true;
  }
}
