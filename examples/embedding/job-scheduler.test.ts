import { LocalNetwork, startReplicated } from '@polder/server';
import { afterEach, describe, expect, it } from 'vitest';
import { type Claim, Jobs, runJobs, type Scheduler } from './job-scheduler.ts';

const TIMING = { electionTimeoutUs: 150_000, heartbeatUs: 15_000, proposalTimeoutUs: 500_000 };
const JOBS = Array.from({ length: 20 }, (_, at) => `job ${at}`);

let running: Scheduler[] = [];

afterEach(async () => {
  await Promise.all(running.map((scheduler) => scheduler.close({ handOver: false })));
  running = [];
});

/** What the jobs act on: it knows what was done, and refuses who acts on an older claim. */
class Ledger {
  readonly done: string[] = [];
  readonly refused: Claim[] = [];
  repeats = 0;
  readonly #tokens = new Map<string, number>();

  write(claim: Claim): void {
    const { job, token } = claim;
    if (token < (this.#tokens.get(job) ?? 0)) return void this.refused.push(claim);
    this.#tokens.set(job, token);
    if (this.done.includes(job)) this.repeats++;
    else this.done.push(job);
  }
}

class Meeting<Value> {
  readonly promise: Promise<Value>;
  #resolve: (value: Value) => void = () => {};

  constructor() {
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  resolve(value: Value): void {
    this.#resolve(value);
  }
}

async function schedulers(network: LocalNetwork, perform: (claim: Claim, by: Scheduler) => Promise<void>) {
  const members = ['a', 'b', 'c'].map((name, at) => ({ name, id: at + 1 }));
  const options = { members, network, timing: TIMING, stateMachine: () => new Jobs(), verifyDeterminism: true };
  running = await Promise.all(members.map(({ name }) => startReplicated({ name, ...options })));
  const session = await running[0]?.session();
  for (const job of JOBS) await session?.propose({ type: 'add', job });
  for (const each of running) runJobs(each, (claim) => perform(claim, each));
  return running;
}

/** Resolves once this member's state says that every job is finished. */
async function finished(scheduler: Scheduler): Promise<void> {
  const isDone = (): boolean => {
    const jobs = scheduler.readLocal((all) => all);
    return jobs.length === JOBS.length && jobs.every((job) => job.finished);
  };
  while (!isDone()) await new Promise((resolve) => scheduler.events.once('applied', resolve));
}

describe('the job scheduler', () => {
  it('has each job’s effect once though its leader dies after the effect and before it can say so', async () => {
    const ledger = new Ledger();
    const network = new LocalNetwork();
    const died = new Meeting<Scheduler>();
    let isFirst = true;
    const all = await schedulers(network, async (claim, by) => {
      ledger.write(claim);
      if (claim.job !== 'job 7' || !isFirst) return;
      isFirst = false;
      died.resolve(by);
      await by.close({ handOver: false });
    });
    const victim = await died.promise;
    const survivor = all.find((each) => each !== victim);
    if (survivor === undefined) throw new Error('two of three survive');
    await finished(survivor);
    expect(ledger.done.toSorted()).toEqual(JOBS.toSorted());
    expect(ledger.repeats, 'job 7 was started again').toBeGreaterThan(0);
  });

  it('has each job’s effect once though a leader that was cut off acts late', async () => {
    const ledger = new Ledger();
    const network = new LocalNetwork();
    const takenOver = new Meeting<Scheduler>();
    let late: Promise<unknown> | null = null;
    const all = await schedulers(network, async (claim, by) => {
      if (claim.job === 'job 7' && late === null) {
        network.cut(by.name);
        late = takenOver.promise.then(() => ledger.write(claim));
        await late;
        return;
      }
      ledger.write(claim);
      if (claim.job === 'job 7') takenOver.resolve(by);
    });
    const survivor = await takenOver.promise;
    await late;
    for (const { name } of all) network.heal(name);
    await finished(survivor);
    expect(ledger.done.toSorted()).toEqual(JOBS.toSorted());
    expect(ledger.refused.map(({ job }) => job)).toContain('job 7');
  });
});
