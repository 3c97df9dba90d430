import { Turnstile } from '../pipeline/turnstile.ts';
import type { Window } from './window.ts';

/**
 * A breaker's state machine:
 *
 *            tripped                          openFor is over, a call comes
 *   closed ───────────► open ──────────────────────────────────► half-open
 *      ▲                  ▲                                          │  │
 *      │                  └──────── too many probes failed ──────────┘  │
 *      └──────────────────────── enough probes succeeded ───────────────┘
 *
 * Each passage begins a new epoch. A permit belongs to the epoch that gave it, so a late result changes nothing.
 */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** `metrics-only` watches and reports its state but refuses nobody; `forced-closed` does not even change state. */
export type BreakerMode = 'enforcing' | 'metrics-only' | 'forced-closed';

/** What a call's end says about the target; `ignored` says nothing, and gives a probe's permit back. */
export type Verdict = 'success' | 'failure' | 'ignored';

export interface BreakerRules {
  /** Opens after this many failures in a row; Infinity for none. */
  readonly consecutiveFailures: number;
  readonly window: Window | null;
  /** Of the window's calls; above 1 for none. */
  readonly failureRate: number;
  /** Rates of fewer calls than this mean nothing. */
  readonly minimumCalls: number;
  /** From how long on a call is slow; Infinity for none. */
  readonly slowAfterMs: number;
  readonly slowRate: number;
  readonly openForMs: number;
  /** Each reopening doubles the time open, up to this. */
  readonly maxOpenForMs: number;
  /** Time open is stretched by up to this share, so that a fleet does not probe in step. */
  readonly jitter: number;
  /** Calls let through while half open. */
  readonly probes: number;
  /** How many of them must succeed to close it. */
  readonly successes: number;
  /** A probe without an end gives its place back after this. */
  readonly probeForMs: number;
  readonly mode: BreakerMode;
}

export interface BreakerChange {
  readonly from: BreakerState;
  readonly to: BreakerState;
  readonly reason:
    | 'failures'
    | 'failure-rate'
    | 'slow-rate'
    | 'probing'
    | 'recovered'
    | 'probe-failed'
    | 'votes'
    | 'reset';
}

/** A breaker's memory as plain data, with times as differences, for another process or a restart. */
export interface BreakerSnapshot {
  readonly version: 1;
  readonly state: BreakerState;
  readonly openings: number;
  readonly remainingMs: number;
  readonly consecutive: number;
}

/** From `decide`: not admitted. Every other number is a permit. */
export const NO_PERMIT = -1;

interface Probe {
  readonly permit: number;
  readonly expiresMs: number;
}

export class BreakerCore {
  readonly rules: BreakerRules;
  /** Open to calls while closed, with the epoch as their permit. */
  readonly turnstile = new Turnstile();
  #isolated = false;
  readonly #random: () => number;
  readonly #onChange: (change: BreakerChange) => void;
  #state: BreakerState = 'closed';
  /** Names the epoch, and each probe within it. */
  #serial = 0;
  #epoch = 0;
  #consecutive = 0;
  /** How often in a row it opened without closing. */
  #openings = 0;
  #openUntilMs = 0;
  #probes: Probe[] = [];
  #probeSuccesses = 0;
  #probeFailures = 0;
  #refused = 0;
  #lastFailureMs: number | null = null;

  constructor(rules: BreakerRules, random: () => number, onChange: (change: BreakerChange) => void) {
    this.rules = rules;
    this.#random = random;
    this.#onChange = onChange;
    this.#turn();
  }

  get state(): BreakerState {
    return this.#state;
  }

  get refused(): number {
    return this.#refused;
  }

  get lastFailureMs(): number | null {
    return this.#lastFailureMs;
  }

  /** Failures that count now: in a row, or in the window. */
  failures(now: number): number {
    this.rules.window?.advance(now);
    return this.rules.window?.failures ?? this.#consecutive;
  }

  /** While isolated it refuses everything, and its state goes on. */
  setIsolated(isolated: boolean): void {
    this.#isolated = isolated;
    this.#turn();
  }

  get isolated(): boolean {
    return this.#isolated;
  }

