/** What an operation on registers can end with, beside its answer. */
import type { FailureCode } from '@polder/core/registers';
import { type ErrorOutcome, OperationError } from '../embedding/index.ts';

/** `Stopped`: the member is closing. `NotServed`: it has no registers. */
export type RegisterErrorCode = FailureCode | 'Stopped' | 'NotServed';

/**
 * `outcome` says what is known: `notApplied` is certain. `unknown`: it may have taken effect, may yet, or never; repeat a
 * strong write under `tag`, and it undoes nothing that was written since.
 */
export class RegisterError extends OperationError {
  override readonly name: string = 'RegisterError';
  /** The members that took part, by number. */
  readonly reached: readonly number[];
  /** Of a write whose outcome is unknown; null: there is none to repeat it under. */
  readonly tag: string | null;

  constructor(
    code: RegisterErrorCode,
    outcome: ErrorOutcome,
    {
      message = adviceFor(code),
      reached = [],
      tag = null,
    }: Partial<Pick<RegisterError, 'message' | 'reached' | 'tag'>> = {},
  ) {
    const known = outcome === 'notApplied' ? 'nothing was changed' : 'it may or may not take effect';
    const repeat =
      tag === null ? '' : `; repeated as a strong write with tag ${tag} it takes effect once, at its old place`;
    super(code, outcome, `${known}: ${message}${repeat}`);
    this.reached = reached;
    this.tag = tag;
  }
}

export function invalidRequest(message: string): RegisterError {
  return new RegisterError('InvalidRequest', 'notApplied', { message });
}

function adviceFor(code: RegisterErrorCode): string {
  switch (code) {
    case 'NoMajority':
      return 'too few of the members answered in time; ask later, at another member, or for less than strong';
    case 'Contended':
      return 'other writes of the key kept coming in between; try again';
    case 'BehindToken':
      return 'this member has not seen what the session has; try again, or where the session was';
    case 'NotJoined':
      return 'this data directory is new and takes no part in majorities yet; start the other members';
    case 'ClockDrift':
      return "this member's clock is too far ahead of most others'; set it, or ask for strong";
    case 'LevelRefused':
      return 'it is not served at this level: the bucket takes strong writes only, or it is a strong range';
    case 'MalformedToken':
      return 'the session token is damaged; pass it on as it came, or begin without one';
    case 'ForeignToken':
      return 'the session token is of another store; begin a session here, with an empty one';
    case 'InvalidRequest':
      return 'a key has at most 4,096 bytes, a value 1 MiB, a range 10,000 entries; only strong writes repeat a tag';
    case 'TimedOut':
      return 'its time was up';
    case 'Cancelled':
      return 'it was cancelled';
    case 'Starting':
      return 'this member is reading its log; try again soon';
    case 'TooLate':
      return 'what is to be repeated was deleted and collected meanwhile; read, and decide';
    case 'Stopped':
      return 'this member is stopping; ask another one';
    case 'NotServed':
      return 'this member joined a running cluster, and registers are held by the members it was made with; ask those';
    default:
      return code satisfies never;
  }
}
