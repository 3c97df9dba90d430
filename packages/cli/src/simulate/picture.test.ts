import type { HistoryEvent } from '@polder/core/checkers';
import { CALM, type Fault } from '@polder/core/simulation';
import { expect, test } from 'vitest';
import { faultSpans, markOf } from './fault-spans.ts';
import { frameLines, page, picture } from './picture.ts';

const event = (process: number, type: HistoryEvent['type'], time: number, f = 'write', value: unknown = 1) =>
  ({ index: 0, process, type, f, key: 'k', value, time }) as HistoryEvent;

const history = [
  event(1, 'invoke', 1_000),
  event(1, 'ok', 2_000),
  event(2, 'invoke', 3_000, 'read', null),
  event(2, 'ok', 4_000, 'read', null),
  event(3, 'invoke', 5_000, 'cas', [1, 2]),
  event(3, 'info', 6_000, 'cas', [1, 2]),
].map((each, index) => ({ ...each, index }));
const violation = { rule: 'Linearizability', sentence: 'an acknowledged write is gone', atUs: 6_000 };
const faultTimes = [{ atUs: 2_500, fault: { type: 'crash', member: 1, power: true } as const }];

test('each operation is a line, and the one that no order can place has an arrow and the sentence', () => {
  const lines = picture({ history, faultTimes, violation }).split('\n');
  expect(lines.find((line) => line.startsWith('→'))).toContain('p2 read k → nothing');
  expect(lines.some((line) => line.includes('p1 write k 1'))).toBe(true);
  expect(lines.some((line) => line.includes('cas k 1→2 ? unknown'))).toBe(true);
  expect(lines.some((line) => line.includes('an acknowledged write is gone'))).toBe(true);
  expect(lines[0]).toContain('member 1 loses power');
});

test('what breaks beside the history, and a history of operations that no checker knows, are drawn, too', () => {
  const other = { ...violation, rule: 'Election Safety' };
  expect(picture({ history, faultTimes, violation: other })).not.toContain('→ p2');
  const own = history.map((each) => ({ ...each, f: 'push' }) as unknown as HistoryEvent);
  expect(picture({ history: own, faultTimes: [], violation })).toContain('p1 push k 1');
  expect(picture({ history: [], faultTimes: [], violation: null })).toContain('no operations');
});

test('the page is whole in itself and has the notes', () => {
  const html = page({ history, faultTimes, violation }, ['Replay it with: polder replay x']);
  expect(html).toMatch(/^<!doctype html>/i);
  expect(html).toContain('polder replay x');
});

test('a fault lasts until what ends it: of the same member, or to the end', () => {
  const times = (atUs: number, fault: Fault) => ({ atUs, fault });
  const spans = faultSpans([
    times(1, { type: 'crash', member: 1, power: false }),
    times(2, { type: 'crash', member: 2, power: true }),
    times(3, { type: 'restart', member: 1 }),
    times(4, {
      type: 'partition',
      shape: 'split',
      links: [
        [1, 2],
        [2, 1],
      ],
    }),
    times(5, { type: 'partition', shape: 'one-way', links: [[3, 1]] }),
    times(6, { type: 'heal' }),
    times(7, { type: 'rot', member: 3, file: 'f', offset: 1, bit: 1 }),
    times(8, { type: 'weather', weather: { ...CALM, lossPerMillion: 10_000 } }),
    times(9, { type: 'weather', weather: CALM }),
  ]);
  expect(spans.map(({ kind, members, fromUs, toUs }) => [kind, members, fromUs, toUs])).toEqual([
    ['down', [1], 1, 3],
    ['down', [2], 2, null],
    ['partitioned', [1, 2], 4, 6],
    ['partitioned', [3, 1], 5, 6],
    ['disk', [3], 7, 7],
    ['network', [], 8, 9],
  ]);
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
