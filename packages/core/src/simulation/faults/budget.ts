/**
 * How much may break before a promise may break with it. A quorum's copies of any entry must stay whole: so durable
 * damage is kept to a minority of the members, for the length of a run. Within the budget every violation is a bug;
 * a run beyond it expects a violation or a stopped member.
 */
import { FAULTS, type Fault } from './fault.ts';

export interface FaultBudget {
  /** So many members' disks may be damaged in a run. */
  readonly damagedMembers: number;
  /** No clock runs faster or slower than this. */
  readonly driftPpm: number;
}

export function budgetFor(members: number, damagedMembers = Math.floor((members - 1) / 2)): FaultBudget {
  return { damagedMembers, driftPpm: 500 };
}

export function withinBudget(budget: FaultBudget, damaged: ReadonlySet<number>, fault: Fault): boolean {
  if (fault.type === 'clock') return Math.abs(fault.driftPpm) <= budget.driftPpm;
  if (FAULTS[fault.type].costs === 'nothing' || !('member' in fault)) return true;
  return damaged.has(fault.member) || damaged.size < budget.damagedMembers;
}
