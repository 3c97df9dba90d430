import type { Call } from './call.ts';
import { type Admission, type Departure, NOT_LIGHT, type Stage } from './stage.ts';

/** A stage that always needs the whole call. */
export abstract class HeavyStage implements Stage {
  readonly light = false;

  abstract enter(call: Call): Admission;
  abstract leave(call: Call): Departure;

  enterLight(): number {
    return NOT_LIGHT;
  }

  leaveLight(): void {}
}
