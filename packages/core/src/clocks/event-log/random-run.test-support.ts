/** Random runs of processes that exchange messages, with the causal order found by brute force and without a clock. */
import fc from 'fast-check';
import type { EventId, LoggedEvent } from './event.ts';
import { buildEventLog, type EventLog } from './event-log.ts';
import { EventRecorder } from './event-recorder.ts';

export interface RandomRun {
  readonly events: readonly LoggedEvent[];
  readonly log: EventLog;
  /** For each event the events of its past. */
  readonly past: readonly ReadonlySet<EventId>[];
  /** For each event: the one before it on its process, and the senders of what it received, unless older news. */
  readonly steps: readonly (readonly EventId[])[];
}

const NAMES = ['a', '__proto__', '10', 'constructor'];

const step = fc.record({
  at: fc.nat(NAMES.length - 1),
  type: fc.constantFrom('local', 'send', 'receive', 'receive', 'gather'),
  message: fc.nat(30),
  other: fc.nat(30),
  key: fc.constantFrom(undefined, 'x', '__proto__'),
});

export const randomRun: fc.Arbitrary<RandomRun> = fc.array(step, { minLength: 1, maxLength: 45 }).map((steps) => {
  const events: LoggedEvent[] = [];
  const recorders = NAMES.map((process) => new EventRecorder({ process, sink: (event) => events.push(event) }));
  const sent: EventId[] = [];
  const past: Set<EventId>[] = [];
  const before: EventId[][] = [];
  const last = new Map<number, EventId>();
  for (const { at, type, message, other, key } of steps) {
    const recorder = recorders[at] as EventRecorder;
    const details = key === undefined ? {} : { key };
    const sources = (type === 'receive' ? [message] : type === 'gather' ? [message, other] : [])
      .map((choice) => sent[choice % Math.max(1, sent.length)])
      .filter((source) => source !== undefined);
    const clocks = sources.map((source) => (events[source] as LoggedEvent).clock);
    const text = `event ${events.length}`;
    if (type === 'local') recorder.local(text, details);
    else if (type === 'send') sent.push(events.indexOf(recorder.send(text, details)));
    else recorder.receive(clocks.length === 0 ? null : clocks.reduce((a, b) => a.merge(b)), text, details);

    const event = events.length - 1;
    const previous = last.get(at);
    last.set(at, event);
    const known =
      previous === undefined ? new Set<EventId>() : new Set([...(past[previous] as Set<EventId>), previous]);
    const news = sources.filter((source) => !known.has(source));
    const direct = news.filter((source) => !news.some((each) => (past[each] as Set<EventId>).has(source)));
    before.push([...(previous === undefined ? [] : [previous]), ...new Set(direct)]);
    for (const source of sources) for (const each of [source, ...(past[source] as Set<EventId>)]) known.add(each);
    past.push(known);
  }
  const built = buildEventLog(events);
  if (built.type === 'malformed') throw new Error(`a run's own log is refused: ${built.problem.reason}`);
  return { events, log: built.log, past, steps: before };
});
