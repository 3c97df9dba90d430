/** What the recorder of telemetry.test.ts stands in for: OpenTelemetry's own SDK must take it too. */
import { context as contexts, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { breaker } from '../breaker/breaker.ts';
import { pipeline } from '../pipeline/pipeline.ts';
import { registry } from '../registry/registry.ts';
import { retry } from '../retry/retry.ts';
import { failure, refused, VirtualPlatform } from '../testing/support.test-support.ts';
import { observe, telemetry } from './opentelemetry.ts';

const spans = new InMemorySpanExporter();
const measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const reader = new PeriodicExportingMetricReader({ exporter: measured, exportIntervalMillis: 3_600_000 });
const meters = new MeterProvider({ readers: [reader] });
const tracers = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] });
const tracer = tracers.getTracer('test');
const meter = meters.getMeter('test');

beforeEach(() => {
  spans.reset();
  contexts.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

afterEach(() => contexts.disable());

async function pointsOf(name: string): Promise<{ attributes: unknown; value: unknown }[]> {
  measured.reset();
  await reader.forceFlush();
  const [collected] = measured.getMetrics();
  const metrics = collected?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
  const points = metrics.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
  return points.map(({ attributes, value }) => ({ attributes, value }));
}

describe('with OpenTelemetry’s SDK', () => {
  test('a call is a span under the caller’s, its attempts are spans under it, and what they call is under them', async () => {
    const { runtime } = new VirtualPlatform();
    const users = pipeline(
      'users',
      telemetry({ tracer, meter, runtime }),
      retry({ runtime, baseDelay: 0, maxRetries: 1 }),
    );
    let attempts = 0;
    const caller = tracer.startSpan('caller');
    await contexts.with(trace.setSpan(contexts.active(), caller), () =>
      users.tryRun(() => {
        tracer.startSpan('query').end();
        if (++attempts === 1) throw refused();
      }),
    );
    caller.end();
    const all = spans.getFinishedSpans();
    const named = (name: string): ReadableSpan[] => all.filter((span) => span.name === name);
    const [call] = named('resilience users');
    const tries = named('resilience attempt');
    expect(call?.parentSpanContext?.spanId).toBe(caller.spanContext().spanId);
    expect(tries.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([
      call?.spanContext().spanId,
      call?.spanContext().spanId,
    ]);
    expect(named('query').map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual(
      tries.map((span) => span.spanContext().spanId),
    );
    expect(tries.map(({ attributes }) => attributes['error.type'])).toEqual(['ECONNREFUSED', undefined]);
    expect(new Set(all.map((span) => span.spanContext().traceId)).size).toBe(1);
  });

  test('durations come in a histogram in seconds, at the boundaries that it advises', async () => {
    const clock = new VirtualPlatform();
    const { runtime } = clock;
    const slow = pipeline('slow', telemetry({ tracer, meter, runtime }));
    const call = slow.run(() => new Promise((resolve) => runtime.platform.schedule(300, () => resolve(1))));
    await clock.advance(300);
    await call;
    const point = (await pointsOf('resilience.call.duration')).find(
      ({ attributes }) => (attributes as Record<string, unknown>)['resilience.pipeline'] === 'slow',
    );
    expect(point?.value).toMatchObject({ count: 1, sum: 0.3 });
    expect(point?.value).toHaveProperty('buckets.boundaries', expect.arrayContaining([0.25, 2.5]));
  });

  test('counters and states are read when the meter collects, until released', async () => {
    const { runtime } = new VirtualPlatform();
    const all = registry();
    const db = all.pipeline('db', breaker({ consecutiveFailures: 1, runtime }));
    const held = observe(all, meter);
    await db.tryRun(() => Promise.reject(failure()));
    await db.tryRun(() => 1);
    const attributes = { 'resilience.pipeline': 'db' };
    const failures = { attributes: { ...attributes, 'resilience.outcome': 'failure' }, value: 2 };
    expect(await pointsOf('resilience.calls')).toContainEqual(failures);
    expect(await pointsOf('resilience.breaker.open')).toEqual([
      { attributes: { ...attributes, 'resilience.policy': 'breaker' }, value: 1 },
    ]);
    held.release();
    await db.tryRun(() => 1);
    expect(await pointsOf('resilience.calls')).toContainEqual(failures);
  });
});
