/** What a client is about to do: `f` names it, `value` is its argument. */
export interface Invocation {
  readonly f: string;
  readonly value: unknown;
}

/**
 * One operation of a run. `ok` happened, `fail` certainly did not, `info`: nobody knows. `invokedAt` and `completedAt`
 * are positions in the history and decide what came before what; an `info` operation stays open for ever.
 */
export interface Operation extends Invocation {
  /** The client's process: a process does one thing at a time, and one whose outcome is unknown never comes back. */
  readonly process: number;
  readonly node: string;
  /** One of the reads after the faults have ended, by which what must converge is judged. */
  readonly final: boolean;
  readonly outcome: 'ok' | 'fail' | 'info';
  /** The answer of an operation that is `ok`; null otherwise. */
  readonly result: unknown;
  readonly error: { readonly code: number; readonly text: string } | null;
  readonly invokedAt: number;
  /** Infinity for `info`. */
  readonly completedAt: number;
  /** Since the start of the run. */
  readonly invokedMs: number;
  readonly completedMs: number;
}
