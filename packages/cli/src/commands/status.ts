import type { Located } from '../cluster/locate.ts';
import { fetchStatus, isMember, type MemberStatus } from '../cluster/member-http.ts';
import { formatTable } from '../terminal.ts';

/**
 * healthy: it answers and reaches a majority, itself counted. partitioned: it answers but reaches no majority, so it can
 * neither write nor read linearizably. failed: it does not answer (dead, paused, or cut off from here).
 */
export type MemberState = 'healthy' | 'partitioned' | 'failed';

export interface StatusRow {
  readonly name: string;
  readonly state: MemberState;
  /** `learner`: a follower that does not vote; `joining`: it waits to be added. */
  readonly role: string | null;
  readonly term: number | null;
  readonly commit: number | null;
  readonly applied: number | null;
  readonly lastIndex: number | null;
  readonly keys: number | null;
  readonly peersReachable: readonly string[];
  readonly clientUrl: string;
  readonly pid: number | null;
}

export async function collectStatus(located: Located): Promise<StatusRow[]> {
  const statuses = await Promise.all(located.members.map(({ url }) => fetchStatus(url)));
  const voters = votersOf(statuses);
  return located.members.map((member, index) => statusRow(member, statuses[index] ?? null, voters));
}

/** The names of those that vote, by the newest configuration that any of them knows. */
function votersOf(statuses: readonly (MemberStatus | null)[]): ReadonlySet<string> {
  const known = statuses.filter((status) => status !== null);
  const newest = known.toSorted((a, b) => b.configuration.index - a.configuration.index).find(isMember);
  return new Set((newest?.members ?? []).filter(({ isLearner }) => !isLearner).map(({ name }) => name));
}

export function statusRow(
  member: Located['members'][number],
  status: MemberStatus | null,
  voters: ReadonlySet<string>,
): StatusRow {
  if (status === null) {
    const nothing = { role: null, term: null, commit: null, applied: null, lastIndex: null, keys: null };
    return {
      name: member.name,
      state: 'failed',
      ...nothing,
      peersReachable: [],
      clientUrl: member.url,
      pid: member.pid,
    };
  }
  const reached = [status.name, ...status.peersReachable].filter((name) => voters.has(name)).length;
  const follows = status.role === 'follower' && !voters.has(status.name);
  return {
    name: status.name,
    state: reached * 2 > voters.size ? 'healthy' : 'partitioned',
    role: follows ? (isMember(status) ? 'learner' : 'joining') : status.role,
    term: status.term,
    commit: status.commit,
    applied: status.applied,
    lastIndex: status.lastIndex,
    keys: status.keys,
    peersReachable: status.peersReachable,
    clientUrl: member.url,
    pid: status.pid,
  };
}

export function statusJson(rows: readonly StatusRow[]): string {
  return JSON.stringify({ members: rows });
}

export function statusTable(rows: readonly StatusRow[]): string {
  const heads = ['MEMBER', 'STATE', 'ROLE', 'TERM', 'COMMIT', 'APPLIED', 'LAST', 'KEYS', 'REACHES', 'CLIENTS', 'PID'];
  const cell = (value: string | number | null): string => (value === null ? '-' : String(value));
  return formatTable(
    heads,
    rows.map((row) => [
      row.name,
      row.state,
      cell(row.role),
      cell(row.term),
      cell(row.commit),
      cell(row.applied),
      cell(row.lastIndex),
      cell(row.keys),
      row.peersReachable.length === 0 ? '-' : row.peersReachable.join(','),
      row.clientUrl,
      cell(row.pid),
    ]),
  );
}
