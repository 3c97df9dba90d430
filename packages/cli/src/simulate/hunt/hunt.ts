/** `polder hunt`: a campaign over threads, and what becomes of the violations that it finds. */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { addReports, type CampaignReport, type FoundViolation } from '@polder/core/simulation';
import { CommandError, ExitCode } from '../../exit-code.ts';
import type { Terminal } from '../../terminal.ts';
import { ProgressLine } from '../progress-line.ts';
import { flagsOf, type ScenarioFlags, type ScenarioSource, sourceOf } from '../scenarios.ts';
import { Interrupted, type WorkerThread, withThreads } from '../threads/worker-thread.ts';
import { Campaign } from './campaign.ts';
import { fileNameOf, firstOfEachRule, type WrittenFinding, writeFinding, writePage } from './findings.ts';
import { blamedFor, findingText, type HuntResult, huntJson, huntSummary, type Pace, paceText } from './hunt-text.ts';
import { type CampaignProgress, demandSame, readResumeFile, writeResumeFile } from './resume-file.ts';

export interface HuntFlags extends ScenarioFlags {
  readonly seeds?: number;
  readonly for?: number;
  readonly from: number;
  readonly threads?: number;
  readonly out: string;
  readonly keepGoing?: boolean;
  readonly resume?: string;
  readonly json?: boolean;
}

/** 0: nothing found; 1: a violation, or something wanted that was never seen. Throws a `CommandError` otherwise. */
export async function hunt(flags: HuntFlags, terminal: Terminal, signal: AbortSignal): Promise<ExitCode> {
  if (flags.seeds === undefined && flags.for === undefined) {
    throw new CommandError(ExitCode.unknown, 'say how long: --seeds 1000, or --for 10m');
  }
  const source = sourceOf(flags);
  const count = Math.min(flags.threads ?? availableParallelism(), flags.seeds ?? Number.POSITIVE_INFINITY);
  const result = await withThreads(count, signal, (threads) => new Hunt(flags, source, terminal, signal).run(threads));
  terminal.data(flags.json === true ? huntJson(result) : huntSummary(result));
  return result.report.violations.length > 0 || blamedFor(result.report).length > 0 ? ExitCode.failure : ExitCode.ok;
}

class Hunt {
  readonly #flags: HuntFlags;
  readonly #source: ScenarioSource;
  readonly #terminal: Terminal;
  readonly #signal: AbortSignal;

  constructor(flags: HuntFlags, source: ScenarioSource, terminal: Terminal, signal: AbortSignal) {
    this.#flags = flags;
    this.#source = source;
    this.#terminal = terminal;
    this.#signal = signal;
  }

