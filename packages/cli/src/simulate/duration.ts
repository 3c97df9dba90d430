/** Durations as people type them, and numbers as they read them. */
import { InvalidArgumentError } from 'commander';

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const LONGEST_MS = 30 * 24 * 3_600_000;

/** `500ms`, `30s`, `1.5m`, `2h`: milliseconds. */
export function duration(text: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text);
  const ms = Math.round(Number(match?.[1]) * (UNITS_MS[match?.[2] ?? ''] ?? Number.NaN));
  if (ms >= 1 && ms <= LONGEST_MS) return ms;
  throw new InvalidArgumentError('It must be a duration from 1ms to 720h, such as 30s, 10m or 2h.');
}

/** The shortest text that `duration` reads back to the same. */
export function formatDuration(ms: number): string {
  for (const unit of ['h', 'm', 's']) {
    const size = UNITS_MS[unit] ?? 1;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

/** Seconds for a column: `0.466 s`. */
export function formatSeconds(us: number): string {
  return `${(us / 1_000_000).toFixed(3)} s`;
}

/** `1234567` as `1,234,567`, the same in every locale. */
export function grouped(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** `1 seed`, `2 seeds`. */
export function plural(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}
