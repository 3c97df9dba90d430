import { expect, test } from 'vitest';
import { PolderError } from '../base/error.ts';
import { checkLinearizable, type HistoryEvent, parseHistory, readHistory } from './index.ts';

const LINE = { index: 0, process: 1, type: 'invoke', f: 'write', key: 'a', value: 1, time: 0 };
const READ = { index: 0, process: 1, type: 'invoke', f: 'read', key: 'a', time: 0 };

function errorOf(action: () => unknown): { code: string; message: string } {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(PolderError);
    const { code, message } = error as PolderError;
    return { code, message };
  }
  throw new Error('nothing was thrown');
}

function parsing(...lines: unknown[]): { code: string; message: string } {
  return errorOf(() => {
    const { events, where } = readHistory(lines.map((line) => JSON.stringify(line)).join('\n'), 'jsonl');
    checkLinearizable(events, { where });
  });
}

const MALFORMED: [string, unknown[], RegExp][] = [
  ['a completion without an invocation', [{ ...LINE, type: 'ok' }], /^line 1 completes .* never invoked: record/],
  ['two open invocations', [LINE, { ...LINE, index: 1 }], /^line 2 invokes, but process 1 still .* of line 1 open/],
  ['an unknown type', [{ ...LINE, type: 'done' }], /^line 1 has the unknown type "done": use one of invoke, ok/],
  ['an unknown f', [{ ...LINE, f: 'sing' }], /^line 1 has the unknown f "sing": use one of read, write, cas/],
  ['a completion of another key', [LINE, { ...LINE, index: 1, type: 'ok', key: 'b' }], /^line 2 .* make them the same/],
  [
    'a completion with another value',
    [LINE, { ...LINE, index: 1, type: 'ok', value: 2 }],
    /^line 2 .* repeat the value/,
  ],
  ['indexes that go back', [LINE, { ...LINE, process: 2 }], /^line 2 has index 0 after 0: put the events in order/],
  ['a cas of one value', [{ ...LINE, f: 'cas' }], /^line 1 is a cas without its two values: write \[old, new\]/],
  [
    'an f of another object',
    [LINE, { ...LINE, index: 1, process: 2, f: 'append' }],
    /^line 2 has the unknown f "append": use one of read, write, cas/,
  ],
  ['a read without an answer', [READ, { ...READ, index: 1, type: 'ok' }], /^line 2 completes a read without a value/],
  ['no process', [{ ...LINE, process: 'p' }], /^line 1 has no process/],
  ['no key', [{ ...LINE, key: 1 }], /^line 1 has no key/],
  ['no time', [{ ...LINE, time: null }], /^line 1 has no time/],
  ['no index', [{ ...LINE, index: -1 }], /^line 1 has no index/],
  ['no object', [[1]], /^line 1 is not an object/],
];

for (const [name, lines, message] of MALFORMED) {
  test(`H1: ${name} is refused with the line and what to do`, () => {
    const error = parsing(...lines);
    expect(error.code).toBe('MalformedHistory');
    expect(error.message).toMatch(message);
  });
}

test('H1: a line cut short is refused with its number, counting empty lines', () => {
  const error = errorOf(() => parseHistory(`${JSON.stringify(LINE)}\n\n{"index":1,"pro`));
  expect(error.code).toBe('MalformedHistory');
  expect(error.message).toMatch(/^line 3 is not JSON: /);
});

test('H2: the checker refuses what does not belong together, by position', () => {
  const events = [{ ...LINE, type: 'ok' }] as HistoryEvent[];
  expect(errorOf(() => checkLinearizable(events)).message).toMatch(/^the event at position 0 completes/);
});

test('H3: a process whose operation ended unknown may go on', () => {
  const info = { ...LINE, index: 1, type: 'info' };
  const next = { ...LINE, index: 2, value: 2 };
  const lines = [LINE, info, next, { ...next, index: 3, type: 'ok' }].map((line) => JSON.stringify(line)).join('\n');
  expect(checkLinearizable(parseHistory(lines)).operations.write).toEqual({ ok: 1, fail: 0, info: 1 });
});
