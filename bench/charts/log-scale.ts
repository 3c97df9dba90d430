/** A logarithmic axis of durations in milliseconds. */
export interface LogScale {
  readonly fromMs: number;
  readonly toMs: number;
  /** Where `fromMs` and `toMs` are. */
  readonly fromPx: number;
  readonly toPx: number;
}

export function positionPx({ fromMs, toMs, fromPx, toPx }: LogScale, ms: number): number {
  const part = Math.log(ms / fromMs) / Math.log(toMs / fromMs);
  return fromPx + Math.min(Math.max(part, 0), 1) * (toPx - fromPx);
}

/** 1, 2 and 5 times each power of ten that lies on the axis; some more on a short one. */
export function ticksMs({ fromMs, toMs }: LogScale): number[] {
  const digits = toMs / fromMs > 20 ? [1, 2, 5] : [1, 1.5, 2, 3, 5, 7];
  const ticks: number[] = [];
  for (let power = 1; power <= toMs; power *= 10) {
    for (const digit of digits) if (digit * power >= fromMs && digit * power <= toMs) ticks.push(digit * power);
  }
  return ticks;
}

export function durationLabel(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`;
}
