import type { RegistersStatus } from '@polder/server';
import { expect, test } from 'vitest';
import { registersTable, withDivergence } from './status.ts';

function status(vector: Record<string, number>): RegistersStatus {
  const counts = {
    records: 2,
    hintBacklog: 1,
    uncovered: 0,
    underway: 0,
    superseded: 0,
    collected: 0,
    malformedFrames: 0,
  };
  const peers = [{ name: 'm2', id: 2, away: true }];
  return { state: 'ready', ...counts, peers, vector, stalenessMs: null, counters: {} as RegistersStatus['counters'] };
}

test('a member is behind by the writes that any other has and it has not', () => {
  const rows = withDivergence([
    { name: 'm1', status: status({ '1#7': 5, '2#8': 1 }) },
    { name: 'm2', status: status({ '2#8': 4 }) },
    { name: 'm3', status: null },
  ]);
  expect(rows.map(({ behind }) => behind)).toEqual([3, 5, null]);
  const [heads, first, , down] = registersTable(rows).split('\n');
  expect(heads).toContain('BEHIND');
  expect(first?.split(/ {2,}/)).toEqual(['m1', 'ready', '2', '3', '1', 'unknown', 'm2', '1#7:5 2#8:1']);
  expect(down).toContain('failed');
});
