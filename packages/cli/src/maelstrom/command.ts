import { type Command, InvalidArgumentError, Option } from 'commander';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';
import { LogDirectory } from './log-directory.ts';
import { LATENCY_DISTRIBUTIONS, type LatencyDistribution } from './network/latency.ts';
import { TOPOLOGIES, type TopologyName } from './network/topology.ts';
import { programOf } from './node-process.ts';
import { reportOf, reportText } from './report.ts';
import type { RunOptions } from './run-options.ts';
import { type RunHooks, TestRun } from './test-run.ts';
import { WORKLOAD_NAMES, type WorkloadName } from './workloads/registry.ts';
import { CONSISTENCY_MODELS, type ConsistencyModel } from './workloads/workload.ts';

const MAX_NODES = 100;

interface Flags {
  readonly workload: WorkloadName;
  readonly bin: string;
  readonly nodeCount: number;
  readonly timeLimit: number;
  readonly rate: number;
  readonly concurrency: Concurrency;
  readonly latency: number;
  readonly latencyDist: LatencyDistribution;
  readonly nemesis?: 'partition';
  readonly nemesisInterval: number;
  readonly topology: TopologyName;
  readonly availability?: number;
  readonly keyCount?: number;
  readonly maxTxnLength?: number;
  readonly maxWritesPerKey?: number;
  readonly consistencyModels: ConsistencyModel;
  readonly recovery: number;
  readonly timeout: number;
  readonly seed: number;
  readonly logDir?: string;
  readonly logStderr: boolean;
  readonly json: boolean;
}

/** `10`, or `2n` for two a node. */
interface Concurrency {
  readonly count: number;
  readonly perNode: boolean;
}

const NOTES = `
Arguments after -- go to the nodes. FILE may be any executable; .js, .mjs and .ts files run with this Node.
The run is in real time: it cannot be reproduced, and another one may differ. --seed fixes the choices, not their moments.
Exit codes: 0 valid, 1 invalid, 2 unknown or wrong usage.`;

export function addMaelstrom(program: Command, terminal: Terminal, setExit: (code: ExitCode) => void): void {
  program
    .command('maelstrom')
    .description('test a program that speaks the JSON lines of Maelstrom nodes on stdin and stdout')
    .addOption(new Option('-w, --workload <name>').choices(WORKLOAD_NAMES).makeOptionMandatory())
    .requiredOption('--bin <file>', 'what runs a node')
    .option('--node-count <n>', 'how many nodes', number(1, MAX_NODES, 'integer'), 5)
    .option('--time-limit <seconds>', 'how long operations start', number(0.1, 86_400), 10)
    .option('--rate <n>', 'operations a second, all clients together', number(0.01, 100_000), 5)
    .option('--concurrency <n>', 'clients; 2n means two a node', concurrency, { count: 1, perNode: true })
    .option('--latency <ms>', 'mean latency between servers; clients have none', number(0, 60_000), 0)
    .addOption(new Option('--latency-dist <name>').choices(LATENCY_DISTRIBUTIONS).default('constant'))
    .addOption(new Option('--nemesis <fault>', 'what to break').choices(['partition']))
    .option('--nemesis-interval <seconds>', 'mean time between partition and healing', number(0.01, 86_400), 10)
    .addOption(new Option('--topology <name>', 'suggested by broadcast').choices(TOPOLOGIES).default('grid'))
    .option(
      '--availability <share>',
      '"total", or the least share of operations that succeed, such as 0.9',
      availability,
    )
    .option('--key-count <n>', 'keys in use at a time', number(1, 10_000, 'integer'))
    .option('--max-txn-length <n>', 'operations in a transaction', number(1, 1_000, 'integer'))
    .option('--max-writes-per-key <n>', 'after so many a key is retired', number(1, 1_000_000, 'integer'))
    .addOption(
      new Option('--consistency-models <name>', 'what transactions are judged by')
        .choices(CONSISTENCY_MODELS)
        .default('read-committed'),
    )
    .option('--recovery <seconds>', 'how long final reads may take to come right', number(0, 3_600), 10)
    .option('--timeout <ms>', 'after which a client gives up', number(10, 600_000), 5_000)
    .option('--seed <n>', 'of the choices made here', number(0, 0xffffffff, 'integer'), 1)
    .option('--log-dir <dir>', 'keep history, messages, results and what the nodes write to stderr')
    .option('--log-stderr', 'show what the nodes write to stderr', false)
    .option('--json', 'the whole report, for programs', false)
    .argument('[args...]', 'for the nodes')
    .addHelpText('after', NOTES)
    .action(async (args: string[], flags: Flags) => setExit(await maelstrom(args, flags, terminal)));
}

