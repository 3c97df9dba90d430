export interface Percentiles {
  readonly median: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** By the nearest rank, rounded to tenths; null of nothing. */
export function percentiles(values: readonly number[]): Percentiles | null {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const rank = (fraction: number): number => {
    const value = sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] ?? 0;
    return Math.round(value * 10) / 10;
  };
  return { median: rank(0.5), p95: rank(0.95), p99: rank(0.99), max: rank(1) };
}
