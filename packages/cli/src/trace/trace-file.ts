import { readFileSync } from 'node:fs';
import { PolderError } from '@polder/core';
import {
  type ClockProblem,
  type EventId,
  type EventLog,
  readShiViz,
  type ShiVizPatterns,
  type Trace,
} from '@polder/core/clocks';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';

export interface TraceOptions extends Partial<ShiVizPatterns> {
  /** A label, or the number of a trace in the file, from 1. */
  readonly trace?: string;
}

/** Throws for a file that cannot be read or is no log: exit code 2. */
export function readTraces(path: string, options: TraceOptions): Trace[] {
  try {
    return readShiViz(readFileSync(path, 'utf8'), options);
  } catch (cause) {
    const told = cause instanceof PolderError || (cause instanceof Error && 'code' in cause);
    if (!told) throw cause;
    throw new CommandError(ExitCode.unknown, `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}

/** The one trace that is asked about. Throws when there are several to choose from, and for malformed clocks: exit code 1. */
export function readLog(path: string, options: TraceOptions): EventLog {
  const traces = readTraces(path, options);
  const { result } = chosen(path, traces, options.trace);
  if (result.type === 'malformed') throw new CommandError(ExitCode.failure, problemText(path, result.problem));
  return result.log;
}

function chosen(path: string, traces: readonly Trace[], wanted: string | undefined): Trace {
  if (wanted === undefined && traces.length === 1) return traces[0] as Trace;
  const found = traces.find(({ label }) => label === wanted) ?? traces[Number(wanted) - 1];
  if (wanted !== undefined && found !== undefined) return found;
  const names = traces.map(({ label }, i) => (label === '' ? String(i + 1) : JSON.stringify(label))).join(', ');
  throw new CommandError(ExitCode.unknown, `${path} holds ${traces.length} traces, choose one with --trace: ${names}`);
}

/** An event is named by its process and its place there: `orders:3`. Process names may hold colons themselves. */
export function findEvent(log: EventLog, name: string): EventId {
  const match = /^(.+):(\d{1,10})$/.exec(name);
  const [process, sequence] = match === null ? [name, Number.NaN] : [match[1] as string, Number(match[2])];
  const event = log.find(process, sequence);
  if (event !== null) return event;
  const count = log.eventCount(process);
  const hint =
    count > 0
      ? `${process} has events 1 to ${count}`
      : `use process:number, of ${log.processes.slice(0, 8).join(', ')}`;
  throw new CommandError(ExitCode.unknown, `there is no event ${name}: ${hint}`);
}

export function problemText(path: string, { line, process, reason, found, expected }: ClockProblem): string {
  return [`${path}:${line}: ${process}: ${reason}`, `  it says       ${found}`, `  should be     ${expected}`].join(
    '\n',
  );
}
