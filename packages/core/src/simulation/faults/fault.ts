/**
 * What can break, as plain records: they stand in traces, and each is applied to a simulation by one function. A
 * fault that makes no sense at its moment (the crash of a member that is down) does nothing, so that a trace stays
 * playable when other faults are taken out of it.
 */
import { unreachable } from '../../base/assert.ts';
import type { DiskOperation } from '../../world/world.ts';
import type { Control, ProtocolTypes } from '../protocol.ts';
import type { Simulation } from '../simulation.ts';
import type { Weather } from '../world/network.ts';

export type Fault =
  /** Cuts these links, each one way; those cut before stay cut. `shape` is for people. */
  | { readonly type: 'partition'; readonly shape: Shape; readonly links: readonly (readonly [number, number])[] }
  | { readonly type: 'heal' }
  | { readonly type: 'weather'; readonly weather: Weather }
  /** `power`: unsynced bytes may be lost or torn; else only the process dies, as by kill -9. */
  | { readonly type: 'crash'; readonly member: number; readonly power: boolean }
  | { readonly type: 'restart'; readonly member: number }
  /** It dies, and its disk with it; `restart` starts it on an empty one. */
  | { readonly type: 'wipe'; readonly member: number }
  | { readonly type: 'pause'; readonly member: number }
  | { readonly type: 'resume'; readonly member: number }
  | { readonly type: 'clock'; readonly member: number; readonly driftPpm: number; readonly stepMs: number }
  | {
      readonly type: 'diskError';
      readonly member: number;
      readonly operation: DiskOperation['type'];
      readonly code: string;
    }
  | { readonly type: 'diskFull'; readonly member: number; readonly full: boolean }
  | { readonly type: 'diskSlow'; readonly member: number; readonly times: number }
  | {
      readonly type: 'rot';
      readonly member: number;
      readonly file: string;
      readonly offset: number;
      readonly bit: number;
    }
  | { readonly type: 'misdirect'; readonly member: number; readonly file: string; readonly offset: number }
  /** Not a fault but an operator's command amid them. */
  | { readonly type: 'control'; readonly member: number; readonly command: Control };

export type FaultType = Fault['type'];
export type Shape = 'split' | 'isolate' | 'one-way' | 'bridge' | 'ring';

/** What each kind strains, and what it costs of the budget (see budget.ts). */
export const FAULTS: {
  readonly [type in FaultType]: { readonly strains: string; readonly costs: 'nothing' | 'damage' };
} = {
  partition: { strains: 'that members can reach one another', costs: 'nothing' },
  heal: { strains: 'nothing: it ends partitions', costs: 'nothing' },
  weather: { strains: 'that frames arrive, soon, once, in order and unaltered', costs: 'nothing' },
  crash: { strains: 'that a process lives on, and that what it wrote reached the disk', costs: 'nothing' },
  restart: { strains: 'nothing: it ends a crash', costs: 'nothing' },
  wipe: { strains: 'that a member keeps its disk', costs: 'damage' },
  pause: { strains: 'that a process which lives also runs', costs: 'nothing' },
  resume: { strains: 'nothing: it ends a pause', costs: 'nothing' },
  clock: { strains: 'that clocks run at one pace and show one time', costs: 'nothing' },
  diskError: { strains: 'that a disk does what it is asked to', costs: 'damage' },
  diskFull: { strains: 'that there is room on the disk', costs: 'damage' },
  diskSlow: { strains: 'that a disk answers soon', costs: 'nothing' },
  rot: { strains: 'that what was synced can be read back', costs: 'damage' },
  misdirect: { strains: 'that a write lands where it was sent', costs: 'damage' },
  control: { strains: 'nothing: an operator at work', costs: 'nothing' },
};

