import { canonical } from '../history.ts';
import type { Call } from './calls.ts';
import type { KeySeen, KvAnswered } from './kv-operation.ts';
import { fits, KvState, keyFits } from './kv-state.ts';

export type ReplayResult =
  | { readonly type: 'valid'; readonly states: number }
  /** `why` goes on "... answered so, but". */
  | { readonly type: 'invalid'; readonly states: number; readonly why: string }
  | { readonly type: 'unknown'; readonly states: number; readonly revision: number };

/** What the store can have come to, and which unknown writes that took: names of requests, sorted. */
interface Possibility {
  readonly state: KvState;
  readonly used: readonly string[];
}

/**
 * The events of a history before a position, replayed in order of revision. A write has the place 2 r in the order, a
 * read at revision r the place 2 r + 1: between the write that made r and the next one.
 */
export class Replay {
  /** In order of invocation. */
  readonly #calls: readonly Call[];
  readonly #firstRevision: number;
  readonly #maxStates: number;
  readonly #end: number;
  readonly #writers = new Map<number, Call>();
  readonly #readers = new Map<number, Call[]>();
  /** Writes of unknown outcome by what they ask for, in order of invocation: the first place that each may have. */
  readonly #unknown = new Map<string, { readonly call: Call; readonly notBefore: number[] }>();
  /** By revision, the keys that some answer says were changed then. */
  readonly #changed = new Map<number, KeySeen[]>();
  #lastRevision: number;
  #states = 0;

  constructor(calls: readonly Call[], end: number, firstRevision: number, maxStates: number) {
    this.#calls = calls;
    this.#end = end;
    this.#firstRevision = firstRevision;
    this.#maxStates = maxStates;
    this.#lastRevision = firstRevision;
  }

