/**
 * Jobs that each have their effect once, whoever leads and whoever dies meanwhile.
 *
 * What "once" means: a job may be *started* more than once. If the leader dies after the effect and before `finish`,
 * nobody can know that it happened, so the next leader must start the job again; and a leader that was only cut off
 * may still act late. Replication alone cannot prevent either. So each claim has a token that only grows, and what the
 * jobs act on (`perform`) must refuse an older token for a job, and must know a job that it has done. Then the effect
 * happens once. If it cannot do that, choose: claim again, and the effect happens at least once; or never, and it
 * happens at most once.
 */
import { OperationError, type Replicated, type ReplicatedStateMachine } from '@polder/server';

export interface Claim {
  readonly job: string;
  /** The index of the entry that made the claim: a later claim's is higher. */
  readonly token: number;
}

export type JobCommand =
  | { readonly type: 'add'; readonly job: string }
  /** `term`: in which the claimant leads. Void in any other, for then somebody else leads. */
  | { readonly type: 'claim'; readonly term: number }
  | { readonly type: 'finish'; readonly job: string; readonly token: number };

interface JobState {
  readonly job: string;
  readonly token: number;
  readonly term: number;
  readonly finished: boolean;
}

export class Jobs
  implements ReplicatedStateMachine<JobCommand, Claim | null, readonly JobState[], readonly JobState[]>
{
  #jobs = new Map<string, JobState>();

  apply(command: JobCommand, { index, term }: { readonly index: number; readonly term: number }): Claim | null {
    switch (command.type) {
      case 'add':
        if (!this.#jobs.has(command.job)) this.#put({ job: command.job, token: 0, term: 0, finished: false });
        return null;
      case 'claim': {
        if (command.term !== term) return null;
        const next = [...this.#jobs.values()].find((job) => !job.finished && job.term < term);
        if (next === undefined) return null;
        this.#put({ ...next, token: index, term });
        return { job: next.job, token: index };
      }
      case 'finish': {
        const job = this.#jobs.get(command.job);
        if (job?.token === command.token) this.#put({ ...job, finished: true });
        return null;
      }
    }
  }

  #put(job: JobState): void {
    this.#jobs.set(job.job, job);
  }

  snapshot(): readonly JobState[] {
    return [...this.#jobs.values()];
  }

  restore(jobs: readonly JobState[]): void {
    this.#jobs = new Map(jobs.map((job) => [job.job, job]));
  }

  view(): readonly JobState[] {
    return [...this.#jobs.values()];
  }
}

export type Scheduler = Replicated<JobCommand, Claim | null, readonly JobState[]>;

/** Does one job after the other for as long as this member leads, then waits until it leads again. */
export function runJobs(scheduler: Scheduler, perform: (claim: Claim) => Promise<void>): void {
  let isBusy = false;
  const work = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    try {
      for (let status = scheduler.status(); status.role === 'leader'; status = scheduler.status()) {
        const claim = await scheduler.propose({ type: 'claim', term: status.term }, { forward: false });
        if (claim === null) break;
        await perform(claim);
        await scheduler.propose({ type: 'finish', ...claim });
      }
    } catch (error) {
      // It leads no longer, or does not know what became of a claim: whoever leads next claims again.
      if (!(error instanceof OperationError)) throw error;
    } finally {
      isBusy = false;
    }
  };
  scheduler.events.on('role', () => void work());
  scheduler.events.on('applied', () => void work());
}