export function applyFault<Types extends ProtocolTypes>(simulation: Simulation<Types>, fault: Fault): void {
  switch (fault.type) {
    case 'partition':
      return fault.links.forEach(([from, to]) => simulation.blockOneWay(from, to));
    case 'heal':
      return simulation.heal();
    case 'weather':
      return simulation.setWeather(fault.weather);
    case 'crash':
      return simulation.crash(fault.member, fault.power);
    case 'restart':
      return simulation.restart(fault.member);
    case 'wipe':
      simulation.excuse(fault.member);
      return simulation.wipe(fault.member);
    case 'pause':
      return simulation.pause(fault.member);
    case 'resume':
      return simulation.resume(fault.member);
    case 'control':
      return simulation.control(fault.member, fault.command);
    case 'clock': {
      const { world } = simulation.member(fault.member);
      world.setDrift(fault.driftPpm);
      return world.time.step(fault.stepMs);
    }
    case 'diskSlow':
      return simulation.member(fault.member).world.setDiskSlowness(fault.times);
    case 'diskError':
    case 'diskFull':
    case 'rot':
    case 'misdirect':
      return damageDisk(simulation, fault);
    default:
      return unreachable(fault);
  }
}

/** Whoever's disk misbehaves may stop: that keeps a promise, it does not break one (PITFALLS R24). */
function damageDisk<Types extends ProtocolTypes>(
  simulation: Simulation<Types>,
  fault: Extract<Fault, { type: 'diskError' | 'diskFull' | 'rot' | 'misdirect' }>,
): void {
  const { files } = simulation.member(fault.member).world;
  if (fault.type !== 'diskFull' || fault.full) simulation.excuse(fault.member);
  switch (fault.type) {
    case 'diskError':
      return files.failNext(fault.operation, fault.code);
    case 'diskFull':
      return files.setFull(fault.full);
    case 'misdirect':
      return files.misdirectNext(fault.file, fault.offset);
    case 'rot':
      if ((files.durableSizes().get(fault.file) ?? 0) > fault.offset)
        files.corrupt(fault.file, fault.offset, fault.bit);
      return;
    default:
      return unreachable(fault);
  }
}

/** For a person, in a few words. */
export function describeFault(fault: Fault): string {
  switch (fault.type) {
    case 'partition':
      return `${fault.shape} partition: ${describeLinks(fault.links)}`;
    case 'heal':
      return 'every link works again';
    case 'weather':
      return describeWeather(fault.weather);
    case 'crash':
      return fault.power ? `member ${fault.member} loses power` : `member ${fault.member} is killed`;
    case 'restart':
      return `member ${fault.member} starts again`;
    case 'wipe':
      return `member ${fault.member} loses its disk`;
    case 'pause':
      return `member ${fault.member} is paused`;
    case 'resume':
      return `member ${fault.member} goes on`;
    case 'clock':
      return `member ${fault.member}'s clock drifts by ${fault.driftPpm} ppm and jumps by ${fault.stepMs} ms`;
    case 'diskError':
      return `member ${fault.member}'s next ${fault.operation} fails with ${fault.code}`;
    case 'diskFull':
      return `member ${fault.member}'s disk ${fault.full ? 'is full' : 'has room again'}`;
    case 'diskSlow':
      return `member ${fault.member}'s disk is ${fault.times} times as slow`;
    case 'rot':
      return `a bit of member ${fault.member}'s ${fault.file} rots at byte ${fault.offset}`;
    case 'misdirect':
      return `member ${fault.member}'s next write to ${fault.file} lands at byte ${fault.offset}`;
    case 'control':
      return `member ${fault.member} is told: ${JSON.stringify(fault.command)}`;
    default:
      return unreachable(fault);
  }
}

function describeLinks(links: readonly (readonly [number, number])[]): string {
  const from = new Map<number, number[]>();
  for (const [source, target] of links) from.set(source, [...(from.get(source) ?? []), target]);
  return [...from].map(([source, targets]) => `${source} ⊘ ${targets.join(',')}`).join('; ');
}

function describeWeather(weather: Weather): string {
  const parts: string[] = [];
  const percent = (perMillion: number, what: string) => {
    if (perMillion > 0) parts.push(`${Math.round(perMillion / 1_000) / 10} % of frames ${what}`);
  };
  percent(weather.lossPerMillion, 'are lost');
  percent(weather.duplicatePerMillion, 'arrive twice');
  percent(weather.corruptPerMillion, 'are damaged');
  percent(weather.spikePerMillion, `come ${Math.round(weather.spikeUs / 1_000)} ms late`);
  if (weather.bytesPerSecond > 0) parts.push(`links carry ${weather.bytesPerSecond} bytes a second`);
  return parts.length === 0 ? 'the network is calm' : parts.join(', ');
}
