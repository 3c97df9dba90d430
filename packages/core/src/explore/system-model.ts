/** A system of replicas as a model: everything that a driver, a network, a disk and timers could do next. */
import { assert, defined, unreachable } from '../base/assert.ts';
import { Facts } from './facts.ts';
import { type LocalEvent, LocalStates } from './local-states.ts';
import type { Goal, Model, Property } from './model.ts';
import type { ExplorableSystem, SystemBounds, SystemView } from './system.ts';

const COUNTED = ['timeouts', 'proposals', 'crashes', 'duplicates', 'drops'] as const;
/** No envelope has this number. */
const NONE = -1;

type Counted = (typeof COUNTED)[number];

/** Numbers stand for local states, sets of facts and envelopes: see `LocalStates` and `Facts`. */
export interface SystemState {
  /** In the order of the system's members. */
  readonly members: readonly number[];
  readonly facts: number;
  /** Envelopes under way, ascending; one may be there more than once. */
  readonly network: readonly number[];
  readonly spent: Readonly<Record<Counted, number>>;
  /** How many members have acted or been acted on; counted only where that decides who may be next. */
  readonly touched: number;
}

export type SystemAction =
  /** `member` counts from 0. */
  | { readonly type: 'timeout' | 'persist' | 'crash' | 'propose'; readonly member: number }
  | { readonly type: 'deliver' | 'duplicate' | 'drop'; readonly envelope: number };

const COSTS: Readonly<Record<SystemAction['type'], Counted | null>> = {
  timeout: 'timeouts',
  persist: null,
  crash: 'crashes',
  propose: 'proposals',
  deliver: null,
  duplicate: 'duplicates',
  drop: 'drops',
};

export class SystemModel<Message> implements Model<SystemState, SystemAction> {
  readonly always: readonly Property<SystemState>[];
  readonly sometimes: readonly Goal<SystemState>[];
  readonly #system: ExplorableSystem<Message>;
  readonly #bounds: SystemBounds;
  readonly #locals: LocalStates<Message>;
  readonly #facts = new Facts();
  #viewed: { readonly state: SystemState; readonly view: SystemView } | null = null;

  constructor(system: ExplorableSystem<Message>, bounds: SystemBounds) {
    assert(system.members.length > 0, 'a system has members');
    this.#system = system;
    this.#bounds = bounds;
    this.#locals = new LocalStates(system, bounds);
    this.always = [ASSERTIONS, ...system.always].map(({ name, sentence, holds }) => ({
      name,
      sentence: typeof sentence === 'string' ? sentence : (state) => sentence(this.view(state)),
      holds: (state) => holds(this.view(state)),
    }));
    this.sometimes = system.sometimes.map(({ name, reached }) => ({
      name,
      reached: (state) => reached(this.view(state)),
    }));
  }

