import type { Runtime } from '../runtime/runtime.ts';
import { type Branch, Frame } from './frame.ts';
import { Reporter } from './reporter.ts';
import { type Need, Runner } from './runner.ts';
import type { Stage } from './stage.ts';

/** A policy at a place of a pipeline. */
export type Part =
  | { readonly type: 'stage'; readonly stage: Stage; readonly cancels: boolean; readonly gate: boolean }
  | { readonly type: 'branch'; readonly branch: Branch };

/** What every policy's options may hold. */
export interface PolicyOptions {
  /** Named in errors and inspection. */
  readonly name?: string;
  /** Time and chance; the system's unless given. All policies of a pipeline share one. */
  readonly runtime?: Runtime;
}

/** One rule about calls. It works alone and in any number of pipelines at once, which then share what it has learnt. */
export abstract class Policy<Adds = never, Needs extends Need = never> extends Runner<Adds, Needs> {
  readonly kind: string;
  readonly name: string;
  readonly runtime: Runtime;
  #alone: Frame | null = null;

  constructor(kind: string, name: string | undefined, runtime: Runtime) {
    super();
    this.kind = kind;
    this.name = name ?? kind;
    this.runtime = runtime;
  }

  /** @internal */
  abstract at(depth: number): Part;

  /** Plain data about now, for registries and exporters. */
  abstract inspect(): Readonly<Record<string, unknown>>;

  protected frame(): Frame {
    this.#alone ??= buildFrame([this as unknown as AnyPolicy], this.runtime, new Reporter(this.name));
    return this.#alone;
  }
}

/** Any policy at all, for lists of them. */
export type AnyPolicy = Policy<unknown, Need>;

/** Fuses the policies, outer to inner, into one frame; a branch among them begins another frame further in. */
export function buildFrame(
  policies: readonly AnyPolicy[],
  runtime: Runtime,
  reporter: Reporter,
  outermost = true,
): Frame {
  const stages: Stage[] = [];
  let cancels = false;
  for (const [index, policy] of policies.entries()) {
    const part = policy.at(stages.length);
    if (part.type === 'branch') {
      const inner = buildFrame(policies.slice(index + 1), runtime, reporter, false);
      return new Frame({ runtime, reporter, stages, cancels, outermost, within: { branch: part.branch, inner } });
    }
    stages.push(part.stage);
    cancels ||= part.cancels;
  }
  return new Frame({ runtime, reporter, stages, cancels, outermost, within: null });
}
