/** What a policy can say instead of letting a call through, or about a call that it gave up on. */
export type ResilienceCode =
  | 'CIRCUIT_OPEN' // a breaker is open, or half open with all its probes under way
  | 'ISOLATED' // somebody holds the breaker or the pipeline isolated
  | 'TIMEOUT' // the call took too long; it may have been carried out
  | 'REJECTED' // no slot and no place in the queue
  | 'RATE_LIMITED' // more calls than the rate allows
  | 'THROTTLED' // the backend refuses so much that most calls are refused here
  | 'BUDGET_EXHAUSTED' // the call failed and there is no budget for another attempt; `cause` is the failure
  | 'MISCONFIGURED'; // options that make no sense; thrown when the policy is made

/** A policy's error. `code` discriminates; `retryAfterMs`, where known, is when trying again makes sense. */
class PolicyError<Code extends ResilienceCode> extends Error {
  override readonly name: string = 'ResilienceError';
  readonly code: Code;
  readonly retryAfterMs: number | undefined;

  constructor(code: Code, message: string, options?: { retryAfterMs?: number | undefined; cause?: unknown }) {
    super(message, options !== undefined && 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.retryAfterMs = options?.retryAfterMs;
  }
}

/** A discriminated union: `switch (error.code)` is exhaustive, and each case has its own type. */
export type ResilienceError<Code extends ResilienceCode = ResilienceCode> = Code extends ResilienceCode
  ? PolicyError<Code>
  : never;

/** The union's constructor: `new ResilienceError('TIMEOUT', ...)` is a `ResilienceError<'TIMEOUT'>`. */
export const ResilienceError = PolicyError as new <Code extends ResilienceCode>(
  code: Code,
  message: string,
  options?: { retryAfterMs?: number | undefined; cause?: unknown },
) => ResilienceError<Code>;

export function isResilienceError(error: unknown): error is ResilienceError {
  return error instanceof PolicyError;
}

const stacks = Error as { stackTraceLimit?: number };
/** V8's switch for stacks, where nobody has frozen it. */
const canSkipStacks = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')?.writable === true;

/**
 * A refusal for a caller that takes outcomes as values. Most of an error's price is its stack, and a refused call has none worth
 * reading: its caller is at the await.
 */
export function refusal<Code extends ResilienceCode>(
  code: Code,
  message: string,
  retryAfterMs: number | undefined,
  withStack: boolean,
): ResilienceError<Code> {
  if (withStack || !canSkipStacks) return new ResilienceError(code, message, { retryAfterMs });
  const limit = stacks.stackTraceLimit;
  stacks.stackTraceLimit = 0;
  const error = new ResilienceError(code, message, { retryAfterMs });
  if (limit !== undefined) stacks.stackTraceLimit = limit;
  return error;
}
