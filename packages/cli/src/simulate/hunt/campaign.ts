/** Seeds spread over threads: whoever is free gets the next few. */
import { addReports, type CampaignReport } from '@polder/core/simulation';
import type { ScenarioSource } from '../scenarios.ts';
import { Interrupted, type WorkerThread } from '../threads/worker-thread.ts';
import type { CampaignProgress } from './resume-file.ts';
import { SeedLedger } from './seed-ledger.ts';

export interface CampaignOptions {
  readonly source: ScenarioSource;
  readonly from: number;
  /** Infinity: until the time is over. */
  readonly seeds: number;
  /** No seed begins after this. */
  readonly forMs: number;
  /** Beyond the first violation. */
  readonly keepGoing: boolean;
  /** What was done before. */
  readonly before: CampaignProgress;
  readonly onChunk: (progress: CampaignProgress) => void;
}

/** A thread comes for more after about this long: long enough to cost nothing, short enough to stop soon. */
const CHUNK_MS = 300;
const CHUNK_SEEDS_MAX = 250;

export class Campaign {
  readonly #options: CampaignOptions;
  readonly #ledger: SeedLedger;
  readonly #startedMs = performance.now();
  #report: CampaignReport;
  #found = false;
  #interrupted = false;

  constructor(options: CampaignOptions) {
    this.#options = options;
    this.#ledger = new SeedLedger(options.from, options.seeds, options.before.done);
    this.#report = options.before.report;
  }

  get interrupted(): boolean {
    return this.#interrupted;
  }

  get progress(): CampaignProgress {
    const realMs = this.#options.before.realMs + this.#elapsedMs();
    return { done: this.#ledger.done, report: this.#report, realMs };
  }

  /** Ends when all is done, the time is over, a violation was found, or the threads were ended. */
  async run(threads: readonly WorkerThread[]): Promise<void> {
    await Promise.all(threads.map((thread) => this.#lane(thread, threads.length)));
    const violations = [...this.#report.violations].sort((a, b) => a.seed - b.seed);
    this.#report = { ...this.#report, violations };
  }

  async #lane(thread: WorkerThread, lanes: number): Promise<void> {
    const { source, keepGoing, onChunk } = this.#options;
    let msPerSeed = CHUNK_MS;
    for (;;) {
      const chunk = this.#next(msPerSeed, lanes);
      if (chunk === null) return;
      const startedMs = performance.now();
      try {
        const report = await thread.run<'seeds'>({ type: 'seeds', source, ...chunk, stopAtViolation: !keepGoing });
        msPerSeed = (performance.now() - startedMs) / Math.max(1, report.seeds);
        this.#report = addReports(this.#report, report);
        this.#ledger.finish(chunk.from, report.seeds);
        // What other threads have begun they finish: so the lowest seed is found, whatever the number of threads.
        if (report.violations.length > 0 && !keepGoing) this.#found = true;
      } catch (error) {
        if (!(error instanceof Interrupted)) throw error;
        this.#interrupted = true;
        return;
      }
      onChunk(this.progress);
    }
  }

  #next(msPerSeed: number, lanes: number): { readonly from: number; readonly seeds: number } | null {
    if (this.#found || this.#elapsedMs() >= this.#options.forMs) return null;
    // Towards the end in smaller pieces, so that no thread waits long for another.
    const fair = Math.ceil(this.#ledger.left / (2 * lanes));
    return this.#ledger.take(Math.min(Math.round(CHUNK_MS / msPerSeed), fair, CHUNK_SEEDS_MAX));
  }

  #elapsedMs(): number {
    return performance.now() - this.#startedMs;
  }
}
