/** Which member a command talks to, and what may be tried again elsewhere. */

import type { Located } from '../cluster/locate.ts';
import { fetchStatus, isLeader, knowsLeader } from '../cluster/member-http.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { type CallFailure, callFailure, MemberClient } from './member-client.ts';

const UNAVAILABLE = 14;
const REFUSAL_CODES_OF_THE_WORLD = new Set([4, UNAVAILABLE]);

/** Asks every member how it is, and puts the leader first, then those who know one, then the rest. */
export async function membersByPreference(located: Located): Promise<string[]> {
  const ranked = await Promise.all(
    located.members.map(async ({ url }) => {
      const status = await fetchStatus(url);
      const rank = status === null ? 3 : isLeader(status) ? 0 : knowsLeader(status) ? 1 : 2;
      return { url, rank };
    }),
  );
  return ranked.toSorted((a, b) => a.rank - b.rank).map(({ url }) => url);
}

/**
 * A read is tried on the next member when one is unavailable: it may be repeated. A write goes on to the next member only
 * when the request certainly never left; after that its outcome is unknown, and saying "failed" would be a lie (R23).
 */
export async function onSomeMember<T>(
  urls: readonly string[],
  kind: 'read' | 'write',
  operate: (client: MemberClient) => Promise<T>,
): Promise<T> {
  let last: CallFailure | null = null;
  for (const url of urls) {
    const client = new MemberClient(url);
    try {
      return await operate(client);
    } catch (error) {
      if (error instanceof CommandError) throw error;
      last = callFailure(error);
      if (!mayTryNext(kind, last)) break;
    } finally {
      await client.close();
    }
  }
  if (last === null) throw new CommandError(ExitCode.noCluster, 'the cluster has no members');
  throw asCommandError(kind, last);
}

export function mayTryNext(kind: 'read' | 'write', failure: CallFailure): boolean {
  if (failure.neverSent) return true;
  return kind === 'read' && failure.code === UNAVAILABLE;
}

export function asCommandError(kind: 'read' | 'write', failure: CallFailure): CommandError {
  if (failure.neverSent)
    return new CommandError(ExitCode.noCluster, `no member answers; the last said: ${failure.message}`);
  if (failure.refused) return new CommandError(ExitCode.failure, failure.message);
  if (kind === 'write') {
    return new CommandError(
      ExitCode.unknown,
      `outcome unknown: ${failure.message}. The write may have happened, or may still; read before you repeat it`,
    );
  }
  const world = REFUSAL_CODES_OF_THE_WORLD.has(failure.code)
    ? '. A majority of the members must be up and connected'
    : '';
  return new CommandError(ExitCode.failure, `${failure.message}${world}`);
}
