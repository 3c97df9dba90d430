/** One operation as a model sees it: what was asked for and, once it is known, what was answered. */
export interface Call {
  readonly f: string;
  readonly key: string;
  readonly argument: unknown;
  /** undefined: nobody knows, as for an operation that timed out. Then any answer will do. */
  readonly result: unknown;
}

/** What `step` gives when the call cannot have been answered so in that state. */
export const IMPOSSIBLE: unique symbol = Symbol('impossible');
export type Impossible = typeof IMPOSSIBLE;

export interface FunctionKind {
  /** Never changes the state. */
  readonly reads: boolean;
  /** Its answer says more than that it happened, such as the value read. */
  readonly answers: boolean;
}

/**
 * A sequential object: what an answer may be, and what it leaves behind. States are values: `step` never changes the
 * one it is given.
 */
export interface Model<State = unknown> {
  readonly name: string;
  readonly functions: Readonly<Record<string, FunctionKind>>;
  /** Whether each key is an object of its own, so that its operations can be judged alone. */
  readonly partitioned: boolean;
  initial(): State;
  step(state: State, call: Call): State | Impossible;
  /** Equal, as the key of a `Map`, exactly for equal states. */
  identity(state: State): unknown;
  /** What is wrong with the values of a call, to be read after "line 3 "; null when they are as they should be. */
  complaint(call: Call): string | null;
  /**
   * For speed, what a call provides and what the answer of another may be owed to: an operation is then tried early
   * only where one that is under way takes what it gives. undefined: cannot be told, so it is always tried.
   */
  gives?(call: Call): unknown;
  takes?(call: Call): readonly unknown[];
  /**
   * Whether an operation that takes nothing, and gives nothing to those under way, can just as well wait: its effect
   * is either hidden by a later one that `overwrites` or the same whenever it happens.
   */
  readonly deferrable?: boolean;
  /** Possible in every state, and leaves a state that does not depend on the one before. */
  overwrites?(call: Call): boolean;
}

export const MUTATES: FunctionKind = { reads: false, answers: false };
export const READS: FunctionKind = { reads: true, answers: true };
export const TAKES: FunctionKind = { reads: false, answers: true };
