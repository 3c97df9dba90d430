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
  // Declared only: a field would be defined before it is assigned, and refusing calls should cost little.
  declare readonly code: Code;
  declare readonly retryAfterMs: number | undefined;

  static {
    this.prototype.name = 'ResilienceError';
    // For refusals without a stack of their own, so that what prints an error's stack prints something.
    Object.defineProperty(this.prototype, 'stack', {
      configurable: true,
      get(this: Error) {
        return `${this.name}: ${this.message}`;
      },
    });
  }

  constructor(code: Code, message: string, retryAfterMs?: number, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
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
  retryAfterMs?: number,
  options?: { readonly cause?: unknown },
) => ResilienceError<Code>;

export function isResilienceError(error: unknown): error is ResilienceError {
  return error instanceof PolicyError;
}

/**
 * A refusal. As a value, for a caller that takes outcomes as values, it is an Error in every respect but that no stack was taken for
 * it: that is nine tenths of an error's price, and the caller is at the await.
 */
export function refusal<Code extends ResilienceCode>(
  code: Code,
  message: string,
  retryAfterMs: number | undefined,
  thrown: boolean,
): ResilienceError<Code> {
  if (thrown) return new ResilienceError(code, message, retryAfterMs);
  const error = Object.create(PolicyError.prototype) as {
    -readonly [Name in keyof PolicyError<Code>]: PolicyError<Code>[Name];
  };
  error.message = message;
  error.code = code;
  error.retryAfterMs = retryAfterMs;
  return error as ResilienceError<Code>;
}