  async run(threads: readonly WorkerThread[]): Promise<HuntResult> {
    const [first] = threads;
    const { before, save } = await this.#begin(first as WorkerThread);
    const campaign = new Campaign({
      source: this.#source,
      from: this.#flags.from,
      seeds: this.#flags.seeds ?? Number.POSITIVE_INFINITY,
      forMs: this.#flags.for ?? Number.POSITIVE_INFINITY,
      keepGoing: this.#flags.keepGoing ?? false,
      before,
      onChunk: save,
    });
    const line = new ProgressLine(this.#terminal, (bar) =>
      paceText(paceOf(campaign.progress, before, this.#flags), bar),
    );
    try {
      await campaign.run(threads);
    } finally {
      line.end();
    }
    const { report, realMs } = campaign.progress;
    save(campaign.progress);
    const known = new Set(before.report.violations.map(({ seed }) => seed));
    const findings = await this.#write(this.#toExplain(report, known), first as WorkerThread);
    return {
      report,
      realSeconds: realMs / 1_000,
      threads: threads.length,
      interrupted: campaign.interrupted || this.#signal.aborted,
      findings,
    };
  }

  /** What was done before, if the file says so; and how to save what is done from now on. */
  async #begin(
    thread: WorkerThread,
  ): Promise<{ before: CampaignProgress; save: (progress: CampaignProgress) => void }> {
    const { resume, from } = this.#flags;
    const saved = resume === undefined ? null : readResumeFile(resume);
    const hashOfSeed = saved?.hashOfSeed ?? from;
    let described: { readonly empty: CampaignReport; readonly hash: string };
    try {
      const wanted = resume === undefined ? null : hashOfSeed;
      described = await thread.run<'describe'>({ type: 'describe', source: this.#source, hashOfSeed: wanted });
    } catch (error) {
      if (error instanceof Interrupted) throw new CommandError(ExitCode.failure, 'interrupted before the first seed');
      throw error;
    }
    const { empty, hash } = described;
    const fresh: CampaignProgress = { done: [], report: empty, realMs: 0 };
    if (resume === undefined) return { before: fresh, save: () => {} };
    const identity = { scenario: flagsOf(this.#source).join(' '), hash, hashOfSeed };
    if (saved !== null) demandSame(resume, saved, identity);
    const before = saved === null ? fresh : { ...saved, report: addReports(empty, saved.report) };
    return { before, save: (progress) => writeResumeFile(resume, identity, progress) };
  }

  /** Of each rule the lowest seed, or only the one that ended the hunt; none that an earlier session has explained. */
  #toExplain({ violations }: CampaignReport, known: ReadonlySet<number>): readonly FoundViolation[] {
    const { keepGoing, out } = this.#flags;
    // Killed in the middle, that session has left no file.
    const open = (violation: FoundViolation): boolean =>
      !known.has(violation.seed) || !existsSync(join(out, fileNameOf(violation)));
    if (keepGoing === true) return firstOfEachRule(violations).filter(open);
    const fresh = violations.filter(({ seed }) => !known.has(seed));
    return [...fresh, ...violations.filter(open)].slice(0, 1);
  }

  async #write(violations: readonly FoundViolation[], thread: WorkerThread): Promise<WrittenFinding[]> {
    const findings: WrittenFinding[] = [];
    for (const violation of violations) {
      let progress = '';
      this.#terminal.progress(`${violation.rule} is broken by seed ${violation.seed}; making it smaller …`);
      const line = new ProgressLine(this.#terminal, () => progress);
      const written = await writeFinding(this.#source, violation, this.#flags.out, thread, (told) => {
        const { runs, operations, faults, frames } = told;
        progress = `shrinking: ${runs} runs, left ${operations} operations, ${faults} faults, ${frames} frames`;
      }).finally(() => line.end());
      if (written === null) continue;
      findings.push(written);
      const command = this.#replayCommand(written.file);
      writePage(written, command);
      if (this.#flags.json !== true) this.#terminal.data(findingText(written, command));
    }
    return findings;
  }

  #replayCommand(file: string): string {
    const { type } = this.#source;
    return ['polder', 'replay', file, ...(type === 'file' ? flagsOf(this.#source) : [])].map(quoted).join(' ');
  }
}

function paceOf({ report, realMs }: CampaignProgress, before: CampaignProgress, flags: HuntFlags): Pace {
  const sessionMs = realMs - before.realMs;
  const session = {
    seeds: report.seeds - before.report.seeds,
    events: report.events - before.report.events,
    simulatedUs: report.simulatedUs - before.report.simulatedUs,
  };
  const fraction = Math.max(
    report.seeds / (flags.seeds ?? Number.POSITIVE_INFINITY),
    sessionMs / (flags.for ?? Number.POSITIVE_INFINITY),
  );
  return { report, session, sessionMs, fraction };
}

/** For a shell; a path as short as it gets from here. */
function quoted(word: string): string {
  const near = word.startsWith('/') ? relative('.', word) : word;
  const short = near.length < word.length ? near : word;
  return /^[\w./:@=-]+$/.test(short) ? short : `'${short.replaceAll("'", `'\\''`)}'`;
}
