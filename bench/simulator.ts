/** How fast the simulated world runs the general campaign, checks included. */
import { generalRaft } from '@polder/core/simulation';

const DURATION_MS = 5_000;
const WARM_UP_SEEDS = 3;

export interface SimulatorReport {
  readonly seeds: number;
  readonly seconds: number;
  readonly seedsPerSecond: number;
  readonly eventsPerSecond: number;
  /** Virtual seconds lived through in one real second. */
  readonly simulatedPerReal: number;
}

export function benchSimulator(): SimulatorReport {
  const campaign = generalRaft();
  campaign.run({ seeds: WARM_UP_SEEDS });
  const startMs = performance.now();
  const elapsedMs = (): number => performance.now() - startMs;
  const report = campaign.run({ seeds: 100_000, onSeed: () => elapsedMs() < DURATION_MS });
  const seconds = elapsedMs() / 1_000;
  return {
    seeds: report.seeds,
    seconds,
    seedsPerSecond: report.seeds / seconds,
    eventsPerSecond: report.events / seconds,
    simulatedPerReal: report.simulatedUs / 1e6 / seconds,
  };
}

export function formatSimulator(report: SimulatorReport): string {
  return [
    `simulator: ${report.seeds} seeds in ${report.seconds.toFixed(1)} s, invariants and histories checked, one thread`,
    `  ${report.seedsPerSecond.toFixed(1)} seeds/s, ${Math.round(report.eventsPerSecond)} events/s`,
    `  ${report.simulatedPerReal.toFixed(1)} simulated seconds per real second`,
  ].join('\n');
}
