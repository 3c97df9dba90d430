import { expect, test } from 'vitest';
import { history, type Sketch } from '../history.test-support.ts';
import type { Operation } from '../operation.ts';
import { checkLog, type OffsetMessage } from './kafka-checker.ts';

const send = (message: number, result: number, more: Partial<Operation> = {}) => ({
  f: 'send',
  value: { key: 'k', message },
  result,
  ...more,
});
const poll = (from: number, pairs: OffsetMessage[], more: Partial<Operation> = {}) => ({
  f: 'poll',
  value: null,
  result: [{ from: { k: from }, messages: { k: pairs } }],
  ...more,
});
const drain = (...pairs: OffsetMessage[]) => ({ ...poll(0, pairs, { final: true }), f: 'drain' });

function anomalies(...sketches: Sketch[]): Record<string, number> {
  return checkLog(history(...sketches)).figures['anomalies'] as Record<string, number>;
}

test('a log that everybody reads as it was written is valid, with gaps between offsets too', () => {
  const found = checkLog(history(send(1, 0), send(2, 5), poll(0, [[0, 1]]), poll(1, [[5, 2]]), drain([0, 1], [5, 2])));
  expect(found).toMatchObject({ result: 'valid', figures: { sent: 2, acknowledged: 2, anomalies: {} } });
});

test('each anomaly is found and named', () => {
  const both = [send(1, 0), send(2, 1)];
  expect(anomalies(send(1, 0), send(2, 0, { process: 1 }), drain([0, 1]))).toMatchObject({ 'inconsistent-offsets': 1 });
  expect(anomalies(send(1, 0), drain([0, 1], [1, 1]))).toEqual({ duplicate: 1 });
  expect(anomalies(...both, drain([1, 2]))).toEqual({ 'lost-write': 1, 'poll-skip': 1 });
  expect(anomalies(...both, drain([0, 1]))).toEqual({ unseen: 1 });
  expect(anomalies(...both, send(3, 2), poll(0, [[0, 1]]), poll(1, [[2, 3]]), drain([0, 1], [1, 2], [2, 3]))).toEqual({
    'poll-skip': 1,
  });
  expect(
    anomalies(
      ...both,
      send(3, 2),
      poll(0, [
        [0, 1],
        [2, 3],
      ]),
      drain([0, 1], [1, 2], [2, 3]),
    ),
  ).toEqual({
    'int-poll-skip': 1,
  });
  expect(anomalies(...both, poll(1, [[0, 1]]), drain([0, 1], [1, 2]))).toEqual({ 'nonmonotonic-poll': 1 });
  expect(
    anomalies(
      ...both,
      poll(0, [
        [0, 1],
        [0, 1],
      ]),
      drain([0, 1], [1, 2]),
    ),
  ).toEqual({ 'int-nonmonotonic-poll': 1 });
  expect(anomalies(send(1, 1), send(2, 0), drain([0, 2], [1, 1]))).toEqual({ 'nonmonotonic-send': 1 });
  expect(anomalies(send(1, 0, { outcome: 'fail', result: null }), drain([0, 1]))).toEqual({ 'aborted-read': 1 });
  expect(anomalies(drain([0, 7]))).toEqual({ 'invented-message': 1 });
});

test('offsets of two processes need no order between them', () => {
  expect(anomalies(send(1, 1), send(2, 0, { process: 1 }), drain([0, 2], [1, 1]))).toEqual({});
});

test('a committed offset that nobody committed is found, unless a commit of unknown outcome may explain it', () => {
  const commit = { f: 'commit', value: null, result: { k: 0 } };
  const assign = { f: 'assign', value: ['k'], result: { k: 1 } };
  const ends = [send(1, 0), drain([0, 1])];
  expect(anomalies(commit, assign, ...ends)).toEqual({ 'invented-commit': 1 });
  expect(anomalies(commit, { ...assign, result: { k: 0 } }, ...ends)).toEqual({});
  expect(anomalies({ ...commit, outcome: 'info', result: null }, assign, ...ends)).toEqual({});
});

test('a message of unknown outcome may be there or not', () => {
  const doubtful = send(2, 0, { outcome: 'info', result: null });
  expect(anomalies(send(1, 0), doubtful, drain([0, 1]))).toEqual({});
  expect(anomalies(send(1, 0), doubtful, drain([0, 1], [1, 2]))).toEqual({});
});

test('without a final read of everything the result is unknown, and nothing counts as unseen', () => {
  expect(checkLog(history(send(1, 0)))).toMatchObject({ result: 'unknown', figures: { anomalies: {} } });
});
