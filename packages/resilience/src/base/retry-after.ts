import { isResilienceError } from './error.ts';
import type { Outcome } from './outcome.ts';

/**
 * How long the other side asked to be left alone, in ms: a policy's `retryAfterMs`, or HTTP's Retry-After of a response, returned or
 * carried by the error (RFC 9110, 10.2.3). A date is read against the response's own Date, so that no clock of ours matters.
 */
export function retryAfterOf(outcome: Outcome<unknown>): number | undefined {
  const subject = outcome.ok ? outcome.value : outcome.error;
  if (isResilienceError(subject)) return subject.retryAfterMs;
  if (typeof subject !== 'object' || subject === null) return undefined;
  const { retryAfterMs, headers, response } = subject as Record<string, unknown>;
  if (typeof retryAfterMs === 'number' && retryAfterMs >= 0) return retryAfterMs;
  const source = headers ?? (response as { headers?: unknown } | undefined)?.headers;
  const value = header(source, 'retry-after');
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1_000;
  const [then, sent] = [httpDateMs(value), httpDateMs(header(source, 'date') ?? '')];
  return then === undefined || sent === undefined ? undefined : Math.max(0, then - sent);
}

function header(headers: unknown, name: string): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  const { get } = headers as { get?: unknown };
  const value: unknown =
    typeof get === 'function' ? get.call(headers, name) : (headers as Record<string, unknown>)[name];
  return typeof value === 'string' ? value.trim() : undefined;
}

/** Milliseconds since 1970 of an IMF-fixdate, the only form that senders may use. No clock is read. */
function httpDateMs(text: string): number | undefined {
  // ECMA-262 obliges every engine to parse this form, which is its own toUTCString.
  // oxlint-disable-next-line no-restricted-globals
  return /^\w{3}, \d{2} \w{3} \d{4} [\d:]{8} GMT$/.test(text) ? Date.parse(text) : undefined;
}
