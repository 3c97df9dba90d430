/**
 * Where a run is. Plain numbers, so that it is saved with the run:
 *
 *   trouble ─ the faults end ─► probing ─ writes succeed ─► answering ─ nobody waits ─► settling, each thing owed ─► over
 */
import { unreachable } from '../../base/assert.ts';

export type Stage = 'trouble' | 'probing' | 'answering' | 'settling' | 'over';

export interface Course {
  stage: Stage;
  /** When its time is up. */
  endUs: number;
  /** How long it may last. */
  limitUs: number;
  /** Probing: how many operations had succeeded before. */
  okBefore: number;
  /** Settling: the number of what is owed now. */
  owed: number;
}

/** What comes after this, in a scenario that is owed so many things. */
export function next({ stage, owed }: Course, promises: number): { readonly stage: Stage; readonly owed: number } {
  switch (stage) {
    case 'trouble':
      return { stage: 'probing', owed: 0 };
    case 'probing':
      return { stage: 'answering', owed: 0 };
    case 'answering':
      return { stage: promises === 0 ? 'over' : 'settling', owed: 0 };
    case 'settling':
      return owed + 1 < promises ? { stage: 'settling', owed: owed + 1 } : { stage: 'over', owed: 0 };
    case 'over':
      return { stage: 'over', owed: 0 };
    default:
      return unreachable(stage);
  }
}
