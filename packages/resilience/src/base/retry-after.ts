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

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const HTTP_DATE = /^\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;

/** Milliseconds since 1970 of an IMF-fixdate, the only form that senders may use. */
function httpDateMs(text: string): number | undefined {
  const [, day, monthName, year, hour, minute, second] = HTTP_DATE.exec(text) ?? [];
  if (monthName === undefined) return undefined;
  const month = MONTHS.indexOf(monthName) / 3;
  if (!Number.isInteger(month) || month < 0) return undefined;
  const seconds = Number(hour) * 3_600 + Number(minute) * 60 + Number(second);
  return (daysBefore(Number(year), month, Number(day)) * 86_400 + seconds) * 1_000;
}

/** Days from 1970-01-01 to a date of the Gregorian calendar, counting years from March so that leap days come last. */
function daysBefore(year: number, month: number, day: number): number {
  const fromMarch = (month + 10) % 12;
  const y = month < 2 ? year - 1 : year;
  const leapDays = Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400);
  return y * 365 + leapDays + Math.floor((fromMarch * 306 + 5) / 10) + day - 1 - 719_468;
}
