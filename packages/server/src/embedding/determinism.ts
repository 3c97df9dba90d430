/**
 * A second machine beside the first, for development: before every command it is made anew from the first one's
 * snapshot, then both apply it. Whatever a snapshot leaves out, and whatever is not determined by state and command,
 * makes the two differ, here and now, and not in a year on one member of three. Clock and randomness do not answer
 * meanwhile. It costs two snapshots and a restore for each command.
 */
import { equalBytes, PolderError, text } from '@polder/core';
import type { ApplyContext, ReplicatedStateMachine, ValueCodec } from './state-machine.ts';

export interface Encoding<Command, Result, State> {
  readonly command: ValueCodec<Command>;
  readonly result: ValueCodec<Result>;
  readonly state: ValueCodec<State>;
}

/** Applies like `machine.apply`. Throws `NotDeterministic`. */
export function applyTwice<Command, Result, State, View>(
  machine: ReplicatedStateMachine<Command, Result, State, View>,
  create: () => ReplicatedStateMachine<Command, Result, State, View>,
  codecs: Encoding<Command, Result, State>,
  bytes: Uint8Array,
  context: ApplyContext,
): Result {
  const shadow = create();
  const before = codecs.state.encode(machine.snapshot());
  shadow.restore(codecs.state.decode(before));
  compare('its snapshot, restored, gives another snapshot', before, codecs.state.encode(shadow.snapshot()), context);
  const result = withoutClock(() => machine.apply(codecs.command.decode(bytes), context), context);
  const again = withoutClock(() => shadow.apply(codecs.command.decode(bytes), context), context);
  compare('the result differs', codecs.result.encode(result), codecs.result.encode(again), context);
  const after = codecs.state.encode(machine.snapshot());
  compare('the state differs', after, codecs.state.encode(shadow.snapshot()), context);
  return result;
}

function compare(what: string, one: Uint8Array, other: Uint8Array, { index }: ApplyContext): void {
  if (equalBytes(one, other)) return;
  const show = (bytes: Uint8Array): string => {
    try {
      return text(bytes.subarray(0, 200));
    } catch {
      return `${bytes.length} bytes`;
    }
  };
  throw notDeterministic(index, `${what} when it is applied twice: ${show(one)} and ${show(other)}`);
}

/** Synchronous, so nobody else sees it. */
function withoutClock<Value>(run: () => Value, { index }: ApplyContext): Value {
  const refuse = (name: string) => (): never => {
    throw notDeterministic(index, `apply called ${name}: put what it gives into the command`);
  };
  const { Date: RealDate } = globalThis;
  const { random } = Math;
  globalThis.Date = new Proxy(RealDate, {
    apply: refuse('Date()'),
    construct: (target, args: unknown[]) =>
      args.length === 0 ? refuse('new Date()')() : (Reflect.construct(target, args) as Date),
    get: (target, name) => (name === 'now' ? refuse('Date.now()') : (Reflect.get(target, name) as unknown)),
  });
  Math.random = refuse('Math.random()');
  try {
    return run();
  } finally {
    globalThis.Date = RealDate;
    Math.random = random;
  }
}

function notDeterministic(index: number, what: string): PolderError {
  return new PolderError('NotDeterministic', `the state machine is not deterministic: at entry ${index}, ${what}`);
}
