import { describe, expect, test } from 'vitest';
import type { Message } from '../protocol.ts';
import { Concern, SeededStream } from '../seeded-stream.ts';
import { Journal } from './journal.ts';
import { LATENCY_DISTRIBUTIONS, sampleLatencyMs } from './latency.ts';
import { Network } from './network.ts';
import { partsPartition, randomPartition, ringPartition } from './partitions.ts';
import { TOPOLOGIES, topology } from './topology.ts';

const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `n${index + 1}`);
const message = (src: string, dest: string): Message => ({ src, dest, body: { type: 'hello' } });

/** A network in which the test says when time passes. */
function network(latencyMs: number): { network: Network; journal: Journal; arrived: string[]; pass: () => void } {
  const journal = new Journal();
  const pending: (() => void)[] = [];
  const arrived: string[] = [];
  const made = new Network({ journal, latencyMs: () => latencyMs, after: (_delayMs, action) => pending.push(action) });
  for (const id of ['n1', 'n2', 'c1', 'lin-kv']) made.attach(id, ({ src }) => arrived.push(`${src} to ${id}`));
  return {
    network: made,
    journal,
    arrived,
    pass: () => {
      for (const action of pending.splice(0)) action();
    },
  };
}

test('messages between servers take their time, those of clients none', () => {
  const { network: made, arrived, pass } = network(100);
  made.send(message('n1', 'n2'));
  made.send(message('n1', 'lin-kv'));
  made.send(message('c1', 'n1'));
  made.send(message('n1', 'c1'));
  expect(arrived).toEqual(['c1 to n1', 'n1 to c1']);
  pass();
  expect(arrived.slice(2)).toEqual(['n1 to n2', 'n1 to lin-kv']);
});

test('a partition loses what would arrive during it, between nodes only, and the journal counts it', () => {
  const { network: made, journal, arrived, pass } = network(100);
  made.send(message('n1', 'n2'));
  made.split(partsPartition([['n1'], ['n2']]));
  pass();
  made.send(message('n2', 'lin-kv'));
  made.send(message('n2', 'n1'));
  made.heal();
  pass();
  expect(arrived).toEqual(['n2 to lin-kv', 'n2 to n1']);
  expect(journal.counts()).toMatchObject({
    servers: { sent: 3, received: 2 },
    clients: { sent: 0 },
    lostToPartitions: 1,
  });
});

test('services count among the servers, and what goes to a client that left is sent but not received', () => {
  const { network: made, journal } = network(0);
  made.detach('c1');
  made.send(message('n1', 'c1'));
  made.send(message('n1', 'lin-kv'));
  expect(journal.counts()).toMatchObject({
    all: { sent: 2, received: 1 },
    servers: { sent: 1 },
    clients: { received: 0 },
  });
});

test.each(LATENCY_DISTRIBUTIONS)('%s latencies have the mean that was asked for', (distribution) => {
  const stream = new SeededStream(1, Concern.latency);
  const samples = Array.from({ length: 20_000 }, () => sampleLatencyMs({ distribution, meanMs: 100 }, stream));
  expect(samples.reduce((sum, sample) => sum + sample, 0) / samples.length).toBeCloseTo(100, -1);
  expect(Math.min(...samples)).toBeGreaterThanOrEqual(0);
});

describe('topologies', () => {
  test.each(TOPOLOGIES)('%s connects all nodes, both ways', (name) => {
    for (let count = 1; count <= 26; count++) {
      const links = topology(name, ids(count));
      const reached = new Set(['n1']);
      for (const id of reached) for (const next of links[id] ?? []) reached.add(next);
      expect(reached.size).toBe(count);
      for (const [id, neighbours] of Object.entries(links)) {
        expect(neighbours).not.toContain(id);
        for (const other of neighbours) expect(links[other]).toContain(id);
      }
    }
  });

  test('a grid has no more than four neighbours, tree4 no more than five, a line no more than two', () => {
    const most = (name: 'grid' | 'tree4' | 'line'): number =>
      Math.max(...Object.values(topology(name, ids(25))).map((neighbours) => neighbours.length));
    expect([most('grid'), most('tree4'), most('line')]).toEqual([4, 5, 2]);
    // The end of a row is no neighbour of the next row's beginning.
    expect(topology('grid', ids(25))['n5']).toEqual(['n4', 'n10']);
  });
});

describe('partitions', () => {
  test('on a ring every node reaches a majority, but not everybody', () => {
    for (let count = 4; count <= 9; count++) {
      const partition = ringPartition(ids(count));
      for (const id of ids(count)) {
        const reached = ids(count).filter((other) => !partition.blocks(id, other));
        expect(reached.length).toBeGreaterThan(count / 2);
        expect(reached.length).toBeLessThan(count);
      }
    }
  });

  test('every random one separates somebody, in both directions', () => {
    const stream = new SeededStream(2, Concern.partitions);
    for (let round = 0; round < 200; round++) {
      const nodes = ids(2 + (round % 6));
      const partition = randomPartition(nodes, stream);
      const pairs = nodes.flatMap((src) => nodes.map((dest) => [src, dest] as const));
      const blocked = pairs.filter(([src, dest]) => partition.blocks(src, dest));
      expect(blocked.length, partition.description).toBeGreaterThan(0);
      for (const [src, dest] of blocked) expect(partition.blocks(dest, src)).toBe(true);
      expect(partition.blocks('c1', 'n1') || partition.blocks('n1', 'seq-kv')).toBe(false);
    }
  });
});
