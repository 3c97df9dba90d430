/** OpenTelemetry, by its API alone: without an SDK a request pays for one look at whether there is one. */
import type { IncomingHttpHeaders } from 'node:http';
import { context as contexts, propagation, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { Moment } from './phases.ts';

const SCOPE = '@polder/server';

/** What the API gives out until an SDK is registered; not in its types. */
interface MaybeProxy {
  getDelegateTracer?(name: string): Tracer | undefined;
  getTracer(name: string): Tracer;
}

/** null: no SDK is registered, so there is nobody to record a span. */
export function activeTracer(): Tracer | null {
  const provider: MaybeProxy = trace.getTracerProvider();
  if (provider.getDelegateTracer === undefined) return provider.getTracer(SCOPE);
  return provider.getDelegateTracer(SCOPE) ?? null;
}

/** Runs a call as the caller's `traceparent` says, where there is one. */
export function withCallerContext<Result>(headers: IncomingHttpHeaders, run: () => Result): Result {
  if (headers['traceparent'] === undefined || activeTracer() === null) return run();
  return contexts.with(propagation.extract(contexts.active(), headers), run);
}

export interface ProposalSpan {
  readonly span: Span;
  /** Of the wall, as spans want it, when the proposal was received. */
  readonly startMs: number;
}

/** A child of the active span: the caller's. null: nobody records. */
export function startProposalSpan(wallMs: () => number): ProposalSpan | null {
  const tracer = activeTracer();
  if (tracer === null) return null;
  const startMs = wallMs();
  const span = tracer.startSpan('polder.propose', { startTime: startMs }, contexts.active());
  return span.isRecording() ? { span, startMs } : null;
}

export interface ProposalEnd {
  readonly member: string;
  readonly index: number;
  readonly term: number;
  readonly leads: boolean;
  /** null: applied. */
  readonly reason: string | null;
  /** By time; the first is `received`, the last `answered`. */
  readonly moments: readonly Moment[];
}

/** An event for each phase, at its own time: taken with the monotonic clock, told in the wall's. */
export function endProposalSpan({ span, startMs }: ProposalSpan, end: ProposalEnd): void {
  const { member, index, term, leads, reason, moments } = end;
  const receivedUs = moments[0]?.timeUs ?? 0;
  const wallMsOf = (timeUs: number): number => startMs + (timeUs - receivedUs) / 1_000;
  span.setAttributes({ 'polder.member': member, 'polder.leads': leads, 'polder.term': term });
  if (index > 0) span.setAttribute('polder.index', index);
  for (const { phase, timeUs } of moments) span.addEvent(phase, undefined, wallMsOf(timeUs));
  if (reason !== null) {
    span.setAttribute('error.type', reason);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end(wallMsOf(moments.at(-1)?.timeUs ?? receivedUs));
}
