/** Participants as a model: a state is what each remembers, has stored and waits for, and the messages under way. */
import { assert, defined, unreachable } from '../../base/assert.ts';
import type { Model } from '../../explore/index.ts';
import { type ExplorationBounds, type ExplorationReport, exploreModel } from '../exploration.ts';
import type { Json } from '../protocol.ts';
import type { Intent } from '../workloads/workload.ts';
import type { Message, Participant, ParticipantsOptions, Self, States } from './participant.ts';

interface MemberState {
  readonly state: Json;
  /** Names of timers that are set: each may be due at any moment. */
  readonly timers: readonly string[];
  readonly stored: { readonly [name: string]: Json };
  /** Under way to the disk, in this order. */
  readonly storing: readonly (readonly [string, Json])[];
}

interface Envelope {
  readonly from: number;
  readonly to: number;
  readonly message: Message;
}

interface WorldState {
  readonly members: readonly MemberState[];
  /** As text, sorted: a multiset. */
  readonly messages: readonly string[];
  /** What clients have still to ask. */
  readonly asked: number;
  readonly timeouts: number;
  readonly crashes: number;
  readonly duplicates: number;
}

/** `draws`: what the participant draws in this step, in order. */
type Action = { readonly draws: readonly number[] } & (
  | { readonly type: 'deliver'; readonly envelope: string; readonly keeps: boolean }
  | { readonly type: 'timer'; readonly member: number; readonly name: string }
  | { readonly type: 'stored'; readonly member: number }
  | { readonly type: 'ask'; readonly member: number }
  | { readonly type: 'crash'; readonly member: number }
);

export function exploreParticipants<M extends Message, State>(
  options: ParticipantsOptions<M, State>,
  bounds: ExplorationBounds,
): ExplorationReport {
  return exploreModel(new ParticipantsModel(options, bounds), bounds);
}

class ParticipantsModel<M extends Message, State> implements Model<WorldState, Action> {
  readonly always: Model<WorldState, Action>['always'];
  readonly #options: ParticipantsOptions<M, State>;
  readonly #bounds: ExplorationBounds;
  readonly #ids: readonly number[];

  constructor(options: ParticipantsOptions<M, State>, bounds: ExplorationBounds) {
    this.#options = options;
    this.#bounds = bounds;
    this.#ids = Array.from({ length: options.members }, (_, i) => i + 1);
    const states = (world: WorldState): States<State> => world.members.map(({ state }) => state as State);
    this.always = (options.always ?? []).map(({ name, holds }) => ({
      name,
      sentence: (world) => String(holds(states(world))),
      holds: (world) => holds(states(world)) === true,
    }));
  }

