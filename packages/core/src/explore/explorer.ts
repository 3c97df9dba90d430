/**
 * Walks over every state of a model, nearest first, so that the first violation found is one of the shortest.
 *
 *   level n ──► each state ──► each action ──► a state seen before: nothing
 *                                         └──► a new one: number it, judge it, put it into level n + 1
 */
import { assert, defined } from '../base/assert.ts';
import type { Encoding, Goal, Model, Property } from './model.ts';
import { NONE, type Visited, VisitedEncodings, VisitedFingerprints } from './visited.ts';

export interface ExploreOptions {
  /** Stop when there would be more states. */
  readonly maxStates?: number;
  /** Do not go on from states so many actions away from an initial one. */
  readonly maxDepth?: number;
  /** Recognize states by their whole encodings rather than by 64 bits of them. */
  readonly exact?: boolean;
  /** Told now and then; `false` as its answer stops the walk. */
  readonly onProgress?: (progress: ExploreProgress) => boolean | undefined;
}

export interface ExploreProgress {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** States found and not yet gone on from. */
  readonly waiting: number;
}

export interface Walk<State, Action> {
  readonly actions: readonly Action[];
  /** One line an action. */
  readonly described: readonly string[];
  /** Where the actions lead. */
  readonly state: State;
}

export interface Violation<State, Action> extends Walk<State, Action> {
  readonly property: string;
  readonly sentence: string;
}

export interface Reached<State, Action> extends Walk<State, Action> {
  readonly goal: string;
}

export interface Exploration<State, Action> {
  /** Different ones; up to symmetry if the model has representatives. */
  readonly states: number;
  /** Actions tried that led to a state, known or new. */
  readonly transitions: number;
  /** The most actions that any state found needs. */
  readonly depth: number;
  /** Every state was found and gone on from. A violation ends the walk before that. */
  readonly complete: boolean;
  /** Why it is not complete. */
  readonly stoppedBy: 'violation' | 'maxStates' | 'maxDepth' | 'onProgress' | null;
  readonly violation: Violation<State, Action> | null;
  /** Each goal's shortest way, in the model's order. */
  readonly reached: readonly Reached<State, Action>[];
  /** Of a complete walk: these states do not exist. Else only: they were not seen. */
  readonly unreached: readonly string[];
  /** Of the set of visited states. */
  readonly memoryBytes: number;
}

const PROGRESS_STATES = 1 << 13;

export function explore<State, Action>(
  model: Model<State, Action>,
  options: ExploreOptions = {},
): Exploration<State, Action> {
  const explorer = new Explorer(model, options);
  explorer.advance(Number.POSITIVE_INFINITY);
  return explorer.result();
}

/** `explore` in pieces, for who has something else to do in between: draw, or listen for an interruption. */
export class Explorer<State, Action> {
  readonly #model: Model<State, Action>;
  readonly #options: ExploreOptions;
  readonly #visited: Visited;
  /** The states of this level; the first has the number `#levelStart`, the others follow it. Let go one by one. */
  #level: (State | undefined)[] = [];
  #levelStart = 0;
  #at = 0;
  #nextLevel: State[] = [];
  #depth = 0;
  #transitions = 0;
  #stoppedBy: Exploration<State, Action>['stoppedBy'] = null;
  #done = false;
  #broken: { readonly property: Property<State>; readonly state: number } | null = null;
  readonly #reached = new Map<Goal<State>, number>();
  #awaited: readonly Goal<State>[];

  constructor(model: Model<State, Action>, options: ExploreOptions = {}) {
    this.#model = model;
    this.#options = options;
    this.#visited = options.exact === true ? new VisitedEncodings() : new VisitedFingerprints();
    this.#awaited = model.sometimes ?? [];
    for (const state of model.initial()) this.#meet(state, NONE);
    this.#endLevel(0);
  }

