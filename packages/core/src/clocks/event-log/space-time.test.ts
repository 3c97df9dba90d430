import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LoggedEvent } from './event.ts';
import { buildEventLog, type EventLog } from './event-log.ts';
import { EventRecorder } from './event-recorder.ts';
import { randomRun } from './random-run.test-support.ts';
import { layOut } from './space-time.ts';
import { spaceTimeSvg } from './space-time-svg.ts';
import { spaceTimeText } from './space-time-text.ts';

function example(text = 'asks'): EventLog {
  const events: LoggedEvent[] = [];
  const [orders, stock] = ['orders', 'stock'].map(
    (process) => new EventRecorder({ process, sink: (event) => events.push(event) }),
  ) as [EventRecorder, EventRecorder];
  const sent = orders.send(text);
  stock.local('starts');
  stock.receive(sent.clock, 'hears');
  // The file has the effect before its cause.
  const built = buildEventLog([events[2], events[0], events[1]] as LoggedEvent[]);
  if (built.type === 'malformed') throw new Error(built.problem.reason);
  return built.log;
}

test('ST1: causes stand above effects, messages come from the rows that sent them, and what is shown is a consistent cut', () => {
  fc.assert(
    fc.property(randomRun, fc.nat(50), ({ log, events, past, steps }, limit) => {
      const { rows, leftOut, processes } = layOut(log, limit);
      expect(rows.length).toBe(Math.min(limit, events.length));
      expect(rows.length + leftOut).toBe(events.length);
      const rowOf = new Map(rows.map(({ id }, row) => [id, row]));
      expect(rowOf.size).toBe(rows.length);
      rows.forEach(({ id, column, from }, row) => {
        for (const cause of past[id] as ReadonlySet<number>) expect(rowOf.get(cause)).toBeLessThan(row);
        expect(processes[column]).toBe(events[id]?.process);
        const senders = (steps[id] as number[]).filter((cause) => events[cause]?.process !== events[id]?.process);
        expect(from.toSorted()).toEqual(senders.map((cause) => rowOf.get(cause) as number).toSorted());
      });
    }),
  );
});

test('ST2: as text, a column for each process and a line for each event', () => {
  // The log begins with stock:2, so what leads to it comes first: on its own process, then elsewhere.
  expect(spaceTimeText(example(), 10).split('\n')).toEqual([
    'stock  orders',
    '●      │       stock:1  local  starts',
    '│      ●       orders:1  send  asks',
    '●      │       stock:2  receive  ← orders:1  hears',
  ]);
  expect(spaceTimeText(example(), 1).split('\n').at(-1)).toBe('… and 2 more events');
});

test('ST3: as text, an event cannot send commands to the terminal or break its line', () => {
  const text = spaceTimeText(example('\u001b[2J\nx\r\u0007'), 10);
  expect(text.split('\n').length).toBe(4);
  expect(/[\p{Cc}]/u.test(text.replaceAll('\n', ''))).toBe(false);
});

test('ST4: as SVG, a mark for each event, a line for each message, and no text that becomes markup', () => {
  const svg = spaceTimeSvg(example('<script>alert("1")</script>&\u0000\ud800'), 10);
  expect(svg.match(/<circle /g)?.length).toBe(3);
  expect(svg.match(/<line class="message"/g)?.length).toBe(1);
  expect(svg).not.toContain('<script');
  expect(svg).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;\ufffd\ufffd');
  expect(svg).toContain('{&quot;orders&quot;:1,&quot;stock&quot;:2}');
  expect(spaceTimeSvg(example(), 1)).toContain('… and 2 more events');
});
