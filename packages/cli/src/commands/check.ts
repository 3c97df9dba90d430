import { readFileSync } from 'node:fs';
import {
  checkKv,
  checkLinearizable,
  isKvHistory,
  type KvVerdict,
  MODELS,
  readHistory,
  type Verdict,
  type Violation,
} from '@polder/core/checkers';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';
import { countLines, resultLine } from '../tour/verdict.ts';

/** The name for a store with revisions, which is judged by `checkKv`. */
const KV = 'kv';

export const CHECK_MODELS: readonly string[] = [...MODELS.map((model) => model.name), KV];

export interface CheckFileOptions {
  readonly model?: string;
  readonly format?: string;
  readonly maxStates?: number;
}

export interface CheckOutput {
  readonly exitCode: ExitCode;
  readonly verdict: Verdict | KvVerdict;
  readonly text: string;
}

/** Enough of a legal order to see what was going on; all of it is in the JSON. */
const SHOWN_OPERATIONS = 12;
const STANDARD_INPUT = 0;
const EXIT_CODES = { valid: ExitCode.ok, invalid: ExitCode.failure, unknown: ExitCode.unknown } as const;

/** Exit codes as a checker's: 0 linearizable, 1 violation, 2 unknown or unreadable. */
export function checkFile(path: string, { format, model, ...limits }: CheckFileOptions = {}): CheckOutput {
  try {
    const { events, where } = readHistory(readFileSync(path === '-' ? STANDARD_INPUT : path, 'utf8'), format);
    const options = { ...limits, where };
    if (model === KV || (model === undefined && isKvHistory(events))) {
      const verdict = checkKv(events, options);
      return { exitCode: EXIT_CODES[verdict.result], verdict, text: kvText(verdict) };
    }
    const verdict = checkLinearizable(events, model === undefined ? options : { ...options, model });
    return { exitCode: EXIT_CODES[verdict.result], verdict, text: textOf(verdict) };
  } catch (cause) {
    throw new CommandError(ExitCode.unknown, `cannot check ${path}: ${messageOf(cause)}`, { cause });
  }
}

function kvText(verdict: KvVerdict): string {
  const lines = [`${KV}: up to revision ${verdict.lastRevision}, ${countLines(verdict).join('')}`, resultLine(verdict)];
  if (verdict.violation !== undefined) lines.push(prefixLine(verdict.violation.prefixLength));
  return lines.join('\n');
}

function textOf(verdict: Verdict): string {
  const lines = [`${verdict.model}: ${countLines(verdict).join('')}`, resultLine(verdict)];
  if (verdict.violation !== undefined) lines.push(...violationLines(verdict.violation));
  return lines.join('\n');
}

function violationLines({ prefixLength, order }: Violation): string[] {
  const lines = [prefixLine(prefixLength)];
  if (order.length === 0) return lines;
  const left = order.length - SHOWN_OPERATIONS;
  lines.push(
    `an order that explains everything before that${left > 0 ? ` (the last ${SHOWN_OPERATIONS} of it)` : ''}:`,
  );
  for (const { process, f, value, outcome } of order.slice(-SHOWN_OPERATIONS)) {
    const unknown = outcome === 'ok' ? '' : ' (outcome unknown)';
    lines.push(`  process ${process} ${f}${value === null ? '' : ` ${JSON.stringify(value)}`}${unknown}`);
  }
  return lines;
}

function prefixLine(length: number): string {
  return `the first ${length} events cannot be explained, the first ${length - 1} can`;
}
