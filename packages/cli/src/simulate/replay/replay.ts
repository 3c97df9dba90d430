/** `polder replay`: does a saved trace still break what it broke? */
import { readFileSync } from 'node:fs';
import { parseTrace, type Trace } from '@polder/core/simulation';
import { CommandError, ExitCode, messageOf } from '../../exit-code.ts';
import type { Terminal } from '../../terminal.ts';
import { writeTrace } from '../hunt/findings.ts';
import { ProgressLine } from '../progress-line.ts';
import { BUILT_INS, type ScenarioFlags, type ScenarioSource, sourceOf } from '../scenarios.ts';
import type { Replayed } from '../threads/jobs.ts';
import { Interrupted, withThreads } from '../threads/worker-thread.ts';
import { type ReplayResult, replayJson, replayText } from './replay-text.ts';

export interface ReplayFlags extends Omit<ScenarioFlags, 'protocol'> {
  readonly shrink?: boolean;
  readonly out?: string;
  readonly json?: boolean;
}

/** 1: a rule is broken; 0: none is. Throws a `CommandError` for a trace that is not one, or does not fit. */
export async function replay(
  path: string,
  flags: ReplayFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<ExitCode> {
  if (flags.out !== undefined && flags.shrink !== true) {
    throw new CommandError(ExitCode.unknown, '--out needs --shrink: it says where the smaller trace is written');
  }
  const trace = readTrace(path);
  const source = sourceFor(trace, flags);
  const replayed = await play(path, trace, source, flags, terminal, signal);
  const out = replayed.shrunk === null ? null : (flags.out ?? beside(path));
  if (replayed.shrunk !== null && out !== null) writeTrace(out, replayed.shrunk.trace);
  const result: ReplayResult = { path, trace, ...replayed, out };
  terminal.data(flags.json === true ? replayJson(result) : replayText(result));
  return replayed.report.violation === null ? ExitCode.ok : ExitCode.failure;
}

async function play(
  path: string,
  trace: Trace,
  source: ScenarioSource,
  flags: ReplayFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Replayed> {
  let progress = '';
  const line = new ProgressLine(terminal, () => progress);
  try {
    return await withThreads(1, signal, ([thread]) =>
      (thread as NonNullable<typeof thread>).run<'replay'>(
        { type: 'replay', source, trace, shrink: flags.shrink ?? false },
        ({ runs, operations, faults, frames }) => {
          progress = `shrinking: ${runs} runs, left ${operations} operations, ${faults} faults, ${frames} frames`;
        },
      ),
    );
  } catch (error) {
    if (error instanceof Interrupted) throw new CommandError(ExitCode.unknown, `interrupted: ${path} is as it was`);
    throw new CommandError(ExitCode.unknown, `cannot play ${path}: ${messageOf(error)}`, { cause: error });
  } finally {
    line.end();
  }
}

function readTrace(path: string): Trace {
  try {
    return parseTrace(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new CommandError(ExitCode.unknown, `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}

/** What the flags say; else the scenario that Polder brings under the trace's own name. */
function sourceFor({ scenario }: Trace, flags: ReplayFlags): ScenarioSource {
  if (flags.scenario !== undefined || flags.export !== undefined) return sourceOf(flags);
  const name = BUILT_INS.find((known) => known === scenario);
  if (name !== undefined) return { type: 'builtIn', name };
  throw new CommandError(
    ExitCode.unknown,
    `the trace is of scenario "${scenario}", which Polder does not bring: give its file as --scenario`,
  );
}

/** `x.trace.json`: `x.shrunk.trace.json`. */
function beside(path: string): string {
  return `${path.replace(/(\.trace)?\.json$/, '')}.shrunk.trace.json`;
}
