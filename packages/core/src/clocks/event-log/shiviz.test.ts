import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PolderError } from '../../base/error.ts';
import type { LoggedEvent } from './event.ts';
import type { EventLog } from './event-log.ts';
import { randomRun } from './random-run.test-support.ts';
import { DEFAULT_PARSER, HOST_FIRST_PARSER, POLDER_PARSER, type ShiVizPatterns } from './shiviz-pattern.ts';
import { readShiViz } from './shiviz-reader.ts';
import { formatShiViz, writeShiViz } from './shiviz-writer.ts';

function logsOf(text: string, given?: Partial<ShiVizPatterns>): { label: string; log: EventLog }[] {
  return readShiViz(text, given).map(({ label, result }) => {
    if (result.type === 'malformed') throw new Error(`line ${result.problem.line}: ${result.problem.reason}`);
    return { label, log: result.log };
  });
}

function eventsOf(log: EventLog): LoggedEvent[] {
  return Array.from({ length: log.size }, (_, id) => {
    const { process, clock, kind, key, text } = log.event(id);
    return { process, clock, kind, key, text };
  });
}

const comparable = (events: readonly LoggedEvent[]): unknown =>
  events.map((event) => ({ ...event, clock: event.clock.toString() }));

function codeOf(action: () => unknown): string {
  try {
    action();
    return 'nothing thrown';
  } catch (error) {
    expect(error).toBeInstanceOf(PolderError);
    return (error as PolderError).code;
  }
}

describe('what Polder writes', () => {
  test('SV1: is read back as it was: kinds, keys and texts with anything in them, in several traces', () => {
    const nasty = fc.constantFrom(
      '',
      '=== b ===',
      'x\ny',
      '\\n',
      '\\',
      '\r\n',
      '\u2028',
      'a {"a":1}',
      '{"a":1}',
      '- -',
      '=',
      '\\=',
      'é',
    );
    const label = fc.constantFrom('', 'run 1', 'a=b', '===');
    const trace = fc.record({
      label,
      run: randomRun,
      texts: fc.array(nasty),
      keys: fc.array(fc.constantFrom(null, '-', '', 'a b', '%', '}', '\n')),
    });
    fc.assert(
      fc.property(fc.array(trace, { minLength: 1, maxLength: 3 }), (traces) => {
        const written = traces.map(({ label: name, run, texts, keys }) => ({
          label: name,
          events: run.events.map((event, i) => ({ ...event, text: texts[i] ?? event.text, key: keys[i] ?? event.key })),
        }));
        const read = logsOf(writeShiViz(written));
        expect(read.map((each) => each.label)).toEqual(written.map((each) => each.label.replace(/^=/, ' =')));
        read.forEach(({ log }, i) => expect(comparable(eventsOf(log))).toEqual(comparable(written[i]?.events ?? [])));
      }),
      { numRuns: 60 },
    );
  });

  test('SV2: in the default format keeps processes, clocks and the texts as one line each', () => {
    fc.assert(
      fc.property(randomRun, ({ events }) => {
        const written = events.map((event, i) => ({ ...event, text: i % 3 === 0 ? 'two\nlines' : event.text }));
        const [read] = logsOf(writeShiViz([{ label: '', events: written }], 'default'));
        const expected = written.map((event) => ({
          ...event,
          kind: null,
          key: null,
          text: event.text.replace('\n', ' '),
        }));
        expect(comparable(eventsOf(read?.log as EventLog))).toEqual(comparable(expected));
      }),
      { numRuns: 60 },
    );
  });

  test('SV3: opens with the patterns, as ShiViz wants it in a file', () => {
    const event: LoggedEvent = { process: 'a', clock: [] as never, kind: 'send', key: 'k 1', text: 'asks\nb' };
    const clock = { toString: () => '{"a":1}' } as never;
    expect(formatShiViz({ ...event, clock }, 'polder')).toBe('a {"a":1} send k%201\nasks\\nb\n');
    expect(formatShiViz({ ...event, clock }, 'default')).toBe('asks b\na {"a":1}\n');
    expect(writeShiViz([]).split('\n')).toEqual([POLDER_PARSER, '^=== (?<trace>.*) ===$', '']);
    expect(codeOf(() => formatShiViz({ ...event, clock, process: 'a b' }, 'polder'))).toBe('InvalidProcessName');
  });
});

