/** What `explore` walks over: initial states, the actions each allows, and what must hold. */

/**
 * A state as text, or as integers of 32 bits (bytes are some): equal states give equal encodings, different states
 * different ones.
 */
export type Encoding = string | ArrayLike<number>;

export interface Property<State> {
  readonly name: string;
  /** What it means that it does not hold, for a reader who does not know the model. */
  readonly sentence: string | ((state: State) => string);
  readonly holds: (state: State) => boolean;
}

/** A state that must be reached: a walk in which nothing happened proves nothing. */
export interface Goal<State> {
  readonly name: string;
  readonly reached: (state: State) => boolean;
}

/** States are values: no function here may change the state that it is given. */
export interface Model<State, Action> {
  initial(): readonly State[];
  /** What can happen in this state. Its order must depend on the state alone: counterexamples are found again by it. */
  actions(state: State): readonly Action[];
  /** null: here the action changes nothing. */
  next(state: State, action: Action): State | null;
  encode(state: State): Encoding;
  /**
   * A state that stands for all that differ from this one only by a renaming under which the model and its properties
   * stay the same. The nearer it comes to one for each such class, the fewer states; any choice within the class is
   * sound, since the walk goes on from the states themselves and only recognizes them by their representatives.
   */
  representative?(state: State): State;
  describe(action: Action): string;
  /** Of every state. */
  readonly always: readonly Property<State>[];
  /** Each of some state. */
  readonly sometimes?: readonly Goal<State>[];
  /** Of every state from which no action leads to another one (up to symmetry). Endless cycles are not looked for. */
  readonly atEnd?: readonly Property<State>[];
}
