/** Faults are moments, but what they do lasts: from a crash to the restart, from a partition until links work again. */
import type { FaultSpan } from '@polder/core/checkers';
import { CALM, describeFault, type Fault, type RunReport } from '@polder/core/simulation';

type Open = FaultSpan & { readonly ends: string };

/** In order of their beginning. What nothing ends lasts to the end. */
export function faultSpans(faultTimes: RunReport['faultTimes']): FaultSpan[] {
  const spans: FaultSpan[] = [];
  let open: Open[] = [];
  for (const { atUs, fault } of faultTimes) {
    const ended = endedBy(fault);
    for (const span of open) if (span.ends === ended) spans.push(closed(span, atUs));
    open = open.filter((span) => span.ends !== ended);
    const begun = begunBy(fault);
    if (begun === null) continue;
    const span = { label: describeFault(fault), fromUs: atUs, toUs: null, ...begun };
    if (begun.ends === '') spans.push(closed(span, atUs));
    else open.push(span);
  }
  return [...spans, ...open.map((span) => closed(span, null))].sort((a, b) => a.fromUs - b.fromUs);
}

function closed({ label, fromUs, members, kind }: Open, toUs: number | null): FaultSpan {
  return { label, fromUs, toUs, members, kind };
}

/** What a fault starts, and by what that ends; '': a moment. null: it starts nothing. */
function begunBy(fault: Fault): Pick<Open, 'members' | 'kind' | 'ends'> | null {
  switch (fault.type) {
    case 'partition':
      return { members: [...new Set(fault.links.flat())], kind: 'partitioned', ends: 'heal' };
    case 'weather':
      return mends(fault) ? null : { members: [], kind: 'network', ends: 'weather' };
    case 'crash':
      return { members: [fault.member], kind: 'down', ends: `crash ${fault.member}` };
    case 'pause':
      return { members: [fault.member], kind: 'paused', ends: `pause ${fault.member}` };
    case 'clock':
      return { members: [fault.member], kind: 'clock', ends: `clock ${fault.member}` };
    case 'diskFull':
    case 'diskSlow':
      return mends(fault) ? null : { members: [fault.member], kind: 'disk', ends: `${fault.type} ${fault.member}` };
    case 'diskError':
    case 'rot':
    case 'misdirect':
      return { members: [fault.member], kind: 'disk', ends: '' };
    case 'wipe':
      return { members: [fault.member], kind: 'disk', ends: '' };
    case 'control':
      return { members: [fault.member], kind: 'other', ends: '' };
    case 'heal':
    case 'restart':
    case 'resume':
      return null;
    default:
      return fault satisfies never;
  }
}

/** Which spans are over when this happens. A new weather, a new clock ends the one before. */
function endedBy(fault: Fault): string {
  switch (fault.type) {
    case 'restart':
      return `crash ${fault.member}`;
    case 'resume':
      return `pause ${fault.member}`;
    case 'heal':
    case 'weather':
      return fault.type;
    case 'clock':
    case 'diskFull':
    case 'diskSlow':
      return `${fault.type} ${fault.member}`;
    default:
      return 'nothing';
  }
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
