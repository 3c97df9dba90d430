/** What a run found, for a person and for programs. */
import { formatTable } from '../terminal.ts';
import type { Operation } from './operation.ts';
import { type Percentiles, percentiles } from './percentiles.ts';
import { errorName } from './protocol.ts';
import type { RunOptions } from './run-options.ts';
import type { RunOutcome } from './test-run.ts';

export interface OperationStatistics {
  readonly ok: number;
  readonly fail: number;
  readonly info: number;
  readonly latencyMs: Percentiles | null;
}

export interface Report {
  readonly result: 'valid' | 'invalid' | 'unknown';
  readonly reasons: readonly string[];
  readonly workload: RunOptions['workload'];
  readonly figures: Readonly<Record<string, unknown>>;
  readonly operations: Readonly<Record<string, OperationStatistics>>;
  readonly availability: number | null;
  readonly messages: {
    readonly all: number;
    readonly clients: number;
    readonly servers: number;
    readonly lostToPartitions: number;
    readonly serversPerOperation: number | null;
  };
  readonly convergedMs: number | null;
  readonly errors: Readonly<Record<string, number>>;
  /** Where the run stopped being Maelstrom's: nothing here can be replayed. */
  readonly reproducible: false;
}

export function reportOf(options: RunOptions, outcome: RunOutcome): Report {
  const { history, messages, mainOperations, findings } = outcome;
  const { result, reasons } = verdictOf(options, outcome);
  const names = [...new Set(history.map(({ f }) => f))];
  return {
    result,
    reasons,
    workload: options.workload,
    figures: findings.figures,
    operations: Object.fromEntries(names.map((name) => [name, statisticsOf(history.filter(({ f }) => f === name))])),
    availability: availabilityOf(history),
    messages: {
      all: messages.all.sent,
      clients: messages.clients.sent,
      servers: messages.servers.sent,
      lostToPartitions: messages.lostToPartitions,
      serversPerOperation: mainOperations === 0 ? null : rounded(messages.servers.sent / mainOperations),
    },
    convergedMs: outcome.convergedMs === null ? null : rounded(outcome.convergedMs),
    errors: errorsOf(history),
    reproducible: false,
  };
}

function verdictOf(options: RunOptions, outcome: RunOutcome): Pick<Report, 'result' | 'reasons'> {
  const { findings, history, faults, interrupted } = outcome;
  const broken = faults.map(({ node, problem }) => `${node} ${problem}`);
  if (findings.result === 'invalid') broken.push(...findings.reasons);
  const available = availabilityOf(history);
  if (options.availability !== null && available !== null && available < options.availability) {
    const share = `${rounded(available * 100)} % of the operations succeeded`;
    broken.push(`not available enough: ${share}, ${rounded(options.availability * 100)} % were asked for`);
  }
  if (broken.length > 0) return { result: 'invalid', reasons: [...broken, ...silentNodes(history)] };
  const doubts: string[] = [...findings.reasons];
  if (interrupted) doubts.push('interrupted before the end');
  if (!history.some(({ outcome: ended }) => ended === 'ok')) {
    doubts.push('no operation succeeded: run for longer, or look at what the nodes write to stderr (--log-stderr)');
  }
  if (doubts.length > 0) return { result: 'unknown', reasons: [...doubts, ...silentNodes(history)] };
  return { result: 'valid', reasons: silentNodes(history) };
}

/** Nodes that answered nothing at all: they hang, or do not know what to answer. */
function silentNodes(history: readonly Operation[]): string[] {
  const nodes = [...new Set(history.map(({ node }) => node))];
  return nodes.flatMap((node) => {
    const here = history.filter((operation) => operation.node === node);
    const unanswered = here.filter(({ error }) => error?.code === 0).length;
    if (unanswered < here.length) return [];
    return [`${node} answered none of its ${here.length} requests: it hangs, or does not reply with in_reply_to`];
  });
}

/** Final reads do not count: they are repeated until they come right. */
function availabilityOf(history: readonly Operation[]): number | null {
  const main = history.filter(({ final }) => !final);
  return main.length === 0 ? null : main.filter(({ outcome }) => outcome === 'ok').length / main.length;
}

function statisticsOf(operations: readonly Operation[]): OperationStatistics {
  const count = (outcome: Operation['outcome']): number => operations.filter((one) => one.outcome === outcome).length;
  const answered = operations.filter(({ outcome }) => outcome === 'ok');
  const latencyMs = percentiles(answered.map(({ invokedMs, completedMs }) => completedMs - invokedMs));
  return { ok: count('ok'), fail: count('fail'), info: count('info'), latencyMs };
}

function errorsOf(history: readonly Operation[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { error } of history) {
    if (error === null) continue;
    const name = `${error.code} ${errorName(error.code)}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

export function reportText(report: Report): string {
  const { messages } = report;
  const rows = Object.entries(report.operations).map(([name, { ok, fail, info, latencyMs }]) => [
    name,
    ...[ok, fail, info].map(String),
    ...[latencyMs?.median, latencyMs?.p95, latencyMs?.p99, latencyMs?.max].map((ms) =>
      ms === undefined ? '-' : `${ms}`,
    ),
  ]);
  const perOperation = messages.serversPerOperation === null ? '' : ` (${messages.serversPerOperation} per operation)`;
  const lines = [
    formatTable(['OPERATION', 'OK', 'FAIL', 'INFO', 'MEDIAN ms', '95 %', '99 %', 'MAX'], rows),
    `messages: ${messages.servers} between servers${perOperation}, ${messages.clients} with clients, ` +
      `${messages.lostToPartitions} lost to partitions`,
    ...Object.entries(report.errors).map(([name, count]) => `error ${name}: ${count} times`),
    ...Object.entries(report.figures).map(([name, value]) => `${spaced(name)}: ${shown(value)}`),
  ];
  if (report.availability !== null) lines.push(`availability: ${rounded(report.availability * 100)} %`);
  if (report.convergedMs !== null) lines.push(`final reads came right after ${report.convergedMs} ms`);
  lines.push(...report.reasons.map((reason) => `- ${reason}`), `result: ${report.result}`);
  return lines.join('\n');
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  return (
    JSON.stringify(value).replaceAll('"', '').replaceAll(/[{}]/g, '').replaceAll(',', ', ').replaceAll(':', ' ') || '-'
  );
}

/** "stableLatencyMs" as "stable latency ms". */
function spaced(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
