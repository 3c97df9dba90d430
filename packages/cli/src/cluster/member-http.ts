/** The HTTP side of a member's client port: its status, and, on a breakable member, its links. */
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';

export const STATUS_TIMEOUT_MS = 1_000;
const MAX_BODY_CHARACTERS = 1_000_000;

/** GET /polder/status. */
export interface MemberStatus {
  readonly name: string;
  readonly id: number;
  readonly role: string;
  readonly term: number;
  /** The leader's name, id, or null or 0 while there is none. */
  readonly leader: string | number | null;
  readonly commit: number;
  readonly applied: number;
  readonly lastIndex: number;
  readonly keys: number;
  readonly revision: number;
  readonly peersReachable: readonly string[];
  readonly faults: readonly unknown[];
  readonly pid: number;
  readonly members: readonly ConfiguredMember[];
  readonly configuration: {
    readonly index: number;
    /** A change of voters is under way. */
    readonly joint: boolean;
    /** The least number that a new member may have. */
    readonly nextMember: number;
  };
}

export interface ConfiguredMember {
  readonly id: number;
  readonly name: string;
  readonly isLearner: boolean;
  readonly peerUrl: string;
  readonly clientUrl: string;
}

/** One fault on the links of the member it is posted to. */
export interface LinkFault {
  readonly peer: string;
  readonly direction: 'in' | 'out' | 'both';
  readonly mode: 'block' | 'delay' | 'drop' | 'clear';
  readonly delayMs?: number;
  readonly dropRate?: number;
}

/** null: the member did not answer in time. */
export async function fetchStatus(url: string, timeoutMs = STATUS_TIMEOUT_MS): Promise<MemberStatus | null> {
  try {
    const response = await fetch(`${url}/polder/status`, { signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) return null;
    return parseStatus(await response.text());
  } catch {
    return null;
  }
}

export function parseStatus(body: string): MemberStatus | null {
  if (body.length > MAX_BODY_CHARACTERS) return null;
  try {
    const status = JSON.parse(body) as Partial<MemberStatus> | null;
    const whole =
      typeof status?.name === 'string' &&
      typeof status.role === 'string' &&
      Array.isArray(status.peersReachable) &&
      Array.isArray(status.members);
    return whole ? (status as MemberStatus) : null;
  } catch {
    return null;
  }
}

export function isLeader(status: MemberStatus | null): boolean {
  return status?.role === 'leader';
}

export function knowsLeader(status: MemberStatus): boolean {
  return isLeader(status) || (status.leader !== null && status.leader !== 0 && status.leader !== '');
}

/** false: it waits to be added. */
export function isMember(status: MemberStatus): boolean {
  return status.members.some(({ id }) => id === status.id);
}

export async function postLinks(member: { name: string; url: string }, faults: readonly LinkFault[]): Promise<void> {
  let response: Response;
  try {
    response = await fetch(`${member.url}/polder/links`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(faults),
      signal: AbortSignal.timeout(3_000),
    });
  } catch (cause) {
    throw new CommandError(ExitCode.failure, `${member.name} does not answer: ${messageOf(cause)}`, { cause });
  }
  const body = await response.text();
  if (response.ok) return;
  const hint = response.status === 404 || response.status === 403 ? ' (was the cluster started with --breakable?)' : '';
  throw new CommandError(ExitCode.failure, `${member.name} refused: ${response.status} ${body.trim()}${hint}`);
}
