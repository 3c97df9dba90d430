/** The general campaign of the registers: everything that may break, fixed before any bug of the zoo is switched on. */
import { blackout, clock, crash, disk, freeze, network, partition, pause } from '../faults/index.ts';
import { type Scenario, scenario, swarm } from '../scenario/scenario.ts';
import { counted, type ScenarioOptions, seconds } from '../scenario/spec.ts';
import { causalSessions, strongLinearizable } from './checks.ts';
import { registers } from './protocol.ts';
import { QUICK_REGISTERS, type RegistersSimulationOptions, type RegistersTypes } from './types.ts';
import { levels } from './workload.ts';

/** Pages are small and reads give up soon, so that both ends are met within seconds. */
const SMALL: RegistersSimulationOptions = { limits: { rounds: 3, pageVersions: 20, hints: 40 } };

export function generalRegisters(
  options: RegistersSimulationOptions = {},
  settings: Partial<ScenarioOptions<RegistersTypes>> = {},
): Scenario<RegistersTypes> {
  return scenario<RegistersTypes>({
    name: 'registers',
    replicas: (seed, members = seed % 2 === 0 ? 3 : 5) => registers(members, { ...SMALL, ...options }),
    clients: 5,
    ...settings,
  })
    .workload(levels())
    .faults(
      swarm(
        partition(),
        network.any(),
        network.slow(),
        crash(),
        blackout(),
        pause(),
        freeze(),
        clock.drift(500),
        clock.jump(60_000),
        disk.error(),
        disk.full(),
        disk.slow(),
        disk.lost(),
      ),
    )
    .sometimes('an answer is served at less than strong', counted('degraded'))
    .sometimes('a read is contended', counted('contended'))
    .sometimes('an outcome is unknown', counted('unknown'))
    .sometimes('a hint is delivered', counted('hintsDelivered'))
    .sometimes('a tombstone is collected', counted('collected'))
    .sometimes('a clock is refused', counted('driftRefusals'))
    .sometimes('a session waits', counted('waits'))
    .sometimes('an audit repairs', counted('auditRepairs'))
    .sometimes('a strong read repairs', counted('readRepairs'))
    .eventually('all members come to rest and are equal', { withinUs: seconds(10) })
    .check(strongLinearizable(), causalSessions());
}

/**
 * Many strong operations and eventual writes of one key at three members whose walls are apart, while frames take
 * long and little else evens them out: what needs an old answer, a slow clock and a weaker write at one moment.
 */
export function registersRaces(
  options: RegistersSimulationOptions = {},
  settings: Partial<ScenarioOptions<RegistersTypes>> = {},
): Scenario<RegistersTypes> {
  const timing = { ...QUICK_REGISTERS, exchangeUs: 1_000_000, auditUs: 3_000_000, retryUs: 150_000 };
  return scenario<RegistersTypes>({
    name: 'registers-races',
    replicas: (_, members = 3) => registers(members, { ...SMALL, timing, ...options }),
    clients: 8,
    thinkUs: 4_000,
    latency: { type: 'exponential', minUs: 200, meanUs: 8_000 },
    ...settings,
  })
    .workload(levels({ weights: { strong: 70, causal: 0, eventual: 30, weak: 0 }, keys: 1 }))
    .faults(partition(), network.lossy(), network.slow(), clock.jump(400))
    .eventually('all members come to rest and are equal', { withinUs: seconds(20) })
    .check(strongLinearizable());
}
