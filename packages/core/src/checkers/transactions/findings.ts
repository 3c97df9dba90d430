import type { Anomaly, TransactionViolation } from './model.ts';

/** Counts anomalies, and keeps the first few of each: the sentences of ten thousand help nobody. */
export class Findings {
  readonly violations: TransactionViolation[] = [];
  readonly counts: Partial<Record<Anomaly, number>> = {};
  readonly #maxOfEach: number;

  constructor(maxOfEach: number) {
    this.#maxOfEach = maxOfEach;
  }

  add(anomaly: Anomaly, describe: () => Omit<TransactionViolation, 'anomaly'>): void {
    const count = (this.counts[anomaly] ?? 0) + 1;
    this.counts[anomaly] = count;
    if (count <= this.#maxOfEach) this.violations.push({ anomaly, ...describe() });
  }
}
