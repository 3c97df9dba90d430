import { describe, expect, test } from 'vitest';
import type { Body } from '../protocol.ts';
import { Concern, SeededStream } from '../seeded-stream.ts';
import { createWorkload, WORKLOAD_NAMES, type WorkloadName } from './registry.ts';
import { type Workload, WrongReply } from './workload.ts';

function workload(name: WorkloadName, seed = 1): Workload {
  return createWorkload(name, {
    stream: new SeededStream(seed, Concern.operations),
    topology: 'line',
    concurrency: 2,
    keyCount: 2,
    maxTransactionLength: 3,
    maxWritesPerKey: 4,
    consistencyModel: 'read-committed',
  });
}

/** What the session asked for, and answers from the test, one after the other. */
function scripted(name: WorkloadName, ...replies: Body[]) {
  const asked: Body[] = [];
  const session = workload(name).session((request) => {
    asked.push(request);
    return Promise.resolve(replies.shift() ?? { type: 'nothing' });
  });
  return { asked, perform: (f: string, value: unknown = null) => session.perform({ f, value }) };
}

test.each(WORKLOAD_NAMES)('%s: the same seed makes the same operations', (name) => {
  const operations = (seed: number): unknown[] => {
    const made = workload(name, seed);
    return Array.from({ length: 50 }, (_, index) => made.next(index % 2));
  };
  expect(operations(1)).toEqual(operations(1));
});

test.each([
  ['echo', 'echo', 'hello'],
  ['unique-ids', 'generate', null],
  ['broadcast', 'read', null],
  ['g-set', 'read', null],
  ['g-counter', 'read', null],
  ['lin-kv', 'read', { key: 1, value: null }],
  ['kafka', 'send', { key: '1', message: 1 }],
  ['kafka', 'poll', null],
  ['kafka', 'assign', ['1']],
  ['txn-rw-register', 'txn', [['r', 1, null]]],
] as const)('%s: an answer to %s without what it must hold is refused', async (name, f, value) => {
  const { perform } = scripted(name, { type: `${f}_ok` });
  await expect(perform(f, value)).rejects.toThrow(WrongReply);
});

test('broadcast tells every node the topology first', async () => {
  const asked: unknown[] = [];
  const call = (request: Body): Promise<Body> => {
    asked.push(request['topology']);
    return Promise.resolve({ type: 'topology_ok' });
  };
  await workload('broadcast').setup?.(new Map(['n1', 'n2', 'n3'].map((id) => [id, call])));
  expect(asked).toEqual(Array(3).fill({ n1: ['n2'], n2: ['n1', 'n3'], n3: ['n2'] }));
});

describe('transactions', () => {
  test('what a transaction writes is new for its key, and no key is written more often than asked', () => {
    const made = workload('txn-rw-register');
    const writes = new Map<unknown, unknown[]>();
    for (let i = 0; i < 300; i++) {
      const operations = made.next(0).value as [string, unknown, unknown][];
      expect(operations.length).toBeLessThanOrEqual(3);
      for (const [f, key, value] of operations) if (f === 'w') writes.set(key, [...(writes.get(key) ?? []), value]);
    }
    for (const values of writes.values()) expect(values).toEqual([1, 2, 3, 4].slice(0, values.length));
    expect(writes.size).toBeGreaterThan(10);
  });

  test('an answer that leaves out or changes an operation is refused', async () => {
    const asked = [
      ['r', 1, null],
      ['w', 1, 2],
    ];
    const answer = (txn: unknown) => scripted('txn-rw-register', { type: 'txn_ok', txn }).perform('txn', asked);
    expect(
      await answer([
        ['r', 1, 7],
        ['w', 1, 2],
      ]),
    ).toEqual([
      ['r', 1, 7],
      ['w', 1, 2],
    ]);
    for (const wrong of [
      [['r', 1, 7]],
      [
        ['r', 1, 7],
        ['w', 1, 3],
      ],
      [
        ['w', 1, 2],
        ['r', 1, 7],
      ],
      [...asked, ...asked],
    ]) {
      await expect(answer(wrong)).rejects.toThrow('expected the same operations in the same order');
    }
  });
});

describe('kafka', () => {
  test('a client reads on from where it was, commits what it has seen, and is assigned to what was committed', async () => {
    const { asked, perform } = scripted(
      'kafka',
      {
        type: 'poll_ok',
        msgs: {
          '0': [
            [0, 'a'],
            [3, 'b'],
          ],
        },
      },
      { type: 'poll_ok', msgs: {} },
      { type: 'commit_offsets_ok' },
      { type: 'list_committed_offsets_ok', offsets: { '0': 3 } },
      { type: 'poll_ok', msgs: {} },
    );
    await perform('poll');
    await perform('poll');
    expect(await perform('commit')).toEqual({ '0': 3 });
    await perform('assign', ['0', '1']);
    await perform('poll');
    expect(asked.map((request) => request['offsets'] ?? request['keys'])).toEqual([
      { '0': 0, '1': 0 },
      { '0': 4, '1': 0 },
      { '0': 3 },
      ['0', '1'],
      { '0': 4, '1': 0 },
    ]);
  });

  test('the final read goes on from the beginning until nothing more comes', async () => {
    const { asked, perform } = scripted(
      'kafka',
      { type: 'poll_ok', msgs: { '1': [[0, 'a']] } },
      { type: 'poll_ok', msgs: { '1': [[1, 'b']] } },
      { type: 'poll_ok', msgs: { '0': [] } },
    );
    expect(await perform('drain')).toHaveLength(2);
    expect(asked.map((request) => (request['offsets'] as Record<string, number>)['1'])).toEqual([0, 1, 2]);
  });

  test('messages of a key that was not asked for are refused', async () => {
    const { perform } = scripted('kafka', { type: 'poll_ok', msgs: { '9': [[0, 'a']] } });
    await expect(perform('poll')).rejects.toThrow('with messages of key 9');
  });
});