  initial(): readonly WorldState[] {
    const { timeouts = 2, crashes = 0, duplicates = 0 } = this.#bounds;
    const nobody: MemberState = { state: null, timers: [], stored: {}, storing: [] };
    const members = this.#ids.map(() => nobody);
    let world: WorldState = { members, messages: [], asked: 0, timeouts, crashes, duplicates };
    for (const member of this.#ids) world = this.#start(world, member);
    return [world];
  }

  actions(world: WorldState): readonly Action[] {
    const actions: Action[] = [];
    for (const envelope of new Set(world.messages)) {
      actions.push({ type: 'deliver', envelope, keeps: false, draws: [] });
      if (world.duplicates > 0) actions.push({ type: 'deliver', envelope, keeps: true, draws: [] });
    }
    for (const member of this.#ids) {
      const { timers, storing } = memberOf(world, member);
      if (world.timeouts > 0) for (const name of timers) actions.push({ type: 'timer', member, name, draws: [] });
      if (storing.length > 0) actions.push({ type: 'stored', member, draws: [] });
      if (world.crashes > 0) actions.push({ type: 'crash', member, draws: [] });
      if (world.asked < (this.#bounds.operations?.length ?? 0)) actions.push({ type: 'ask', member, draws: [] });
    }
    return actions.flatMap((action) => this.#withDraws(world, action));
  }

  next(world: WorldState, action: Action): WorldState | null {
    return this.#perform(world, action, () => {});
  }

  encode(world: WorldState): string {
    return JSON.stringify(world);
  }

  describe(action: Action): string {
    const drawing = action.draws.length === 0 ? '' : `, drawing ${action.draws.join(', ')}`;
    switch (action.type) {
      case 'deliver': {
        const { from, to, message } = JSON.parse(action.envelope) as Envelope;
        const twice = action.keeps ? ', and will again' : '';
        return `${to} hears from ${from}: ${JSON.stringify(message)}${twice}${drawing}`;
      }
      case 'timer':
        return `${action.member}'s timer "${action.name}" is due${drawing}`;
      case 'stored':
        return `${action.member}'s oldest write is durable${drawing}`;
      case 'ask':
        return `${action.member} is asked by a client${drawing}`;
      case 'crash':
        return `${action.member} crashes, and starts again${drawing}`;
      default:
        return unreachable(action);
    }
  }

  /** One action for each thing that may be drawn on the way. */
  #withDraws(world: WorldState, action: Action): Action[] {
    let bound = 0;
    this.#perform(world, action, (wanted) => {
      if (bound === 0) bound = wanted;
    });
    if (bound === 0) return [action];
    const drawn = Array.from({ length: bound }, (_, value) => ({ ...action, draws: [...action.draws, value] }));
    return drawn.flatMap((each) => this.#withDraws(world, each));
  }

  #perform(world: WorldState, action: Action, onMissingDraw: (bound: number) => void): WorldState | null {
    const step = (before: WorldState, member: number, act: (participant: Participant<M>) => void): WorldState =>
      this.#step(before, member, act, action.draws, onMissingDraw);
    switch (action.type) {
      case 'deliver': {
        const { from, to, message } = JSON.parse(action.envelope) as Envelope;
        const left = action.keeps ? { ...world, duplicates: world.duplicates - 1 } : without(world, action.envelope);
        return step(left, to, (participant) => participant.onMessage(from, message as M));
      }
      case 'timer': {
        const { member, name } = action;
        const timers = memberOf(world, member).timers.filter((timer) => timer !== name);
        const due = withMember({ ...world, timeouts: world.timeouts - 1 }, member, { timers });
        return step(due, member, (participant) => participant.onTimer?.(name));
      }
      case 'stored': {
        const { member } = action;
        const { stored, storing } = memberOf(world, member);
        const [name, value] = defined(storing[0], 'something is under way to the disk');
        const durable = withMember(world, member, { stored: { ...stored, [name]: value }, storing: storing.slice(1) });
        return step(durable, member, (participant) => participant.onStored?.(name));
      }
      case 'ask': {
        const operation: Intent = defined(this.#bounds.operations?.[world.asked], 'a client has something to ask');
        const asked = { ...world, asked: world.asked + 1 };
        return step(asked, action.member, (participant) => participant.onOperation(asked.asked, operation));
      }
      case 'crash':
        return this.#start({ ...world, crashes: world.crashes - 1 }, action.member, action.draws, onMissingDraw);
      default:
        return unreachable(action);
    }
  }

  /** What was under way to the disk is lost. */
  #start(
    world: WorldState,
    member: number,
    draws: readonly number[] = [],
    onMissing: (bound: number) => void = () => {},
  ): WorldState {
    const fresh = withMember(world, member, { state: null, timers: [], storing: [] });
    const { stored } = memberOf(world, member);
    return this.#step(fresh, member, (participant) => participant.onStart(stored), draws, onMissing, true);
  }

  #step(
    world: WorldState,
    member: number,
    act: (participant: Participant<M>) => void,
    draws: readonly number[],
    onMissingDraw: (bound: number) => void,
    isStart = false,
  ): WorldState {
    const before = memberOf(world, member);
    const timers = new Set(before.timers);
    const storing = [...before.storing];
    const messages = [...world.messages];
    const self = this.#self(member, { timers, storing, messages, draws, onMissingDraw });
    const participant = this.#options.create(self);
    if (!isStart) participant.state = JSON.parse(JSON.stringify(before.state));
    act(participant);
    const state: Json = JSON.parse(JSON.stringify(participant.state));
    const after = withMember(world, member, { state, timers: [...timers].sort(), storing });
    return { ...after, messages: messages.sort() };
  }

  #self(
    member: number,
    effects: {
      readonly timers: Set<string>;
      readonly storing: (readonly [string, Json])[];
      readonly messages: string[];
      readonly draws: readonly number[];
      readonly onMissingDraw: (bound: number) => void;
    },
  ): Self<M> {
    let drawn = 0;
    const send = (to: number, message: M): void => {
      assert(to !== member, 'a member does not send to itself');
      effects.messages.push(JSON.stringify({ from: member, to, message }));
    };
    return {
      member,
      members: this.#ids,
      send,
      broadcast: (message) => {
        for (const to of this.#ids) if (to !== member) send(to, message);
      },
      setTimer: (name) => effects.timers.add(name),
      cancelTimer: (name) => effects.timers.delete(name),
      // What clients hear is not judged here.
      answer: () => {},
      ok: () => {},
      fail: () => {},
      store: (name, value) => effects.storing.push([name, value]),
      draw: (bound) => {
        const value = effects.draws[drawn++];
        if (value === undefined) effects.onMissingDraw(bound);
        return value ?? 0;
      },
      // Time is whatever lets every timer be due at any moment: a protocol that reads clocks is not explored by them.
      nowUs: () => 0,
      wallMs: () => 0,
    };
  }
}

function memberOf(world: WorldState, member: number): MemberState {
  return defined(world.members[member - 1], 'a member has an id from 1 to n');
}

function withMember(world: WorldState, member: number, change: Partial<MemberState>): WorldState {
  const members = world.members.map((each, i) => (i === member - 1 ? { ...each, ...change } : each));
  return { ...world, members };
}

function without(world: WorldState, envelope: string): WorldState {
  const at = world.messages.indexOf(envelope);
  return { ...world, messages: world.messages.filter((_, i) => i !== at) };
}
