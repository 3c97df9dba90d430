/** How fast the simulated world runs campaigns, checks included. */
import { Campaign, runCampaign, SHORT } from '@polder/core/simulation';

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
  for (let seed = 1; seed <= WARM_UP_SEEDS; seed++) checkSame(seed);
  let events = 0;
  let simulatedUs = 0;
  let seeds = 0;
  const startMs = performance.now();
  while (performance.now() - startMs < DURATION_MS) {
    const campaign = play(++seeds);
    events += campaign.cluster.steps;
    simulatedUs += campaign.cluster.nowUs;
  }
  const seconds = (performance.now() - startMs) / 1_000;
  return {
    seeds,
    seconds,
    seedsPerSecond: seeds / seconds,
    eventsPerSecond: events / seconds,
    simulatedPerReal: simulatedUs / 1e6 / seconds,
  };
}

/** `runCampaign`, which does not tell how much virtual time it took. */
function play(seed: number): Campaign {
  const campaign = new Campaign(seed, SHORT);
  for (let round = 0; round < SHORT.rounds; round++) campaign.round();
  campaign.heal();
  campaign.checkLiveness();
  campaign.checkHistory();
  return campaign;
}

/** What is measured here must stay what the tests run. */
function checkSame(seed: number): void {
  if (play(seed).exercised().hash !== runCampaign(seed).hash) {
    throw new Error(`seed ${seed}: this benchmark no longer does what runCampaign does`);
  }
}

export function formatSimulator(report: SimulatorReport): string {
  return [
    `simulator: ${report.seeds} seeds in ${report.seconds.toFixed(1)} s, invariants and histories checked, one thread`,
    `  ${report.seedsPerSecond.toFixed(1)} seeds/s, ${Math.round(report.eventsPerSecond)} events/s`,
    `  ${report.simulatedPerReal.toFixed(1)} simulated seconds per real second`,
  ].join('\n');
}
