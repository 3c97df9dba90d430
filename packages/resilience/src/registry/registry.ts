import { misconfigured } from '../base/duration.ts';
import { type Pipeline, type PipelineInspection, pipeline } from '../pipeline/pipeline.ts';
import type { AnyPolicy } from '../pipeline/policy.ts';
import type { AddsOf, Need, NeedsOf } from '../pipeline/runner.ts';

/** Pipelines by name, to look at while they run. */
export class Registry {
  readonly #pipelines = new Map<string, Pipeline<unknown, Need>>();

  /** Makes a pipeline and keeps it. MISCONFIGURED when the name is taken. */
  pipeline<const Policies extends readonly [AnyPolicy, ...AnyPolicy[]]>(
    name: string,
    ...policies: Policies
  ): Pipeline<AddsOf<Policies[number]>, NeedsOf<Policies[number]>> {
    if (this.#pipelines.has(name)) {
      throw misconfigured(`there is a pipeline "${name}" already: keep the one that was made, or take another name`);
    }
    const made = pipeline(name, ...policies);
    this.#pipelines.set(name, made as unknown as Pipeline<unknown, Need>);
    return made;
  }

  get(name: string): Pipeline<unknown, Need> | undefined {
    return this.#pipelines.get(name);
  }

  remove(name: string): boolean {
    return this.#pipelines.delete(name);
  }

  /** What every pipeline is doing now, in the order in which they were made. Plain data. */
  inspect(): PipelineInspection[] {
    return Array.from(this.#pipelines.values(), (each) => each.inspect());
  }
}

export function registry(): Registry {
  return new Registry();
}
