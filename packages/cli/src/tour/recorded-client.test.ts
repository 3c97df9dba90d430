import { expect, test } from 'vitest';
import { ExitCode } from '../exit-code.ts';
import { asCommandError, mayTryNext } from '../kv/failover.ts';
import { callFailure } from '../kv/member-client.ts';
import { outcomeOfFailure } from './recorded-client.ts';

const unavailable = callFailure(Object.assign(new Error('connection lost'), { code: 14 }));
const timedOut = callFailure(Object.assign(new Error('no answer'), { code: 4 }));
const neverSent = callFailure(Object.assign(new Error('refused'), { code: 14, neverSent: true }));
const invalid = callFailure(Object.assign(new Error('etcdserver: key is not provided'), { code: 3 }));
const strange = callFailure(new TypeError('no code at all'));

test('R23: a write that timed out, was disconnected or failed strangely is unknown, never failed', () => {
  for (const failure of [unavailable, timedOut, strange]) {
    expect(outcomeOfFailure('write', failure).type).toBe('info');
    expect(outcomeOfFailure('cas', failure).type).toBe('info');
    expect(asCommandError('write', failure).exitCode).toBe(ExitCode.unknown);
    expect(asCommandError('write', failure).message).toContain('outcome unknown');
  }
});

test('a write that never left, or that was judged and refused, certainly failed', () => {
  expect(outcomeOfFailure('write', neverSent).type).toBe('fail');
  expect(outcomeOfFailure('write', invalid).type).toBe('fail');
  expect(asCommandError('write', neverSent).exitCode).toBe(ExitCode.noCluster);
  expect(asCommandError('write', invalid).exitCode).toBe(ExitCode.failure);
});

test('R23: only a read is repeated on another member after it was sent', () => {
  expect(mayTryNext('read', unavailable)).toBe(true);
  expect(mayTryNext('write', unavailable)).toBe(false);
  expect(mayTryNext('write', timedOut)).toBe(false);
  expect(mayTryNext('write', neverSent)).toBe(true);
  expect(mayTryNext('read', invalid)).toBe(false);
});
