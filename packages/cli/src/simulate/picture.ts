/** A run for a person, as text: what clients asked and heard, and what broke meanwhile, in order of time. */
import type { HistoryEvent } from '@polder/core/checkers';
import { CALM, describeFault, type Fault, type RunReport, type TracedFrame } from '@polder/core/simulation';
import { formatSeconds } from './duration.ts';

const MAX_OPERATIONS = 40;
const MAX_FRAMES = 20;

interface Line {
  readonly atUs: number;
  readonly text: string;
}

/** One line for each operation, at the time of its question, and for each fault. */
export function picture({
  history,
  faultTimes,
  violation,
}: Pick<RunReport, 'history' | 'faultTimes' | 'violation'>): string {
  const operations = operationLines(history);
  // What came last before the violation says most about it.
  const shown = operations.slice(-MAX_OPERATIONS);
  const fromUs = shown.length < operations.length ? (shown[0]?.atUs ?? 0) : 0;
  const faults = faultTimes.map(
    ({ atUs, fault }): Line => ({ atUs, text: `${markOf(fault)} ${describeFault(fault)}` }),
  );
  const end: Line[] = violation === null ? [] : [{ atUs: violation.atUs, text: `◀ ${violation.rule} is broken` }];
  const lines = [...faults.filter(({ atUs }) => atUs >= fromUs), ...shown, ...end].sort((a, b) => a.atUs - b.atUs);
  const leftOut = operations.length - shown.length;
  return [
    ...(leftOut > 0 ? [`           ${leftOut} earlier operations, and the faults before these, are left out`] : []),
    ...lines.map(({ atUs, text }) => `${formatSeconds(atUs).padStart(10)}  ${text}`),
  ].join('\n');
}

/** What happens to frames beyond calm weather, in a trace. */
export function frameLines(frames: readonly TracedFrame[]): string[] {
  const lines = frames.slice(0, MAX_FRAMES).map(({ from, to, kind, nth, delaysUs }) => {
    const arrivals = delaysUs.map((delayUs) => `${delayUs / 1_000} ms`).join(' and ');
    const fate = delaysUs.length === 0 ? 'is lost' : `arrives after ${arrivals}`;
    return `${kind} number ${nth + 1} from member ${from} to ${to} ${fate}`;
  });
  const more = frames.length - lines.length;
  return more > 0 ? [...lines, `and so on: ${more} more frames`] : lines;
}

/** Something breaks, or something is mended. */
export function markOf(fault: Fault): '✗' | '✓' {
  return mends(fault) ? '✓' : '✗';
}

function mends(fault: Fault): boolean {
  switch (fault.type) {
    case 'heal':
    case 'restart':
    case 'resume':
      return true;
    case 'diskFull':
      return !fault.full;
    case 'diskSlow':
      return fault.times === 1;
    case 'weather':
      return describeFault(fault) === describeFault({ type: 'weather', weather: CALM });
    default:
      return false;
  }
}

function operationLines(history: readonly HistoryEvent[]): Line[] {
  const lines: Line[] = [];
  const open = new Map<number, { readonly line: number; readonly invoked: HistoryEvent }>();
  for (const event of history) {
    const { process, type, time } = event;
    if (type === 'invoke') {
      open.set(process, { line: lines.length, invoked: event });
      lines.push({ atUs: time, text: `process ${process}: ${asked(event)} … no answer` });
      continue;
    }
    const asking = open.get(process);
    if (asking === undefined) continue;
    open.delete(process);
    const { line, invoked } = asking;
    const text = `process ${process}: ${asked(invoked)} ${heard(event)} at ${formatSeconds(time)}`;
    lines[line] = { atUs: invoked.time, text };
  }
  return lines;
}

/** The key of a history may be one of many kinds, as may its operations: each is told as it is. */
function asked({ f, key, value }: HistoryEvent): string {
  const what = value === null || value === undefined ? '' : ` ${JSON.stringify(value)}`;
  return `${f} ${key}${what}`;
}

function heard({ type, f, value }: HistoryEvent): string {
  switch (type) {
    case 'ok':
      return f === 'read' ? `→ ${value === null ? 'nothing' : JSON.stringify(value)}` : 'done';
    case 'fail':
      return 'did not happen';
    default:
      return 'has an unknown outcome';
  }
}