  /** Different states of single members, and different steps of them, computed so far. */
  get computed(): { readonly locals: number; readonly steps: number } {
    return { locals: this.#locals.size, steps: this.#locals.steps };
  }

  view(state: SystemState): SystemView {
    if (this.#viewed?.state === state) return this.#viewed.view;
    const members = state.members.map((local) => this.#locals.view(local));
    const view = { members, facts: this.#facts.at(state.facts) };
    this.#viewed = { state, view };
    return view;
  }

  initial(): readonly SystemState[] {
    const { members, symmetric } = this.#system;
    const steps = members.map((member) => this.#locals.start(member));
    const locals = steps.map((step) => step.local);
    const network = steps.flatMap((step) => step.sends).sort((a, b) => a - b);
    const facts = locals.reduce((set, local) => this.#facts.with(set, local, this.#locals.view(local)), 0);
    const spent = { timeouts: 0, proposals: 0, crashes: 0, duplicates: 0, drops: 0 };
    return [{ members: locals, facts, network, spent, touched: symmetric ? 0 : members.length }];
  }

  actions({ members, network, spent, touched }: SystemState): readonly SystemAction[] {
    const actions: SystemAction[] = [];
    const left = (what: Counted) => spent[what] < this.#bounds[what];
    const [timeouts, crashes, proposals] = [left('timeouts'), left('crashes'), left('proposals')];
    // Of the members that have not acted yet, only the first may be the next: see `symmetric`.
    for (let member = 0; member < members.length && member <= touched; member++) {
      const local = defined(members[member], 'a member has a local state');
      if (timeouts) actions.push({ type: 'timeout', member });
      if (this.#locals.hasPending(local)) actions.push({ type: 'persist', member });
      if (crashes) actions.push({ type: 'crash', member });
      if (proposals && this.#takesProposals(local)) actions.push({ type: 'propose', member });
    }
    const [duplicates, drops] = [left('duplicates'), left('drops')];
    for (let i = 0; i < network.length; i++) {
      const envelope = defined(network[i], 'it is under way');
      if (envelope === network[i - 1] || this.#locals.receiver(envelope) > touched) continue;
      actions.push({ type: 'deliver', envelope });
      if (duplicates) actions.push({ type: 'duplicate', envelope });
      if (drops) actions.push({ type: 'drop', envelope });
    }
    return actions;
  }

  next(state: SystemState, action: SystemAction): SystemState | null {
    const counted = COSTS[action.type];
    const spent = counted === null ? state.spent : { ...state.spent, [counted]: state.spent[counted] + 1 };
    const member = 'member' in action ? action.member : this.#locals.receiver(action.envelope);
    const touched = Math.max(state.touched, member + 1);
    const taken = action.type === 'deliver' || action.type === 'drop' ? action.envelope : NONE;
    if (action.type === 'drop') {
      return { ...state, network: this.#underWay(state, state.members, taken, []), spent, touched };
    }
    const before = defined(state.members[member], 'a member has a local state');
    const { local, sends } = this.#locals.step(before, this.#eventOf(state, action));
    // Left under way, a message that changes nothing now may still arrive later: nothing is missed.
    if (local === before && sends.length === 0) return null;
    const members = local === before ? state.members : state.members.map((each, i) => (i === member ? local : each));
    return {
      members,
      facts: local === before ? state.facts : this.#facts.with(state.facts, local, this.#locals.view(local)),
      network: this.#underWay(state, members, taken, sends),
      spent,
      touched,
    };
  }

  /** Without the envelope `taken`, with those sent; what is ignored where it would arrive is left out. Ascending. */
  #underWay(from: SystemState, members: readonly number[], taken: number, sends: readonly number[]): number[] {
    const network: number[] = [];
    let left = taken;
    for (const envelope of from.network) {
      const receiver = this.#locals.receiver(envelope);
      const [before, now] = [from.members[receiver], defined(members[receiver], 'a receiver is a member')];
      if (envelope === left) left = NONE;
      else if (before === now || !this.#locals.ignores(now, envelope)) network.push(envelope);
    }
    for (const envelope of sends) {
      const now = defined(members[this.#locals.receiver(envelope)], 'a receiver is a member');
      if (!this.#locals.ignores(now, envelope)) network.push(envelope);
    }
    return sends.length > 0 ? network.sort((a, b) => a - b) : network;
  }

  encode({ members, facts, network, spent, touched }: SystemState): number[] {
    const encoding = [...members, facts, touched];
    for (const what of COUNTED) encoding.push(spent[what]);
    for (const envelope of network) encoding.push(envelope);
    return encoding;
  }

  describe(action: SystemAction): string {
    const name = (member: number) => `member ${this.#system.members[member]}`;
    switch (action.type) {
      case 'timeout':
        return `${name(action.member)} times out`;
      case 'persist':
        return `${name(action.member)}'s records become durable`;
      case 'crash':
        return `${name(action.member)} crashes and starts again`;
      case 'propose':
        return `a command is proposed to ${name(action.member)}`;
      case 'deliver':
      case 'duplicate':
      case 'drop': {
        const { from, to, message } = this.#locals.envelope(action.envelope);
        const how = { deliver: '', duplicate: ', and stays under way', drop: ', and is lost' }[action.type];
        return `${from} → ${to}: ${this.#system.describe(message)}${how}`;
      }
      default:
        return unreachable(action);
    }
  }

  #eventOf(state: SystemState, action: SystemAction): LocalEvent {
    if ('envelope' in action) return { type: 'deliver', envelope: action.envelope };
    // Ids count up with the proposals of the whole walk, so that each command differs.
    if (action.type === 'propose') return { type: 'propose', id: state.spent.proposals + 1 };
    return { type: action.type };
  }

  #takesProposals(local: number): boolean {
    return this.#system.takesProposals?.(this.#locals.view(local).status) ?? true;
  }
}

const ASSERTIONS: Property<SystemView> = {
  name: 'Assertions',
  sentence: ({ members }) =>
    members
      .filter((member) => member.failure !== null)
      .map(({ member, failure }) => `member ${member} met what it holds to be impossible: not so that ${failure}`)
      .join('; '),
  holds: ({ members }) => members.every((member) => member.failure === null),
};
