/** A system of replicas as a model: everything that a driver, a network, a disk and timers could do next. */
import { assert, defined, unreachable } from '../base/assert.ts';
import { ByteWriter } from '../base/bytes.ts';
import { Facts } from './facts.ts';
import { type LocalEvent, LocalStates } from './local-states.ts';
import type { Goal, Model, Property } from './model.ts';
import type { ExplorableSystem, SystemBounds, SystemView } from './system.ts';

const COUNTED = ['timeouts', 'proposals', 'crashes', 'duplicates', 'drops'] as const;
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
      if (envelope === network[i - 1] || this.#receiver(envelope) > touched) continue;
      actions.push({ type: 'deliver', envelope });
      if (duplicates) actions.push({ type: 'duplicate', envelope });
      if (drops) actions.push({ type: 'drop', envelope });
    }
    return actions;
  }

  next(state: SystemState, action: SystemAction): SystemState | null {
    const counted = COSTS[action.type];
    const spent = counted === null ? state.spent : { ...state.spent, [counted]: state.spent[counted] + 1 };
    const member = 'member' in action ? action.member : this.#receiver(action.envelope);
    const touched = Math.max(state.touched, member + 1);
    const stays = !('envelope' in action) || action.type === 'duplicate';
    const network = stays ? state.network : without(state.network, action.envelope);
    if (action.type === 'drop') return { ...state, network, spent, touched };
    const before = defined(state.members[member], 'a member has a local state');
    const { local, sends } = this.#locals.step(before, this.#eventOf(state, action));
    // Left under way, a message that changes nothing now may still arrive later: nothing is missed.
    if (local === before && sends.length === 0) return null;
    const members = local === before ? state.members : state.members.map((each, i) => (i === member ? local : each));
    return {
      members,
      facts: local === before ? state.facts : this.#facts.with(state.facts, local, this.#locals.view(local)),
      network: this.#underWay(members, network, sends),
      spent,
      touched,
    };
  }

  /** Ascending, without what is ignored where it would arrive. */
  #underWay(members: readonly number[], network: readonly number[], sends: readonly number[]): readonly number[] {
    const matters = (envelope: number) => !this.#locals.ignores(members[this.#receiver(envelope)] as number, envelope);
    return (sends.length === 0 ? network : [...network, ...sends].sort((a, b) => a - b)).filter(matters);
  }

  encode({ members, facts, network, spent, touched }: SystemState): Uint8Array {
    const writer = new ByteWriter(64);
    for (const local of members) writer.varint(local);
    writer.varint(facts);
    for (const what of COUNTED) writer.varint(spent[what]);
    writer.varint(touched);
    for (const envelope of network) writer.varint(envelope);
    return writer.finish();
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

  #eventOf(state: SystemState, action: Exclude<SystemAction, { type: 'drop' }> | SystemAction): LocalEvent {
    if ('envelope' in action) return { type: 'deliver', envelope: action.envelope };
    // Ids count up with the proposals of the whole walk, so that each command differs.
    if (action.type === 'propose') return { type: 'propose', id: state.spent.proposals + 1 };
    return { type: action.type };
  }

  #takesProposals(local: number): boolean {
    return this.#system.takesProposals?.(this.#locals.view(local).status) ?? true;
  }

  #receiver(envelope: number): number {
    return this.#system.members.indexOf(this.#locals.envelope(envelope).to);
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

function without(network: readonly number[], envelope: number): number[] {
  const at = network.indexOf(envelope);
  return network.filter((_, i) => i !== at);
}
