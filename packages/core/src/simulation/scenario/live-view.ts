import type { ProtocolTypes } from '../protocol.ts';
import type { Simulation } from '../simulation.ts';
import type { View } from './spec.ts';

/** A run as it is now, for who watches it. */
export class LiveView<Types extends ProtocolTypes> implements View<Types> {
  readonly simulation: Simulation<Types>;
  readonly faults: View<Types>['faults'];
  readonly operations: View<Types>['operations'];
  underway = 0;

  constructor(simulation: Simulation<Types>, faults: View<Types>['faults'], operations: View<Types>['operations']) {
    this.simulation = simulation;
    this.faults = faults;
    this.operations = operations;
  }

  get counts(): Readonly<Record<string, number>> {
    return this.simulation.protocolRun.counts();
  }
}
