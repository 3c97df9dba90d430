/**
 * All that a driver may ask of the outside. Two implementations that never meet: simulation's and the server's.
 * Nothing here calls back: completions arrive later, as events, by token.
 */
import type { Random } from '../base/random.ts';

export interface World {
  readonly clock: Clock;
  readonly network: Network;
  readonly disk: Disk;
  readonly random: Random;
}

export interface Clock {
  /** Microseconds since an arbitrary start; never goes back. */
  monotonicUs(): number;
  /** Milliseconds since 1970 by this member's own clock: it drifts, and jumps either way. Nothing may rely on it. */
  wallMs(): number;
  /** One wake-up: a later call replaces an earlier one. `Infinity` cancels it. */
  wakeAt(monotonicUs: number): void;
}

export interface Network {
  /** Fire and forget: it may be lost, delayed, reordered or duplicated; never altered unnoticed. */
  send(peer: number, frame: Uint8Array): void;
}

/** Files by name inside the member's directory. Operations on one file complete in the order they were submitted. */
export interface Disk {
  submit(token: number, operation: DiskOperation): void;
}

export type DiskOperation =
  | { readonly type: 'append'; readonly file: string; readonly bytes: Uint8Array }
  /** The file's bytes so far survive power loss once this completes. */
  | { readonly type: 'sync'; readonly file: string }
  /** Names made, renamed or removed so far survive power loss once this completes. */
  | { readonly type: 'syncDirectory' }
  | { readonly type: 'read'; readonly file: string; readonly offset: number; readonly length: number }
  | { readonly type: 'size'; readonly file: string }
  | { readonly type: 'truncate'; readonly file: string; readonly length: number }
  | { readonly type: 'rename'; readonly file: string; readonly to: string }
  | { readonly type: 'remove'; readonly file: string }
  | { readonly type: 'list' };

export type DiskResult =
  | { readonly type: 'done' }
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'size'; readonly sizeBytes: number }
  | { readonly type: 'names'; readonly names: readonly string[] }
  /** An I/O error: the member stops; nothing is retried as if it had not happened (PITFALLS R24). */
  | { readonly type: 'error'; readonly code: string; readonly message: string };
