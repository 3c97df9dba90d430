import { describe, expect, test } from 'vitest';
import { checkLinearizable, formatOf, type HistoryEvent, readHistory } from '../index.ts';
import { EdnReader, jsonOf } from './edn.ts';

/** The same small history in each format: a write that timed out and is read, and a swap that fails. */
const LOG = `INFO  jepsen.core - Run starting
INFO  jepsen.util - 0	:invoke	:write	3
INFO  jepsen.util - :nemesis	:info	:start	nil
2026-01-01 10:00:00,000 INFO  jepsen.util - 1	:invoke	:read	nil
INFO  jepsen.util - 0	:info	:write	:timed-out
INFO  jepsen.util - 1	:ok	:read	3
INFO  jepsen.util - 2	:invoke	:cas	[1 2]
INFO  jepsen.util - 2	:fail	:cas	[1 2]
`;

const EDN_LINES = `; a comment
{:process 0, :type :invoke, :f :write, :value 3, :time 10, :index 0}
{:process :nemesis, :type :info, :f :start, :value nil}
{:process 1 :type :invoke :f :read :value nil}
{:process 0 :type :info :f :write :value 3 :error [:timeout "no answer"]}
{:process 1 :type :ok :f :read :value 3}
{:process 2 :type :invoke :f :cas :value [1 2]}
{:process 2 :type :fail :f :cas :value [1 2]}
`;

const JSONL = `{"process":0,"type":"invoke","f":"write","value":3}
{"process":1,"type":"invoke","f":"read","value":null}
{"process":0,"type":"info","f":"write","value":null}

{"process":1,"type":"ok","f":"read","value":3}
{"process":2,"type":"invoke","f":"cas","value":[1,2]}
{"process":2,"type":"fail","f":"cas","value":null}
`;

function short(events: readonly HistoryEvent[]): unknown[] {
  return events.map(({ process, type, f, value }) => [
    process,
    type,
    f,
    type === 'ok' || type === 'invoke' ? value : null,
  ]);
}

describe('F1: a history means the same in each format', () => {
  const expected = short(readHistory(JSONL, 'jsonl').events);

  test.each([
    ['jsonl', JSONL],
    ['log', LOG],
    ['edn', EDN_LINES],
    ['edn', `[${EDN_LINES}]`],
    ['edn', `#jepsen.history.History [${EDN_LINES.replaceAll('{:process', '#jepsen.history.Op{:process')}]`],
  ])('%s is detected from its content and read', (format, text) => {
    expect(formatOf(text)).toBe(format);
    const { events } = readHistory(text);
    expect(short(events)).toEqual(expected);
    expect(events.map((event) => event.index)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(checkLinearizable(events)).toMatchObject({ result: 'valid', model: 'cas-register', keys: 1 });
  });

  test('why an operation timed out is no value', () => {
    const { events } = readHistory(LOG);
    expect(events[2]).toMatchObject({ type: 'info', f: 'write', value: null });
  });

  test('keys and times are kept where a format has them', () => {
    const { events } = readHistory('{:process 0 :type :invoke :f :read :value nil :key :x :time 7}');
    expect(events[0]).toMatchObject({ key: ':x', time: 7 });
  });
});

describe('F2: EDN', () => {
  test.each([
    ['[1 -2 +3 4.5 1e3 7N 2.5M]', [1, -2, 3, 4.5, 1000, 7, 2.5]],
    ['#{:a "b\\n\\u0041" \\c \\newline}', [':a', 'b\nA', 'c', '\n']],
    ['{:a nil, "b" (true false)}', { ':a': null, b: [true, false] }],
    [
      '[#_ [skipped] #inst "2026" symbol/name ; comment\n 9007199254740993]',
      ['2026', 'symbol/name', '9007199254740993'],
    ],
  ])('%s is read', (text, value) => {
    expect(jsonOf(new EdnReader(text).next())).toEqual(value);
  });

  test.each([
    ['[{:process 0 :type :invoke\n :f :read', /^line 2 ends in the middle: something is not closed/],
    ['{:process 0 :type}', /^line 1 has a map with a key and no value/],
    ['\n\n]', /^line 3 has a "]" that closes nothing/],
    ['["abc', /^line 1 has a string that is not closed/],
    ['["\\q"]', /^line 1 has a string with the unknown escape "\\q"/],
    ['[', /^line 1 ends in the middle/],
    ['['.repeat(10_000), /^line 1 is nested more than 200 deep/],
    ['[1 2]', /^line 1 is not a map/],
    ['{:process 0 :type :invoke :value 1}', /^line 1 has no :f/],
    ['\n{:process 0 :type :begin :f :read}', /^line 2 has an unknown :type/],
    ['{:type :invoke :f :read}', /^line 1 has no :process/],
    ['{:process 0 :type :ok :f :read :value 1}', /^line 1 completes an operation that process 0 never invoked/],
    ['{:process 1.5 :type :invoke :f :read :value 1}', /^line 1 has no process/],
  ])('F3: hostile text %# is refused with its line', (text, message) => {
    expect(() => readHistory(text, 'edn')).toThrow(message);
  });
});

describe('F3: hostile files are refused with the line', () => {
  test.each([
    ['log', 'nothing of the kind', /^the file holds no operation as Jepsen logs them/],
    ['log', 'INFO  jepsen.util - 0\t:invoke\t:cas\t[0 1', /^line 1 has a value that cannot be read/],
    [
      'log',
      'x\nINFO  jepsen.util - 0\t:ok\t:cas\t[0 1]',
      /^line 2 completes an operation that process 0 never invoked/,
    ],
    ['jsonl', '\u0000\u0001', /^line 1 is not JSON/],
    ['jsonl', 'null', /^line 1 is not an object/],
    ['xml', '<x/>', /^there is no format "xml": use one of jsonl, log, edn/],
  ])('%s %#', (format, text, message) => {
    expect(() => readHistory(text, format)).toThrow(message);
  });

  test('a complaint of the model names the line, too', () => {
    const { events, where } = readHistory('\n\n{"process":0,"type":"invoke","f":"cas","value":[1]}', 'jsonl');
    expect(() => checkLinearizable(events, { where })).toThrow(/^line 3 is a cas without its two values/);
    const { events: log, where: ofLog } = readHistory('x\njepsen.util - 0\t:invoke\t:sing\tnil');
    expect(() => checkLinearizable(log, { where: ofLog })).toThrow(/^line 2 has the unknown f "sing"/);
  });
});
