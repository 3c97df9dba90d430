import type { HistoryEvent } from '@polder/core/checkers';
import { CALM, type Fault } from '@polder/core/simulation';
import { expect, test } from 'vitest';
import { frameLines, markOf, picture } from './picture.ts';

const event = (process: number, type: HistoryEvent['type'], time: number, f = 'write', value: unknown = 1) =>
  ({ index: 0, process, type, f, key: 'k', value, time }) as HistoryEvent;

const textOf = (history: readonly HistoryEvent[]): string[] =>
  picture({ history, faultTimes: [], violation: null })
    .split('\n')
    .map((line) => line.trim());

test('each operation is one line, at the time of its question, with what became of it', () => {
  const history = [
    event(1, 'invoke', 1_000),
    event(2, 'invoke', 2_000, 'read', null),
    event(2, 'ok', 3_000, 'read', 7),
    event(1, 'info', 4_000),
    event(2, 'invoke', 5_000, 'cas', [1, 2]),
    event(2, 'fail', 6_000, 'cas', [1, 2]),
    event(3, 'invoke', 7_000),
  ];
  expect(textOf(history)).toEqual([
    '0.001 s  process 1: write k 1 has an unknown outcome at 0.004 s',
    '0.002 s  process 2: read k → 7 at 0.003 s',
    '0.005 s  process 2: cas k [1,2] did not happen at 0.006 s',
    '0.007 s  process 3: write k 1 … no answer',
  ]);
});

test('of a long history the end is drawn, and how much is left out is said', () => {
  const history = Array.from({ length: 100 }, (_, i) => [event(i, 'invoke', i * 1_000), event(i, 'ok', i * 1_000 + 1)]);
  const lines = textOf(history.flat());
  expect(lines).toHaveLength(41);
  expect(lines[0]).toContain('60 earlier operations');
  expect(lines.at(-1)).toContain('process 99');
});

test('what breaks and what is mended have different marks', () => {
  const mended: Fault[] = [
    { type: 'heal' },
    { type: 'restart', member: 1 },
    { type: 'diskSlow', member: 1, times: 1 },
    { type: 'diskFull', member: 1, full: false },
    { type: 'weather', weather: CALM },
  ];
  const broken: Fault[] = [
    { type: 'pause', member: 1 },
    { type: 'diskFull', member: 1, full: true },
    { type: 'weather', weather: { ...CALM, lossPerMillion: 5_000 } },
  ];
  expect(mended.map(markOf).join('')).toBe('✓✓✓✓✓');
  expect(broken.map(markOf).join('')).toBe('✗✗✗');
});

test('frames are told by their link, kind and number', () => {
  const frame = { from: 1, to: 2, kind: 'append', nth: 11 };
  expect(
    frameLines([
      { ...frame, delaysUs: [] },
      { ...frame, delaysUs: [1_500, 30_000] },
    ]),
  ).toEqual([
    'append number 12 from member 1 to 2 is lost',
    'append number 12 from member 1 to 2 arrives after 1.5 ms and 30 ms',
  ]);
  const many = frameLines(Array.from({ length: 50 }, () => ({ ...frame, delaysUs: [] })));
  expect(many.at(-1)).toBe('and so on: 30 more frames');
});
