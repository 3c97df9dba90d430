import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { VectorClock } from '../vector-clock.ts';
import type { ClockProblem } from './check-clocks.ts';
import type { LoggedEvent } from './event.ts';
import { buildEventLog } from './event-log.ts';
import { randomRun } from './random-run.test-support.ts';

type Counts = Record<string, number>;

function event(process: string, counts: Counts): LoggedEvent {
  return { process, clock: VectorClock.from(Object.entries(counts)), kind: null, key: null, text: `${process} does` };
}

function problemOf(events: readonly LoggedEvent[]): ClockProblem | null {
  const built = buildEventLog(events);
  return built.type === 'malformed' ? built.problem : null;
}

/** The rules as they are defined, pair by pair. */
function isValid(events: readonly LoggedEvent[]): boolean {
  const own = (e: LoggedEvent): number => e.clock.get(e.process);
  const at = (process: string, count: number): LoggedEvent | undefined =>
    events.find((e) => e.process === process && own(e) === count);
  const leq = (a: LoggedEvent, b: LoggedEvent): boolean => ['before', 'equal'].includes(a.clock.compare(b.clock));
  return events.every((e) => {
    const siblings = events.filter((each) => each.process === e.process);
    if (own(e) < 1 || own(e) > siblings.length || siblings.some((each) => each !== e && own(each) === own(e)))
      return false;
    const previous = at(e.process, own(e) - 1);
    if (previous !== undefined && !leq(previous, e)) return false;
    return e.clock.entries().every(([process, count]) => {
      if (process === e.process) return true;
      const cause = at(process, count);
      return cause !== undefined && leq(cause, e) && cause.clock.get(e.process) < own(e);
    });
  });
}

describe('which logs are accepted', () => {
  test('CL1: the log of every real run is, with its lines in any order', () => {
    fc.assert(
      fc.property(randomRun, fc.infiniteStream(fc.nat()), ({ events }, numbers) => {
        const shuffled = events
          .map((each) => ({ each, order: numbers.next().value as number }))
          .sort((a, b) => a.order - b.order);
        expect(problemOf(shuffled.map(({ each }) => each))).toBeNull();
      }),
    );
  });

  test('CL2 C4: a log with one or two clocks changed is accepted exactly if no rule is broken', () => {
    const change = fc.record({
      where: fc.nat(),
      process: fc.constantFrom('a', '__proto__', '10', 'z'),
      count: fc.nat(6),
    });
    let malformed = 0;
    fc.assert(
      fc.property(randomRun, fc.array(change, { minLength: 1, maxLength: 2 }), (run, changes) => {
        const events = [...run.events];
        for (const { where, process, count } of changes) {
          const at = where % events.length;
          const before = events[at] as LoggedEvent;
          const counts = new Map(before.clock.entries()).set(process, count);
          events[at] = { ...before, clock: VectorClock.from(counts) };
        }
        const valid = isValid(events);
        if (!valid) malformed++;
        expect(problemOf(events) === null).toBe(valid);
      }),
      { numRuns: 500 },
    );
    expect(malformed).toBeGreaterThan(100);
  });
});

