import { expect, test } from 'vitest';
import { duration, formatDuration, grouped } from './duration.ts';

test('durations are typed with their unit, and printed so that they can be typed again', () => {
  for (const [text, ms] of [
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5m', 90_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
  ] as const) {
    expect(duration(text)).toBe(ms);
    expect(duration(formatDuration(ms))).toBe(ms);
  }
});

test('a duration without a unit, negative, of nothing or of a year is refused', () => {
  for (const text of ['10', '', '-1s', '0s', '1d', '9000h', '1e3s', ' 1s', 'm']) {
    expect(() => duration(text), text).toThrow('such as 30s, 10m or 2h');
  }
});

test('large numbers are grouped the same way everywhere', () => {
  expect([0, 999, 1_000, 1_234_567].map(grouped)).toEqual(['0', '999', '1,000', '1,234,567']);
});
