import { expect, test } from 'vitest';
import { picker } from './clients.test-support.ts';
import { checkLinearizable, type HistoryEvent, IMPOSSIBLE, LinearizabilityChecker, type Model } from './index.ts';

type Short = [number, HistoryEvent['type'], string, unknown?];

function history(...events: Short[]): HistoryEvent[] {
  return events.map(([process, type, f, value = null], index) => ({
    index,
    process,
    type,
    f,
    key: '',
    value,
    time: index,
  }));
}

function stream(events: readonly HistoryEvent[], checker = new LinearizabilityChecker()): LinearizabilityChecker {
  for (const event of events) checker.add(event);
  return checker;
}

test('L6: a violation is reported with the event that makes it unavoidable, and stays', () => {
  const events = history(
    [1, 'invoke', 'write', 1],
    [1, 'ok', 'write', 1],
    [2, 'invoke', 'read'],
    [2, 'ok', 'read', 7],
    [3, 'invoke', 'read'],
    [3, 'ok', 'read', 1],
  );
  const checker = new LinearizabilityChecker();
  const reports = events.map((event) => checker.add(event)?.prefixLength ?? null);
  expect(reports).toEqual([null, null, null, 4, 4, 4]);
  expect(checker.verdict()).toMatchObject({ result: 'invalid', operations: { read: { ok: 2 } } });
});

test('L6: an operation that fails after its effect was seen is itself the violation', () => {
  const events = history(
    [1, 'invoke', 'write', 1],
    [2, 'invoke', 'read'],
    [2, 'ok', 'read', 1],
    [1, 'fail', 'write', 1],
  );
  const { violation } = stream(events).verdict();
  expect(violation).toMatchObject({ prefixLength: 4, operation: { process: 1, outcome: 'fail' } });
  expect(violation?.sentence).toContain('was told at event 3 that its write of 1 had failed');
});

test('L6: an answer that comes late is compared with everything since its operation began', () => {
  const slow: Short[] = [[9, 'invoke', 'read']];
  for (let i = 1; i <= 200; i++) slow.push([1, 'invoke', 'write', i], [1, 'ok', 'write', i]);
  expect(stream(history(...slow, [9, 'ok', 'read', 57])).verdict().result).toBe('valid');
  expect(stream(history(...slow, [9, 'ok', 'read', 201])).verdict().result).toBe('invalid');
});

test('L6: an answer that fits the present may be owed to the past, when a later question turns out so', () => {
  const steps: Short[] = [
    [1, 'invoke', 'decrement'],
    [2, 'invoke', 'increment'],
    [2, 'info', 'increment'],
    [3, 'invoke', 'increment'],
    [4, 'invoke', 'decrement'],
    [5, 'invoke', 'read'],
    [3, 'ok', 'increment'],
    [4, 'ok', 'decrement'],
    [6, 'invoke', 'read'],
    [1, 'ok', 'decrement'],
    [5, 'ok', 'read', -1],
  ];
  // Only if process 5 read between the two of processes 4 and 3 can the doubtful increment have shown.
  const seen = (value: number): HistoryEvent[] => history(...steps, [6, 'ok', 'read', value]);
  for (const value of [-1, 0, 1, 2]) {
    const expected = checkLinearizable(seen(value), { model: 'counter' }).result;
    expect(stream(seen(value), new LinearizabilityChecker('counter')).verdict().result, `${value}`).toBe(expected);
  }
  expect(checkLinearizable(seen(1), { model: 'counter' }).result).toBe('valid');
});

test('D6 L6: an operation that is open for too long makes the verdict unknown, but hides no violation', () => {
  const events: Short[] = [[9, 'invoke', 'read']];
  for (let i = 1; i <= 50; i++) events.push([1, 'invoke', 'write', i], [1, 'ok', 'write', i]);
  events.push([9, 'ok', 'read', 0], [2, 'invoke', 'read'], [2, 'ok', 'read', 50]);
  const options = { maxOpenReturns: 10 };
  expect(stream(history(...events), new LinearizabilityChecker('register', options)).verdict().result).toBe('unknown');
  events.push([2, 'invoke', 'read'], [2, 'ok', 'read', 49]);
  expect(stream(history(...events), new LinearizabilityChecker('register', options)).verdict().result).toBe('invalid');
});

