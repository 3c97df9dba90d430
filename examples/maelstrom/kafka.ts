#!/usr/bin/env node
/**
 * Challenge 5: append-only logs over lin-kv. A log is one value, the array of its messages, and only ever swapped for
 * one that is longer by one message: that the swap succeeds decides the offset, so all nodes agree on it. What a node
 * has seen of a log stays true, so it appends to that without reading first, and reads again only if it lost the race.
 */
import { KeyValue, Node } from './node.ts';

const node = new Node();
const store = new KeyValue(node, 'lin-kv');
const logs = new Map<string, readonly unknown[]>();
/** By key: the last append here; appends to one log wait for each other instead of racing. */
const appends = new Map<string, Promise<unknown>>();

async function fetchLog(key: string): Promise<readonly unknown[]> {
  const log = await store.read<readonly unknown[]>(`log ${key}`, []);
  if (log.length > (logs.get(key)?.length ?? 0)) logs.set(key, log);
  return log;
}

async function append(key: string, message: unknown): Promise<number> {
  for (let log = logs.get(key) ?? []; ; log = await fetchLog(key)) {
    const longer = [...log, message];
    if (!(await store.swap(`log ${key}`, log, longer))) continue;
    logs.set(key, longer);
    return log.length;
  }
}

async function commit(key: string, offset: number): Promise<void> {
  for (;;) {
    const before = await store.read(`committed ${key}`, -1);
    if (before >= offset || (await store.swap(`committed ${key}`, before, offset))) return;
  }
}

node
  .on('send', async ({ key, msg }) => {
    const before = appends.get(key) ?? Promise.resolve();
    const mine = before.catch(() => undefined).then(() => append(key, msg));
    appends.set(key, mine);
    return { offset: await mine };
  })
  .on('poll', async (body) => {
    const asked = Object.entries(body['offsets'] as Record<string, number>);
    const found = await Promise.all(
      asked.map(async ([key, from]) => {
        const log = await fetchLog(key);
        return [key, log.slice(from).map((message, index) => [from + index, message])] as const;
      }),
    );
    return { msgs: Object.fromEntries(found) };
  })
  .on('commit_offsets', async (body) => {
    const offsets = Object.entries(body['offsets'] as Record<string, number>);
    await Promise.all(offsets.map(([key, offset]) => commit(key, offset)));
    return {};
  })
  .on('list_committed_offsets', async ({ keys }) => {
    const found = await Promise.all(
      (keys as string[]).map(async (key) => [key, await store.read(`committed ${key}`, -1)] as const),
    );
    return { offsets: Object.fromEntries(found.filter(([, offset]) => offset >= 0)) };
  })
  .run();
