/** The registers of one member, over HTTP. */
import type { Located } from '../cluster/locate.ts';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';

/** Beyond the request's own time, so that the member's answer is the one that counts. */
const GRACE_MS = 2_000;

export interface RegisterAnswer {
  readonly level: string;
  readonly reached: readonly number[];
  readonly stalenessMs: number | null;
  readonly tag: string | null;
  readonly token?: string;
  readonly value?: string | null;
  readonly valueBase64?: string;
  /** Absent here, and a key of the replicated store. */
  readonly isInStore?: boolean;
}

interface Refusal {
  readonly code: string;
  readonly outcome: 'notApplied' | 'unknown';
  readonly message: string;
}

/** Asks the first member that is there: what has reached one is not repeated elsewhere. Throws `CommandError`. */
export async function askRegisters(
  members: Located['members'],
  operation: 'read' | 'write',
  request: object,
  timeoutMs: number,
): Promise<RegisterAnswer> {
  let last = 'the cluster has no members';
  for (const { name, url } of members) {
    let response: Response;
    let body: unknown;
    try {
      response = await fetch(`${url}/polder/registers/${operation}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...request, timeoutMs }),
        signal: AbortSignal.timeout(timeoutMs + GRACE_MS),
      });
      body = await response.json();
    } catch (cause) {
      last = `${name} does not answer: ${messageOf(cause)}`;
      if (isRefusedConnection(cause)) continue;
      const code = operation === 'read' ? ExitCode.failure : ExitCode.unknown;
      throw new CommandError(code, operation === 'read' ? last : `outcome unknown: ${last}`, { cause });
    }
    if (response.ok) return body as RegisterAnswer;
    const { code, outcome, message } = (body as { error: Refusal }).error;
    throw new CommandError(outcome === 'unknown' ? ExitCode.unknown : ExitCode.failure, `${name}: ${code}: ${message}`);
  }
  throw new CommandError(ExitCode.noCluster, last);
}

function isRefusedConnection(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return cause?.code === 'ECONNREFUSED';
}
