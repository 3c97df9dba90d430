export {
  type ConvergenceOptions,
  type ConvergenceVerdict,
  checkConvergence,
  checkReplicaStates,
  type ReplicaState,
} from './check.ts';
export type { ConvergenceViolation } from './differences.ts';