describe('the first bad line and the clock it should have had', () => {
  test('CL3 C4: an event without its own count is named, with the clock that it had', () => {
    fc.assert(
      fc.property(randomRun, fc.nat(), (run, where) => {
        const events = [...run.events];
        const at = where % events.length;
        const good = events[at] as LoggedEvent;
        events[at] = { ...good, clock: VectorClock.from(good.clock.entries().filter(([id]) => id !== good.process)) };
        const problem = problemOf(events);
        expect(problem?.event).toBe(at);
        expect(problem?.reason).toContain('does not count the event itself');
        expect(problem?.expected.toString()).toBe(good.clock.toString());
      }),
    );
  });

  test('CL3 C4: an event that counts too few events of another is named, and not those who believed it', () => {
    fc.assert(
      fc.property(randomRun, fc.nat(), fc.nat(), (run, where, which) => {
        const events = [...run.events];
        const at = where % events.length;
        const good = events[at] as LoggedEvent;
        const others = good.clock.entries().filter(([id]) => id !== good.process);
        const [id, count] = others[which % Math.max(1, others.length)] ?? ['', 0];
        if (count === 0) return;
        events[at] = { ...good, clock: VectorClock.from(new Map(good.clock.entries()).set(id, count - 1)) };
        const problem = problemOf(events);
        if (problem === null) return;
        expect(problem.event).toBe(at);
        expect(problem.expected.get(id)).toBeGreaterThan(count - 1);
      }),
    );
  });

  const cases: { title: string; events: [string, Counts][]; at: number; says: string; expected: string }[] = [
    {
      title: 'C4: a first event that does not count 1',
      events: [
        ['a', { a: 2 }],
        ['a', { a: 3 }],
      ],
      at: 0,
      says: 'the first event of "a" counts 2, not 1',
      expected: '{"a":1}',
    },
    {
      title: 'C4: a count that is skipped; those who count what comes later are not blamed',
      events: [
        ['b', { b: 1, a: 4 }],
        ['a', { a: 1 }],
        ['a', { a: 2 }],
        ['a', { a: 4 }],
      ],
      at: 3,
      says: '"a" goes from 2 to 4: a line is missing before this one',
      expected: '{"a":3}',
    },
    {
      title: 'C4: a count that is there twice',
      events: [
        ['a', { a: 1 }],
        ['a', { a: 1 }],
      ],
      at: 1,
      says: 'two events of "a" count 1',
      expected: '{"a":2}',
    },
    {
      title: 'C4: a process that is not in the log',
      events: [
        ['a', { a: 1 }],
        ['a', { a: 2, z: 1 }],
      ],
      at: 1,
      says: 'it counts 1 events of "z", which has none in this log',
      expected: '{"a":2}',
    },
    {
      title: 'C4: more events than a process has',
      events: [
        ['b', { b: 1 }],
        ['a', { a: 1, b: 1 }],
        ['a', { a: 2, b: 7 }],
      ],
      at: 2,
      says: 'it counts 7 events of "b", which has only 1 in this log',
      expected: '{"a":2,"b":1}',
    },
    {
      title: 'C4: knowledge that is lost from one event of a process to the next',
      events: [
        ['b', { b: 1 }],
        ['a', { a: 1, b: 1 }],
        ['a', { a: 2 }],
        ['a', { a: 3, b: 1 }],
      ],
      at: 2,
      says: 'it forgets: it counts 0 events of "b", the event before it on its process 1',
      expected: '{"a":2,"b":1}',
    },
    {
      title: 'C4: knowledge of an event without what that event knew',
      events: [
        ['c', { c: 1 }],
        ['b', { b: 1, c: 1 }],
        ['a', { a: 1, b: 1 }],
      ],
      at: 2,
      says: 'it counts 0 events of "c", yet an event that it counts knows 1',
      expected: '{"a":1,"b":1,"c":1}',
    },
    {
      title: 'C4: two events that each count the other',
      events: [
        ['a', { a: 1, b: 1 }],
        ['b', { b: 1, a: 1 }],
      ],
      at: 0,
      says: 'it counts event 1 of "b", which itself counts this event',
      expected: '{"a":1}',
    },
    {
      title: 'C4: an error early in the run, not its later consequences, which stand above it',
      events: [
        ['b', { b: 1, a: 2, z: 3 }],
        ['a', { a: 1 }],
        ['a', { a: 2, z: 3 }],
      ],
      at: 2,
      says: 'it counts 3 events of "z"',
      expected: '{"a":2}',
    },
  ];
  test.each(cases)('CL4 $title', ({ events, at, says, expected }) => {
    const problem = problemOf(events.map(([process, counts]) => event(process, counts)));
    expect(problem?.reason).toContain(says);
    expect(problem?.event).toBe(at);
    expect(problem?.process).toBe(events[at]?.[0]);
    expect(problem?.found.toString()).toBe(VectorClock.from(Object.entries(events[at]?.[1] as Counts)).toString());
    expect(problem?.expected.toString()).toBe(expected);
  });
});
