import type { RegistersStatus } from '@polder/server';
import type { Located } from '../cluster/locate.ts';
import { STATUS_TIMEOUT_MS } from '../cluster/member-http.ts';
import { formatTable } from '../terminal.ts';

export interface RegistersRow {
  readonly name: string;
  /** null: it did not answer. */
  readonly status: RegistersStatus | null;
  /** Writes that another member of these has and this one has not; null: it did not answer. */
  readonly behind: number | null;
}

export async function collectRegisters(members: Located['members']): Promise<RegistersRow[]> {
  const statuses = await Promise.all(
    members.map(async ({ name, url }) => ({ name, status: await fetchRegisters(url) })),
  );
  return withDivergence(statuses);
}

export function withDivergence(rows: readonly Omit<RegistersRow, 'behind'>[]): RegistersRow[] {
  const newest = new Map<string, number>();
  for (const { status } of rows) {
    for (const [origin, count] of Object.entries(status?.vector ?? {})) {
      newest.set(origin, Math.max(count, newest.get(origin) ?? 0));
    }
  }
  return rows.map(({ name, status }) => {
    if (status === null) return { name, status, behind: null };
    const missing = [...newest].map(([origin, count]) => count - (status.vector[origin] ?? 0));
    return { name, status, behind: missing.reduce((sum, count) => sum + count, 0) };
  });
}

export function registersTable(rows: readonly RegistersRow[]): string {
  const heads = ['MEMBER', 'STATE', 'RECORDS', 'BEHIND', 'BACKLOG', 'STALENESS', 'AWAY', 'VECTOR'];
  const cells = rows.map(({ name, status, behind }) => {
    if (status === null) return [name, 'failed', '-', '-', '-', '-', '-', '-'];
    const { state, records, hintBacklog, stalenessMs, peers, vector } = status;
    const away = peers.filter((peer) => peer.away).map((peer) => peer.name);
    const counts = Object.entries(vector).map(([origin, count]) => `${origin}:${count}`);
    const staleness = stalenessMs === null ? 'unknown' : `${stalenessMs} ms`;
    return [
      name,
      state,
      String(records),
      String(behind),
      String(hintBacklog),
      staleness,
      away.join(',') || '-',
      counts.join(' '),
    ];
  });
  return formatTable(heads, cells);
}

async function fetchRegisters(url: string): Promise<RegistersStatus | null> {
  try {
    const signal = AbortSignal.timeout(STATUS_TIMEOUT_MS);
    const response = await fetch(`${url}/polder/registers/status`, { signal });
    return response.ok ? ((await response.json()) as RegistersStatus) : null;
  } catch {
    return null;
  }
}
