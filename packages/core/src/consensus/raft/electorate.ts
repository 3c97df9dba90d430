import { defined } from '../../base/assert.ts';
import type { Configuration } from '../replica.ts';
import type { QuorumPurpose, RaftRules } from './rules.ts';

/** Whose agreement counts (§6): a majority in every set of voters, however many members there are beside them. */
export class Electorate {
  readonly #rules: RaftRules;
  readonly #sets: readonly (readonly number[])[];
  /** Of one value for each voter of a set. */
  readonly #scratch: readonly Float64Array[];

  constructor(configuration: Configuration, rules: RaftRules) {
    this.#rules = rules;
    this.#sets = rules.votingSets(configuration);
    this.#scratch = this.#sets.map((set) => new Float64Array(set.length));
  }

  agrees(purpose: QuorumPurpose, yes: (member: number) => boolean): boolean {
    return this.#sets.every((set) => {
      let agreeing = 0;
      for (const member of set) if (yes(member)) agreeing++;
      return agreeing >= this.#rules.majority(set.length, purpose);
    });
  }

  /** The highest value that a majority of every set has reached. */
  reached(purpose: QuorumPurpose, valueOf: (member: number) => number): number {
    let reached = Number.POSITIVE_INFINITY;
    for (const [i, set] of this.#sets.entries()) {
      const values = defined(this.#scratch[i], 'each set has its scratch');
      for (let j = 0; j < set.length; j++) values[j] = valueOf(set[j] as number);
      values.sort();
      const needed = this.#rules.majority(set.length, purpose);
      reached = Math.min(reached, defined(values[values.length - needed], 'a majority is among the members'));
    }
    return reached;
  }
}
