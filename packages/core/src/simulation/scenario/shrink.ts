/**
 * Makes a failing trace small: takes away whatever the violation does not need, until nothing more can go. Each
 * candidate is played back; it stands if it breaks the same rule. Delta debugging (Zeller and Hildebrandt, 2002) over
 * frames, faults and operations, then over members and time.
 */
import { PolderError } from '../../base/error.ts';
import { budgetFor, FAULTS } from '../faults/index.ts';
import type { ProtocolTypes } from '../protocol.ts';
import { type RunReport, runOnce } from './run.ts';
import type { Spec } from './spec.ts';
import type { ScriptStep, Trace, TracedFrame } from './trace.ts';

export interface ShrinkOptions {
  /** Candidates tried at most. Default 2,000. */
  readonly maxRuns?: number;
  /** After each candidate that stands. False: enough. */
  readonly onProgress?: (progress: ShrinkProgress) => boolean | undefined;
}

/** How small the trace is by now, and after how many candidates. */
export interface ShrinkSize {
  readonly runs: number;
  readonly operations: number;
  readonly faults: number;
  readonly frames: number;
}

export interface ShrinkProgress extends ShrinkSize {
  readonly best: Trace;
}

export interface Shrunk {
  readonly trace: Trace;
  /** Of the shrunk trace. */
  readonly report: RunReport;
  readonly runs: number;
  /** Nothing more can be taken away; else the limit of runs was reached. */
  readonly minimal: boolean;
}

/** Throws `NothingToShrink` when the trace does not break its rule as the code is now. */
export function shrink<Types extends ProtocolTypes>(
  spec: Spec<Types>,
  trace: Trace,
  options: ShrinkOptions = {},
): Shrunk {
  return new Shrinker(spec, trace, options).shrink();
}

class Shrinker<Types extends ProtocolTypes> {
  readonly #spec: Spec<Types>;
  readonly #options: ShrinkOptions;
  readonly #rule: string;
  #best: Trace;
  #report: RunReport;
  #runs = 0;
  #stopped = false;

  constructor(spec: Spec<Types>, trace: Trace, options: ShrinkOptions) {
    this.#spec = spec;
    this.#options = options;
    this.#report = runOnce(spec, trace.seed, { trace });
    const { violation } = this.#report;
    if (violation === null) {
      throw new PolderError('NothingToShrink', 'the trace breaks no rule: the code has changed since it was made');
    }
    this.#rule = violation.rule;
    this.#best = { ...trace, violation, hashes: this.#report.hashes };
  }