async function maelstrom(args: readonly string[], flags: Flags, terminal: Terminal): Promise<ExitCode> {
  const options = runOptions(args, flags);
  const logs = flags.logDir === undefined ? null : openLogs(flags.logDir);
  const interrupt = new AbortController();
  const onSignal = (): void => {
    terminal.progress('interrupted: ending the nodes; what was seen so far is judged');
    interrupt.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  try {
    const { workload, nodeCount, timeLimitMs, ratePerSecond } = options;
    terminal.progress(
      `${workload}: ${nodeCount} nodes, ${timeLimitMs / 1000} s, ${ratePerSecond} operations/s, real time`,
    );
    const outcome = await new TestRun(options, hooks(flags, terminal, logs, interrupt.signal)).run();
    const report = reportOf(options, outcome);
    const { stderrLines } = outcome;
    const talkative = Object.entries(stderrLines).filter(([, lines]) => lines > 0);
    if (talkative.length > 0 && !flags.logStderr) {
      const counts = talkative.map(([node, lines]) => `${node} ${lines}`).join(', ');
      terminal.progress(`lines on stderr: ${counts}; --log-stderr shows them, --log-dir keeps them`);
    }
    // The verdict first: a full disk must not hide it.
    terminal.data(flags.json ? JSON.stringify(report) : reportText(report));
    await logs?.close({ ...report, faults: outcome.faults, stderrLines });
    return { valid: ExitCode.ok, invalid: ExitCode.failure, unknown: ExitCode.unknown }[report.result];
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal);
  }
}

function hooks(flags: Flags, terminal: Terminal, logs: LogDirectory | null, interrupt: AbortSignal): RunHooks {
  const startedMs = performance.now();
  return {
    progress: (text) => terminal.progress(text),
    onMessage: (event, message) => logs?.message({ time: performance.now() - startedMs, event, ...message }),
    onOperation: (event) => logs?.history(event),
    onStderr: (node, line) => {
      logs?.stderr(node, line);
      if (flags.logStderr) terminal.progress(`${node}: ${line}`);
    },
    interrupt,
  };
}

function runOptions(args: readonly string[], flags: Flags): RunOptions {
  const { concurrency: wanted, nodeCount } = flags;
  return {
    workload: flags.workload,
    program: programOf(flags.bin, args),
    nodeCount,
    timeLimitMs: flags.timeLimit * 1000,
    ratePerSecond: flags.rate,
    concurrency: wanted.perNode ? wanted.count * nodeCount : wanted.count,
    latency: { distribution: flags.latencyDist, meanMs: flags.latency },
    partitionIntervalMs: flags.nemesis === undefined ? null : flags.nemesisInterval * 1000,
    recoveryMs: flags.recovery * 1000,
    timeoutMs: flags.timeout,
    topology: flags.topology,
    availability: flags.availability ?? null,
    keyCount: flags.keyCount ?? null,
    maxTransactionLength: flags.maxTxnLength ?? null,
    maxWritesPerKey: flags.maxWritesPerKey ?? null,
    consistencyModel: flags.consistencyModels,
    seed: flags.seed,
  };
}

function openLogs(directory: string): LogDirectory {
  try {
    return new LogDirectory(directory);
  } catch (cause) {
    throw new CommandError(ExitCode.unknown, `cannot write to --log-dir ${directory}: ${messageOf(cause)}`, { cause });
  }
}

function number(least: number, most: number, kind: 'integer' | 'decimal' = 'decimal'): (text: string) => number {
  return (text) => {
    const form = kind === 'integer' ? /^\d{1,16}$/ : /^\d{0,16}(\.\d+)?$/;
    const value = form.test(text) && text !== '' ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(
      `It must be ${kind === 'integer' ? 'an integer' : 'a number'} from ${least} to ${most}.`,
    );
  };
}

function concurrency(text: string): Concurrency {
  const [, digits, perNode] = /^(\d{1,4})(n?)$/.exec(text) ?? [];
  const count = Number(digits);
  if (digits === undefined || count < 1) throw new InvalidArgumentError('It must be such as 10, or 2n for two a node.');
  return { count, perNode: perNode === 'n' };
}

function availability(text: string): number {
  return text === 'total' ? 1 : number(0, 1)(text);
}
