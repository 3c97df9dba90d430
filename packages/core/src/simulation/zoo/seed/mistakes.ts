/** What the seed text's own code does wrong, one switch each (PITFALLS S). With all of them on it is the text's system. */
export interface SeedMistakes {
  /** S1: a majority of whoever can be reached. */
  readonly countsOnlyReachable: boolean;
  /** S2: whoever is out of reach is sent nothing, and gets nothing of it later. */
  readonly healsWithoutExchange: boolean;
  /** S3: a write that too few members have is called failed, and its key deleted. */
  readonly rollsBackByDeleting: boolean;
  /** S4: the later wall clock wins, and nobody is asked before a write. */
  readonly ordersByWallClock: boolean;
  /** S5: a strong read counts only who has the key, and does not write back what it returns. */
  readonly readsOnlyHolders: boolean;
  /** S6: while a strong operation waits, its node serves nobody. */
  readonly locksWhileWaiting: boolean;
  /** S7: everything is sent once. */
  readonly sendsOnce: boolean;
  /** S8: term, vote and log live in memory. */
  readonly keepsNothing: boolean;
  /** S8: seven of ten votes are granted, whatever was voted before and whatever the logs hold. */
  readonly votesByChance: boolean;
  /** S8: a candidate begins another term at each turn of its loop. */
  readonly racesThroughTerms: boolean;
  /** S9: nothing makes a leader a follower. */
  readonly neverStepsDown: boolean;
  /** S9: followers get heartbeats without entries, and count as having them. */
  readonly sendsNoEntries: boolean;
  /** S9: indexes begin at 0, and so does the commit index: the first entry counts as committed and as applied. */
  readonly skipsFirstEntry: boolean;
}

export const NO_MISTAKES: SeedMistakes = {
  countsOnlyReachable: false,
  healsWithoutExchange: false,
  rollsBackByDeleting: false,
  ordersByWallClock: false,
  readsOnlyHolders: false,
  locksWhileWaiting: false,
  sendsOnce: false,
  keepsNothing: false,
  votesByChance: false,
  racesThroughTerms: false,
  neverStepsDown: false,
  sendsNoEntries: false,
  skipsFirstEntry: false,
};