  /** Goes on from so many more states. True: there is nothing left to do. */
  advance(states: number): boolean {
    for (let left = states; left > 0 && !this.#done; left--) {
      if (this.#at === this.#level.length) this.#endLevel(this.#depth + 1);
      if (this.#isOver()) break;
      const state = defined(this.#level[this.#at], 'the level has a next state');
      this.#level[this.#at] = undefined;
      this.#expand(state, this.#levelStart + this.#at);
      this.#at++;
    }
    return this.#done;
  }

  progress(): ExploreProgress {
    const waiting = this.#level.length - this.#at + this.#nextLevel.length;
    const depth = this.#nextLevel.length > 0 ? this.#depth + 1 : this.#depth;
    return { states: this.#visited.size, transitions: this.#transitions, depth, waiting };
  }

  /** What is known so far. */
  result(): Exploration<State, Action> {
    const { states, transitions, depth } = this.progress();
    const goals = this.#model.sometimes ?? [];
    const reached = goals
      .filter((goal) => this.#reached.has(goal))
      .map((goal) => ({ goal: goal.name, ...this.#walkTo(this.#reached.get(goal) ?? NONE) }));
    const broken = this.#broken;
    return {
      states,
      transitions,
      depth,
      complete: this.#done && this.#stoppedBy === null,
      stoppedBy: this.#stoppedBy,
      violation: broken === null ? null : this.#explain(broken.property, broken.state),
      reached,
      unreached: this.#awaited.map((goal) => goal.name),
      memoryBytes: this.#visited.memoryBytes,
    };
  }

  #endLevel(depth: number): void {
    this.#levelStart += this.#level.length;
    this.#level = this.#nextLevel;
    this.#nextLevel = [];
    this.#at = 0;
    if (this.#level.length > 0) this.#depth = depth;
  }

  #isOver(): boolean {
    if (this.#level.length === 0) this.#done = true;
    else if (this.#depth >= (this.#options.maxDepth ?? Number.POSITIVE_INFINITY)) this.#stop('maxDepth');
    else if ((this.#levelStart + this.#at) % PROGRESS_STATES === PROGRESS_STATES - 1) {
      if (this.#options.onProgress?.(this.progress()) === false) this.#stop('onProgress');
    }
    return this.#done;
  }

  #stop(by: NonNullable<Exploration<State, Action>['stoppedBy']>): void {
    this.#stoppedBy ??= by;
    this.#done = true;
  }

  #expand(state: State, number: number): void {
    let leads = false;
    for (const action of this.#model.actions(state)) {
      const next = this.#model.next(state, action);
      if (next === null) continue;
      this.#transitions++;
      if (this.#meet(next, number) !== number) leads = true;
      if (this.#done) return;
    }
    if (!leads) this.#judge(this.#model.atEnd ?? [], state, number);
  }

  /** The number of the state; a new one is judged, and waits for its turn. */
  #meet(state: State, parent: number): number {
    const known = this.#visited.find(this.#encoding(state));
    if (known !== NONE) return known;
    if (this.#visited.size >= (this.#options.maxStates ?? Number.POSITIVE_INFINITY)) {
      this.#stop('maxStates');
      return NONE;
    }
    const number = this.#visited.size;
    this.#visited.append(parent);
    this.#nextLevel.push(state);
    this.#judge(this.#model.always, state, number);
    this.#note(state, number);
    return number;
  }

  #judge(properties: readonly Property<State>[], state: State, number: number): void {
    for (const property of properties) {
      if (this.#broken !== null || property.holds(state)) continue;
      this.#broken = { property, state: number };
      this.#stop('violation');
    }
  }

  #note(state: State, number: number): void {
    for (const goal of this.#awaited) {
      if (!goal.reached(state)) continue;
      this.#reached.set(goal, number);
      this.#awaited = this.#awaited.filter((awaited) => awaited !== goal);
    }
  }

  #explain({ name, sentence }: Property<State>, number: number): Violation<State, Action> {
    const walk = this.#walkTo(number);
    return { property: name, sentence: typeof sentence === 'string' ? sentence : sentence(walk.state), ...walk };
  }

  #encoding(state: State): Encoding {
    return this.#model.encode(this.#model.representative?.(state) ?? state);
  }

  /** Only parents are kept: the actions are found again by trying, in the same order as when the state was found. */
  #walkTo(number: number): Walk<State, Action> {
    const numbers: number[] = [];
    for (let at = number; at !== NONE; at = this.#visited.parentOf(at)) numbers.unshift(at);
    const is = (state: State, sought: number) => this.#visited.find(this.#encoding(state)) === sought;
    const start = this.#model.initial().find((state) => is(state, numbers[0] ?? NONE));
    let state = defined(start, 'a walk begins in an initial state');
    const actions: Action[] = [];
    for (const sought of numbers.slice(1)) {
      let led = false;
      for (const action of this.#model.actions(state)) {
        const next = this.#model.next(state, action);
        if (next === null || !is(next, sought)) continue;
        actions.push(action);
        state = next;
        led = true;
        break;
      }
      assert(led, 'a model gives the same actions and states each time it is asked');
    }
    return { actions, described: actions.map((action) => this.#model.describe(action)), state };
  }
}
