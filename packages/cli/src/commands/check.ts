import { readFileSync } from 'node:fs';
import { checkLinearizable, parseHistory, type Verdict } from '@polder/core/checkers';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';
import { countLines, resultLine } from '../tour/verdict.ts';

export interface CheckOutput {
  readonly exitCode: ExitCode;
  readonly verdict: Verdict;
  readonly text: string;
}

/** Exit codes as a checker's: 0 linearizable, 1 violation, 2 unknown or unreadable. */
export function checkFile(path: string): CheckOutput {
  let verdict: Verdict;
  try {
    verdict = checkLinearizable(parseHistory(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new CommandError(ExitCode.unknown, `cannot check ${path}: ${messageOf(cause)}`, { cause });
  }
  const exitCode = { valid: ExitCode.ok, invalid: ExitCode.failure, unknown: ExitCode.unknown }[verdict.result];
  return { exitCode, verdict, text: [...countLines(verdict), resultLine(verdict)].join('\n') };
}
