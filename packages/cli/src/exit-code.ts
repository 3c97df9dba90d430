/** What a caller's script can tell apart; printed by `polder --help`. */
export const ExitCode = { ok: 0, failure: 1, unknown: 2, noCluster: 3, removed: 4 } as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export const EXIT_CODE_HELP = `
Exit codes:
  0  done; check and tour: no violation
  1  failed, or a violation was found
  2  unknown outcome (a write that timed out may still happen; the checker gave up), or wrong usage
  3  no cluster found, or none of its members answers
  4  serve: the member was removed from its cluster, and stopped by itself

Environment: NO_COLOR turns colours off; POLDER_ENDPOINTS and POLDER_DATA stand for --endpoints and --data.`;

/** An error for the person at the terminal: what went wrong and what to do next, without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : '';
  return cause === '' || error.message.includes(cause) ? error.message : `${error.message}: ${cause}`;
}
