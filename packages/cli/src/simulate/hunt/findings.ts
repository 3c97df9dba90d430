/** What becomes of a violation: its seed is written down, made small, and saved for whoever mends the code. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type FoundViolation, formatTrace, type RunReport, type Trace } from '@polder/core/simulation';
import { CommandError, ExitCode, messageOf } from '../../exit-code.ts';
import { frameLines, page } from '../picture.ts';
import type { ScenarioSource } from '../scenarios.ts';
import type { Told } from '../threads/jobs.ts';
import { Interrupted, type WorkerThread } from '../threads/worker-thread.ts';

export interface WrittenFinding {
  readonly violation: FoundViolation;
  readonly file: string;
  readonly trace: Trace;
  /** Of the trace, played; null: there was no time to make it small. */
  readonly report: RunReport | null;
  readonly runs: number;
  readonly size: 'minimal' | 'smaller' | 'whole' | 'interrupted';
}

/** Each broken rule once, by its lowest seed: many seeds mostly show the same bug. */
export function firstOfEachRule(violations: readonly FoundViolation[]): FoundViolation[] {
  const first = new Map<string, FoundViolation>();
  for (const violation of [...violations].sort((a, b) => a.seed - b.seed)) {
    if (!first.has(violation.rule)) first.set(violation.rule, violation);
  }
  return [...first.values()];
}

/** `Election Safety`, 6: `election-safety-6.trace.json`. */
export function fileNameOf({ rule, seed }: FoundViolation): string {
  const slug = rule
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return `${slug === '' ? 'violation' : slug}-${seed}.trace.json`;
}

/** Shrinks it on that thread and writes the trace; the whole trace when the thread is ended meanwhile. */
export async function writeFinding(
  source: ScenarioSource,
  violation: FoundViolation,
  directory: string,
  thread: WorkerThread,
  onProgress: (told: Extract<Told<'shrink'>, { type: 'progress' }>) => void,
): Promise<WrittenFinding | null> {
  let recorded: Trace | null = null;
  const file = join(directory, fileNameOf(violation));
  try {
    const found = await thread.run<'shrink'>({ type: 'shrink', source, seed: violation.seed }, (told) => {
      if (told.type === 'recorded') recorded = told.trace;
      else onProgress(told);
    });
    writeTrace(file, found.trace);
    return { violation, file, ...found };
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    if (recorded === null) return null;
    writeTrace(file, recorded);
    return { violation, file, trace: recorded, report: null, runs: 0, size: 'interrupted' };
  }
}

/** `x.trace.json`: `x.html`. */
export function pageNameOf(file: string): string {
  return file.replace(/\.trace\.json$/, '.html');
}

/** The same for a browser, with how to replay it; nothing when there was no time to play it. */
export function writePage({ file, report, trace }: WrittenFinding, replay: string): void {
  if (report === null) return;
  const rule = trace.violation === null ? [] : [`${trace.violation.rule}: ${trace.violation.sentence}`];
  write(pageNameOf(file), page(report, [...rule, ...frameLines(trace.frames), `Replay it with: ${replay}`]));
}

/** Throws a `CommandError` that names the file. */
export function writeTrace(path: string, trace: Trace): void {
  write(path, formatTrace(trace));
}

function write(path: string, content: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  } catch (cause) {
    throw new CommandError(ExitCode.unknown, `cannot write ${path}: ${messageOf(cause)}`, { cause });
  }
}
