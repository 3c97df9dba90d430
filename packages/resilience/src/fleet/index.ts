export { type ContentionJitter, type ContentionResult, simulateContention } from './contention.ts';
export { BROWNOUT, type FleetOptions, type FleetPolicies, type FleetSample, simulateFleet } from './fleet.ts';
