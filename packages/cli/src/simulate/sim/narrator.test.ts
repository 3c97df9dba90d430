import { describeFault, type RunReport } from '@polder/core/simulation';
import { expect, test } from 'vitest';
import type { SimEvent } from './events.ts';
import { narrate, STATUS_EVERY_US } from './narrator.ts';
import { eventText } from './sim-text.ts';

function told(seed: number, members = 5, forUs = 6_000_000): { events: SimEvent[]; report: RunReport } {
  const events: SimEvent[] = [];
  const report = narrate({ members, forUs, seed }, (event) => events.push(event));
  return { events, report };
}

const { events, report } = told(3);

test('every fault is told in words, at its time, among elections and the status of the members', () => {
  expect(events.filter((event) => event.type === 'fault')).toEqual(
    report.faultTimes.map(({ atUs, fault }) => ({ type: 'fault', atUs, fault, words: describeFault(fault) })),
  );
  expect(report.faultTimes.length).toBeGreaterThan(0);
  const times = events.map(({ atUs }) => atUs);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(events.filter((event) => event.type === 'elected').length).toBe(report.counts['elections']);
});

test('the members stand in a table every five simulated seconds', () => {
  const statuses = events.filter((event) => event.type === 'status');
  expect(statuses.map(({ atUs }) => atUs)).toEqual([STATUS_EVERY_US]);
  expect(statuses[0]?.members.map(({ member }) => member)).toEqual([1, 2, 3, 4, 5]);
  const table = eventText(statuses[0] as SimEvent);
  expect(table).toContain('MEMBER  STATE');
  expect(table.split('\n')).toHaveLength(7);
});

test('it begins with the seed and ends with what was exercised, and the verdict', () => {
  expect(eventText(events[0] as SimEvent)).toBe('seed 3: 5 members; things break for 6 simulated seconds');
  const last = eventText(events.at(-1) as SimEvent);
  expect(last).toContain('exercised, in ');
  expect(last).toContain('no violation');
  expect(events.filter((event) => event.type === 'healed').map(({ atUs }) => atUs)).toEqual([6_000_000]);
});

test('the same seed is told in the same words, another one is not', () => {
  expect(told(3).events).toEqual(events);
  expect(told(4).events).not.toEqual(events);
});

test('a member that stops by itself is told with its reason', () => {
  // Seeds differ in what breaks: one of these has a disk that fails.
  for (let seed = 1; seed <= 30; seed++) {
    const stopped = told(seed, 3, 3_000_000).events.find((event) => event.type === 'stopped');
    if (stopped === undefined) continue;
    expect(eventText(stopped)).toMatch(/■ member \d stops by itself: .+/);
    return;
  }
  throw new Error('no member stopped in 30 seeds');
});
