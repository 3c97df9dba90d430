import type { Call, Work } from './call.ts';
import type { Context } from './context.ts';
import type { Reporter } from './reporter.ts';
import type { Turnstile } from './turnstile.ts';

/** The call may go further in. */
export const ADMITTED = 0;
/** `call.refuse` has been given the reason; the call turns back here. */
export const REFUSED = 1;
/** The call waits for a place: `call.waiter` is set, and will admit it or turn it away. */
export const QUEUED = 2;
export type Admission = typeof ADMITTED | typeof REFUSED | typeof QUEUED;

/** The outcome in the call, perhaps changed, goes further out. */
export const PASSED = 0;
/** Inward again after `call.delayMs`. */
export const AGAIN = 1;
/** `call.pending` holds the outcome in the making, which replaces the call's. */
export const PENDING = 2;
export type Departure = typeof PASSED | typeof AGAIN | typeof PENDING;

/**
 * A policy at its place in one pipeline: the thin side of its synchronous core that faces the frame. A stage that has admitted a
 * call is left exactly once for it; one that refused it, or in whose queue it gave up, is not left.
 */
export interface Stage {
  enter(call: Call): Admission;
  leave(call: Call): Departure;

  /** Through which calls pass without a Call being made for them, when nobody can cancel them; null when each needs one. */
  readonly turnstile: Turnstile | null;
  /** Whether the turnstile's permits differ: it goes to the call's notes if a Call becomes necessary. */
  readonly givesPermits?: boolean;
  /** A call that came through the turnstile has succeeded, and the turnstile heeds that, or has another permit now. */
  leaveLight?(permit: number): void;
  /** Of an outermost stage that can cancel calls, when that does not keep them from being light: it runs them itself. */
  startLight?:
    | ((lane: LightLane, work: Work<unknown>, permit: number, throws: boolean) => Promise<unknown>)
    | undefined;
}

/** What a frame lets a stage do that runs light calls itself. */
export interface LightLane {
  readonly reporter: Reporter;
  contextUntil(deadline: number): Context;
  /** The work has succeeded: through all turnstiles, outward. */
  leaveLight(permit: number): void;
  /** The work has begun and not succeeded: what goes on from there needs a Call. */
  callAfterLight(context: Context, permit: number, throws: boolean): Call;
  travelOutward(call: Call, work: Work<unknown>): Promise<unknown>;
}

/** What waits in a stage's queue on behalf of a call. */
export interface Waiter {
  /** The call has been cancelled: free the place at once. */
  cancel(): void;
}
