export { type CausalOptions, checkCausal } from './check.ts';
export type { CausalModel, CausalPattern, CausalVerdict, CausalViolation } from './model.ts';
