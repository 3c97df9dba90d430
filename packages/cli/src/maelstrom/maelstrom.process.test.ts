/** The command with real node processes: the examples pass, and nodes that are wrong in one way are caught. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runProgram } from '../program.ts';
import { programOf } from './node-process.ts';
import type { Report } from './report.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const example = (name: string): string => path(`../../../../examples/maelstrom/${name}.ts`);
const BROKEN = fileURLToPath(new URL('./broken-node.fixture.ts', import.meta.url));
const PARTITIONS = ['--nemesis', 'partition', '--nemesis-interval', '0.2'];

interface Run {
  readonly code: number;
  readonly report: Report;
  readonly reasons: string;
}

async function run(workload: string, file: string, flags: string): Promise<Run> {
  let out = '';
  const terminal = {
    data: (text: string) => {
      out += text;
    },
    bytes: () => undefined,
    progress: () => undefined,
    style: (_style: string, text: string) => text,
  };
  const args = [
    'maelstrom',
    '--json',
    '-w',
    workload,
    '--bin',
    file,
    ...flags.split(' ').filter((flag) => flag !== ''),
  ];
  const code = await runProgram(args, terminal);
  const report = JSON.parse(out) as Report;
  return { code, report, reasons: report.reasons.join('\n') };
}

async function expectValid(workload: string, file: string, flags: string): Promise<Report> {
  const { code, report } = await run(workload, file, flags);
  expect(report.reasons).toEqual([]);
  expect(report.result).toBe('valid');
  expect(code).toBe(0);
  return report;
}

async function expectCaught(workload: string, mistake: string, flags: string, said: string): Promise<Run> {
  const found = await run(workload, BROKEN, `${flags} -- ${mistake}`);
  expect(found.reasons).toContain(said);
  expect(found.report.result).toBe('invalid');
  expect(found.code).toBe(1);
  return found;
}

// Runs wait for real time far more than they compute, so they wait together.
describe.concurrent('the examples solve their challenges', () => {
  test('1: echo', async () => {
    const report = await expectValid('echo', example('echo'), '--node-count 1 --time-limit 0.5 --rate 100');
    // A hundred a second were asked for; how many a busy machine comes to is not the point.
    expect(report.operations['echo']?.ok).toBeGreaterThan(2);
  });

  test('2: unique ids, totally available under partitions', async () => {
    const flags = `--node-count 3 --time-limit 0.8 --rate 500 --availability total ${PARTITIONS.join(' ')}`;
    const report = await expectValid('unique-ids', example('unique-ids'), flags);
    expect(report.availability).toBe(1);
  });

  test('3a to 3c: broadcast on one node and on five, and through partitions', async () => {
    await expectValid('broadcast', example('broadcast'), '--node-count 1 --time-limit 0.3 --rate 50');
    const flags = `--node-count 5 --time-limit 1.2 --rate 60 ${PARTITIONS.join(' ')}`;
    const report = await expectValid('broadcast', example('broadcast'), flags);
    expect(report.messages.lostToPartitions).toBeGreaterThan(0);
  });

  test('3d and 3e: broadcast to 25 nodes with few messages', async () => {
    const flags = '--node-count 25 --time-limit 1.5 --rate 100 --latency 100';
    const report = await expectValid('broadcast', example('broadcast'), flags);
    // Counts do not depend on how busy the machine is; times do, and are not asserted.
    expect(report.messages.serversPerOperation).toBeLessThan(30);
  });

  test('4: a counter over seq-kv, growing or not', async () => {
    const flags = `--node-count 3 --time-limit 0.8 --rate 100 ${PARTITIONS.join(' ')}`;
    await expectValid('g-counter', example('counter'), flags);
    await expectValid('pn-counter', example('counter'), '--node-count 2 --time-limit 0.3 --rate 100');
  });

  test('5: logs over lin-kv', async () => {
    const flags = '--node-count 2 --concurrency 2n --time-limit 0.8 --rate 300';
    const report = await expectValid('kafka', example('kafka'), flags);
    expect(report.figures['anomalies']).toEqual({});
  });

  test('6: transactions, totally available and read committed under partitions', async () => {
    const flags = `--node-count 2 --concurrency 2n --time-limit 0.8 --rate 500 --availability total ${PARTITIONS.join(' ')}`;
    await expectValid('txn-rw-register', example('transactions'), flags);
  });

  test('besides them: lists in transactions, a grow-only set, and a linearizable store', async () => {
    await expectValid('txn-list-append', example('list-append'), '--node-count 2 --time-limit 0.4 --rate 100');
    await expectValid('g-set', example('g-set'), `--node-count 3 --time-limit 0.5 --rate 60 ${PARTITIONS.join(' ')}`);
    await expectValid('lin-kv', example('lin-kv'), '--node-count 2 --concurrency 3n --time-limit 0.5 --rate 200');
  });
});

describe.concurrent('a node that is wrong is caught', () => {
  test('an echo that changes', () =>
    expectCaught('echo', 'changes-echo', '--node-count 1 --time-limit 0.5 --rate 100', 'and echoed'));

  test('ids that two nodes give', () =>
    expectCaught('unique-ids', 'repeats-ids', '--node-count 2 --time-limit 0.3 --rate 200', 'was given 2 times, by n'));

  test('a broadcast that tells nobody twice loses messages to a partition', async () => {
    const flags = `--node-count 5 --time-limit 1 --rate 200 --recovery 0.3 ${PARTITIONS.join(' ')}`;
    const { report } = await expectCaught('broadcast', 'gossips-once', flags, 'known elements are lost');
    expect(report.messages.lostToPartitions).toBeGreaterThan(0);
  });

  test('a store that serves stale reads is not linearizable', async () => {
    const flags = '--node-count 2 --concurrency 3n --time-limit 0.6 --rate 300 -- seq-kv';
    const { code, reasons } = await run('lin-kv', example('lin-kv'), flags);
    expect(reasons).toMatch(/at key "\d+"/);
    expect(code).toBe(1);
  });

  test('counters that are never added up', () => {
    const flags = '--node-count 2 --time-limit 0.3 --rate 100 --recovery 0.1';
    return expectCaught('g-counter', 'counts-alone', flags, 'in the end; expected');
  });

  test('logs whose offsets each node gives alone', () => {
    const flags = '--node-count 2 --time-limit 0.4 --rate 200 --recovery 0.1';
    return expectCaught('kafka', 'logs-alone', flags, 'inconsistent-offsets');
  });

  test('writes of an aborted transaction that stay: G1a', () => {
    const flags = '--node-count 1 --concurrency 2 --time-limit 0.4 --rate 200';
    return expectCaught('txn-rw-register', 'keeps-aborted-writes', flags, 'G1a');
  });
});

describe.concurrent('a node that does not keep to the protocol is named, with what was expected', () => {
  test.each([
    ['prints-to-stdout', 'n1 wrote line 2, which is not JSON; expected one message'],
    ['crashes', 'n1 ended by itself with exit code 7'],
    ['crashes', 'the disk is on fire'],
    ['answers-otherwise', 'expected the type "echo_ok" or "error"'],
    ['writes-to-nobody', 'n1 sent hello to "n99", which does not exist'],
  ])('%s', async (mistake, said) => {
    await expectCaught('echo', mistake, '--node-count 1 --time-limit 5 --rate 100', said);
  });

  test('one that hangs: the result is unknown, and its silence is said', async () => {
    const flags = '--node-count 1 --time-limit 0.3 --rate 50 --timeout 100 -- hangs';
    const { code, report, reasons } = await run('echo', BROKEN, flags);
    expect(code).toBe(2);
    expect(reasons).toMatch(/n1 answered none of its \d+ requests: it hangs/);
    expect(report.operations['echo']?.ok).toBe(0);
    expect(report.errors['0 timeout']).toBeGreaterThan(0);
  });
});

test('--log-dir keeps history, messages, results and stderr', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'polder-maelstrom-'));
  try {
    await run('echo', BROKEN, `--node-count 1 --time-limit 0.2 --rate 50 --log-dir ${directory} -- tells-pid`);
    const lines = (name: string): string[] => readFileSync(join(directory, name), 'utf8').trim().split('\n');
    expect(lines('history.jsonl')[0]).toContain('"type":"invoke","f":"echo"');
    expect(lines('messages.jsonl').some((line) => line.includes('"event":"receive"'))).toBe(true);
    expect(lines(join('node-logs', 'n1.log'))[0]).toMatch(/^pid \d+$/);
    expect((JSON.parse(lines('results.json').join('\n')) as Report).result).toBe('valid');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('a node of the examples ends with its standard input, so that none outlives a runner that was killed', async () => {
  const { command, args } = programOf(example('broadcast'), []);
  const node = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const body = { type: 'init', msg_id: 1, node_id: 'n1', node_ids: ['n1'] };
  node.stdin.write(`${JSON.stringify({ src: 'c0', dest: 'n1', body })}\n`);
  const [answer] = (await once(node.stdout, 'data')) as [Buffer];
  expect(answer.toString()).toContain('init_ok');
  node.stdin.end();
  expect(await once(node, 'exit')).toEqual([0, null]);
});

test('Ctrl-C ends the nodes and leaves a summary of what was seen', async () => {
  const command = path('../../bin/polder.js');
  const flags = ['--node-count', '1', '--time-limit', '60', '--rate', '200', '--log-stderr', '--json'];
  const child = spawn(
    process.execPath,
    [command, 'maelstrom', '-w', 'echo', '--bin', BROKEN, ...flags, '--', 'tells-pid'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const closed = once(child, 'close');
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  let pid = 0;
  for await (const line of createInterface({ input: child.stderr })) {
    pid = Number(/pid (\d+)/.exec(line)?.[1] ?? pid);
    if (line.includes('clients start')) child.kill('SIGINT');
  }
  const [code] = (await closed) as [number | null];
  expect(code).toBe(2);
  const report = JSON.parse(out) as Report;
  expect(report.reasons).toContain('interrupted before the end');
  expect(pid).toBeGreaterThan(0);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
