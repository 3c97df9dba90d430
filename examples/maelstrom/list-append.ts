#!/usr/bin/env node
/**
 * Lists in transactions over lin-kv, as strictly as can be and as slowly: all lists are one value, and a transaction
 * happens when it swaps the value that it read for the one that it made. Who loses the race begins again.
 */
import { ErrorCode, KeyValue, Node, RpcError } from './node.ts';

type MicroOperation = ['r' | 'append', number, unknown];
type Lists = Readonly<Record<string, readonly unknown[]>>;

const MAX_TRIES = 20;

const node = new Node();
const store = new KeyValue(node, 'lin-kv');

function execute(before: Lists, operations: readonly MicroOperation[]): { done: MicroOperation[]; after: Lists } {
  let after = before;
  const done = operations.map(([f, key, value]): MicroOperation => {
    if (f === 'r') return [f, key, after[key] ?? null];
    after = { ...after, [key]: [...(after[key] ?? []), value] };
    return [f, key, value];
  });
  return { done, after };
}

node
  .on('txn', async (body) => {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const before = await store.read<Lists>('lists', {});
      const { done, after } = execute(before, body['txn']);
      // A transaction that only reads needs no swap: it happened when it read.
      if (after === before || (await store.swap('lists', before, after))) return { txn: done };
    }
    throw new RpcError(ErrorCode.txnConflict, `others were faster ${MAX_TRIES} times`);
  })
  .run();
