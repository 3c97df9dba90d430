import type { ResilienceCode } from '../base/error.ts';
import type { Degradation, Outcome } from '../base/outcome.ts';

/** Why a retry policy lets a failure stand. */
export type GiveUpReason = 'not-retryable' | 'not-idempotent' | 'retried-within' | 'attempts' | 'deadline' | 'budget';

/** What happens to a pipeline's calls besides their outcomes. */
export type PipelineEvent =
  | {
      readonly type: 'retry';
      readonly pipeline: string;
      /** The attempt that failed, from 1. */
      readonly attempt: number;
      /** How long until the next. */
      readonly delayMs: number;
      readonly outcome: Outcome<unknown>;
    }
  | {
      readonly type: 'gave-up';
      readonly pipeline: string;
      readonly attempt: number;
      readonly reason: GiveUpReason;
      readonly outcome: Outcome<unknown>;
    }
  | { readonly type: 'refused'; readonly pipeline: string; readonly code: ResilienceCode }
  | { readonly type: 'timed-out'; readonly pipeline: string; readonly timeoutMs: number }
  | { readonly type: 'hedged'; readonly pipeline: string; readonly attempt: number }
  | { readonly type: 'coalesced'; readonly pipeline: string; readonly key: string }
  | { readonly type: 'degraded'; readonly pipeline: string; readonly how: Degradation };
