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
import { OperationError, type Replicated, type ReplicatedSession, type ReplicatedStateMachine } from '@polder/server';

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

/** Whoever claimed it in an earlier term leads no longer. */
function isFree(job: JobState, term: number): boolean {
  return !job.finished && job.term < term;
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
        const next = [...this.#jobs.values()].find((job) => isFree(job, term));
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

type JobSession = ReplicatedSession<JobCommand, Claim | null>;

/** Does one job after the other whenever this member leads. */
export function runJobs(scheduler: Scheduler, perform: (claim: Claim) => Promise<void>): void {
  let isBusy = false;
  let session: JobSession | null = null;
  const work = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    try {
      for (let term = termToWorkIn(scheduler); term !== null; term = termToWorkIn(scheduler)) {
        // In a session: a claim whose answer is lost would be nobody's for the rest of the term.
        session ??= await scheduler.session();
        const claim = await session.propose({ type: 'claim', term });
        if (claim === null) continue;
        await perform(claim);
        await session.propose({ type: 'finish', ...claim });
      }
    } catch (error) {
      // It does not lead any more, or does not run: whoever leads next claims again.
      if (!(error instanceof OperationError)) throw error;
    } finally {
      isBusy = false;
    }
  };
  scheduler.events.on('role', () => void work());
  scheduler.events.on('applied', () => void work());
  void work();
}

/** null: it does not lead, or there is nothing to do. Looked up here, so that an idle leader writes nothing. */
function termToWorkIn(scheduler: Scheduler): number | null {
  const { role, term } = scheduler.status();
  const hasWork = scheduler.readLocal((jobs) => jobs.some((job) => isFree(job, term)));
  return role === 'leader' && hasWork ? term : null;
}
