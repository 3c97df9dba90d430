import { checkLinearizable, type HistoryEvent, type KvVerdict, type Verdict } from '@polder/core/checkers';

/** Under these many `ok` operations a tour has shown nothing, and says so by failing. */
export const MINIMUM_OK = { read: 200, write: 200, cas: 20 } as const;

export interface TourVerdict {
  readonly passed: boolean;
  readonly lines: readonly string[];
}

/** Complete per-key search; no violation is not enough: enough operations must have succeeded, too. */
export function judge(
  history: readonly HistoryEvent[],
  minimum: Readonly<typeof MINIMUM_OK | Record<keyof typeof MINIMUM_OK, number>> = MINIMUM_OK,
): TourVerdict {
  const verdict = checkLinearizable(history);
  const lines = [...countLines(verdict), resultLine(verdict)];
  let enough = true;
  for (const f of ['read', 'write', 'cas'] as const) {
    const ok = verdict.operations[f]?.ok ?? 0;
    if (ok >= minimum[f]) continue;
    enough = false;
    lines.push(`too little was shown: ${ok} ok ${f}s, at least ${minimum[f]} are needed`);
  }
  return { passed: verdict.result === 'valid' && enough, lines };
}

export function countLines(verdict: Pick<Verdict, 'operations'> & { readonly keys?: number }): string[] {
  const counts = Object.entries(verdict.operations).map(
    ([f, { ok, fail, info }]) => `${f} ${ok} ok, ${fail} failed, ${info} unknown`,
  );
  return [`operations${verdict.keys === undefined ? '' : ` on ${verdict.keys} keys`}: ${counts.join('; ')}`];
}

export function resultLine(verdict: Verdict | KvVerdict): string {
  switch (verdict.result) {
    case 'valid':
      return 'linearizable: one order of the operations explains every answer';
    case 'invalid':
      return `NOT linearizable: ${verdict.violation?.sentence ?? ''}`;
    case 'unknown':
      return `unknown: ${verdict.reason ?? 'the search gave up'}`;
  }
}
