import { wholeNumber } from '../base/duration.ts';
import type { Hold } from '../base/listeners.ts';
import { Breaker, type BreakerOptions } from './breaker.ts';
import type { BreakerChange } from './breaker-core.ts';

/** An observer's word that a target is failing. */
export interface BreakerVote {
  /** One per process; a process that votes twice has one vote. */
  readonly observer: string;
  /** Grows with each vote of an observer. */
  readonly sequence: number;
  /** How much longer it holds. */
  readonly forMs: number;
}

/** Where observers see each other's votes: a store with leases is enough. Any method may fail, at any time. */
export interface BreakerVotes {
  cast(target: string, vote: BreakerVote): Promise<void>;
  withdraw(target: string, observer: string): Promise<void>;
  /** Calls back with all votes that hold, now and whenever they change. */
  watch(target: string, listener: (votes: readonly BreakerVote[]) => void): Hold;
}

export type SharedBreakerOptions = BreakerOptions & {
  readonly votes: BreakerVotes;
  /** What is called, under the name that all observers use for it. */
  readonly target: string;
  /** This process. */
  readonly observer: string;
  /** So many observers open it for everybody; at least 2, so that one that is itself the trouble opens only its own. */
  readonly quorum: number;
};

/**
 * A breaker that also opens when a quorum of observers see their target fail. What this process sees itself always opens its own
 * breaker, and is all there is while the store cannot be reached.
 */
export class SharedBreaker extends Breaker implements Disposable {
  readonly #options: SharedBreakerOptions;
  readonly #changes: Hold;
  /** Null when the store could not be watched. */
  readonly #watch: Hold | null;
  /** The newest vote of each observer that has been acted on: after a recovery here, old votes do not open it again. */
  readonly #heeded = new Map<string, number>();
  #sequence = 0;
  #storeFailures = 0;

  constructor(options: SharedBreakerOptions) {
    super(options);
    wholeNumber(options.quorum, 'quorum', 2);
    this.#options = options;
    this.#changes = this.subscribe((change) => this.#onChange(change));
    this.#watch = this.#watchVotes();
  }

  /** How often the store failed; meanwhile this breaker is a local one. */
  get storeFailures(): number {
    return this.#storeFailures;
  }

  [Symbol.dispose](): void {
    this.#changes.release();
    this.#watch?.release();
  }

  #watchVotes(): Hold | null {
    try {
      return this.#options.votes.watch(this.#options.target, (votes) => this.#onVotes(votes));
    } catch {
      this.#storeFailures++;
      return null;
    }
  }

  #onChange(change: BreakerChange): void {
    const { votes, target, observer } = this.#options;
    if (change.to === 'open' && change.reason !== 'votes') {
      const forMs = this.core.retryAfterMs(this.runtime.now());
      this.#try(() => votes.cast(target, { observer, sequence: ++this.#sequence, forMs }));
    } else if (change.to === 'closed') {
      this.#try(() => votes.withdraw(target, observer));
    }
  }

  #onVotes(votes: readonly BreakerVote[]): void {
    const newest = new Map<string, BreakerVote>();
    for (const vote of votes) {
      const known = newest.get(vote.observer);
      if (vote.forMs > 0 && (known === undefined || known.sequence < vote.sequence)) newest.set(vote.observer, vote);
    }
    const standing = [...newest.values()];
    if (standing.length < this.#options.quorum) return;
    // Equal, not older: an observer that was started anew counts from the beginning again.
    if (standing.every((vote) => this.#heeded.get(vote.observer) === vote.sequence)) return;
    this.#heeded.clear();
    for (const vote of standing) this.#heeded.set(vote.observer, vote.sequence);
    // As long as a quorum stands, and not as long as whoever votes longest.
    standing.sort((left, right) => right.forMs - left.forMs);
    const forMs = standing[this.#options.quorum - 1]?.forMs ?? 0;
    this.core.openFor(this.runtime.now(), Math.min(forMs, this.core.rules.maxOpenForMs * 2));
  }

  #try(store: () => Promise<void>): void {
    const failed = (): void => {
      this.#storeFailures++;
    };
    try {
      store().catch(failed);
    } catch {
      failed();
    }
  }
}

export function sharedBreaker(options: SharedBreakerOptions): SharedBreaker {
  return new SharedBreaker(options);
}
