import type { Engine } from './engine.ts';

/** Where a member's engines are, by name. */
export interface Storage {
  /** Opens the engine, made empty if absent. The outcome is delivered as a disk event under `token`, never from inside. */
  open(token: number, name: string): void;
  /** The same, and what was under that name before is gone. */
  create(token: number, name: string): void;
  /** One that is open. */
  engine(name: string): Engine;
  /** Closes and removes every engine but this one, soon; that it fails costs space only, until the next `open`. */
  keepOnly(name: string): void;
}
