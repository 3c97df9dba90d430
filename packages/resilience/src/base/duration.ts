import { ResilienceError } from './error.ts';

type Unit = 'ms' | 's' | 'm' | 'h';

/** Milliseconds, or a number with its unit: `250`, `'250ms'`, `'5s'`, `'1.5m'`, `'1h'`. */
export type Duration = number | `${number}${Unit}`;

const MS_PER_UNIT: Readonly<Record<Unit, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** What a platform's timer can wait: 2^31 - 1 ms. */
export const LONGEST_WAIT_MS = 2_147_483_647;

/** Milliseconds from 0 to about 24.8 days, or MISCONFIGURED naming the option. */
export function durationMs(duration: Duration, option: string): number {
  const ms = typeof duration === 'number' ? duration : parse(duration);
  if (ms >= 0 && ms <= LONGEST_WAIT_MS) return ms;
  throw misconfigured(`${option} is ${String(duration)}: give milliseconds or a text such as '5s', of at most 24 days`);
}

/** As durationMs, and more than nothing. */
export function positiveDurationMs(duration: Duration, option: string): number {
  const ms = durationMs(duration, option);
  if (ms > 0) return ms;
  throw misconfigured(`${option} is ${String(duration)}: give more than 0 ms`);
}

/** A whole number of at least `least`, or MISCONFIGURED naming the option. */
export function wholeNumber(value: number, option: string, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw misconfigured(`${option} is ${value}: give a whole number of at least ${least}`);
}

/** A number within [least, most], or MISCONFIGURED naming the option. */
export function numberWithin(value: number, option: string, least: number, most: number): number {
  if (value >= least && value <= most) return value;
  throw misconfigured(`${option} is ${value}: give a number from ${least} to ${most}`);
}

export function misconfigured(message: string): ResilienceError<'MISCONFIGURED'> {
  return new ResilienceError('MISCONFIGURED', message);
}

function parse(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  return number === undefined ? Number.NaN : Number(number) * MS_PER_UNIT[unit as Unit];
}
