import { readFileSync } from 'node:fs';
import {
  type CheckOptions,
  checkLinearizable,
  MODELS,
  readHistory,
  type Verdict,
  type Violation,
} from '@polder/core/checkers';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';
import { countLines, resultLine } from '../tour/verdict.ts';

export const CHECK_MODELS: readonly string[] = MODELS.map((model) => model.name);

export interface CheckFileOptions {
  readonly model?: string;
  readonly format?: string;
  readonly maxStates?: number;
}

export interface CheckOutput {
  readonly exitCode: ExitCode;
  readonly verdict: Verdict;
  readonly text: string;
}

/** Enough of a legal order to see what was going on; all of it is in the JSON. */
const SHOWN_OPERATIONS = 12;
const STANDARD_INPUT = 0;

/** Exit codes as a checker's: 0 linearizable, 1 violation, 2 unknown or unreadable. */
export function checkFile(path: string, { format, ...options }: CheckFileOptions = {}): CheckOutput {
  try {
    const { events, where } = readHistory(readFileSync(path === '-' ? STANDARD_INPUT : path, 'utf8'), format);
    const checked: CheckOptions = { ...options, where };
    const verdict = checkLinearizable(events, checked);
    const exitCode = { valid: ExitCode.ok, invalid: ExitCode.failure, unknown: ExitCode.unknown }[verdict.result];
    return { exitCode, verdict, text: textOf(verdict) };
  } catch (cause) {
    throw new CommandError(ExitCode.unknown, `cannot check ${path}: ${messageOf(cause)}`, { cause });
  }
}

function textOf(verdict: Verdict): string {
  const lines = [`${verdict.model}: ${countLines(verdict).join('')}`, resultLine(verdict)];
  if (verdict.violation !== undefined) lines.push(...violationLines(verdict.violation));
  return lines.join('\n');
}

function violationLines({ prefixLength, order }: Violation): string[] {
  const lines = [`the first ${prefixLength} events cannot be explained, the first ${prefixLength - 1} can`];
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
