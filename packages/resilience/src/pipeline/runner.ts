import type { Outcome } from '../base/outcome.ts';
import type { RunOptions, Work } from './call.ts';
import type { Frame } from './frame.ts';

/** The names of the options that a call must give. */
export type Need = keyof RunOptions;

/** A call's options: none needed, or these. */
export type OptionsFor<Needs extends Need> = [Needs] extends [never]
  ? [options?: RunOptions]
  : [options: RunOptions & { readonly [Name in Needs]-?: NonNullable<RunOptions[Name]> }];

declare const types: unique symbol;

/**
 * Whatever runs work: a pipeline, or a policy alone. `Adds` is what may come back besides the work's own value (a fallback's
 * value); `Needs`, the options without which a call makes no sense (a cache's key).
 */
export abstract class Runner<Adds = never, Needs extends Need = never> {
  /** For inference only. */
  declare readonly [types]?: { readonly adds: Adds; readonly needs: Needs };

  /** Returns the work's value. Throws the work's error, the signal's reason, or a ResilienceError. */
  run<T>(work: Work<T>, ...options: OptionsFor<Needs>): Promise<T | Adds> {
    return this.frame().run(work, options[0], true) as Promise<T | Adds>;
  }

  /** As run, with the outcome as a value: nothing is thrown, and a refusal costs no stack trace. */
  tryRun<T>(work: Work<T>, ...options: OptionsFor<Needs>): Promise<Outcome<T | Adds>> {
    return this.frame().run(work, options[0], false) as Promise<Outcome<T | Adds>>;
  }

  /** @internal */
  protected abstract frame(): Frame;
}

export type AddsOf<R> = R extends { readonly [types]?: { readonly adds: infer Adds } } ? Adds : never;
export type NeedsOf<R> = R extends { readonly [types]?: { readonly needs: infer Needs extends Need } } ? Needs : never;
