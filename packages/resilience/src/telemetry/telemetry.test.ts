import type { Meter, Span, Tracer } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { breaker } from '../breaker/breaker.ts';
import { bulkhead } from '../bulkhead/bulkhead.ts';
import { pipeline } from '../pipeline/pipeline.ts';
import { registry } from '../registry/registry.ts';
import { retry } from '../retry/retry.ts';
import { failure, refused, VirtualPlatform, watch } from '../testing/support.test-support.ts';
import { observe, telemetry } from './opentelemetry.ts';
import { prometheusText } from './prometheus.ts';

interface SpanRecord {
  name: string;
  attributes: { [name: string]: unknown };
  status: unknown;
  ended: boolean;
}

/** The little of OpenTelemetry's API that is called, remembering what it was told. */
function recorder() {
  const spans: SpanRecord[] = [];
  const durations: { value: number; attributes: unknown }[] = [];
  const observed: { name: string; value: number; attributes: unknown }[] = [];
  const callbacks = new Set<(result: unknown) => void>();
  const startSpan = (name: string, options: { attributes?: object } = {}): Span => {
    const span: SpanRecord = { name, attributes: { ...options.attributes }, status: undefined, ended: false };
    spans.push(span);
    return {
      setAttribute: (key: string, value: unknown) => void (span.attributes[key] = value),
      setAttributes: (all: object) => void Object.assign(span.attributes, all),
      setStatus: (status: unknown) => void (span.status = status),
      end: () => void (span.ended = true),
    } as unknown as Span;
  };
  const instrument = (name: string) => ({ name });
  const meter = {
    createHistogram: () => ({
      record: (value: number, attributes: unknown) => void durations.push({ value, attributes }),
    }),
    createObservableCounter: instrument,
    createObservableGauge: instrument,
    createObservableUpDownCounter: instrument,
    addBatchObservableCallback: (callback: (result: unknown) => void) => void callbacks.add(callback),
    removeBatchObservableCallback: (callback: (result: unknown) => void) => void callbacks.delete(callback),
  } as unknown as Meter;
  const collect = () => {
    observed.splice(0);
    for (const callback of callbacks) {
      callback({
        observe: ({ name }: { name: string }, value: number, attributes: unknown) =>
          void observed.push({ name, value, attributes }),
      });
    }
    return observed;
  };
  return { tracer: { startSpan } as unknown as Tracer, meter, spans, durations, collect };
}

describe('OpenTelemetry', () => {
  test('gets a span for the call and one for each attempt, and the duration in seconds', async () => {
    const clock = new VirtualPlatform();
    const { runtime } = clock;
    const { tracer, meter, spans, durations } = recorder();
    const users = pipeline(
      'users',
      telemetry({ tracer, meter, runtime }),
      retry({ runtime, baseDelay: 500, jitter: 'none', maxRetries: 1 }),
    );
    watch(users.run(() => Promise.reject(refused())));
    await clock.advance(500);
    expect(spans).toEqual([
      {
        name: 'resilience users',
        attributes: { 'resilience.pipeline': 'users', 'error.type': 'ECONNREFUSED' },
        status: { code: 2 },
        ended: true,
      },
      ...[1, 2].map((attempt) => ({
        name: 'resilience attempt',
        attributes: { 'resilience.attempt': attempt, 'error.type': 'ECONNREFUSED' },
        status: { code: 2 },
        ended: true,
      })),
    ]);
    expect(durations).toEqual([
      { value: 0.5, attributes: { 'resilience.pipeline': 'users', 'error.type': 'ECONNREFUSED' } },
    ]);
  });

  test('reads counters and states when it collects, until released', async () => {
    const { runtime } = new VirtualPlatform();
    const { meter, collect } = recorder();
    const all = registry();
    const users = all.pipeline('users', breaker({ consecutiveFailures: 1, runtime }));
    const held = observe(all, meter);
    await users.tryRun(() => Promise.reject(failure()));
    await users.tryRun(() => 1);
    const attributes = { 'resilience.pipeline': 'users' };
    expect(collect()).toContainEqual({
      name: 'resilience.refused',
      value: 1,
      attributes: { ...attributes, 'error.type': 'CIRCUIT_OPEN' },
    });
    expect(collect()).toContainEqual({
      name: 'resilience.breaker.open',
      value: 1,
      attributes: { ...attributes, 'resilience.policy': 'breaker' },
    });
    expect(collect()).toContainEqual({
      name: 'resilience.calls',
      value: 2,
      attributes: { ...attributes, 'resilience.outcome': 'failure' },
    });
    held.release();
    expect(collect()).toEqual([]);
  });
});

describe('the Prometheus text', () => {
  test('has a header for each metric once, and a line for each pipeline and policy', async () => {
    const { runtime } = new VirtualPlatform();
    const all = registry();
    const users = all.pipeline(
      'a "quoted" name',
      breaker({ name: 'db', consecutiveFailures: 1, runtime, jitter: 0 }),
      bulkhead({ limit: 3, runtime }),
    );
    all.pipeline('other', bulkhead({ limit: 1, runtime }));
    await users.tryRun(() => Promise.reject(failure()));
    await users.tryRun(() => 1);
    const text = prometheusText(all);
    const lines = text.split('\n');
    expect(lines).toContain('resilience_calls_total{pipeline="a \\"quoted\\" name",outcome="failure"} 2');
    expect(lines).toContain('resilience_refused_total{pipeline="a \\"quoted\\" name",code="CIRCUIT_OPEN"} 1');
    expect(lines).toContain('resilience_breaker_state{pipeline="a \\"quoted\\" name",policy="db",state="open"} 1');
    expect(lines).toContain('resilience_breaker_state{pipeline="a \\"quoted\\" name",policy="db",state="closed"} 0');
    expect(lines).toContain('resilience_bulkhead_limit{pipeline="other",policy="bulkhead"} 1');
    expect(lines.filter((line) => line === '# TYPE resilience_calls_total counter')).toHaveLength(1);
    expect(text.endsWith('\n')).toBe(true);
    const metric = /^[a-z_]+(\{([a-z_]+="([^"\\]|\\.)*",?)*\})? -?[0-9.e+]+$/;
    expect(lines.filter((line) => line !== '' && !line.startsWith('# ') && !metric.test(line))).toEqual([]);
  });
});
