/**
 * Decides what breaks, and when. Swarm testing (Groce and others, 2012): each seed has only some of the kinds of
 * trouble that the scenario allows, for some bugs hide where everything breaks at once.
 */
import { assert, defined } from '../../base/assert.ts';
import type { ByteReader, ByteWriter } from '../../base/bytes.ts';
import type { ProtocolTypes } from '../protocol.ts';
import type { Actor, Simulation } from '../simulation.ts';
import { CONCERN } from '../world/random-streams.ts';
import { type FaultBudget, withinBudget } from './budget.ts';
import { applyFault, FAULTS, type Fault } from './fault.ts';
import { between } from './partitions.ts';
import type { Act, Draw, FaultSource, PlannedStep, Scene } from './source.ts';

export interface NemesisOptions {
  readonly sources: readonly FaultSource[];
  /** Each seed has a random part of the sources. */
  readonly swarm: boolean;
  readonly budget: FaultBudget;
  readonly paceUs: number;
  /** No trouble begins after this. */
  readonly untilUs: number;
  readonly onFault: (fault: Fault) => void;
}

const ROUND = 0;

export class Nemesis<Types extends ProtocolTypes> implements Actor<Types['outcome']> {
  readonly #simulation: Simulation<Types>;
  readonly #options: NemesisOptions;
  readonly #owner: number;
  readonly #sources: readonly FaultSource[];
  readonly #scene: Scene;
  readonly #draw: Draw;
  /** Some seeds are calm enough for long histories; in others trouble comes before the last has had its effect. */
  readonly #tempo: number;
  /** What is still to come of plans, by the token of its timer. */
  #pending = new Map<number, Act>();
  #lastToken = ROUND;
  #damaged = new Set<number>();
  #active = true;

  constructor(simulation: Simulation<Types>, options: NemesisOptions) {
    this.#simulation = simulation;
    this.#options = options;
    this.#owner = simulation.attach(this);
    this.#draw = (bound) => {
      assert(bound >= 1, 'there is something to choose from');
      return simulation.decisions.below(CONCERN.nemesis, 0, Math.floor(bound));
    };
    this.#scene = sceneOf(simulation, options.paceUs);
    this.#sources = this.#choose();
    this.#tempo = 1 + this.#draw(5);
    simulation.timer(this.#owner, simulation.nowUs + this.#roundUs(), ROUND);
  }

  /** The kinds of trouble that this seed has. */
  get sources(): readonly string[] {
    return this.#sources.map((source) => source.name);
  }

  /** From now on nothing more breaks. */
  stop(): void {
    this.#active = false;
    this.#pending.clear();
  }

  onTimer(token: number): void {
    if (!this.#active) return;
    if (token !== ROUND) return this.#perform(token);
    this.#round();
    const nextUs = this.#simulation.nowUs + this.#roundUs();
    if (nextUs < this.#options.untilUs) this.#simulation.timer(this.#owner, nextUs, ROUND);
  }

  onOutcome(): void {}

  save(writer: ByteWriter): void {
    const [pending, damaged] = [[...this.#pending], [...this.#damaged]];
    writer.string(JSON.stringify({ pending, damaged, lastToken: this.#lastToken, active: this.#active }));
  }

  load(reader: ByteReader): void {
    const saved = JSON.parse(reader.string());
    this.#pending = new Map(saved.pending);
    this.#damaged = new Set(saved.damaged);
    this.#lastToken = saved.lastToken;
    this.#active = saved.active;
  }

  #choose(): readonly FaultSource[] {
    const { sources, swarm } = this.#options;
    if (!swarm || sources.length === 0) return sources;
    const chosen = sources.filter(() => this.#draw(2) === 0);
    return chosen.length > 0 ? chosen : [defined(sources[this.#draw(sources.length)], 'a source was drawn')];
  }

  #roundUs(): number {
    const { paceUs } = this.#options;
    return Math.ceil((paceUs + this.#draw(paceUs * 4)) / this.#tempo);
  }

  /** Trouble ends in half of the rounds, so that the members come to do something. */
  #round(): void {
    if (this.#draw(2) === 0) this.#act({ type: 'recoverAll' });
    if (this.#draw(4) === 0) this.#act({ type: 'heal' });
    if (this.#sources.length === 0) return;
    const total = this.#sources.reduce((sum, source) => sum + source.weight, 0);
    let drawn = this.#draw(total);
    const source = this.#sources.find((candidate) => {
      drawn -= candidate.weight;
      return drawn < 0;
    });
    for (const step of defined(source, 'a source was drawn').plan(this.#scene, this.#draw)) this.#schedule(step);
  }

  #schedule({ afterUs, act }: PlannedStep): void {
    if (afterUs < 1) return this.#act(act);
    this.#lastToken++;
    this.#pending.set(this.#lastToken, act);
    this.#simulation.timer(this.#owner, this.#simulation.nowUs + Math.floor(afterUs), this.#lastToken);
  }

  #perform(token: number): void {
    const act = this.#pending.get(token);
    this.#pending.delete(token);
    if (act !== undefined) this.#act(act);
  }

  #act(act: Act): void {
    for (const fault of this.#resolve(act)) this.#break(fault);
  }

  #resolve(act: Act): readonly Fault[] {
    const leader = this.#anyLeader();
    switch (act.type) {
      case 'crashLeader':
        return leader === 0 ? [] : [{ type: 'crash', member: leader, power: true }];
      case 'isolateLeader': {
        const others = this.#scene.ids.filter((id) => id !== leader);
        return leader === 0 ? [] : [{ type: 'partition', shape: 'isolate', links: between([leader], others) }];
      }
      case 'recoverAll':
        return recoverAll(this.#simulation);
      default:
        return [act];
    }
  }

  /** There may be two: one that was cut off does not know yet. */
  #anyLeader(): number {
    const leaders = this.#simulation.ids.filter((id) => this.#simulation.member(id).status()?.leads === true);
    return leaders.length < 2 ? (leaders[0] ?? 0) : (leaders[this.#draw(leaders.length)] ?? 0);
  }

  #break(fault: Fault): void {
    if (!withinBudget(this.#options.budget, this.#damaged, fault)) return;
    if (FAULTS[fault.type].costs === 'damage' && 'member' in fault) this.#damaged.add(fault.member);
    this.#options.onFault(fault);
    applyFault(this.#simulation, fault);
  }
}

/** Whoever is down or paused and has something to come back to. */
export function recoverAll<Types extends ProtocolTypes>(simulation: Simulation<Types>): Fault[] {
  const faults: Fault[] = [];
  for (const member of simulation.ids) {
    if (!simulation.member(member).alive) faults.push({ type: 'restart', member });
    else if (simulation.member(member).paused) faults.push({ type: 'resume', member });
  }
  return faults;
}

function sceneOf<Types extends ProtocolTypes>(simulation: Simulation<Types>, paceUs: number): Scene {
  return {
    ids: simulation.ids,
    paceUs,
    leader: () => simulation.ids.find((id) => simulation.member(id).status()?.leads === true) ?? 0,
    isReady: (id) => (simulation.member(id).status() ?? { ready: false }).ready !== false,
    durableSizes: (id) => simulation.member(id).world.files.durableSizes(),
  };
}
