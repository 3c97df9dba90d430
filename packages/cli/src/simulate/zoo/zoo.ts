/** `polder zoo`: is every known mistake caught, and how soon? */
import { availableParallelism } from 'node:os';
import { BUGS } from '@polder/core/simulation';
import { CommandError, ExitCode } from '../../exit-code.ts';
import type { Terminal } from '../../terminal.ts';
import { plural } from '../duration.ts';
import { ProgressLine } from '../progress-line.ts';
import { Interrupted, type WorkerThread, withThreads } from '../threads/worker-thread.ts';
import { isCaught, type Trial, tallyOf, zooJson, zooTable } from './zoo-text.ts';

export interface ZooFlags {
  readonly bug?: string;
  readonly seeds: number;
  readonly starts: number;
  readonly threads?: number;
  readonly json?: boolean;
}

/** Starts are so far apart that none meets another's seeds. */
const START_APART = 1_000_000;

interface Task {
  readonly bug: string;
  readonly from: number;
}

/** 0: every bug that was tried is caught; 1: one is not. Throws a `CommandError` otherwise. */
export async function zoo(flags: ZooFlags, terminal: Terminal, signal: AbortSignal): Promise<ExitCode> {
  const bugs = flags.bug === undefined ? BUGS : BUGS.filter(({ id }) => id === flags.bug);
  if (bugs.length === 0) {
    throw new CommandError(
      ExitCode.unknown,
      `the zoo has no bug ${flags.bug}; it has ${BUGS.map(({ id }) => id).join(', ')}`,
    );
  }
  const starts = Array.from({ length: flags.starts }, (_, start) => 1 + start * START_APART);
  const tasks = bugs.flatMap(({ id }) => starts.map((from): Task => ({ bug: id, from })));
  const count = Math.min(flags.threads ?? availableParallelism(), tasks.length);
  const trials = await withThreads(count, signal, (threads) => tryAll(tasks, flags.seeds, threads, terminal));
  const tallies = bugs.map((bug) => tallyOf(bug, trials.get(bug.id) ?? [], starts.length));
  terminal.data(flags.json === true ? zooJson(tallies) : zooTable(tallies));
  return tallies.every(isCaught) ? ExitCode.ok : ExitCode.failure;
}

/** What was tried to the end, by bug; less than all when the threads were ended. */
async function tryAll(
  tasks: readonly Task[],
  seeds: number,
  threads: readonly WorkerThread[],
  terminal: Terminal,
): Promise<ReadonlyMap<string, readonly Trial[]>> {
  const trials = new Map<string, Trial[]>();
  const underway = new Map<WorkerThread, string>();
  const waiting = [...tasks];
  let done = 0;
  const line = new ProgressLine(terminal, () => {
    return [`${done} of ${plural(tasks.length, 'trial')}`, ...underway.values()].join('  ');
  });
  const lane = async (thread: WorkerThread): Promise<void> => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      const { bug, from } = task;
      underway.set(thread, bug);
      const trial = await thread.run<'detect'>({ type: 'detect', bug, from, seeds }, ({ tried }) => {
        underway.set(thread, `${bug}: seed ${tried} of ${seeds}`);
      });
      trials.set(bug, [...(trials.get(bug) ?? []), trial]);
      done++;
    }
    underway.delete(thread);
  };
  try {
    await Promise.all(threads.map(lane));
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  } finally {
    line.end();
  }
  return trials;
}
