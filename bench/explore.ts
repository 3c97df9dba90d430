/**
 * How fast exploration is, and what a state costs: `npm run bench -- explore`.
 *
 * With bounds of its own, for scopes too large for a test, told as they go on; Ctrl-C ends one with a summary:
 *
 *   node bench/explore.ts --timeouts 3 --proposals 1 --max-states 20000000
 *   node bench/explore.ts --timeouts 2 --crashes 1 --delayed
 */
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import {
  type Exploration,
  Explorer,
  explore,
  type Model,
  raftSystem,
  type SystemBounds,
  SystemModel,
} from '@polder/core/explore';
import { twoPhaseCommit } from '../test/models/two-phase-commit.ts';

const NOTHING: SystemBounds = { timeouts: 0, proposals: 0, crashes: 0, duplicates: 0, drops: 0, persists: 'immediate' };
const PIECE_STATES = 20_000;

export interface ExploreReport {
  readonly name: string;
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  readonly complete: boolean;
  readonly violation: string | null;
  readonly seconds: number;
  readonly statesPerSecond: number;
  /** Of the set of visited states. */
  readonly bytesPerState: number;
}

const raft = (bounds: Partial<SystemBounds>) => new SystemModel(raftSystem(), { ...NOTHING, ...bounds });

export function benchExplore(): ExploreReport[] {
  explore(raft({ timeouts: 2 }));
  return [
    run('two-phase commit, 7 resource managers', twoPhaseCommit({ managers: 7 })),
    run('Raft, 3 members, 3 time-outs', raft({ timeouts: 3 })),
    run('Raft, 3 members, 2 time-outs, 1 proposal', raft({ timeouts: 2, proposals: 1 })),
    run(
      'Raft, 3 members, 2 time-outs, 1 crash, delayed persists',
      raft({ timeouts: 2, crashes: 1, persists: 'delayed' }),
    ),
  ];
}

function run<State, Action>(name: string, model: Model<State, Action>): ExploreReport {
  const startMs = performance.now();
  return reportOf(name, explore(model), performance.now() - startMs);
}

function reportOf<State, Action>(name: string, walk: Exploration<State, Action>, elapsedMs: number): ExploreReport {
  const { states, transitions, depth, complete, violation, memoryBytes } = walk;
  const seconds = elapsedMs / 1_000;
  const figures = { seconds, statesPerSecond: states / seconds, bytesPerState: memoryBytes / states };
  return { name, states, transitions, depth, complete, violation: violation?.sentence ?? null, ...figures };
}

export function formatExplore(reports: readonly ExploreReport[]): string {
  return ['exploration: one thread, properties judged in every state', ...reports.map(format)].join('\n');
}

function format(report: ExploreReport): string {
  const { states, transitions, depth, seconds, statesPerSecond, bytesPerState } = report;
  const end = report.violation ?? (report.complete ? 'complete' : 'not complete');
  return [
    `  ${report.name}: ${end}`,
    `    ${states} states, ${transitions} transitions, depth ${depth}, in ${seconds.toFixed(1)} s`,
    `    ${Math.round(statesPerSecond)} states/s, ${bytesPerState.toFixed(1)} bytes a state to know it again`,
  ].join('\n');
}

// ── bounds of its own ─────────────────────────────────────────────────────────────────────────────────────────

async function main(): Promise<void> {
  const number = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      timeouts: number,
      proposals: number,
      crashes: number,
      duplicates: number,
      drops: number,
      members: number,
      'max-states': number,
      'max-depth': number,
      delayed: { type: 'boolean' },
      notices: { type: 'boolean' },
    },
  });
  const of = (text: string | undefined, otherwise: number) => (text === undefined ? otherwise : Number(text));
  const { timeouts, proposals, crashes, duplicates, drops } = values;
  const bounds: SystemBounds = {
    timeouts: of(timeouts, 1),
    proposals: of(proposals, 0),
    crashes: of(crashes, 0),
    duplicates: of(duplicates, 0),
    drops: of(drops, 0),
    persists: values.delayed === true ? 'delayed' : 'immediate',
  };
  const system = raftSystem({ members: of(values.members, 3), notices: values.notices === true });
  const model = new SystemModel(system, bounds);
  const most = Number.POSITIVE_INFINITY;
  const explorer = new Explorer(model, {
    maxStates: of(values['max-states'], most),
    maxDepth: of(values['max-depth'], most),
  });
  let interrupted = false;
  process.once('SIGINT', () => {
    interrupted = true;
  });
  const startMs = performance.now();
  while (!interrupted && !explorer.advance(PIECE_STATES)) {
    const { states, depth, waiting } = explorer.progress();
    process.stderr.write(`\r${states} states, depth ${depth}, ${waiting} waiting   `);
    await new Promise((resolve) => setImmediate(resolve));
  }
  process.stderr.write('\n');
  const walk = explorer.result();
  console.log(format(reportOf(`Raft within ${JSON.stringify(bounds)}`, walk, performance.now() - startMs)));
  const { locals, steps } = model.computed;
  const residentMb = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(`    ${locals} states of single members, ${steps} steps of them; ${residentMb} MiB resident`);
  for (const line of walk.violation?.described ?? []) console.log(`    ${line}`);
  if (walk.violation !== null) process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
