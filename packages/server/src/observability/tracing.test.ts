import { context as contexts, propagation, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startMember } from '../member/member.ts';
import { put, type RunningMember, RunningMembers } from './testing/members.ts';
import { startProposalSpan } from './tracing.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

let members: RunningMembers;
let leader: RunningMember;
let follower: RunningMember;

beforeAll(async () => {
  members = await RunningMembers.start(3);
  leader = await members.leader();
  follower = members.members.find((member) => member !== leader) as RunningMember;
});

afterAll(() => members.stop());

afterEach(() => {
  trace.disable();
  contexts.disable();
  propagation.disable();
});

function registerSdk(): InMemorySpanExporter {
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  contexts.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  return exporter;
}

async function spanOf(exporter: InMemorySpanExporter): Promise<ReadableSpan> {
  for (let turn = 0; turn < 100 && exporter.getFinishedSpans().length === 0; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const [span, ...others] = exporter.getFinishedSpans();
  if (span === undefined || others.length > 0) throw new Error(`one put makes one span, not ${others.length + 1}`);
  return span;
}

const microseconds = ([seconds, nanoseconds]: readonly [number, number]): number => seconds * 1e6 + nanoseconds / 1_000;
const eventsOf = (span: ReadableSpan): string[] => span.events.map(({ name }) => name);
const timeOf = (span: ReadableSpan, name: string): number =>
  microseconds(span.events.find((event) => event.name === name)?.time ?? [0, 0]);

describe('with OpenTelemetry’s SDK, a put', () => {
  it('is a span with the seven events of its life, at increasing times, on the leader', async () => {
    const exporter = registerSdk();
    await put(leader.client, 'key', 'value');
    const span = await spanOf(exporter);
    expect(span.name).toBe('polder.propose');
    expect([...eventsOf(span)].sort()).toEqual(
      ['received', 'proposed', 'durable', 'replicated', 'committed', 'applied', 'answered'].sort(),
    );
    // The leader's disk and the network overlap, so these two alone may come in either order.
    const ordered = eventsOf(span).filter((name) => name !== 'durable' && name !== 'replicated');
    expect(ordered).toEqual(['received', 'proposed', 'committed', 'applied', 'answered']);
    for (const name of ['durable', 'replicated']) {
      expect(timeOf(span, name)).toBeGreaterThan(timeOf(span, 'proposed'));
      expect(timeOf(span, name)).toBeLessThanOrEqual(timeOf(span, 'applied'));
    }
    const times = span.events.map(({ time }) => microseconds(time));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(timeOf(span, 'answered')).toBeGreaterThan(timeOf(span, 'received'));
    expect(microseconds(span.endTime)).toBeCloseTo(timeOf(span, 'answered'), 0);
    expect(span.attributes).toMatchObject({ 'polder.member': leader.name, 'polder.leads': true });
    expect(span.attributes['polder.index']).toBeGreaterThan(0);
  });

  it('that a follower passes on to its leader is a span there, without the leader’s own event', async () => {
    const exporter = registerSdk();
    await put(follower.client, 'key', 'value');
    const span = await spanOf(exporter);
    expect([...eventsOf(span)].sort()).toEqual(
      ['received', 'proposed', 'durable', 'committed', 'applied', 'answered'].sort(),
    );
    expect(timeOf(span, 'durable')).toBeGreaterThan(timeOf(span, 'proposed'));
    expect(span.attributes).toMatchObject({ 'polder.member': follower.name, 'polder.leads': false });
  });

  it('continues the trace of the traceparent that came with the call', async () => {
    const exporter = registerSdk();
    await put(leader.client, 'key', 'value', { traceparent: `00-${TRACE}-${PARENT}-01` });
    const span = await spanOf(exporter);
    expect(span.spanContext().traceId).toBe(TRACE);
    expect(span.parentSpanContext?.spanId).toBe(PARENT);
  });

  it('is a trace of its own when what came is no traceparent', async () => {
    const exporter = registerSdk();
    await put(leader.client, 'key', 'value', { traceparent: 'nonsense' });
    const span = await spanOf(exporter);
    expect(span.parentSpanContext).toBeUndefined();
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
  });
});

describe('with OpenTelemetry’s SDK, a put of an embedding process', () => {
  it('is a child of the span that is active there', async () => {
    await using alone = await startMember();
    await alone.put('ready', '1');
    const exporter = registerSdk();
    const caller = trace.getTracer('test').startSpan('caller');
    await contexts.with(trace.setSpan(contexts.active(), caller), () => alone.put('key', 'value'));
    const span = await spanOf(exporter);
    expect(span.parentSpanContext?.spanId).toBe(caller.spanContext().spanId);
    expect(eventsOf(span)).toContain('replicated');
  });

  it('that could not be done is an error, by its code', async () => {
    const alone = await startMember();
    const exporter = registerSdk();
    const put = alone.put('key', 'value');
    await Promise.all([expect(put).rejects.toMatchObject({ code: 'Unknown' }), alone.close()]);
    const span = await spanOf(exporter);
    expect(span.status.code).toBe(SpanStatusCode.ERROR);
    expect(span.attributes['error.type']).toBe('Unknown');
  });
});

describe('without an SDK', () => {
  it('nothing is made for a proposal, not even the time is read', () => {
    const wallMs = (): number => {
      throw new Error('asked for the time');
    };
    expect(startProposalSpan(wallMs)).toBeNull();
  });
});
