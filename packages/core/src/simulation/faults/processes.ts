import type { Control } from '../protocol.ts';
import { anyOf, type FaultSource, now, type PlannedStep } from './source.ts';

/** A member dies; with `loseUnsynced` (the default, in two of three) its power goes too, and tears what was being written. */
export function crash(options: { readonly loseUnsynced?: boolean } = {}): FaultSource {
  return {
    name: 'crash',
    weight: 2,
    plan: (scene, draw) => {
      const power = options.loseUnsynced ?? draw(3) > 0;
      return now({ type: 'crash', member: anyOf(scene.ids, draw), power });
    },
  };
}

/** Power fails everywhere at once, and comes back. */
export function blackout(): FaultSource {
  return {
    name: 'blackout',
    weight: 1,
    plan: (scene, draw) => {
      const crashes: PlannedStep[] = scene.ids.map((member) => ({
        afterUs: draw(scene.paceUs / 100),
        act: { type: 'crash', member, power: true },
      }));
      return [...crashes, { afterUs: scene.paceUs / 100 + draw(scene.paceUs / 2), act: { type: 'recoverAll' } }];
    },
  };
}

/** A process stands still (SIGSTOP, a long garbage collection, a migrating machine), then goes on as if nothing had been. */
export function pause(): FaultSource {
  return {
    name: 'pause',
    weight: 1,
    plan: (scene, draw) => {
      const leader = scene.leader();
      const member = leader !== 0 && draw(2) === 0 ? leader : anyOf(scene.ids, draw);
      return [
        { afterUs: 0, act: { type: 'pause', member } },
        { afterUs: draw(scene.paceUs * 5), act: { type: 'resume', member } },
      ];
    },
  };
}

/** Everybody stands still (a host that is suspended), and comes back within moments, each with its time-outs overdue. */
export function freeze(): FaultSource {
  return {
    name: 'freeze',
    weight: 1,
    plan: (scene, draw) => {
      const untilUs = scene.paceUs + draw(scene.paceUs * 4);
      return scene.ids.flatMap((member): PlannedStep[] => [
        { afterUs: 0, act: { type: 'pause', member } },
        { afterUs: untilUs + draw(scene.paceUs / 20), act: { type: 'resume', member } },
      ]);
    },
  };
}

/** Leaders die one after the other, in the middle of replication, and come back: the schedule of Raft's Figure 8. */
export function leaderChurn(): FaultSource {
  return {
    name: 'leader churn',
    weight: 1,
    plan: (scene, draw) => {
      const steps: PlannedStep[] = [];
      let afterUs = 0;
      for (let i = 0; i < 4; i++) {
        steps.push({ afterUs, act: { type: 'crashLeader' } });
        afterUs += draw(scene.paceUs * 2);
        steps.push({ afterUs, act: { type: 'recoverAll' } });
      }
      return steps;
    },
  };
}

/** A leader that was cut off, with entries that no one else has, comes back as its successor dies. */
export function leaderReturns(): FaultSource {
  return {
    name: 'leader returns',
    weight: 1,
    plan: (scene, draw) => {
      const backUs = scene.paceUs + draw(scene.paceUs * 3);
      return [
        { afterUs: 0, act: { type: 'heal' } },
        { afterUs: 0, act: { type: 'isolateLeader' } },
        { afterUs: backUs, act: { type: 'heal' } },
        { afterUs: backUs, act: { type: 'crashLeader' } },
      ];
    },
  };
}

/** A member is told that its leader's process has died, which is rarely so. */
export function rumour(): FaultSource {
  return {
    name: 'rumour',
    weight: 1,
    plan: (scene, draw) => {
      const peer = scene.leader();
      const member = anyOf(scene.ids, draw);
      return peer === 0 || peer === member
        ? []
        : now({ type: 'control', member, command: { type: 'unreachable', peer } });
    },
  };
}

/** An operator's command to whoever leads, made from a member drawn: `to` may lag, be cut off or be down. */
export function operator(name: string, command: (to: number) => Control): FaultSource {
  return {
    name,
    weight: 1,
    plan: (scene, draw) => {
      const leader = scene.leader();
      const to = anyOf(scene.ids, draw);
      return leader === 0 || to === leader ? [] : now({ type: 'control', member: leader, command: command(to) });
    },
  };
}
