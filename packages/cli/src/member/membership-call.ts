import { MEMBERSHIP_PATH, type MembershipRequest } from '@polder/server';
import type { Located } from '../cluster/locate.ts';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';
import { membersByPreference } from '../kv/failover.ts';

/** How much longer than the member the command waits for its answer. */
const GRACE_MS = 1_000;
const UNKNOWN_CODES: readonly unknown[] = ['Unknown', 'Timeout'];

/** A refusal: nothing was changed. */
export class MembershipRefusal extends CommandError {
  readonly code: string;

  constructor(code: string, message: string) {
    super(ExitCode.failure, message);
    this.code = code;
  }
}

/**
 * Asks the leader first, and another member only while the request has certainly reached nobody. Throws
 * `MembershipRefusal`, or a CommandError with exit code 2 (the outcome is not known) or 3 (no member answers).
 */
export async function performMembership(
  located: Located,
  request: MembershipRequest,
  timeoutMs: number,
): Promise<number> {
  let last = 'there are no members';
  for (const url of await membersByPreference(located)) {
    let response: Response;
    try {
      response = await fetch(`${url}${MEMBERSHIP_PATH}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ request, timeoutMs }),
        signal: AbortSignal.timeout(timeoutMs + GRACE_MS),
      });
    } catch (error) {
      last = messageOf(error);
      if (last.includes('ECONNREFUSED')) continue;
      throw unknown(last);
    }
    return answerOf(response.ok, await response.text());
  }
  throw new CommandError(ExitCode.noCluster, `no member answers; the last said: ${last}`);
}

function answerOf(ok: boolean, body: string): number {
  let answer: { member?: unknown; error?: { code?: unknown; message?: unknown } };
  try {
    answer = JSON.parse(body) as typeof answer;
  } catch {
    throw unknown('the answer is not Polder’s');
  }
  if (ok && typeof answer.member === 'number') return answer.member;
  const { code, message } = answer.error ?? {};
  if (UNKNOWN_CODES.includes(code)) throw unknown(String(message));
  throw new MembershipRefusal(String(code), String(message));
}

function unknown(why: string): CommandError {
  return new CommandError(ExitCode.unknown, `outcome unknown: ${why}. See: polder member list`);
}
