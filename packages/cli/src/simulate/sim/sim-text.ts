/** A narrated run in words. No running here. */
import { formatTable } from '../../terminal.ts';
import { formatSeconds, grouped, plural } from '../duration.ts';
import { markOf } from '../fault-spans.ts';
import type { SimEvent, SimReport } from './events.ts';

export function eventText(event: SimEvent): string {
  switch (event.type) {
    case 'begin': {
      const { seed, members, forUs } = event;
      return `seed ${seed}: ${plural(members, 'member')}; things break for ${forUs / 1_000_000} simulated seconds`;
    }
    case 'fault':
      return line(event.atUs, `${markOf(event.fault)} ${event.words}`);
    case 'elected':
      return line(event.atUs, `★ member ${event.member} leads in term ${event.term}`);
    case 'stopped':
      return line(event.atUs, `■ member ${event.member} stops by itself: ${event.why}`);
    case 'status':
      return statusTable(event);
    case 'healed':
      return line(event.atUs, '✓ the faults end: all links work, all members run, and progress is owed');
    case 'violation':
      return line(event.atUs, `◀ ${event.rule} is broken: ${event.sentence}`);
    case 'end':
      return endText(event.report);
    default:
      return event satisfies never;
  }
}

function line(atUs: number, text: string): string {
  return `${formatSeconds(atUs).padStart(10)}  ${text}`;
}

function statusTable({ atUs, members }: Extract<SimEvent, { type: 'status' }>): string {
  const cell = (value: string | number | null): string => (value === null ? '-' : String(value));
  const table = formatTable(
    ['MEMBER', 'STATE', 'ROLE', 'TERM', 'COMMIT', 'APPLIED'],
    members.map(({ member, state, role, term, commit, applied }) =>
      [member, state, role, term, commit, applied].map(cell),
    ),
  );
  return [line(atUs, 'status'), ...table.split('\n').map((row) => `            ${row}`)].join('\n');
}

function endText(report: SimReport): string {
  const { operations, frames, faults, counts, seen, violation, unknown, events, simulatedUs, sources, stopped } =
    report;
  const list = (things: Readonly<Record<string, number | undefined>>): string =>
    Object.entries(things)
      .map(([name, count]) => `${name} ${grouped(count ?? 0)}`)
      .join(', ');
  const verdict =
    violation !== null
      ? `violation: ${violation.rule}`
      : unknown !== null
        ? `no violation, but nobody knows all: ${unknown}`
        : 'no violation: the members agree, and some order of the operations explains every answer';
  return [
    `exercised, in ${grouped(events)} events and ${formatSeconds(simulatedUs)}:`,
    `  trouble     ${sources.join(', ')}`,
    `  faults      ${list(faults)}`,
    `  operations  ${grouped(operations.ok)} done, ${grouped(operations.fail)} failed, ${grouped(operations.info)} unknown`,
    `  frames      ${list(frames)}`,
    `  reached     ${list(counts)}`,
    `  stopped     ${plural(stopped, 'member')} could not go on at the end, for damaged disks`,
    `  seen        ${seen.length === 0 ? 'nothing of what is wanted' : seen.join('; ')}`,
    verdict,
  ].join('\n');
}
