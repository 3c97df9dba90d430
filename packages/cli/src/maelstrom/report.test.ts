import { expect, test } from 'vitest';
import { history } from './history.test-support.ts';
import { percentiles } from './percentiles.ts';
import { reportOf, reportText } from './report.ts';
import type { RunOptions } from './run-options.ts';
import type { RunOutcome } from './test-run.ts';

const options: RunOptions = {
  workload: 'echo',
  program: { command: 'node', args: [] },
  nodeCount: 1,
  timeLimitMs: 1_000,
  ratePerSecond: 1,
  concurrency: 1,
  latency: { distribution: 'constant', meanMs: 0 },
  partitionIntervalMs: null,
  recoveryMs: 0,
  timeoutMs: 1_000,
  topology: 'grid',
  availability: null,
  keyCount: null,
  maxTransactionLength: null,
  maxWritesPerKey: null,
  consistencyModel: 'read-committed',
  seed: 1,
};
const echo = { f: 'echo', value: 1, result: 1 };
const timeout = { ...echo, outcome: 'info' as const, error: { code: 0, text: '' } };

function outcome(over: Partial<RunOutcome>): RunOutcome {
  return {
    findings: { result: 'valid', reasons: [], figures: { echoed: 1 } },
    history: history(echo),
    messages: {
      all: { sent: 7, received: 7 },
      clients: { sent: 2, received: 2 },
      servers: { sent: 5, received: 5 },
      lostToPartitions: 0,
    },
    mainOperations: 2,
    faults: [],
    interrupted: false,
    convergedMs: null,
    stderrLines: {},
    ...over,
  };
}

test('a fault of a node, a violation, or too little availability make a run invalid', () => {
  const fault = { node: 'n2', problem: 'ended by itself' };
  expect(reportOf(options, outcome({ faults: [fault] }))).toMatchObject({
    result: 'invalid',
    reasons: ['n2 ended by itself'],
  });
  const findings = { result: 'invalid' as const, reasons: ['it changed'], figures: {} };
  expect(reportOf(options, outcome({ findings, interrupted: true }))).toMatchObject({ result: 'invalid' });
  const half = outcome({ history: history(echo, timeout) });
  expect(reportOf({ ...options, availability: 0.5 }, half).result).toBe('valid');
  expect(reportOf({ ...options, availability: 1 }, half)).toMatchObject({ result: 'invalid', availability: 0.5 });
});

test('a run in which nothing succeeded, or that was interrupted, is unknown, never valid', () => {
  expect(reportOf(options, outcome({ history: [] })).result).toBe('unknown');
  expect(reportOf(options, outcome({ interrupted: true })).result).toBe('unknown');
  const silent = reportOf(options, outcome({ history: history(timeout, timeout) }));
  expect(silent.reasons.at(-1)).toContain('n1 answered none of its 2 requests');
});

test('messages are counted against the operations before the final reads', () => {
  const report = reportOf(options, outcome({}));
  expect(report.messages.serversPerOperation).toBe(2.5);
  expect(reportText(report)).toContain('messages: 5 between servers (2.5 per operation), 2 with clients');
  expect(reportText(report).split('\n').at(-1)).toBe('result: valid');
});

test('percentiles are of the nearest rank', () => {
  expect(percentiles([])).toBeNull();
  expect(percentiles([3])).toEqual({ median: 3, p95: 3, p99: 3, max: 3 });
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(percentiles(hundred)).toEqual({ median: 50, p95: 95, p99: 99, max: 100 });
});