const DEFAULT_BODY = 'asks\na {"a":1}\nhears\nb {"b":1, "a":1}\n';
const HOST_FIRST_BODY = 'a {"a":1}\nasks\nb {"b":1, "a":1}\nhears\n';

describe('what others write', () => {
  test.each([
    ['the default pattern, named in the file', `${DEFAULT_PARSER}\n\n${DEFAULT_BODY}`],
    ['the default pattern, as an empty first line', `\n\n${DEFAULT_BODY}`],
    ['the default pattern, without a header', DEFAULT_BODY],
    ['the process first, as GoVector does', `${HOST_FIRST_PARSER}\n\n${HOST_FIRST_BODY}`],
    ['the process first, without a header', HOST_FIRST_BODY],
    ['lines that end as on Windows', DEFAULT_BODY.replaceAll('\n', '\r\n')],
    ['blank lines between events', DEFAULT_BODY.replace('hears', '\n\nhears')],
    ['zero counts for those that are not known yet', DEFAULT_BODY.replace('"a":1}', '"a":1, "b":0}')],
  ])('SV4: %s', (_, text) => {
    const [read] = logsOf(text);
    expect(comparable(eventsOf(read?.log as EventLog))).toEqual([
      { process: 'a', clock: '{"a":1}', kind: null, key: null, text: 'asks' },
      { process: 'b', clock: '{"a":1,"b":1}', kind: null, key: null, text: 'hears' },
    ]);
  });

  test('SV5: a pattern with other named groups, in the file or given beside it, on one line or more', () => {
    const parser = '\\[(?<date>[^\\]]*)\\] \\[(?<host>\\S*)\\] (?<clock>{.*}) (?<key>\\w+): (?<event>.*)';
    const body = '[10:00] [a] {"a" : 1} x: asks\n[10:01] [b] {"a" : 1, "b" : 1} x: hears\n';
    for (const traces of [logsOf(`${parser}\n\n${body}`), logsOf(body, { parser })]) {
      const log = traces[0]?.log as EventLog;
      expect(eventsOf(log).map(({ key, text }) => `${key} ${text}`)).toEqual(['x asks', 'x hears']);
    }
  });

  test('SV6: traces are parted by the delimiter and named by its group; each has its own clocks', () => {
    const delimiter = '^## (?<trace>\\w+)$';
    const text = `${DEFAULT_PARSER}\n${delimiter}\n## one\n${DEFAULT_BODY}## two\n${DEFAULT_BODY}\n## three\n`;
    expect(logsOf(text).map(({ label, log }) => [label, log.size])).toEqual([
      ['one', 2],
      ['two', 2],
    ]);
    const unnamed = logsOf(`${DEFAULT_BODY}\n=====\n${DEFAULT_BODY}`, { delimiter: '^=+$' });
    expect(unnamed.map(({ label, log }) => [label, log.size])).toEqual([
      ['', 2],
      ['', 2],
    ]);
  });
});

test('SV12: the files of several processes, put together, are one log; their headers are no foreign lines', () => {
  fc.assert(
    fc.property(randomRun, fc.constantFrom('polder' as const, 'default' as const), ({ events, log }, format) => {
      const files = log.processes.map((process) =>
        writeShiViz([{ label: '', events: events.filter((event) => event.process === process) }], format),
      );
      const [trace] = readShiViz(files.join(''));
      expect(trace?.result.type).toBe('valid');
      expect(trace?.skipped.count).toBe(0);
      expect(trace?.result.type === 'valid' && trace.result.log.size).toBe(events.length);
    }),
    { numRuns: 60 },
  );
});

