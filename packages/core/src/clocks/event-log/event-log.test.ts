import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { directCauses, shortestChain } from './causal-chain.ts';
import type { EventId } from './event.ts';
import type { EventRanges } from './event-ranges.ts';
import { countRaces, findRaces } from './races.ts';
import { type RandomRun, randomRun } from './random-run.test-support.ts';

const ascending = (events: Iterable<EventId>): EventId[] => [...events].sort((a, b) => a - b);

function all({ events }: RandomRun): EventId[] {
  return events.map((_, event) => event);
}

function expectSet(run: RandomRun, ranges: EventRanges, expected: readonly EventId[]): void {
  expect(ascending(ranges.events())).toEqual(expected);
  expect(ranges.count).toBe(expected.length);
  for (const event of all(run)) {
    const { process, sequence } = run.log.event(event);
    expect(ranges.has(process, sequence)).toBe(expected.includes(event));
  }
}

describe('queries, beside the causal order found by brute force', () => {
  test('EL1 S11 C1: one event happened before another exactly when it is in its past', () => {
    fc.assert(
      fc.property(randomRun, (run) => {
        for (const a of all(run)) {
          for (const b of all(run)) {
            expect(run.log.happensBefore(a, b)).toBe(run.past[b]?.has(a));
            const expected = run.past[b]?.has(a) ? 'before' : run.past[a]?.has(b) ? 'after' : 'concurrent';
            expect(run.log.compare(a, b)).toBe(a === b ? 'equal' : expected);
            expect(run.events[a]?.clock.compare(run.events[b]?.clock as never)).toBe(run.log.compare(a, b));
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test('EL2 S11: past, future and concurrent events are those of the causal order, and so are their counts', () => {
    fc.assert(
      fc.property(randomRun, (run) => {
        for (const event of all(run)) {
          const past = ascending(run.past[event] as ReadonlySet<EventId>);
          const future = all(run).filter((other) => run.past[other]?.has(event));
          expectSet(run, run.log.past(event), past);
          expectSet(run, run.log.future(event), future);
          const others = all(run).filter(
            (other) => other !== event && !past.includes(other) && !future.includes(other),
          );
          expectSet(run, run.log.concurrent(event), others);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('EL3: direct causes are the messages that brought news', () => {
    fc.assert(
      fc.property(randomRun, ({ log, steps, events }) => {
        events.forEach(({ process }, event) => {
          const messages = (steps[event] as EventId[]).filter((cause) => events[cause]?.process !== process);
          expect(ascending(directCauses(log, event))).toEqual(ascending(messages));
        });
      }),
    );
  });

  test('EL4: the chain between two events takes the fewest steps, each of them a real one', () => {
    fc.assert(
      fc.property(randomRun, (run) => {
        for (const from of all(run)) {
          const distances = stepsFrom(run, from);
          for (const to of all(run)) {
            const chain = shortestChain(run.log, from, to);
            expect(chain?.length).toBe(distances.get(to));
            if (chain === null) continue;
            expect([chain[0], chain.at(-1)]).toEqual([from, to]);
            for (let i = 1; i < chain.length; i++) expect(run.steps[chain[i] as EventId]).toContain(chain[i - 1]);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test('EL5: races are the pairs of concurrent events on one key, each once, also when only counted', () => {
    fc.assert(
      fc.property(randomRun, (run) => {
        const expected: string[] = [];
        for (const a of all(run)) {
          for (const b of all(run).slice(a + 1)) {
            const key = run.events[a]?.key;
            if (key == null || key !== run.events[b]?.key || run.past[b]?.has(a)) continue;
            expected.push(`${key} ${a} ${b}`);
          }
        }
        const found = [...findRaces(run.log)].map(
          ({ key, first, second }) => `${key} ${ascending([first, second]).join(' ')}`,
        );
        expect(found.sort()).toEqual(expected.sort());
        for (const { key, count } of countRaces(run.log)) {
          expect(count).toBe(expected.filter((each) => each.startsWith(`${key} `)).length);
        }
        expect(countRaces(run.log).reduce((sum, { count }) => sum + count, 0)).toBe(expected.length);
      }),
    );
  });
});

test('EL6: a log gives its events back and finds them by process and sequence', () => {
  fc.assert(
    fc.property(randomRun, ({ log, events }) => {
      expect(log.size).toBe(events.length);
      events.forEach((event, id) => {
        const { sequence, line, clock, ...stored } = log.event(id);
        expect({ ...stored, clock: clock.toString() }).toEqual({ ...event, clock: event.clock.toString() });
        expect(sequence).toBe(event.clock.get(event.process));
        expect(line).toBe(0);
        expect(log.find(event.process, sequence)).toBe(id);
      });
      for (const process of log.processes) {
        expect(log.eventCount(process)).toBe(events.filter((event) => event.process === process).length);
        expect(log.find(process, 0)).toBeNull();
        expect(log.find(process, log.eventCount(process) + 1)).toBeNull();
      }
      expect(log.find('nobody', 1)).toBeNull();
      expect(log.eventCount('toString')).toBe(0);
    }),
  );
});

/** How many events the shortest way to each event has, by breadth first search along the steps. */
function stepsFrom({ steps }: RandomRun, from: EventId): Map<EventId, number> {
  const distances = new Map([[from, 1]]);
  // A step always leads to a later event of the run, so one pass is enough for the minimum.
  for (let event = from + 1; event < steps.length; event++) {
    const known = (steps[event] as EventId[]).map((cause) => distances.get(cause)).filter((each) => each !== undefined);
    if (known.length > 0) distances.set(event, 1 + Math.min(...known));
  }
  return distances;
}
