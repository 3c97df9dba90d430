import type { Call } from '../models/model.ts';
import type { Configurations } from './configurations.ts';
import type { FrontierSearch, Pending } from './frontier-search.ts';

/** What happened to an operation, kept while an answer is awaited that may shed new light on it. */
interface Moment {
  readonly type: 'complete' | 'refuse' | 'leaveOpen';
  readonly pending: Pending;
  /** As it was just before. */
  readonly underWay: readonly (Pending | null)[];
  before: Configurations;
}

export type StreamState = 'possible' | 'impossible' | 'gaveUp';

/**
 * A search that follows an object while operations still run. An answer, such as the value read, decides what its
 * operation may have seen at any time since it began: when it comes, the search goes back to that time and comes
 * forward again. So it keeps the moments since the oldest operation whose answer is awaited began, and nothing else.
 */
export class ObjectStream {
  readonly #search: FrontierSearch;
  readonly #maxStates: number;
  readonly #maxMoments: number;
  #moments: Moment[] = [];
  /** The number of the first moment kept. */
  #first = 0;
  /** Operations whose answer is awaited, oldest first: the number of the first moment after each began. */
  readonly #awaited = new Map<Pending, number>();
  /** Operations open for so long that their answers will not be looked at. */
  readonly #unwatched = new Set<Pending>();
  #sawEverything = true;
  #gaveUp = false;

  constructor(search: FrontierSearch, maxStates: number, maxMoments: number) {
    this.#search = search;
    this.#maxStates = maxStates;
    this.#maxMoments = maxMoments;
  }

  get states(): number {
    return this.#search.states;
  }

  /** Whether everything was looked at: if not, "possible" means no more than that nothing was found. */
  get sawEverything(): boolean {
    return this.#sawEverything;
  }

  get state(): StreamState {
    if (this.#gaveUp) return 'gaveUp';
    return this.#search.impossible ? 'impossible' : 'possible';
  }

  /** Moments and configurations kept, for a statement about memory. */
  get kept(): number {
    return this.#moments.reduce((sum, moment) => sum + moment.before.count, this.#search.frontier.count);
  }

  /** `answers`: its answer will say what it did; `reads`: whatever it is, it changes nothing. */
  invoke(call: Call, answers: boolean, reads: boolean): Pending {
    const pending = this.#search.open(call, 0, answers && reads);
    if (answers) this.#awaited.set(pending, this.#first + this.#moments.length);
    return pending;
  }

  /** The operation returned; `answered` is its call with the answer. */
  complete(pending: Pending, answered: Call): void {
    if (this.#unwatched.delete(pending)) return;
    const since = this.#awaited.get(pending);
    if (since !== undefined) {
      this.#awaited.delete(pending);
      this.#search.answer(pending, answered);
      const plain = !this.#awaitedAfter(since) && this.#search.changesNothing(pending);
      if (!plain && !this.#replay(since - this.#first)) {
        this.#gaveUp = true;
        return;
      }
    }
    this.#happen('complete', pending);
  }

  refuse(pending: Pending): void {
    if (this.#unwatched.delete(pending)) return;
    this.#awaited.delete(pending);
    this.#happen('refuse', pending);
  }

  leaveOpen(pending: Pending): void {
    if (this.#unwatched.delete(pending)) return;
    this.#awaited.delete(pending);
    this.#happen('leaveOpen', pending);
  }

  #happen(type: Moment['type'], pending: Pending): void {
    if (this.state !== 'possible') return;
    if (this.#awaited.size > 0) {
      const { frontier, pending: underWay } = this.#search;
      this.#moments.push({ type, pending, underWay: [...underWay], before: frontier.copy() });
    }
    if (!this.#apply(type, pending)) this.#gaveUp = true;
    if (this.state !== 'possible') return;
    this.#search.release(pending);
    this.#forget();
  }

  #apply(type: Moment['type'], pending: Pending): boolean {
    switch (type) {
      case 'complete':
        return this.#search.complete(pending, this.#maxStates);
      case 'refuse':
        this.#search.refuse(pending);
        return true;
      case 'leaveOpen':
        this.#search.leaveOpen(pending);
        return true;
    }
  }

  /**
   * Whether the answer to an operation that began later than that is awaited: it will go back to a moment at which
   * it must be known what the earlier one, answered by then, may have seen before.
   */
  #awaitedAfter(since: number): boolean {
    for (const began of this.#awaited.values()) if (began > since) return true;
    return false;
  }

  /** Lives through the moments kept from `from` on once more, knowing more. */
  #replay(from: number): boolean {
    const { pending } = this.#search;
    const again = this.#moments.slice(from);
    for (const moment of again) if (moment.type === 'leaveOpen') this.#search.recall(moment.pending);
    for (const [i, moment] of again.entries()) {
      this.#search.travel(moment.underWay, i === 0 ? moment.before : null);
      if (i > 0) moment.before = this.#search.frontier.copy();
      if (!this.#apply(moment.type, moment.pending)) return false;
      if (this.#search.impossible) return true;
    }
    this.#search.travel(pending, null);
    return true;
  }

  #forget(): void {
    const oldest = this.#awaited.values().next().value ?? this.#first + this.#moments.length;
    const settled = oldest - this.#first;
    // Cutting the front off costs as much as what is left: so only when that is the smaller part.
    if (settled > 0 && settled * 2 >= this.#moments.length) {
      this.#moments = this.#moments.slice(settled);
      this.#first = oldest;
    }
    if (this.#search.crowded) {
      const sets = this.#moments.map((moment) => moment.before);
      this.#search.forget(sets, this.#livePending());
    }
    const [tooOld] = this.#first + this.#moments.length - oldest > this.#maxMoments ? this.#awaited.keys() : [];
    if (tooOld === undefined) return;
    this.leaveOpen(tooOld);
    this.#unwatched.add(tooOld);
    this.#sawEverything = false;
  }

  *#livePending(): Iterable<Pending> {
    for (const { pending, underWay } of this.#moments) {
      yield pending;
      for (const each of underWay) if (each !== null) yield each;
    }
  }
}