describe('what is wrong with a log', () => {
  const problemIn = (text: string, given?: Partial<ShiVizPatterns>): [number, string, string] => {
    for (const { result } of readShiViz(text, given)) {
      if (result.type === 'malformed')
        return [result.problem.line, result.problem.reason, result.problem.expected.toString()];
    }
    throw new Error('nothing is wrong');
  };

  test('SV7 C4: the line named is that of the clock, in every pattern and in a later trace', () => {
    const wrong = DEFAULT_BODY.replace('"b":1, ', '');
    const expected = '{"a":1,"b":1}';
    const reason = 'its clock does not count the event itself: "b" is missing or 0';
    expect(problemIn(wrong)).toEqual([4, reason, expected]);
    expect(problemIn(`\n\n${wrong}`)).toEqual([6, reason, expected]);
    expect(problemIn(`\n^--$\n${DEFAULT_BODY}--\nnoise\n\n${wrong}`)).toEqual([13, reason, expected]);
    expect(problemIn(HOST_FIRST_BODY.replace('"b":1, ', ''))).toEqual([3, reason, expected]);
    const parser = '(?<event>.*)\\n+(?<host>\\S+)\\n(?<clock>{.*})';
    expect(problemIn('asks\na\n{"a":1}\nhears\n\nb\n{"a":1}\n', { parser })).toEqual([7, reason, expected]);
  });

  test.each([
    ['{"b":1, "a":1}x}', 'its clock is not JSON'],
    ['{"b":1, "a":-1}', 'it counts -1 events of "a"'],
    ['{"b":1, "a":1.5}', 'it counts 1.5 events of "a"'],
    ['{"b":1, "a":"1"}', 'it counts "1" events of "a"'],
    ['{"b":1, "a":1e99}', 'it counts 1e+99 events of "a"'],
    ['{"b":1, "a":{}}', 'it counts {} events of "a"'],
  ])('SV8 C4: a clock %s is named by its line', (clock, says) => {
    const [line, reason] = problemIn(`asks\na {"a":1}\nhears\nb ${clock}\n`);
    expect(line).toBe(4);
    expect(reason).toContain(says);
  });

  test('SV9: lines that belong to no event are counted, and the first is named', () => {
    const [trace] = readShiViz(`\n\n${DEFAULT_BODY}what is this\n\nand this\n`);
    expect(trace?.skipped).toEqual({ count: 2, firstLine: 7 });
    expect(readShiViz(DEFAULT_BODY)[0]?.skipped.count).toBe(0);
  });

  test('SV10: a file without events, and a pattern that is none, are refused with a code', () => {
    expect(codeOf(() => readShiViz(''))).toBe('NoEvents');
    expect(codeOf(() => readShiViz('just\nsome\ntext\n'))).toBe('NoEvents');
    expect(codeOf(() => readShiViz(DEFAULT_BODY, { parser: '(?<host>.*) (?<clock>.*)' }))).toBe('MalformedPattern');
    expect(codeOf(() => readShiViz(DEFAULT_BODY, { parser: '(?<host>(?<clock>(?<event>' }))).toBe('MalformedPattern');
    expect(codeOf(() => readShiViz(DEFAULT_BODY, { delimiter: 'x*' }))).toBe('MalformedPattern');
    expect(codeOf(() => readShiViz(DEFAULT_BODY, { parser: '(?<host>)(?<clock>)(?<event>)' }))).toBe('NoEvents');
    expect(codeOf(() => readShiViz(`x\n${'h'.repeat(300)} {"a":1}`))).toBe('InvalidMemberId');
  });

  test('SV11: more processes than a clock may have are refused with a code', () => {
    const lines = Array.from({ length: 1025 }, (_, i) => `x\np${i} {"p${i}":1}\n`);
    expect(codeOf(() => readShiViz(lines.join('')))).toBe('EventLogLimit');
    expect(logsOf(lines.slice(1).join(''))[0]?.log.processes.length).toBe(1024);
  });

  test('SV13: whatever is done to a file, reading it gives traces or a code, and a bad clock has a line of the file', () => {
    const edit = fc.record({
      at: fc.nat(),
      gone: fc.nat(6),
      text: fc.constantFrom('', '\n', '{', '}', '"', '0', '9', 'a', ' ', '=== x ===\n'),
    });
    const format = fc.constantFrom('polder' as const, 'default' as const);
    fc.assert(
      fc.property(randomRun, format, fc.array(edit, { minLength: 1, maxLength: 4 }), ({ events }, how, edits) => {
        let text = writeShiViz([{ label: '', events }], how);
        for (const { at, gone, text: put } of edits) {
          const where = at % (text.length + 1);
          text = text.slice(0, where) + put + text.slice(where + gone);
        }
        const code = codeOf(() => {
          for (const { result } of readShiViz(text)) {
            if (result.type !== 'malformed') continue;
            expect(text.split('\n')[result.problem.line - 1]).toContain(result.problem.process);
            expect(result.problem.reason).not.toBe('');
          }
        });
        expect(['nothing thrown', 'NoEvents', 'MalformedPattern', 'InvalidMemberId']).toContain(code);
      }),
      { numRuns: 300 },
    );
  });
});
