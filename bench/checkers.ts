/** How fast histories are checked for linearizability, beside a plain Wing and Gong search. */
import { checkLinearizable, type HistoryEvent, LinearizabilityChecker } from '@polder/core';
import { picker, type RegisterHistoryOptions, registerHistory, withStaleRead } from './histories.ts';
import { wingGong } from './wing-gong.ts';

const HISTORIES = 10_000;
const WARM_UP = 500;
const PEER_STEPS = 200_000;
/** As in the logs of Jepsen's tests of etcd: five clients, few values, hardly a pause between operations. */
const CRASHING: RegisterHistoryOptions = { operations: 100, clients: 5, values: 5, swapPercent: 30, crashPercent: 5 };
const CROWDED: RegisterHistoryOptions = { ...CRASHING, clients: 8 };
const UNIQUE: RegisterHistoryOptions = {
  operations: 1_000_000,
  clients: 8,
  values: 0,
  swapPercent: 0,
  crashPercent: 1,
};
const LONG: RegisterHistoryOptions = { operations: 100_000, clients: 8, values: 5, swapPercent: 30, crashPercent: 0 };

interface Timed {
  readonly seconds: number;
  /** Of the processor: what another load on the machine does not change much. */
  readonly cpuSeconds: number;
  readonly operations: number;
  readonly verdicts: Readonly<Record<string, number>>;
}

export interface CheckersReport {
  /** 10,000 histories of one register, 100 operations each, 5 % of them timed out; every fourth with a stale read. */
  readonly many: Timed;
  /** The same by the peer; it gives up a history after 200,000 steps, and never disagreed otherwise. */
  readonly manyByPeer: Timed;
  /** As many by eight clients. */
  readonly crowded: Timed;
  /** A million reads and writes of values that are written once. */
  readonly unique: Timed;
  /** 100,000 operations on one register, event by event while they come, and all at once. */
  readonly streamed: Timed & { readonly mostKept: number };
  readonly atOnce: Timed;
  readonly peakMemoryMb: number;
}

export function benchCheckers(): CheckersReport {
  const histories = corpus(CRASHING);
  for (const history of histories.slice(0, WARM_UP)) checkLinearizable(history);
  const answers: string[] = [];
  const many = timed(histories, (history) => {
    const { result } = checkLinearizable(history);
    answers.push(result);
    return result;
  });
  let asked = 0;
  const manyByPeer = timed(histories, (history) => {
    const answer = wingGong(history, PEER_STEPS);
    const result = answer === null ? 'unknown' : answer ? 'valid' : 'invalid';
    if (answer !== null && result !== answers[asked]) throw new Error(`history ${asked}: the two do not agree`);
    asked++;
    return result;
  });
  const crowded = timed(corpus(CROWDED), (history) => checkLinearizable(history).result);
  const long = [registerHistory(picker(1), LONG)];
  let mostKept = 0;
  const atOnce = timed(long, (history) => checkLinearizable(history).result);
  const streamed = timed(long, (history) => {
    const checker = new LinearizabilityChecker('cas-register');
    for (const [i, event] of history.entries()) {
      checker.add(event);
      if (i % 256 === 0) mostKept = Math.max(mostKept, checker.kept);
    }
    return checker.verdict().result;
  });
  const unique = timed([registerHistory(picker(2), UNIQUE)], (history) => checkLinearizable(history).result);
  const peakMemoryMb = Math.round(process.resourceUsage().maxRSS / 1024);
  return {
    many,
    manyByPeer,
    crowded,
    unique,
    streamed: { ...streamed, mostKept },
    atOnce,
    peakMemoryMb,
  };
}

function corpus(options: RegisterHistoryOptions): (readonly HistoryEvent[])[] {
  return Array.from({ length: HISTORIES }, (_, seed) => {
    const pick = picker(seed);
    const events = registerHistory(pick, options);
    return seed % 4 === 0 ? withStaleRead(pick, events) : events;
  });
}

function timed(
  histories: readonly (readonly HistoryEvent[])[],
  check: (history: readonly HistoryEvent[]) => string,
): Timed {
  const verdicts: Record<string, number> = {};
  const startMs = performance.now();
  const before = process.cpuUsage();
  for (const history of histories) {
    const verdict = check(history);
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
  }
  const seconds = (performance.now() - startMs) / 1_000;
  const used = process.cpuUsage(before);
  const cpuSeconds = (used.user + used.system) / 1e6;
  const events = histories.reduce((sum, history) => sum + history.length, 0);
  return { seconds, cpuSeconds, operations: Math.round(events / 2), verdicts };
}

export function formatCheckers(report: CheckersReport): string {
  const line = (name: string, { seconds, cpuSeconds, operations, verdicts }: Timed, more = ''): string => {
    const rate = Math.round(operations / seconds).toLocaleString('en');
    const counts = Object.entries(verdicts).map(([verdict, count]) => `${count} ${verdict}`);
    return `  ${name.padEnd(44)} ${seconds.toFixed(2)} s (${cpuSeconds.toFixed(2)} of CPU), ${rate} operations/s, ${counts.join(', ')}${more}`;
  };
  const { many, manyByPeer, crowded, unique, streamed, atOnce, peakMemoryMb } = report;
  return [
    'checkers: linearizability, one thread',
    line('10,000 registers x 100 operations, 5 % crash', many),
    line('the same by Wing and Gong', manyByPeer, `; ${(manyByPeer.seconds / many.seconds).toFixed(1)} times as long`),
    line('10,000 more by eight clients each', crowded),
    line('1,000,000 operations, unique values', unique),
    line('100,000 operations at once', atOnce),
    line('100,000 operations streamed', streamed, `; at most ${streamed.mostKept} records kept`),
    `  peak memory of the whole benchmark, histories included: ${peakMemoryMb} MB`,
  ].join('\n');
}
