import { countRaces, directCauses, type EventLog, eventName, findRaces, type Trace } from '@polder/core/clocks';
import { ExitCode } from '../exit-code.ts';
import { formatTable } from '../terminal.ts';
import { problemText, readTraces, type TraceOptions } from './trace-file.ts';

const SHOWN_RACES = 3;

/** Every trace of the file; exit code 1 if a clock in any of them is malformed. */
export function traceSummary(path: string, options: TraceOptions, json: boolean): { text: string; exitCode: ExitCode } {
  const traces = readTraces(path, options);
  const malformed = traces.some(({ result }) => result.type === 'malformed');
  const text = json
    ? JSON.stringify(traces.map(traceJson))
    : traces.map((trace, i) => traceText(path, trace, i + 1)).join('\n\n');
  return { text, exitCode: malformed ? ExitCode.failure : ExitCode.ok };
}

function traceJson({ label, result, skipped }: Trace): unknown {
  if (result.type === 'malformed') {
    const { line, process, text, reason, found, expected } = result.problem;
    return { label, valid: false, problem: { line, process, text, reason, found, expected }, skipped };
  }
  const { log } = result;
  const processes = log.processes.map((process) => ({ process, events: log.eventCount(process) }));
  return {
    label,
    valid: true,
    events: log.size,
    processes,
    messages: countMessages(log),
    races: countRaces(log),
    skipped,
  };
}

function traceText(path: string, { label, result, skipped }: Trace, number: number): string {
  const lines = [label === '' ? `trace ${number}` : `trace ${number}: ${label}`];
  if (skipped.count > 0)
    lines.push(`${skipped.count} lines are no part of an event, the first is line ${skipped.firstLine}`);
  if (result.type === 'malformed') return [...lines, problemText(path, result.problem)].join('\n');
  const { log } = result;
  const rows = log.processes.map((process) => [process, String(log.eventCount(process))]);
  lines.push(
    `${log.size} events of ${log.processes.length} processes, ${countMessages(log)} messages that brought news; every clock is right`,
    formatTable(['PROCESS', 'EVENTS'], rows),
    ...raceLines(log),
  );
  return lines.join('\n');
}

function raceLines(log: EventLog): string[] {
  const counts = countRaces(log);
  if (counts.length === 0) return log.keys.length === 0 ? [] : [`no races on ${log.keys.length} keys`];
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  const lines = [
    `${total} races (pairs of concurrent events) on ${counts.length} of ${log.keys.length} keys, such as:`,
  ];
  for (const { key, first, second } of findRaces(log)) {
    if (lines.length > SHOWN_RACES) break;
    lines.push(`  ${JSON.stringify(key)}: ${eventName(log.event(first))} and ${eventName(log.event(second))}`);
  }
  return lines;
}

function countMessages(log: EventLog): number {
  let count = 0;
  for (let event = 0; event < log.size; event++) count += directCauses(log, event).length;
  return count;
}
