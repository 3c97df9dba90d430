/** Measures one subject in a process of its own, so that none profits or suffers from what ran before it. */
import { GROUPS, wrapper } from './resilience-subjects.ts';

const BATCHES = 25;
const BATCH_MS = 15;
const WARM_UP_MS = 150;

/** The quickest of many short batches: noise on a shared machine only ever adds. */
async function nanosecondsPerCall(call: () => unknown): Promise<number> {
  const calls = await callsWithin(call, WARM_UP_MS);
  const perBatch = Math.max(20, Math.round((calls * BATCH_MS) / WARM_UP_MS));
  let best = Infinity;
  for (let batch = 0; batch < BATCHES; batch++) {
    const started = process.hrtime.bigint();
    for (let index = 0; index < perBatch; index++) await call();
    best = Math.min(best, Number(process.hrtime.bigint() - started) / perBatch);
  }
  return best;
}

async function callsWithin(call: () => unknown, ms: number): Promise<number> {
  const end = performance.now() + ms;
  let calls = 0;
  for (; performance.now() < end; calls++) await call();
  return calls;
}

const [group, name] = process.argv.slice(2);
const subject = GROUPS[group ?? '']?.[name ?? ''];
if (subject === undefined) throw new Error(`no subject ${name} in ${group}`);
const call = await subject();
const ns = await nanosecondsPerCall(call);
const wrapperNs = await nanosecondsPerCall(wrapper);
console.log(JSON.stringify({ ns, wrapperNs }));
process.exit(0);
