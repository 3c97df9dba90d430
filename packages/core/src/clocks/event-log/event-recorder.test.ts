import { expect, test } from 'vitest';
import { VectorClock } from '../vector-clock.ts';
import type { LoggedEvent } from './event.ts';
import { EventRecorder } from './event-recorder.ts';

function recorder(process: string): { recorder: EventRecorder; events: LoggedEvent[] } {
  const events: LoggedEvent[] = [];
  return { recorder: new EventRecorder({ process, sink: (event) => events.push(event) }), events };
}

test('ER1: counts its own events from 1 and knows what it received', () => {
  const [a, b] = [recorder('a'), recorder('b')];
  const sent = a.recorder.send('asks', { key: 'k' });
  expect(sent).toMatchObject({ process: 'a', kind: 'send', key: 'k', text: 'asks' });
  b.recorder.local('starts');
  b.recorder.receive(sent.clock, 'hears');
  b.recorder.receive(null, 'hears from one without a clock');
  expect(b.events.map(({ kind, clock }) => `${kind} ${clock}`)).toEqual([
    'local {"b":1}',
    'receive {"a":1,"b":2}',
    'receive {"a":1,"b":3}',
  ]);
  expect(b.recorder.clock.toString()).toBe('{"a":1,"b":3}');
});

test('ER2 G6: a process that forgot its past is told so, and records nothing wrong', () => {
  const { recorder: restarted, events } = recorder('a');
  restarted.local('starts again');
  const known = VectorClock.from([['a', 17]]);
  expect(() => restarted.receive(known, 'hears')).toThrow(expect.objectContaining({ code: 'ForgottenPast' }));
  expect(events.length).toBe(1);
  expect(restarted.clock.toString()).toBe('{"a":1}');
});

test('ER3: an event whose sink fails did not happen', () => {
  let full = true;
  const failing = new EventRecorder({
    process: 'a',
    sink: () => {
      if (full) throw new Error('disk full');
    },
  });
  expect(() => failing.local('one')).toThrow('disk full');
  full = false;
  expect(failing.local('one').clock.toString()).toBe('{"a":1}');
});

test('ER4: a name that a log cannot hold is refused at the start', () => {
  for (const process of ['', 'a b', 'a\n', 'x'.repeat(256), '\ud800']) {
    expect(() => recorder(process)).toThrow(expect.objectContaining({ code: 'InvalidProcessName' }));
  }
  expect(recorder('__proto__').recorder.local('x').clock.toString()).toBe('{"__proto__":1}');
});
