import type { RegisterRules } from './rules.ts';

export interface RegisterTiming {
  /** Between rounds of exchange with each peer. */
  readonly exchangeUs: number;
  /** After this a question without an answer, or a hint without an acknowledgement, is sent again. */
  readonly retryUs: number;
  /** Between audits with one peer or another. */
  readonly auditUs: number;
  /** A peer that has been silent for this long is called away. */
  readonly awayUs: number;
}

export const REGISTER_TIMING: RegisterTiming = {
  exchangeUs: 500_000,
  retryUs: 250_000,
  auditUs: 10_000_000,
  awayUs: 3_000_000,
};

/** Keys that begin with `prefix`; of several that fit, the longest decides. */
export interface Bucket {
  readonly prefix: string;
  /** `strong`: weaker requests are refused, so that strong reads see every write that was acknowledged. */
  readonly admits: 'any' | 'strong';
}

export interface RegisterLimits {
  /** Requests under way at one member. */
  readonly requests: number;
  /** Hints kept for one peer; what is beyond it waits for the exchange. */
  readonly hints: number;
  /** Versions in one message of an exchange. */
  readonly pageVersions: number;
  /** How often a strong read adopts a newer version before it says `Contended`. */
  readonly rounds: number;
}

export const REGISTER_LIMITS: RegisterLimits = { requests: 10_000, hints: 10_000, pageVersions: 256, rounds: 8 };

export interface RegistersOptions {
  readonly member: number;
  /** All that are configured, this one too; fixed. */
  readonly members: readonly number[];
  /** The random id of this data directory: not 0, and another one for each. */
  readonly directory: number;
  /** How far a hybrid clock may be ahead of the wall, and this wall ahead of the others'. */
  readonly maxDriftMs?: number;
  readonly timing?: RegisterTiming;
  readonly limits?: Partial<RegisterLimits>;
  readonly buckets?: readonly Bucket[];
  /** For the zoo. */
  readonly rules?: RegisterRules;
}

export const MAX_DRIFT_MS = 500;
