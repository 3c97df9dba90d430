import { type Hold, hold } from '../base/listeners.ts';
import type { BreakerVote, BreakerVotes } from '../breaker/shared-breaker.ts';

type Listener = (votes: readonly BreakerVote[]) => void;

/** Votes within one process, with leases on a clock that the test moves. */
export class MemoryVotes implements BreakerVotes {
  /** False: every call fails, and nobody is told anything. */
  reachable = true;
  readonly #clock: { now(): number };
  readonly #cast = new Map<string, Map<string, { vote: BreakerVote; untilMs: number }>>();
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(clock: { now(): number }) {
    this.#clock = clock;
  }

  async cast(target: string, vote: BreakerVote): Promise<void> {
    this.#reach();
    const votes = this.#cast.get(target) ?? new Map<string, { vote: BreakerVote; untilMs: number }>();
    votes.set(vote.observer, { vote, untilMs: this.#clock.now() + vote.forMs });
    this.#cast.set(target, votes);
    this.repeat(target);
  }

  async withdraw(target: string, observer: string): Promise<void> {
    this.#reach();
    this.#cast.get(target)?.delete(observer);
    this.repeat(target);
  }

  watch(target: string, listener: Listener): Hold {
    this.#reach();
    const listeners = this.#listeners.get(target) ?? new Set<Listener>();
    listeners.add(listener);
    this.#listeners.set(target, listeners);
    listener(this.#standing(target));
    return hold(() => void listeners.delete(listener));
  }

  /** Tells everybody again what stands. */
  repeat(target: string): void {
    for (const listener of this.#listeners.get(target) ?? []) listener(this.#standing(target));
  }

  #standing(target: string): BreakerVote[] {
    const now = this.#clock.now();
    return [...(this.#cast.get(target)?.values() ?? [])]
      .filter((cast) => cast.untilMs > now)
      .map(({ vote, untilMs }) => ({ ...vote, forMs: untilMs - now }));
  }

  #reach(): void {
    if (!this.reachable) throw new Error('the store of votes cannot be reached');
  }
}
