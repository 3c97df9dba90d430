import type { Call } from './call.ts';
import type { Admission, Departure, Stage } from './stage.ts';

/** A stage that always needs the whole call. */
export abstract class HeavyStage implements Stage {
  readonly turnstile = null;

  abstract enter(call: Call): Admission;
  abstract leave(call: Call): Departure;
}