  /** Whether a call may pass at `now`: a permit for `settle`, or NO_PERMIT. */
  decide(now: number): number {
    if (this.#isolated) return this.#refuse();
    if (this.#state === 'closed') return this.#epoch;
    if (this.#state === 'open' && now >= this.#openUntilMs) this.#change('half-open', 'probing');
    if (this.#state === 'half-open') {
      this.#expireProbes(now);
      const { probes, probeForMs } = this.rules;
      if (this.#probes.length + this.#probeSuccesses + this.#probeFailures < probes) {
        const permit = ++this.#serial;
        this.#probes.push({ permit, expiresMs: now + probeForMs });
        return permit;
      }
    }
    return this.rules.mode === 'enforcing' ? this.#refuse() : this.#epoch;
  }

  /** The call that got `permit` has ended, after `durationMs`. */
  settle(now: number, permit: number, verdict: Verdict, durationMs: number): void {
    if (verdict === 'failure') this.#lastFailureMs = now;
    if (this.#state === 'closed') {
      if (permit === this.#epoch && verdict !== 'ignored') this.#count(now, verdict === 'failure', durationMs);
      return;
    }
    if (this.#state === 'half-open') this.#settleProbe(now, permit, verdict, durationMs);
  }

  /** How long until a call may pass, as far as is known. */
  retryAfterMs(now: number): number {
    switch (this.#state) {
      case 'closed':
        return 0;
      case 'open':
        return Math.max(0, this.#openUntilMs - now);
      case 'half-open': {
        let soonest = Infinity;
        for (const probe of this.#probes) soonest = Math.min(soonest, probe.expiresMs);
        // The probes decide before they expire, or they expire: nobody has to wait longer than a time open.
        return Math.max(0, Math.min(soonest - now, this.rules.openForMs));
      }
    }
  }

  /** Opens because others say so, for at least `forMs`. */
  openFor(now: number, forMs: number): void {
    if (this.rules.mode === 'forced-closed') return;
    const wasOpen = this.#state === 'open';
    this.#openUntilMs = wasOpen ? Math.max(this.#openUntilMs, now + forMs) : now + forMs;
    if (!wasOpen) this.#change('open', 'votes');
  }

  /** Closed, and everything forgotten. */
  reset(): void {
    this.#openings = 0;
    if (this.#state === 'closed') this.#forget();
    else this.#change('closed', 'reset');
    this.#turn();
  }

  snapshot(now: number): BreakerSnapshot {
    return {
      version: 1,
      state: this.#state,
      openings: this.#openings,
      remainingMs: this.#state === 'open' ? Math.max(0, this.#openUntilMs - now) : 0,
      consecutive: this.#consecutive,
    };
  }

  /** Takes over a snapshot. Probes under way are not in it: half open comes back as open with its time over. */
  hydrate(now: number, snapshot: BreakerSnapshot): void {
    this.#forget();
    this.#epoch = ++this.#serial;
    this.#openings = snapshot.openings;
    this.#consecutive = snapshot.consecutive;
    this.#state = snapshot.state === 'closed' ? 'closed' : 'open';
    // A snapshot from elsewhere cannot keep it open longer than it would stay open by itself.
    const longestMs = this.rules.maxOpenForMs * (1 + this.rules.jitter);
    this.#openUntilMs = now + Math.min(snapshot.remainingMs, longestMs);
    this.#turn();
  }

  #refuse(): typeof NO_PERMIT {
    this.#refused++;
    return NO_PERMIT;
  }

  /** Lets the turnstile say what the state says. */
  #turn(): void {
    this.turnstile.permit = this.#state === 'closed' && !this.#isolated ? this.#epoch : NO_PERMIT;
    this.turnstile.heedsSuccess = this.rules.window !== null || this.#consecutive > 0;
  }

  #count(now: number, failed: boolean, durationMs: number): void {
    const { rules } = this;
    const slow = durationMs >= rules.slowAfterMs;
    if (!failed) this.#consecutive = 0;
    else this.#consecutive++;
    this.turnstile.heedsSuccess = rules.window !== null || this.#consecutive > 0;
    rules.window?.record(now, failed, slow);
    // Only what counts against the target can trip it.
    if (!failed && !slow) return;
    const reason = this.#trippedBy(now);
    if (reason !== null && rules.mode !== 'forced-closed') this.#open(now, reason);
  }

  #trippedBy(now: number): BreakerChange['reason'] | null {
    const { rules } = this;
    if (this.#consecutive >= rules.consecutiveFailures) return 'failures';
    const window = rules.window;
    if (window === null) return null;
    window.advance(now);
    if (window.calls < rules.minimumCalls) return null;
    if (window.failures >= rules.failureRate * window.calls) return 'failure-rate';
    return window.slow >= rules.slowRate * window.calls ? 'slow-rate' : null;
  }

  #settleProbe(now: number, permit: number, verdict: Verdict, durationMs: number): void {
    const index = this.#probes.findIndex((probe) => probe.permit === permit);
    if (index === -1) return;
    this.#probes.splice(index, 1);
    if (verdict === 'ignored') return;
    const { rules } = this;
    if (verdict === 'success' && durationMs < rules.slowAfterMs) this.#probeSuccesses++;
    else this.#probeFailures++;
    if (this.#probeSuccesses >= rules.successes) {
      this.#openings = 0;
      this.#change('closed', 'recovered');
    } else if (this.#probeFailures > rules.probes - rules.successes) {
      this.#open(now, 'probe-failed');
    }
  }

  #open(now: number, reason: BreakerChange['reason']): void {
    const { openForMs, maxOpenForMs, jitter } = this.rules;
    let forMs = openForMs;
    for (let step = 0; step < this.#openings && forMs < maxOpenForMs; step++) forMs *= 2;
    this.#openings++;
    this.#openUntilMs = now + Math.min(forMs, maxOpenForMs) * (1 + jitter * this.#random());
    this.#change('open', reason);
  }

  #change(to: BreakerState, reason: BreakerChange['reason']): void {
    const from = this.#state;
    this.#state = to;
    this.#forget();
    this.#epoch = ++this.#serial;
    this.#turn();
    this.#onChange({ from, to, reason });
  }

  #forget(): void {
    this.#consecutive = 0;
    this.#probes = [];
    this.#probeSuccesses = 0;
    this.#probeFailures = 0;
    this.rules.window?.clear();
  }

  #expireProbes(now: number): void {
    if (this.#probes.some((probe) => probe.expiresMs <= now)) {
      this.#probes = this.#probes.filter((probe) => probe.expiresMs > now);
    }
  }
}
