import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventRecorder, type LoggedEvent, writeShiViz } from '@polder/core/clocks';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runProgram } from '../program.ts';
import type { Terminal } from '../terminal.ts';
import { traceDiagram } from './diagram.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'polder-trace-test-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function recording(): { out: string; progress: string; terminal: Terminal } {
  const said = { out: '', progress: '' };
  const terminal: Terminal = {
    data: (text) => {
      said.out += `${text}\n`;
    },
    bytes: () => {},
    progress: (text) => {
      said.progress += `${text}\n`;
    },
    style: (_style, text) => text,
  };
  return Object.assign(said, { terminal });
}

async function run(...args: string[]): Promise<{ code: number; out: string; progress: string }> {
  const said = recording();
  const code = await runProgram(['trace', ...args], said.terminal);
  return { code, out: said.out, progress: said.progress };
}

/** orders asks stock and payments; both touch the same order without knowing of each other; stock answers. */
function shop(): LoggedEvent[] {
  const events: LoggedEvent[] = [];
  const [orders, stock, payments] = ['orders', 'stock', 'payments'].map(
    (process) => new EventRecorder({ process, sink: (event) => events.push(event) }),
  ) as [EventRecorder, EventRecorder, EventRecorder];
  const asks = orders.send('asks both');
  stock.receive(asks.clock, 'hears');
  payments.receive(asks.clock, 'hears');
  stock.local('reserves', { key: 'order 17' });
  payments.local('charges', { key: 'order 17' });
  orders.receive(stock.send('answers').clock, 'is glad');
  return events;
}

function file(content: string, name = 'shop.log'): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

test('summary counts events, messages and races, and says that every clock is right', async () => {
  const path = file(writeShiViz([{ label: 'first run', events: shop() }]));
  const { code, out } = await run('summary', path);
  expect(code).toBe(0);
  expect(out.split('\n')).toEqual([
    'trace 1: first run',
    '7 events of 3 processes, 3 messages that brought news; every clock is right',
    'PROCESS   EVENTS',
    'orders    2',
    'stock     3',
    'payments  2',
    '1 races (pairs of concurrent events) on 1 of 1 keys, such as:',
    '  "order 17": stock:2 and payments:2',
    '',
  ]);
  const [json] = JSON.parse((await run('summary', path, '--json')).out);
  expect(json).toMatchObject({ valid: true, events: 7, messages: 3, races: [{ key: 'order 17', count: 1 }] });
});

test('C4: summary names the first malformed clock by file and line, with what it should be, and exits with 1', async () => {
  const path = file(
    writeShiViz([{ label: '', events: shop() }], 'default').replace('{"orders":1,"stock":2}', '{"orders":1}'),
  );
  const { code, out } = await run('summary', path);
  expect(code).toBe(1);
  expect(out).toContain(`${path}:10: stock: its clock does not count the event itself`);
  expect(out).toContain('  it says       {"orders":1}\n  should be     {"orders":1,"stock":2}');
  expect(JSON.parse((await run('summary', path, '--json')).out)[0].problem).toMatchObject({
    line: 10,
    expected: { orders: 1, stock: 2 },
  });
  const query = await run('past', path, 'orders:1');
  expect([query.code, query.out]).toEqual([1, '']);
  expect(query.progress).toContain('should be');
});

test('S11: past, future and concurrent list what the clocks say, with the line of the file', async () => {
  const path = file(writeShiViz([{ label: '', events: shop() }]));
  expect((await run('past', path, 'orders:2')).out.split('\n')).toEqual([
    '4 of 7 events happened before orders:2',
    'EVENT     KIND     WHERE    TEXT',
    'orders:1  send     line 3   asks both',
    'stock:1   receive  line 5   hears',
    'stock:2   local    line 9   reserves',
    'stock:3   send     line 13  answers',
    '',
  ]);
  expect((await run('concurrent', path, 'payments:2', '--limit', '0')).out.split('\n')).toEqual([
    '4 of 7 events are concurrent with payments:2',
    '… and 4 more; see --limit',
    '',
  ]);
  const future = JSON.parse((await run('future', path, 'orders:1', '--json', '--limit', '1')).out);
  expect(future).toMatchObject({
    count: 6,
    events: [{ process: 'orders', sequence: 2, clock: { orders: 2, stock: 3 } }],
  });
});

test('chain gives the shortest way, or exits with 1 and says why there is none', async () => {
  const path = file(writeShiViz([{ label: '', events: shop() }]));
  const { code, out } = await run('chain', path, 'orders:1', 'stock:2');
  expect(code).toBe(0);
  expect(out.split('\n').map((line) => line.split(' ')[0])).toEqual(['EVENT', 'orders:1', 'stock:1', 'stock:2', '']);
  const none = await run('chain', path, 'payments:2', 'orders:2');
  expect(none.code).toBe(1);
  expect(none.progress).toContain('payments:2 cannot have influenced orders:2: the two are concurrent');
  expect((await run('chain', path, 'orders:2', 'orders:1')).progress).toContain('it happened after orders:1');
});

test('diagram is text in a pipe or with --text, an SVG file at a terminal or with --output', async () => {
  const path = file(writeShiViz([{ label: '', events: shop() }]));
  const said = recording();
  traceDiagram(path, { limit: 10 }, said.terminal, false);
  expect(said.out).toContain('orders  stock  payments\n●       │      │         orders:1  send  asks both\n');
  traceDiagram(path, { limit: 10 }, said.terminal, true);
  expect(readFileSync(`${path}.svg`, 'utf8')).toMatch(/^<svg /);
  const output = join(directory, 'x.svg');
  expect((await run('diagram', path, '--output', output)).out).toBe('');
  expect(readFileSync(output, 'utf8')).toBe(readFileSync(`${path}.svg`, 'utf8'));
  expect((await run('diagram', path, '--text', '--limit', '1')).out).toContain('… and 6 more events');
});

test('one of several traces is chosen by label or number', async () => {
  const path = file(
    writeShiViz([
      { label: 'one', events: shop() },
      { label: 'two', events: shop().slice(0, 1) },
    ]),
  );
  const undecided = await run('past', path, 'orders:1');
  expect(undecided.code).toBe(2);
  expect(undecided.progress).toContain('2 traces, choose one with --trace: "one", "two"');
  expect((await run('future', path, 'orders:1', '--trace', 'one', '--limit', '0')).out).toContain('6 of 7');
  expect((await run('future', path, 'orders:1', '--trace', '2', '--limit', '0')).out).toContain('0 of 1');
  expect((await run('past', path, 'orders:1', '--trace', 'three')).code).toBe(2);
});

test('wrong usage exits with 2 and says what to do', async () => {
  const path = file(writeShiViz([{ label: '', events: shop() }]));
  for (const [args, said] of [
    [['past', path, 'orders:9'], 'there is no event orders:9: orders has events 1 to 2'],
    [['past', path, 'nobody'], 'use process:number, of orders, stock, payments'],
    [['past', path, 'orders:1', '--limit', 'all'], 'integer from 0'],
    [['summary', '/nowhere/x.log'], 'cannot read /nowhere/x.log'],
    [['summary', path, '--parser', '('], 'has no group (?<host>'],
    [['summary', file('not\na log', 'other.log')], 'has no event that'],
    [['summary'], "missing required argument 'file'"],
  ] as const) {
    const { code, out, progress } = await run(...args);
    expect(progress, args.join(' ')).toContain(said);
    expect([code, out], args.join(' ')).toEqual([2, '']);
  }
});
