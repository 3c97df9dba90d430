/** What an error or a returned response says about whether the work was done, and whether doing it again can help. */
import { isResilienceError } from './error.ts';
import type { Outcome } from './outcome.ts';

/**
 * `success`; `refused`: certainly not carried out, try again; `unknown`: perhaps carried out; `failed`: failed, and nothing more is
 * known; `client`: the caller's mistake; `bug`: a programming error; `aborted`; `final`: a policy's last word.
 */
export type OutcomeClass = 'success' | 'refused' | 'unknown' | 'failed' | 'client' | 'bug' | 'aborted' | 'final';

/** The connection was never made, or the work was turned away at the door. */
const REFUSED_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** The connection broke, or nothing came back, after the work may have begun. */
const UNKNOWN_CODES = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'ERR_HTTP2_STREAM_ERROR',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

const BUG_NAMES = new Set([
  'TypeError',
  'ReferenceError',
  'SyntaxError',
  'RangeError',
  'EvalError',
  'URIError',
  'AssertionError',
]);

/** What browsers say in a TypeError when fetch could not reach the server. */
const FETCH_FAILED = /^(fetch failed|Failed to fetch|NetworkError when attempting|Load failed|network error)/;

export function classify(outcome: Outcome<unknown>): OutcomeClass {
  return outcome.ok ? classifyStatus(statusOf(outcome.value), 'success') : classifyError(outcome.error);
}

export function classifyError(error: unknown): OutcomeClass {
  if (isResilienceError(error)) {
    switch (error.code) {
      case 'TIMEOUT':
        return 'unknown';
      case 'REJECTED':
      case 'RATE_LIMITED':
        return 'refused';
      case 'CIRCUIT_OPEN':
      case 'ISOLATED':
      case 'THROTTLED':
      case 'BUDGET_EXHAUSTED':
      case 'MISCONFIGURED':
        return 'final';
    }
  }
  if (typeof error !== 'object' || error === null) return 'failed';
  const { name, code, message, cause } = error as {
    name?: unknown;
    code?: unknown;
    message?: unknown;
    cause?: unknown;
  };
  if (name === 'AbortError' || code === 'ABORT_ERR') return 'aborted';
  if (name === 'TimeoutError') return 'unknown';
  if (typeof code === 'string') {
    if (REFUSED_CODES.has(code)) return 'refused';
    if (UNKNOWN_CODES.has(code)) return 'unknown';
  }
  if (typeof name === 'string' && BUG_NAMES.has(name)) {
    if (typeof message !== 'string' || !FETCH_FAILED.test(message)) return 'bug';
    // fetch hides the system's error in the cause; a browser tells no more than that it failed.
    const deeper = cause === undefined ? 'failed' : classifyError(cause);
    return deeper === 'refused' ? 'refused' : 'unknown';
  }
  return classifyStatus(statusOf(error), 'failed');
}

/** HTTP's status of a response, or of an error that carries one (`status`, `statusCode`, `response.status`). */
export function statusOf(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { status, statusCode, response } = value as { status?: unknown; statusCode?: unknown; response?: unknown };
  if (typeof status === 'number') return status;
  if (typeof statusCode === 'number') return statusCode;
  return response === undefined ? undefined : statusOf(response);
}

function classifyStatus(status: number | undefined, otherwise: OutcomeClass): OutcomeClass {
  if (status === undefined || status < 400) return otherwise;
  if (status === 425 || status === 429 || status === 503) return 'refused';
  if (status === 408 || status === 500 || status === 502 || status === 504) return 'unknown';
  return status < 500 ? 'client' : 'failed';
}

/**
 * Failures that trying again may cure: refused or broken connections, time-outs, and the statuses 408, 425, 429, 500, 502, 503 and
 * 504, of an error or of a returned response. An error that tells nothing is not among them.
 */
export function isTransient(outcome: Outcome<unknown>): boolean {
  const kind = classify(outcome);
  return kind === 'refused' || kind === 'unknown';
}

/**
 * What counts against the target: not the caller's abort, a client's error (4xx), a programming error, nor what a policy refused
 * of itself. Returned responses count by their status.
 */
export function isTargetFailure(outcome: Outcome<unknown>): boolean {
  if (!outcome.ok && isResilienceError(outcome.error)) {
    return outcome.error.code === 'TIMEOUT' || outcome.error.code === 'BUDGET_EXHAUSTED';
  }
  const kind = classify(outcome);
  if (kind === 'refused') return statusOf(outcome.ok ? outcome.value : outcome.error) !== 429;
  return kind === 'unknown' || kind === 'failed';
}