  run(): ReplayResult {
    const why = this.#arrange();
    if (why !== null) return { type: 'invalid', states: 0, why };
    let possible: Possibility[] = [{ state: new KvState(this.#firstRevision), used: [] }];
    for (let revision = this.#firstRevision; revision <= this.#lastRevision; revision++) {
      if (revision > this.#firstRevision) {
        const next = this.#next(possible, revision);
        if (this.#states > this.#maxStates) return { type: 'unknown', states: this.#states, revision };
        if (next.length === 0) return this.#invalid(this.#whyNotMade(possible, revision));
        possible = next;
      }
      const seen = possible.filter(({ state }) => this.#wrongAnswer(state) === null);
      if (seen.length === 0) return this.#invalid(this.#whyNotSeen(possible, revision));
      possible = seen;
    }
    return { type: 'valid', states: this.#states };
  }

  #invalid(why: string): ReplayResult {
    return { type: 'invalid', states: this.#states, why };
  }

  /** Gives every call its place; what is wrong with the places alone, or null. */
  #arrange(): string | null {
    const returns = this.#calls
      .filter((call) => this.#returned(call))
      .sort((a, b) => a.operation.completedAt - b.operation.completedAt);
    let [next, latest] = [0, 0];
    let latestCall: Call | undefined;
    for (const call of this.#calls) {
      const { invokedAt } = call.operation;
      if (invokedAt >= this.#end) break;
      for (
        let done = returns[next];
        done !== undefined && done.operation.completedAt < invokedAt;
        done = returns[++next]
      ) {
        if (placeOf(done) > latest) [latest, latestCall] = [placeOf(done), done];
      }
      if (!this.#returned(call)) {
        if (call.mayWrite) this.#addUnknown(call, latest);
        continue;
      }
      const why = this.#place(call) ?? (isStale(call) ? null : tooOld(call, latest, latestCall));
      if (why !== null) return why;
    }
    return null;
  }

  #returned(call: Call): boolean {
    return call.answered !== null && call.operation.completedAt < this.#end;
  }

  #addUnknown(call: Call, notBefore: number): void {
    const same = this.#unknown.get(call.name);
    if (same === undefined) this.#unknown.set(call.name, { call, notBefore: [notBefore] });
    else same.notBefore.push(notBefore);
  }

  #place(call: Call): string | null {
    const revision = call.answered?.revision ?? 0;
    this.#lastRevision = Math.max(this.#lastRevision, revision);
    this.#collect(call.answered ?? {});
    const least = this.#firstRevision + (call.wrote ? 1 : 0);
    if (revision < least) return `the revisions of this store begin with ${this.#firstRevision}`;
    if (!call.wrote) {
      const readers = this.#readers.get(revision);
      if (readers === undefined) this.#readers.set(revision, [call]);
      else readers.push(call);
      return null;
    }
    const other = this.#writers.get(revision);
    if (other !== undefined) return `revision ${revision} is claimed by two writes, this and ${named(other)}`;
    this.#writers.set(revision, call);
    return null;
  }

  #collect({ kvs = [], responses = [] }: KvAnswered): void {
    for (const seen of kvs) {
      if (seen.modRevision === undefined) continue;
      const changed = this.#changed.get(seen.modRevision);
      if (changed === undefined) this.#changed.set(seen.modRevision, [seen]);
      else changed.push(seen);
    }
    for (const response of responses) this.#collect(response);
  }

  /** What the store can be at a revision, from what it can have been at the one before. */
  #next(possible: readonly Possibility[], revision: number): Possibility[] {
    const writer = this.#writers.get(revision);
    if (writer === undefined) return this.#fill(possible, revision);
    const next: Possibility[] = [];
    for (const { state, used } of possible) {
      this.#states++;
      const { state: after, answer, changed } = state.apply(writer.asked);
      if (changed && fits(writer.answered ?? {}, answer)) next.push({ state: after, used });
    }
    return next;
  }

  /** A revision that no write claims: one of unknown outcome made it. Those that ask for the same are the same. */
  #fill(possible: readonly Possibility[], revision: number): Possibility[] {
    const next = new Map<string, Possibility>();
    for (const { state, used } of possible) {
      for (const [name, { call, notBefore }] of this.#unknown) {
        const uses = used.filter((other) => other === name).length;
        const earliest = notBefore[uses];
        if (earliest === undefined || earliest > 2 * revision) continue;
        if (++this.#states > this.#maxStates) return [...next.values()];
        const { state: after, changed } = state.apply(call.asked);
        if (!changed || !this.#changedAsSeen(after, revision)) continue;
        const all = [...used, name].sort();
        next.set(`${all.join('\n')}\n${after.identity}`, { state: after, used: all });
      }
    }
    return [...next.values()];
  }

  #changedAsSeen(state: KvState, revision: number): boolean {
    return (this.#changed.get(revision) ?? []).every((seen) => {
      const key = state.seen(seen.key);
      return key?.modRevision === revision && keyFits(seen, key);
    });
  }

  /** An answer at the state's revision that is not what the state gives. */
  #wrongAnswer(state: KvState): { call: Call; right: KvAnswered } | null {
    for (const call of this.#readers.get(state.revision) ?? []) {
      const { answer, changed } = state.apply(call.asked);
      if (changed || !fits(call.answered ?? {}, answer)) return { call, right: answer };
    }
    return null;
  }

  #whyNotMade(possible: readonly Possibility[], revision: number): string {
    const writer = this.#writers.get(revision);
    if (writer === undefined) return `no write can have made revision ${revision} as it was seen`;
    const [only] = possible;
    const right = possible.length === 1 && only !== undefined ? only.state.apply(writer.asked) : null;
    if (right === null) return `${named(writer)} cannot have made revision ${revision}`;
    if (!right.changed) return `${named(writer)} would have changed nothing at revision ${revision}`;
    return `${named(writer)} at revision ${revision} should have answered ${canonical(right.answer)}`;
  }

  #whyNotSeen(possible: readonly Possibility[], revision: number): string {
    const [only] = possible;
    const wrong = possible.length === 1 && only !== undefined ? this.#wrongAnswer(only.state) : null;
    if (wrong === null)
      return `nothing that the store can have held at revision ${revision} gives all answers of that revision`;
    return `${named(wrong.call)} at revision ${revision} should have answered ${canonical(wrong.right)}`;
  }
}

function placeOf({ answered, wrote }: Call): number {
  return 2 * (answered?.revision ?? 0) + (wrote ? 0 : 1);
}

/** An answer of one member alone may be old. */
function isStale({ asked }: Call): boolean {
  return asked.f === 'range' && asked.serializable === true;
}

function tooOld(call: Call, latest: number, latestCall: Call | undefined): string | null {
  if (latestCall === undefined || placeOf(call) >= latest) return null;
  return `${named(latestCall)} had returned at revision ${latestCall.answered?.revision} before that began`;
}

function named({ operation: { process, f, invokeIndex } }: Call): string {
  return `process ${process}'s ${f} of event ${invokeIndex}`;
}
