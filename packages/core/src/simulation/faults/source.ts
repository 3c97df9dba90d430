import type { Fault } from './fault.ts';

/** What a source of faults may look at. */
export interface Scene {
  readonly ids: readonly number[];
  /** About how long members wait for one another before they act: faults last a few times this. */
  readonly paceUs: number;
  /** A live member that says it leads, or 0. */
  leader(): number;
  /** It runs, and takes part in the protocol. */
  isReady(id: number): boolean;
  /** By file: how many of its bytes are durable. */
  durableSizes(id: number): ReadonlyMap<string, number>;
}

/** An integer in [0, bound). */
export type Draw = (bound: number) => number;

/** Plain records, so that a nemesis in the middle of a plan can be saved. */
export interface PlannedStep {
  readonly afterUs: number;
  readonly act: Act;
}

/** A fault that is known now, or one that depends on how things are when its time comes. */
export type Act =
  | Fault
  | { readonly type: 'crashLeader' }
  | { readonly type: 'isolateLeader' }
  | { readonly type: 'recoverAll' };

/** A kind of trouble that a scenario may ask for. */
export interface FaultSource {
  readonly name: string;
  /** Against the others: how often it is chosen. */
  readonly weight: number;
  readonly plan: (scene: Scene, draw: Draw) => readonly PlannedStep[];
}

export function anyOf(ids: readonly number[], draw: Draw): number {
  return ids[draw(ids.length)] ?? 0;
}

export function shuffled(ids: readonly number[], draw: Draw): number[] {
  const mixed = [...ids];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = draw(i + 1);
    [mixed[i], mixed[j]] = [mixed[j] as number, mixed[i] as number];
  }
  return mixed;
}

export function now(...acts: readonly Act[]): PlannedStep[] {
  return acts.map((act) => ({ afterUs: 0, act }));
}
