import type { Invocation } from '../operation.ts';
import { canonical } from '../protocol.ts';
import { judgeTransactions } from './judge-transactions.ts';
import type { MicroOperation } from './transaction-checker.ts';
import { type Call, field, isArray, type Workload, type WorkloadOptions, WrongReply } from './workload.ts';

const DEFAULT_KEYS = 10;
const DEFAULT_LENGTH = 4;
const DEFAULT_WRITES_PER_KEY = 16;

/** Small transactions over a few keys; every write or append of a key has a value of its own. */
export function transactionWorkload(options: WorkloadOptions, write: 'w' | 'append'): Workload {
  const { stream, keyCount, maxTransactionLength, maxWritesPerKey, consistencyModel } = options;
  const slots = Array.from({ length: keyCount ?? DEFAULT_KEYS }, (_, key) => ({ key, used: 0 }));
  let nextKey = slots.length;
  const operation = (): MicroOperation => {
    const slot = stream.pick(slots);
    if (stream.below(2) === 0) return ['r', slot.key, null];
    if (slot.used >= (maxWritesPerKey ?? DEFAULT_WRITES_PER_KEY)) {
      slot.key = nextKey++;
      slot.used = 0;
    }
    return [write, slot.key, ++slot.used];
  };
  const next = (): Invocation => {
    const length = 1 + stream.below(maxTransactionLength ?? DEFAULT_LENGTH);
    return { f: 'txn', value: Array.from({ length }, operation) };
  };
  return {
    session: (call) => ({ perform: ({ value }) => perform(call, value as MicroOperation[]) }),
    next,
    check: (history) => judgeTransactions(history, write, consistencyModel),
  };
}

async function perform(call: Call, asked: readonly MicroOperation[]): Promise<MicroOperation[]> {
  const reply = await call({ type: 'txn', txn: asked });
  const done = field(reply, 'txn', isArray, 'an array');
  const wrong = asked.findIndex((operation, index) => !completes(operation, done[index]));
  if (wrong < 0 && done.length === asked.length) return done as MicroOperation[];
  throw new WrongReply(
    `answered the transaction ${canonical(asked)} with ${canonical(done)}; expected the same operations in the same ` +
      'order, reads with their values, writes unchanged',
  );
}

function completes(asked: MicroOperation, done: unknown): boolean {
  if (!isArray(done) || done.length !== 3 || done[0] !== asked[0]) return false;
  if (canonical(done[1]) !== canonical(asked[1])) return false;
  return asked[0] === 'r' || canonical(done[2]) === canonical(asked[2]);
}
