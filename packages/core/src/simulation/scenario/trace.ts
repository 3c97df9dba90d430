/**
 * A run as explicit decisions, in JSON: what clients asked and what broke, at which virtual times, and what happened
 * to frames beyond calm weather. Frames are named by (from, to, kind, how many of that kind), so that a trace stays
 * playable when the code elsewhere changes; what it does not name is benign.
 */
import { PolderError } from '../../base/error.ts';
import type { Fault } from '../faults/index.ts';
import type { ScriptedOperation } from '../workloads/index.ts';

export const TRACE_VERSION = 1;

export type ScriptStep =
  | { readonly atUs: number; readonly do: 'operation'; readonly operation: ScriptedOperation }
  | { readonly atUs: number; readonly do: 'fault'; readonly fault: Fault };

export interface TracedFrame {
  readonly from: number;
  readonly to: number;
  readonly kind: string;
  readonly nth: number;
  /** When each copy arrives, after it was sent; none: lost. */
  readonly delaysUs: readonly number[];
}

export interface Trace {
  readonly polder: 'trace';
  readonly version: typeof TRACE_VERSION;
  /** The scenario that it plays in. */
  readonly scenario: string;
  /** What is drawn and not named here (time-outs, latencies in calm weather) comes from it. */
  readonly seed: number;
  readonly members: number;
  /** How long things go wrong; then the faults end, and progress is owed. */
  readonly troubleUs: number;
  readonly script: readonly ScriptStep[];
  readonly frames: readonly TracedFrame[];
  /** What it shows, and where; null: nothing is wrong. */
  readonly violation: TracedViolation | null;
  /** Of the run, up to the violation: how it is told whether a replay is still the same run. */
  readonly hashes: readonly number[];
}

export interface TracedViolation {
  readonly rule: string;
  readonly sentence: string;
  readonly atUs: number;
}

export function formatTrace(trace: Trace): string {
  const { script, frames, ...head } = trace;
  const lines = (items: readonly unknown[]): string => items.map((item) => `    ${JSON.stringify(item)}`).join(',\n');
  const opening = JSON.stringify(head, null, 2).slice(0, -2);
  return `${opening},\n  "script": [\n${lines(script)}\n  ],\n  "frames": [\n${lines(frames)}\n  ]\n}\n`;
}

/** Throws `MalformedTrace`. */
export function parseTrace(text: string): Trace {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw malformed('is not JSON', cause);
  }
  if (typeof parsed !== 'object' || parsed === null) throw malformed('is not an object');
  const trace = parsed as Partial<Record<keyof Trace, unknown>>;
  if (trace.polder !== 'trace') throw malformed('does not say "polder": "trace"');
  if (trace.version !== TRACE_VERSION) throw malformed(`is of version ${String(trace.version)}, not ${TRACE_VERSION}`);
  for (const field of ['seed', 'members', 'troubleUs'] as const) {
    if (!Number.isSafeInteger(trace[field])) throw malformed(`has no ${field}`);
  }
  for (const field of ['script', 'frames', 'hashes'] as const) {
    if (!Array.isArray(trace[field])) throw malformed(`has no list of ${field}`);
  }
  for (const [i, step] of (trace.script as Partial<ScriptStep>[]).entries()) {
    const problem = problemOf(step);
    if (problem !== null) throw malformed(`has no sense in step ${i} of its script: ${problem}`);
  }
  return trace as Trace;
}

const OPERATION_NUMBERS = ['client', 'member', 'timeoutUs'] as const;

function problemOf(step: Partial<ScriptStep>): string | null {
  if (!Number.isSafeInteger(step.atUs)) return 'it has no time';
  if (step.do === 'fault') return typeof step.fault?.type === 'string' ? null : 'it has no fault';
  if (step.do !== 'operation' || step.operation === undefined) return 'it is neither an operation nor a fault';
  const { operation } = step;
  const missing = OPERATION_NUMBERS.find((name) => !Number.isSafeInteger(operation[name]));
  return missing === undefined ? null : `its operation has no ${missing}`;
}

function malformed(what: string, cause?: unknown): PolderError {
  return new PolderError('MalformedTrace', `the trace ${what}: give a file that \`polder hunt\` has written`, {
    cause,
  });
}
