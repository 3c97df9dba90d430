export { budgetFor, type FaultBudget } from './budget.ts';
export { clock, disk } from './disks-and-clocks.ts';
export { applyFault, describeFault, FAULTS, type Fault, type FaultType, type Shape } from './fault.ts';
export { Nemesis, type NemesisOptions } from './nemesis.ts';
export { network } from './networks.ts';
export { partition } from './partitions.ts';
export { blackout, crash, freeze, leaderChurn, leaderReturns, operator, pause, rumour } from './processes.ts';
export type { Act, Draw, FaultSource, PlannedStep, Scene } from './source.ts';
