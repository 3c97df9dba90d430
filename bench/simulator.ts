/** How fast the simulated world runs, checks included: the general campaign, the same by production's time-outs, and idle. */
import { generalRaft, milliseconds, raft, Simulation, seconds } from '@polder/core/simulation';

const DURATION_MS = 5_000;
const WARM_UP_SEEDS = 10;
const MEMBERS = 5;
const CLIENTS = 3;
const IDLE_SECONDS = 2_000;

interface Speed {
  readonly seeds: number;
  readonly seconds: number;
  /** A frame delivered, a wake-up due, a disk operation completed, a client's question. */
  readonly eventsPerSecond: number;
  /** Virtual seconds lived through in one real second. */
  readonly simulatedPerReal: number;
}

export interface SimulatorReport {
  /** Election time-outs of 100 to 200 ms, so that a run of 4 s holds many: as `polder hunt` runs it. */
  readonly quick: Speed;
  /** Five members, three clients, election time-outs of 1 to 2 s, a run of 60 s. */
  readonly production: Speed;
  /** Five members, nobody asks. */
  readonly idle: Speed;
}

export function benchSimulator(): SimulatorReport {
  const defaults = {};
  const production = generalRaft(
    { timing: defaults },
    {
      replicas: (_, members) =>
        raft(members ?? MEMBERS, { timing: defaults, snapshotEntries: 60, trailingEntries: 20 }),
      clients: CLIENTS,
      thinkUs: seconds(1),
      timeoutUs: seconds(6),
      paceUs: seconds(1),
      troubleUs: seconds(60),
      latency: { type: 'uniform', minUs: 100, maxUs: milliseconds(1) },
    },
  );
  return { quick: campaignSpeed(generalRaft()), production: campaignSpeed(production), idle: idleSpeed() };
}

function campaignSpeed(campaign: ReturnType<typeof generalRaft>): Speed {
  campaign.run({ seeds: WARM_UP_SEEDS });
  const startMs = performance.now();
  const elapsedMs = (): number => performance.now() - startMs;
  const report = campaign.run({ seeds: 100_000, onSeed: () => elapsedMs() < DURATION_MS });
  if (report.violations.length > 0)
    throw new Error(`seed ${report.violations[0]?.seed}: ${report.violations[0]?.sentence}`);
  return speed(report.seeds, report.events, report.simulatedUs, elapsedMs());
}

function idleSpeed(): Speed {
  const simulation = new Simulation({ protocol: raft(MEMBERS, { timing: {} }), seed: 1 });
  simulation.run(seconds(100));
  const { events, nowUs } = simulation;
  const startMs = performance.now();
  simulation.run(seconds(IDLE_SECONDS));
  return speed(1, simulation.events - events, simulation.nowUs - nowUs, performance.now() - startMs);
}

function speed(seeds: number, events: number, simulatedUs: number, elapsedMs: number): Speed {
  const elapsed = elapsedMs / 1_000;
  return {
    seeds,
    seconds: elapsed,
    eventsPerSecond: events / elapsed,
    simulatedPerReal: simulatedUs / 1e6 / elapsed,
  };
}

export function formatSimulator({ quick, production, idle }: SimulatorReport): string {
  const line = (name: string, of: Speed): string =>
    `  ${name}: ${of.seeds} seeds in ${of.seconds.toFixed(1)} s, ${Math.round(of.eventsPerSecond)} events/s, ${Math.round(of.simulatedPerReal)} simulated seconds a second`;
  return [
    'simulator, one thread, invariants at every step and histories judged:',
    line('general campaign', quick),
    line('production’s time-outs', production),
    line('idle cluster', idle),
  ].join('\n');
}
