#!/usr/bin/env node
/**
 * Challenge 6: transactions on registers, totally available, read committed. Each runs at once on the node that it came
 * to, between two messages, so nobody sees half of it (no G1b, no cycle of reads). What it wrote goes to the others
 * later, with one timestamp for the whole transaction: the highest wins, for every key alike (no G0).
 */
import { Node } from './node.ts';

type MicroOperation = ['r' | 'w', number, unknown];

interface Version {
  readonly value: unknown;
  readonly clock: number;
  readonly node: string;
}

const INTERVAL_MS = 50;
const CONFIRM_MS = 1_000;

const node = new Node();
const store = new Map<number, Version>();
/** By peer: the writes that it has not confirmed, the last one of each transaction and key. */
const owed = new Map<string, Set<[number, Version][]>>();
const asking = new Set<string>();
let clock = 0;

function apply(writes: readonly [number, Version][]): void {
  for (const [key, version] of writes) {
    clock = Math.max(clock, version.clock);
    const present = store.get(key);
    if (present === undefined || isNewer(version, present)) store.set(key, version);
  }
}

function isNewer(a: Version, b: Version): boolean {
  return a.clock === b.clock ? a.node > b.node : a.clock > b.clock;
}

function execute(operations: readonly MicroOperation[]): MicroOperation[] {
  const timestamp = { clock: ++clock, node: node.id };
  const written = new Map<number, Version>();
  const done = operations.map(([f, key, value]): MicroOperation => {
    if (f === 'r') return [f, key, (written.get(key) ?? store.get(key))?.value ?? null];
    written.set(key, { value, ...timestamp });
    return [f, key, value];
  });
  const writes = [...written];
  apply(writes);
  if (writes.length > 0) for (const transactions of owed.values()) transactions.add(writes);
  return done;
}

async function tell(peer: string, transactions: Set<[number, Version][]>): Promise<void> {
  const batch = [...transactions];
  asking.add(peer);
  try {
    await node.rpc(peer, { type: 'replicate', transactions: batch }, CONFIRM_MS);
    for (const writes of batch) transactions.delete(writes);
  } catch {
    // It stays owed, and goes out again with the next interval.
  } finally {
    asking.delete(peer);
  }
}

node
  .on('init', () => {
    for (const peer of node.peers) owed.set(peer, new Set());
    setInterval(() => {
      for (const [peer, transactions] of owed)
        if (transactions.size > 0 && !asking.has(peer)) void tell(peer, transactions);
    }, INTERVAL_MS);
    return {};
  })
  .on('txn', ({ txn }) => ({ txn: execute(txn) }))
  .on('replicate', ({ transactions }) => {
    for (const writes of transactions) apply(writes);
    return {};
  })
  .run();
