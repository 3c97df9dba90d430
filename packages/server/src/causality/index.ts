export {
  type CausalCounters,
  CausalService,
  type CausalServiceOptions,
  causalFetch,
  logEvent,
} from './causal-service.ts';
