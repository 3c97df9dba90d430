import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Body } from '../protocol.ts';
import { Concern, SeededStream } from '../seeded-stream.ts';
import { LinearizableKeyValue } from './key-value.ts';
import { LastWriteWinsKeyValue } from './last-write-wins.ts';
import { PAST_VERSIONS, SequentialKeyValue } from './sequential.ts';
import type { Service } from './service.ts';
import { TimestampOracle } from './timestamp-oracle.ts';

const read = (key: string): Body => ({ type: 'read', key });
const write = (key: string, value: unknown): Body => ({ type: 'write', key, value });
const cas = (key: string, from: unknown, to: unknown): Body => ({ type: 'cas', key, from, to });
const sequential = (seed: number): Service => new SequentialKeyValue(new SeededStream(seed, Concern.sequential));
const lastWriteWins = (seed: number): Service =>
  new LastWriteWinsKeyValue(new SeededStream(seed, Concern.lastWriteWins));

describe.each([
  ['lin-kv', () => new LinearizableKeyValue()],
  ['seq-kv', () => sequential(1)],
])('%s', (_name, create) => {
  test('reads, writes and swaps, with error 20 for an absent key and 22 for another value', () => {
    const service = create();
    expect(service.handle('n1', read('x'))).toMatchObject({ type: 'error', code: 20 });
    expect(service.handle('n1', cas('x', 1, 2))).toMatchObject({ type: 'error', code: 20 });
    expect(service.handle('n1', write('x', { a: 1, b: 2 }))).toEqual({ type: 'write_ok' });
    expect(service.handle('n1', cas('x', 1, 2))).toMatchObject({ type: 'error', code: 22 });
    expect(service.handle('n1', cas('x', { b: 2, a: 1 }, 3))).toEqual({ type: 'cas_ok' });
    expect(service.handle('n1', read('x'))).toEqual({ type: 'read_ok', value: 3 });
    const created = service.handle('n1', { ...cas('y', 0, 1), create_if_not_exists: true });
    expect([created, service.handle('n1', read('y'))]).toEqual([{ type: 'cas_ok' }, { type: 'read_ok', value: 1 }]);
  });

  test('refuses what it does not know, definitely', () => {
    expect(create().handle('n1', { type: 'delete', key: 'x' })).toMatchObject({ type: 'error', code: 10 });
    expect(create().handle('n1', { type: 'read' })).toMatchObject({ type: 'error', code: 12 });
  });
});

interface Done {
  readonly client: number;
  readonly request: Body;
  readonly reply: Body;
}

/** Whether some interleaving that keeps each client's order explains every reply: by trying all of them. */
function isSequential(done: readonly Done[]): boolean {
  const clients = [0, 1, 2].map((client) => done.filter((one) => one.client === client));
  const search = (at: readonly number[], taken: readonly Done[]): boolean => {
    if (taken.length === done.length) return true;
    return clients.some((own, client) => {
      const next = own[at[client] ?? 0];
      if (next === undefined) return false;
      const service = new LinearizableKeyValue();
      for (const { request } of taken) service.handle('', request);
      const { type, ...rest } = service.handle('', next.request);
      const agrees =
        type === next.reply.type && rest['value'] === next.reply['value'] && rest['code'] === next.reply['code'];
      return agrees && search(at.with(client, (at[client] ?? 0) + 1), [...taken, next]);
    });
  };
  return search([0, 0, 0], []);
}

describe('seq-kv is sequential, no more and no less', () => {
  const requests = fc.oneof(
    fc.constantFrom('x', 'y').map(read),
    fc.tuple(fc.constantFrom('x', 'y'), fc.nat(1)).map(([key, value]) => write(key, value)),
    fc.tuple(fc.constantFrom('x', 'y'), fc.nat(1), fc.nat(1)).map(([key, from, to]) => cas(key, from, to)),
  );

  test("some order that keeps every client's own explains all answers", () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.tuple(fc.nat(2), requests), { maxLength: 7 }), (seed, script) => {
        const service = sequential(seed);
        const done = script.map(([client, request]) => ({
          client,
          request,
          reply: service.handle(`n${client}`, request),
        }));
        return isSequential(done);
      }),
      { numRuns: 1_500 },
    );
  });

  test('a client that changes nothing may read the past, but never the past of what it has seen', () => {
    const service = sequential(3);
    let [stale, seen] = [0, 0];
    for (let value = 1; value <= 200; value++) {
      service.handle('n1', write('x', value));
      const reply = service.handle('n2', read('x'));
      const got = reply.type === 'error' ? 0 : Number(reply['value']);
      expect(got).toBeGreaterThanOrEqual(seen);
      expect(got).toBeGreaterThanOrEqual(value - PAST_VERSIONS);
      if (got < value) stale++;
      seen = got;
    }
    expect(stale).toBeGreaterThan(100);
  });

  test('whoever changes something has seen everything before', () => {
    const service = sequential(4);
    for (let value = 1; value <= 50; value++) {
      service.handle('n1', write('x', value));
      service.handle('n2', write('fence', value));
      expect(service.handle('n2', read('x'))).toEqual({ type: 'read_ok', value });
    }
  });

  test('what was written long ago is seen until what replaced it, however much was written in between', () => {
    const service = sequential(6);
    service.handle('n1', write('x', 1));
    for (let value = 0; value < 3 * PAST_VERSIONS; value++) service.handle('n1', write('y', value));
    service.handle('n1', write('x', 2));
    const fresh = Array.from({ length: 100 }, (_, client) => service.handle(`fresh ${client}`, read('x'))['value']);
    expect(new Set(fresh)).toEqual(new Set([1, 2]));
  });

  test('the same seed and requests give the same answers', () => {
    const answers = (seed: number): Body[] => {
      const service = sequential(seed);
      return Array.from({ length: 60 }, (_, i) => service.handle(`n${i % 3}`, i % 3 === 0 ? write('x', i) : read('x')));
    };
    expect(answers(9)).toEqual(answers(9));
    expect(answers(9)).not.toEqual(answers(10));
  });
});

test('lww-kv may lose what it acknowledged, and agrees in the end', () => {
  const service = lastWriteWins(5);
  const answers = Array.from({ length: 200 }, (_, value) => {
    service.handle('n1', write('x', value));
    return service.handle('n1', read('x'))['value'] === value;
  });
  expect(answers).toContain(false);
  const agreed = (): unknown[] => {
    for (let i = 0; i < 300; i++) service.handle('n1', read('x'));
    return [...new Set(Array.from({ length: 50 }, () => service.handle('n1', read('x'))['value']))];
  };
  expect(agreed()).toHaveLength(1);
  service.handle('n1', write('x', 'last'));
  expect(agreed()).toEqual(['last']);
});

test('lin-tso counts from 0, and no timestamp comes twice', () => {
  const service = new TimestampOracle();
  expect([1, 2, 3].map(() => service.handle('n1', { type: 'ts' })['ts'])).toEqual([0, 1, 2]);
  expect(service.handle('n1', { type: 'read' })).toMatchObject({ code: 10 });
});
