/** What an operation on an embedded member can end with. `outcome` says whether it may have happened. */
import { PolderError, type Rejection } from '@polder/core';
import type { MemberAddresses } from './options.ts';

/** `notApplied`: it certainly had no effect. `unknown`: it may have had, or may have one later (PITFALLS R23). */
export type ErrorOutcome = 'notApplied' | 'unknown';

export class OperationError extends PolderError {
  override readonly name: string = 'OperationError';
  readonly outcome: ErrorOutcome;

  constructor(code: string, outcome: ErrorOutcome, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
    this.outcome = outcome;
  }
}

/** Code `NotLeader`, never applied: ask `leader`, if one is known. */
export class NotLeaderError extends OperationError {
  override readonly name: string = 'NotLeaderError';
  readonly leader: MemberAddresses | null;

  constructor(leader: MemberAddresses | null) {
    const ask = leader === null ? 'no leader is known: try again soon' : `ask ${leader.name}, which leads`;
    super('NotLeader', 'notApplied', `this member does not lead, and nothing was changed: ${ask}`);
    this.leader = leader;
  }
}

export function rejected(reason: Rejection, leader: MemberAddresses | null): OperationError {
  switch (reason) {
    case 'NoLeader':
      return new OperationError(
        reason,
        'notApplied',
        'no leader was found in time, and nothing was changed: try again',
      );
    case 'NotApplied':
      return new OperationError(reason, 'notApplied', 'nothing was changed: try again');
    case 'Overloaded':
      return new OperationError(
        'TooManyRequests',
        'notApplied',
        'too many requests wait here: try again later, with fewer at a time',
      );
    case 'NotLeader':
      return new NotLeaderError(leader);
    case 'ChangeUnderWay':
    case 'InvalidChange':
    case 'LearnerBehind':
      return new OperationError(reason, 'notApplied', 'the membership was not changed');
    case 'Unknown':
      return new OperationError(reason, 'unknown', 'it may or may not take effect: read before trying again');
  }
}

export function noSpace(): OperationError {
  const message = 'the quota is used up or the disk is full, and nothing was changed: delete, compact, or make room';
  return new OperationError('NoSpace', 'notApplied', message);
}

export function timedOut(): OperationError {
  return new OperationError(
    'Timeout',
    'unknown',
    'the operation ended before its outcome was known: read before trying again',
  );
}

/** `begun`: it was under way already. */
export function aborted(signal: AbortSignal, begun: boolean): OperationError {
  const message = begun
    ? 'it was aborted before its outcome was known: read before trying again'
    : 'it was aborted before it began, and nothing was changed';
  // A signal's reason can be anything.
  return new OperationError('Aborted', begun ? 'unknown' : 'notApplied', message, { cause: signal.reason as unknown });
}

export function stopped(): OperationError {
  return new OperationError(
    'Stopped',
    'notApplied',
    'this member is stopping, and nothing was changed: ask another one',
  );
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
