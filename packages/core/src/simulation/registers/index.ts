export { causalSessions, strongLinearizable } from './checks.ts';
export { generalRegisters, registersRaces } from './general.ts';
export { registers } from './protocol.ts';
export {
  type AskedOfRegisters,
  QUICK_REGISTERS,
  type RegistersSimulationOptions,
  type RegistersTypes,
} from './types.ts';
export { type LevelsOptions, levels } from './workload.ts';
