/** OpenTelemetry, through `@opentelemetry/api` as the application provides it; this module alone needs that package. */
import {
  type Attributes,
  context as contexts,
  type Histogram,
  type Meter,
  metrics,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { isResilienceError } from '../base/error.ts';
import { type Hold, hold } from '../base/listeners.ts';
import type { Outcome } from '../base/outcome.ts';
import type { Call, Work } from '../pipeline/call.ts';
import type { Context } from '../pipeline/context.ts';
import type { Branch, Frame } from '../pipeline/frame.ts';
import { type Part, Policy, type PolicyOptions } from '../pipeline/policy.ts';
import { systemRuntime } from '../runtime/system.ts';
import type { Inspectable } from './prometheus.ts';

const SCOPE = '@polder/resilience';

export interface TelemetryOptions extends PolicyOptions {
  /** The global one's unless given. */
  readonly tracer?: Tracer;
  /** The global one's unless given. */
  readonly meter?: Meter;
}

export class Telemetry extends Policy {
  readonly #tracer: Tracer;
  readonly #durations: Histogram;

  constructor(options: TelemetryOptions = {}) {
    super('telemetry', options.name, options.runtime ?? systemRuntime);
    this.#tracer = options.tracer ?? trace.getTracer(SCOPE);
    const meter = options.meter ?? metrics.getMeter(SCOPE);
    this.#durations = meter.createHistogram('resilience.call.duration', {
      unit: 's',
      description: 'How long calls took, with all their attempts and waits',
      advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
    });
  }

  /** @internal */
  override at(): Part {
    const branch: Branch = { execute: (inner, work, call, context) => this.#execute(inner, work, call, context) };
    return { type: 'branch', branch };
  }

  override inspect(): Readonly<Record<string, unknown>> {
    return {};
  }

  async #execute(inner: Frame, work: Work<unknown>, call: Call, context: Context): Promise<Outcome<unknown>> {
    const { pipeline } = call.reporter;
    const startedMs = call.runtime.now();
    const span = this.#tracer.startSpan(`resilience ${pipeline}`, { attributes: { 'resilience.pipeline': pipeline } });
    const within = trace.setSpan(contexts.active(), span);
    const attempt: Work<unknown> = (attemptContext) => this.#attempt(work, attemptContext);
    const options = { ...call.options, parent: context, signal: context.signal, attempt: context.attempt };
    const outcome = (await contexts.with(within, () => inner.run(attempt, options, false))) as Outcome<unknown>;
    const attributes: Attributes = { 'resilience.pipeline': pipeline, ...describe(outcome) };
    this.#durations.record((call.runtime.now() - startedMs) / 1_000, attributes);
    span.setAttributes(attributes);
    if (!outcome.ok) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
    return outcome;
  }

  /** A span for each attempt, so that waits and repetitions can be seen. */
  async #attempt(work: Work<unknown>, context: Context): Promise<unknown> {
    const attributes: Attributes = { 'resilience.attempt': context.attempt };
    const span = this.#tracer.startSpan('resilience attempt', { kind: SpanKind.INTERNAL, attributes });
    try {
      return await contexts.with(trace.setSpan(contexts.active(), span), () => work(context));
    } catch (error) {
      span.setAttribute('error.type', errorType(error));
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  }
}

/** Put it outermost: a span for each call and for each attempt, and a histogram of the calls' durations. */
export function telemetry(options?: TelemetryOptions): Telemetry {
  return new Telemetry(options);
}

/** Reports counters and states when the meter collects, so that calls pay nothing for it. */
export function observe(source: Inspectable, meter: Meter = metrics.getMeter(SCOPE)): Hold {
  const calls = meter.createObservableCounter('resilience.calls', { description: 'Calls that ended', unit: '{call}' });
  const retries = meter.createObservableCounter('resilience.retries', { description: 'Retries', unit: '{attempt}' });
  const refused = meter.createObservableCounter('resilience.refused', { description: 'Refused calls', unit: '{call}' });
  const open = meter.createObservableGauge('resilience.breaker.open', {
    description: '1 while a breaker is not closed',
  });
  const inFlight = meter.createObservableUpDownCounter('resilience.calls.in_flight', { unit: '{call}' });
  const all = [calls, retries, refused, open, inFlight];
  const collect: Parameters<Meter['addBatchObservableCallback']>[0] = (result) => {
    for (const { name, counters, inFlight: running, policies } of source.inspect()) {
      const attributes = { 'resilience.pipeline': name };
      result.observe(calls, counters.succeeded, { ...attributes, 'resilience.outcome': 'success' });
      result.observe(calls, counters.failed, { ...attributes, 'resilience.outcome': 'failure' });
      result.observe(retries, counters.retries, attributes);
      result.observe(inFlight, running, attributes);
      for (const [code, count] of Object.entries(counters.refused)) {
        result.observe(refused, count, { ...attributes, 'error.type': code });
      }
      for (const policy of policies.filter((each) => each.kind === 'breaker')) {
        const isOpen = policy.state['state'] === 'closed' ? 0 : 1;
        result.observe(open, isOpen, { ...attributes, 'resilience.policy': policy.name });
      }
    }
  };
  meter.addBatchObservableCallback(collect, all);
  return hold(() => meter.removeBatchObservableCallback(collect, all));
}

function describe(outcome: Outcome<unknown>): Attributes {
  if (!outcome.ok) return { 'error.type': errorType(outcome.error) };
  return outcome.degraded === undefined ? {} : { 'resilience.degraded': outcome.degraded };
}

/** OpenTelemetry asks for few distinct values: a code, or a class. */
function errorType(error: unknown): string {
  if (isResilienceError(error)) return error.code;
  if (typeof error !== 'object' || error === null) return '_OTHER';
  const { code, name } = error as { code?: unknown; name?: unknown };
  if (typeof code === 'string') return code;
  return typeof name === 'string' ? name : '_OTHER';
}
