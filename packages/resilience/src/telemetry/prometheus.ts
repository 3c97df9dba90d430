import type { PipelineInspection } from '../pipeline/pipeline.ts';

/** Anything that can be looked at: a registry, or an object that inspects the pipelines of one's choice. */
export interface Inspectable {
  inspect(): readonly PipelineInspection[];
}

type Labels = Readonly<Record<string, string>>;

/** The metrics of one text, by name, in the order of first use. */
class Families {
  readonly #families = new Map<string, { type: string; help: string; lines: string[] }>();

  add(type: 'counter' | 'gauge', name: string, help: string, labels: Labels, value: number): void {
    const family = this.#families.get(name) ?? { type, help, lines: [] };
    this.#families.set(name, family);
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escape(text)}"`);
    family.lines.push(`${name}{${pairs.join(',')}} ${value}`);
  }

  text(): string {
    return Array.from(
      this.#families,
      ([name, { type, help, lines }]) => `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`,
    ).join('');
  }
}

/** The state of every pipeline in Prometheus's text format (version 0.0.4). It costs nothing until it is asked for. */
export function prometheusText(source: Inspectable): string {
  const families = new Families();
  for (const pipeline of source.inspect()) {
    addCounters(families, pipeline);
    for (const policy of pipeline.policies) {
      addPolicy(families, { pipeline: pipeline.name, policy: policy.name }, policy.kind, policy.state);
    }
  }
  return families.text();
}

function addCounters(families: Families, { name, counters, inFlight, isolated }: PipelineInspection): void {
  const labels = { pipeline: name };
  const count = (metric: string, help: string, value: number, more: Labels = {}): void =>
    families.add('counter', `resilience_${metric}_total`, help, { ...labels, ...more }, value);
  count('calls', 'Calls that ended, by outcome.', counters.succeeded, { outcome: 'success' });
  count('calls', 'Calls that ended, by outcome.', counters.failed, { outcome: 'failure' });
  count('retries', 'Attempts after the first.', counters.retries);
  count('timeouts', 'Calls and attempts ended by a time-out.', counters.timeouts);
  count('hedges', 'Starts of slow work once more.', counters.hedges);
  count('coalesced', 'Calls that joined another.', counters.coalesced);
  count('degraded', 'Calls answered by a fallback or a stale cache.', counters.degraded);
  for (const [code, value] of Object.entries(counters.refused)) {
    count('refused', 'Calls refused by a policy, by code.', value, { code });
  }
  families.add('gauge', 'resilience_calls_in_flight', 'Calls under way.', labels, inFlight);
  families.add('gauge', 'resilience_isolated', '1 while the pipeline is isolated.', labels, isolated ? 1 : 0);
}

const BREAKER_STATES = ['closed', 'open', 'half-open', 'isolated'];

/** Numbers become gauges; a breaker's state becomes one gauge per state, of which one is 1. */
function addPolicy(families: Families, labels: Labels, kind: string, state: Readonly<Record<string, unknown>>): void {
  const prefix = `resilience_${snakeCase(kind)}`;
  for (const [field, value] of Object.entries(state)) {
    if (typeof value === 'number') {
      families.add('gauge', `${prefix}_${snakeCase(field)}`, `The ${field} of a ${kind}.`, labels, value);
    } else if (kind === 'breaker' && field === 'state') {
      for (const each of BREAKER_STATES) {
        const is = each === value ? 1 : 0;
        families.add(
          'gauge',
          `${prefix}_state`,
          '1 for the state that a breaker is in.',
          { ...labels, state: each },
          is,
        );
      }
    }
  }
}

function snakeCase(name: string): string {
  return name.replace(/-/g, '_').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function escape(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}