test('L6: what is kept does not grow with the length of the history', () => {
  const pick = picker(5);
  const checker = new LinearizabilityChecker('register');
  const most: number[] = [];
  const open: { process: number; f: string; value: number | null }[] = [];
  let [present, index, kept] = [null as number | null, 0, 0];
  const add = (process: number, type: HistoryEvent['type'], f: string, value: unknown): void => {
    expect(checker.add({ index, process, type, f, key: '', value, time: index })).toBeNull();
    index++;
    kept = Math.max(kept, checker.kept);
  };
  // Five clients; every write has a value of its own, so that there are ever new states to forget.
  for (let begun = 0; begun < 40_000; begun++) {
    const f = pick(2) === 0 ? 'read' : 'write';
    const process = begun % 5;
    const one = open.findIndex((each) => each.process === process);
    const [ended] = one < 0 ? [] : open.splice(one, 1);
    if (ended !== undefined) add(process, 'ok', ended.f, ended.value);
    const value = f === 'read' ? present : begun;
    add(process, 'invoke', f, f === 'read' ? null : value);
    open.push({ process, f, value });
    present = value;
    if (begun % 10_000 === 9999) {
      most.push(kept);
      kept = 0;
    }
  }
  expect(checker.verdict().result).toBe('valid');
  expect(most).toHaveLength(4);
  expect(Math.max(...most)).toBeLessThan(400);
});

test('D5: a stream without events, or without successes, is not valid', () => {
  expect(new LinearizabilityChecker().verdict()).toMatchObject({ result: 'unknown', keys: 0 });
  expect(stream(history([1, 'invoke', 'write', 1])).verdict()).toMatchObject({
    result: 'unknown',
    operations: { write: { ok: 0, fail: 0, info: 1 } },
  });
});

test('the model is settled as soon as the operations tell, and complaints name the event', () => {
  const counter = history([1, 'invoke', 'add', 2], [1, 'ok', 'add', 2], [1, 'invoke', 'read'], [1, 'ok', 'read', 3]);
  expect(stream(counter).verdict()).toMatchObject({ result: 'invalid', model: 'counter' });
  const elements = history([1, 'invoke', 'add', 2], [1, 'ok', 'add', 2], [1, 'invoke', 'read'], [1, 'ok', 'read', [2]]);
  expect(stream(elements).verdict()).toMatchObject({ result: 'valid', model: 'set' });
  expect(() => stream(history([1, 'invoke', 'append', 2], [2, 'invoke', 'write', 1]))).toThrow(
    /^the event at position 1 has the unknown f "write"/,
  );
});

test("a model of one's own is judged like the others, whole when its keys are not objects of their own", () => {
  const accounts: Model<readonly [number, number]> = {
    name: 'accounts',
    functions: {
      move: { reads: false, changes: false, answers: false },
      read: { reads: true, changes: false, answers: true },
    },
    partitioned: false,
    initial: () => [10, 0],
    identity: (state) => state.join(),
    complaint: () => null,
    step([a, b], { f, argument, result }) {
      if (f === 'move') return [a - (argument as number), b + (argument as number)];
      return result === undefined || (result as number[]).join() === `${a},${b}` ? [a, b] : IMPOSSIBLE;
    },
  };
  const seen = (value: unknown): HistoryEvent[] =>
    history([1, 'invoke', 'move', 3], [2, 'invoke', 'read'], [2, 'ok', 'read', value], [1, 'ok', 'move', 3]);
  expect(checkLinearizable(seen([7, 3]), { model: accounts }).result).toBe('valid');
  expect(checkLinearizable(seen([10, 0]), { model: accounts }).result).toBe('valid');
  expect(checkLinearizable(seen([7, 0]), { model: accounts }).result).toBe('invalid');
  expect(stream(seen([7, 0]), new LinearizabilityChecker(accounts)).verdict().result).toBe('invalid');
});
