/** What must not compile: each line below an `@ts-expect-error` fails to, or the build does. Nothing here runs. */
import { describe, expect, it } from 'vitest';
import { jsonCodec, type ReplicatedStateMachine, startMember, startReplicated, type ValueCodec } from '../index.ts';

function machine<Command, Result, State, View>(
  apply: (command: Command) => Result,
  state: State,
  view: View,
): () => ReplicatedStateMachine<Command, Result, State, View> {
  return () => ({ apply, snapshot: () => state, restore: () => {}, view: () => view });
}

const counter = machine((command: { readonly add: number }) => command.add, 0, { total: { now: 0 }, seen: [1] });

const late = machine(async (command: { readonly add: number }) => command.add, 0, 0);
const dated = machine((command: { readonly at: Date }) => command.at.getTime(), 0, 0);
const mapped = machine((command: string) => command, new Map<string, number>(), 0);
const binary = machine((command: Uint8Array) => command.length, 0, 0);
const dates: ValueCodec<{ readonly at: Date }> = {
  encode: ({ at }) => new Uint8Array(Float64Array.of(at.getTime()).buffer),
  decode: (bytes) => ({ at: new Date(new Float64Array(bytes.slice().buffer)[0] ?? 0) }),
};

export async function misuse(): Promise<void> {
  const replicated = await startReplicated({ stateMachine: counter });
  // @ts-expect-error: another type of command
  await replicated.propose({ subtract: 1 });
  // @ts-expect-error: the result is a number
  const text: string = await replicated.propose({ add: 1 });
  // @ts-expect-error: a query changes nothing
  await replicated.read((view) => view.seen.push(1));
  // @ts-expect-error: not even deep inside
  await replicated.read((view) => (view.total.now = 1));
  // @ts-expect-error: a query does not wait
  await replicated.read(async (view) => view.total.now);
  // @ts-expect-error: neither does a local one
  replicated.readLocal(async (view) => view.total.now);
  // @ts-expect-error: a machine for each member, so a function that makes one
  await startReplicated({ stateMachine: counter() });
  // @ts-expect-error: apply is not asynchronous
  await startReplicated({ stateMachine: late });
  // @ts-expect-error: JSON has no dates
  await startReplicated({ stateMachine: dated });
  // @ts-expect-error: JSON has no maps
  await startReplicated({ stateMachine: mapped });
  // @ts-expect-error: JSON has no bytes
  await startReplicated({ stateMachine: binary });
  // With a codec it does.
  await startReplicated({ stateMachine: dated, codecs: { command: dates } });
  // @ts-expect-error: but that does not make `apply` synchronous
  await startReplicated({ stateMachine: late, codecs: { result: jsonCodec<Promise<number>>() } });
  // @ts-expect-error: members, but which one is this?
  await startMember({ members: [{ name: 'a', id: 1 }] });
  // @ts-expect-error: not a value
  await (await startMember()).put('key', 1);
  return void text;
}

describe('misuse', () => {
  it('does not compile', () => {
    expect(misuse).toBeTypeOf('function');
  });
});
