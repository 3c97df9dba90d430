/** How a value came to be when it is not the call's own answer. */
export type Degradation = 'fallback' | 'stale';

/** A call's end as a value. */
export type Outcome<T> = Success<T> | Failure;

export interface Success<T> {
  readonly ok: true;
  readonly value: T;
  /** Set when a fallback or a stale cache supplied the value. */
  readonly degraded?: Degradation;
}

export interface Failure {
  readonly ok: false;
  readonly error: unknown;
}

/** Whether a policy acts on an outcome: retries it, counts it as a failure, replaces it. */
export type OutcomePredicate = (outcome: Outcome<unknown>) => boolean;
