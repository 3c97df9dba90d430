import { PolderError } from '@polder/core';
import type { MembershipRequest } from './request.ts';

export const MEMBERSHIP_PATH = '/polder/members';
/** What the leader is given at most for one attempt. */
const ATTEMPT_TIMEOUT_MS = 10_000;

/** Throws what the leader says; `NotLeader` when it is not there, or `Unknown` when it went away in between. */
export async function forwardToLeader(
  address: string,
  request: MembershipRequest,
  signal: AbortSignal,
): Promise<number> {
  let response: Response;
  let body: string;
  try {
    response = await fetch(`http://${address}${MEMBERSHIP_PATH}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ request, timeoutMs: ATTEMPT_TIMEOUT_MS, forwarded: true }),
      signal,
    });
    body = await response.text();
  } catch (cause) {
    if (neverSent(cause)) throw new PolderError('NotLeader', `the leader at ${address} does not answer`, { cause });
    const code = signal.aborted ? 'Timeout' : 'Unknown';
    throw new PolderError(code, 'the leader did not say whether it was done: list the members', { cause });
  }
  const answer = JSON.parse(body) as { member?: unknown; error?: { code?: unknown; message?: unknown } };
  if (response.ok && typeof answer.member === 'number') return answer.member;
  const { code = 'Unknown', message = `the leader answered ${response.status}` } = answer.error ?? {};
  throw new PolderError(String(code), String(message));
}

function neverSent(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return cause?.code === 'ECONNREFUSED';
}