  shrink(): Shrunk {
    this.#cutTime();
    let before: string;
    do {
      before = sizeOf(this.#best);
      this.#reduceFrames();
      this.#reduceScript('fault');
      this.#reduceScript('operation');
      this.#reduceMembers();
      this.#cutTime();
      this.#closeGaps();
    } while (sizeOf(this.#best) !== before && !this.#exhausted);
    return { trace: this.#best, report: this.#report, runs: this.#runs, minimal: !this.#exhausted };
  }

  get #exhausted(): boolean {
    return this.#stopped || this.#runs >= (this.#options.maxRuns ?? 2_000);
  }

  /** Whether the candidate breaks the same rule; if so it is the best so far. */
  #try(candidate: Trace): boolean {
    if (this.#exhausted) return false;
    this.#runs++;
    let report: RunReport;
    try {
      report = runOnce(this.#spec, candidate.seed, { trace: candidate });
    } catch (error) {
      if (error instanceof PolderError && error.code === 'TraceDoesNotFit') return false;
      throw error;
    }
    if (report.violation?.rule !== this.#rule) return false;
    this.#best = { ...candidate, violation: report.violation, hashes: report.hashes };
    this.#report = report;
    const count = (kind: ScriptStep['do']): number => candidate.script.filter((step) => step.do === kind).length;
    const { length: frames } = candidate.frames;
    const progress = {
      runs: this.#runs,
      operations: count('operation'),
      faults: count('fault'),
      frames,
      best: this.#best,
    };
    if (this.#options.onProgress?.(progress) === false) this.#stopped = true;
    return true;
  }

  #reduceFrames(): void {
    this.#reduce(
      () => this.#best.frames,
      (frames: readonly TracedFrame[]) => ({ ...this.#best, frames }),
    );
  }

  #reduceScript(kind: ScriptStep['do']): void {
    this.#reduce(
      () => this.#best.script.filter((step) => step.do === kind),
      (kept: readonly ScriptStep[]) => {
        const keeps = new Set(kept);
        return { ...this.#best, script: this.#best.script.filter((step) => step.do !== kind || keeps.has(step)) };
      },
    );
  }

  /** Takes away ever smaller runs of items, from the end, for what comes late is needed least. */
  #reduce<Item>(items: () => readonly Item[], withItems: (items: readonly Item[]) => Trace): void {
    if (items().length === 0 || this.#try(withItems([]))) return;
    for (let size = items().length >> 1; size >= 1; size = size >> 1) {
      for (let end = items().length; end > 0 && !this.#exhausted; end -= size) {
        const now = items();
        const start = Math.max(0, end - size);
        this.#try(withItems([...now.slice(0, start), ...now.slice(end)]));
      }
    }
  }

  /** Fewer members: the last one goes, with everything that names it. */
  #reduceMembers(): void {
    while (this.#best.members > 1) {
      const gone = this.#best.members;
      const members = gone - 1;
      const script = this.#best.script.map((step) => without(step, gone)).filter((step) => step !== null);
      const frames = this.#best.frames.filter((frame) => frame.from !== gone && frame.to !== gone);
      // Fewer members bear less: what is beyond their budget proves nothing.
      if (damagedBy(script).size > budgetFor(members).damagedMembers) return;
      if (!this.#try({ ...this.#best, members, script, frames })) return;
    }
  }

  /** Nothing that comes after the violation matters; and the trouble need not last longer than what is scripted. */
  #cutTime(): void {
    const { violation, script, troubleUs } = this.#best;
    const atUs = violation?.atUs ?? troubleUs;
    if (atUs < troubleUs) {
      this.#try({ ...this.#best, troubleUs: atUs + 1, script: script.filter((step) => step.atUs <= atUs) });
      return;
    }
    const lastUs = Math.max(1, ...script.map((step) => step.atUs));
    for (const shorterUs of [lastUs, lastUs + ((troubleUs - lastUs) >> 2), lastUs + ((troubleUs - lastUs) >> 1)]) {
      if (shorterUs < this.#best.troubleUs && this.#try({ ...this.#best, troubleUs: shorterUs })) return;
    }
  }

  /** Time in which nothing is scripted is halved as long as it can be. */
  #closeGaps(): void {
    for (let i = 0; i < this.#best.script.length && !this.#exhausted; i++) {
      for (;;) {
        const { script, troubleUs } = this.#best;
        const previousUs = script[i - 1]?.atUs ?? 0;
        const gapUs = (script[i]?.atUs ?? 0) - previousUs;
        if (gapUs < 2_000) break;
        const byUs = gapUs >> 1;
        const moved = script.map((step, j) => (j < i ? step : { ...step, atUs: step.atUs - byUs }));
        if (!this.#try({ ...this.#best, script: moved, troubleUs: troubleUs - byUs })) break;
      }
    }
  }
}

function damagedBy(script: readonly ScriptStep[]): Set<number> {
  const damaged = new Set<number>();
  for (const step of script) {
    if (step.do !== 'fault' || FAULTS[step.fault.type].costs === 'nothing' || !('member' in step.fault)) continue;
    damaged.add(step.fault.member);
  }
  return damaged;
}

function sizeOf({ script, frames, members, troubleUs }: Trace): string {
  return [script.length, frames.length, members, troubleUs].join(' ');
}

/** The step in a world without that member: null when nothing of it is left. */
function without(step: ScriptStep, gone: number): ScriptStep | null {
  if (step.do === 'operation') return step.operation.member === gone ? null : step;
  const { fault } = step;
  if ('member' in fault) return fault.member === gone ? null : step;
  if (fault.type !== 'partition') return step;
  const links = fault.links.filter((link) => !link.includes(gone));
  return links.length === 0 ? null : { ...step, fault: { ...fault, links } };
}
