/** What a user writes, and what the types make of it. */

/** What an entry says of itself; the same at every member. */
export interface ApplyContext {
  /** The entry's place in the log: only grows, so it serves as a fencing token. */
  readonly index: number;
  /** The leader's term that made the entry. */
  readonly term: number;
}

/**
 * A deterministic state machine: equal commands in equal order give equal states and results, on every member and at
 * every restart. So `apply` reads no clock and no randomness, nothing outside, and is not asynchronous: what it needs
 * stands in the command. What it throws is a bug, and stops the member; a refusal is a result.
 */
export interface ReplicatedStateMachine<Command, Result, State, View> {
  apply(command: Command, context: ApplyContext): Result;
  /** The whole state; `restore` of it gives an equal machine. What it returns is encoded at once and not kept. */
  snapshot(): State;
  /** On a new machine. */
  restore(state: State): void;
  /** What queries see: the state, or a part of it. */
  view(): View;
}

export interface ValueCodec<Value> {
  encode(value: Value): Uint8Array;
  decode(bytes: Uint8Array): Value;
}

/** What queries see cannot be changed by them. */
export type ReadOnly<T> = T extends (...args: never[]) => unknown
  ? T
  : T extends ReadonlyMap<infer Key, infer Value>
    ? ReadonlyMap<ReadOnly<Key>, ReadOnly<Value>>
    : T extends ReadonlySet<infer Element>
      ? ReadonlySet<ReadOnly<Element>>
      : T extends object
        ? { readonly [Key in keyof T]: ReadOnly<T[Key]> }
        : T;

/** `T`, or what of it survives JSON. */
type JsonPart<T> = T extends string | number | boolean | null
  ? T
  : T extends undefined | bigint | symbol | ((...args: never[]) => unknown) | { toJSON(): unknown }
    ? never
    : T extends ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | ArrayBufferView | ArrayBuffer
      ? never
      : T extends object
        ? { [Key in keyof T]: JsonPart<T[Key]> }
        : never;

/** Whether JSON gives back what it was given; nothing (`void`) counts. */
type IsJson<T> = [T] extends [undefined] | [void] ? true : [T] extends [JsonPart<T>] ? true : false;

/** Names no codec's type, so that the compiler finds these in what the user wrote and not here. */
type Needed<Name extends string, T> =
  IsJson<T> extends true ? unknown : { readonly codecs: { readonly [Key in Name]: object } };

/** JSON where none is given; what it cannot carry must be given one. */
export type CodecsOption<Command, Result, State> = {
  readonly codecs?: {
    readonly command?: ValueCodec<Command>;
    readonly result?: ValueCodec<Result>;
    readonly state?: ValueCodec<State>;
  };
} & Needed<'command', Command> &
  Needed<'result', Result> &
  Needed<'state', State>;

/** Nothing that decides may wait: what comes after an `await` has another state before it. */
export type NotAsync<T, Message extends string> = T extends PromiseLike<unknown> ? Message : unknown;
