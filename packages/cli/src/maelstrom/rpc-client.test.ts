import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Journal } from './network/journal.ts';
import { Network } from './network/network.ts';
import type { Body } from './protocol.ts';
import { RpcClient } from './rpc-client.ts';
import { callOf } from './workers.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A client, and node n1 in the hands of the test. */
function client(): { client: RpcClient; network: Network; wrong: string[]; reply: (body: Body) => void } {
  const network = new Network({ journal: new Journal(), latencyMs: () => 0, after: () => undefined });
  network.attach('n1', () => undefined);
  const wrong: string[] = [];
  const onWrongMessage = (node: string, problem: string): void => void wrong.push(`${node} ${problem}`);
  const made = new RpcClient({ id: 'c1', network, timeoutMs: 1_000, onWrongMessage });
  return { client: made, network, wrong, reply: (body) => network.send({ src: 'n1', dest: 'c1', body }) };
}

test('each answer finds its request, in any order; a second answer is ignored', async () => {
  const { client: made, reply, wrong } = client();
  const [first, second] = [made.call('n1', { type: 'a' }), made.call('n1', { type: 'b' })];
  reply({ type: 'b_ok', in_reply_to: 2 });
  reply({ type: 'a_ok', in_reply_to: 1 });
  reply({ type: 'a_ok', in_reply_to: 1 });
  expect([(await first).type, (await second).type, wrong]).toEqual(['a_ok', 'b_ok', []]);
});

test("no answer in time is error 0, and a late answer is nobody's fault", async () => {
  const { client: made, reply, wrong } = client();
  const call = made.call('n1', { type: 'a' });
  const failed = expect(call).rejects.toMatchObject({ code: 0, message: 'n1 did not answer a within 1000 ms' });
  vi.advanceTimersByTime(1_000);
  await failed;
  reply({ type: 'a_ok', in_reply_to: 1 });
  expect(wrong).toEqual([]);
});

test('an error has its code, and one without a code counts as a crash', async () => {
  const { client: made, reply } = client();
  const [first, second] = [made.call('n1', { type: 'a' }), made.call('n1', { type: 'a' })];
  reply({ type: 'error', code: 22, text: 'no', in_reply_to: 1 });
  reply({ type: 'error', in_reply_to: 2 });
  await expect(first).rejects.toMatchObject({ code: 22, message: 'no' });
  await expect(second).rejects.toMatchObject({ code: 13 });
});

test('an answer to nothing, or to a request never made, is the fault of the node', () => {
  const { reply, wrong } = client();
  reply({ type: 'a_ok' });
  reply({ type: 'a_ok', in_reply_to: 5 });
  expect(wrong[0]).toContain('n1 sent a_ok to client c1 without saying to what; expected in_reply_to');
  expect(wrong[1]).toBe('n1 answered request 5 of client c1, which never made it');
});

test('an answer of another type is refused', async () => {
  const { client: made, reply } = client();
  const call = callOf(made, 'n1')({ type: 'read' });
  reply({ type: 'write_ok', in_reply_to: 1 });
  await expect(call).rejects.toThrow('expected the type "read_ok" or "error"');
});

test('closing gives up what is open, and what comes later', async () => {
  const { client: made } = client();
  const open = made.call('n1', { type: 'a' });
  made.close();
  await expect(open).rejects.toMatchObject({ code: 0 });
  await expect(made.call('n1', { type: 'a' })).rejects.toMatchObject({ code: 0 });
});
