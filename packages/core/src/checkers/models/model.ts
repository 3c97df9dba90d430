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
  /** Always changes the state; false is always right to say. */
  readonly changes: boolean;
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
   * For speed: what a call provides, and what an operation may owe it to others that it is possible at all, or comes
   * where it comes. An operation is then tried early only where one that cannot wait, or that returns, takes what it
   * gives. Left out, or undefined: cannot be told, so it is always tried.
   */
  gives?(call: Call): readonly unknown[] | undefined;
  takes?(call: Call): readonly unknown[];
  /**
   * Whether the operation, as long as nobody takes what it gives, can just as well happen later: either it stays
   * possible and leaves the same, or what it leaves would have been hidden by one that `overwrites`.
   */
  canWait?(call: Call): boolean;
  /**
   * Whether what an operation of unknown outcome gave is seen only where an answer takes it: else it never happened,
   * for all that anybody can tell. Of use to objects that remember every order.
   */
  readonly seenInAnswers?: boolean;
  /** Possible in every state, and leaves a state that does not depend on the one before. */
  overwrites?(call: Call): boolean;
}

export const MUTATES: FunctionKind = { reads: false, changes: false, answers: false };
export const EXTENDS: FunctionKind = { reads: false, changes: true, answers: false };
export const READS: FunctionKind = { reads: true, changes: false, answers: true };
export const TAKES: FunctionKind = { reads: false, changes: false, answers: true };
