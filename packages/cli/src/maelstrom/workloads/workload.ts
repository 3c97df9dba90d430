import type { TopologyName } from '../network/topology.ts';
import type { Invocation, Operation } from '../operation.ts';
import { type Body, isObject } from '../protocol.ts';
import type { SeededStream } from '../seeded-stream.ts';

/** Sends a request to the client's node. Throws `RpcError`, or `WrongReply` when the answer has another type. */
export type Call = (request: Body) => Promise<Body>;

/** One process of clients: it may remember what it has seen, and forgets it when its outcome becomes unknown. */
export interface Session {
  /** Does it and returns the result. Throws `RpcError` or `WrongReply`. */
  perform(invocation: Invocation): Promise<unknown>;
}

export interface WorkloadOptions {
  readonly stream: SeededStream;
  readonly topology: TopologyName;
  readonly concurrency: number;
  readonly keyCount: number | null;
  readonly maxTransactionLength: number | null;
  readonly maxWritesPerKey: number | null;
  readonly consistencyModel: ConsistencyModel;
}

export const CONSISTENCY_MODELS = ['read-uncommitted', 'read-committed'] as const;
export type ConsistencyModel = (typeof CONSISTENCY_MODELS)[number];

export interface Findings {
  readonly result: 'valid' | 'invalid' | 'unknown';
  /** One sentence each: what is violated, or why the result is unknown. */
  readonly reasons: readonly string[];
  /** What the workload measured, by name; for a person and for programs. */
  readonly figures: Readonly<Record<string, unknown>>;
}

export interface Workload {
  /** Once, after every node is initialized. */
  setup?(calls: ReadonlyMap<string, Call>): Promise<void>;
  session(call: Call): Session;
  /** What the worker (0 to concurrency - 1) does next. */
  next(worker: number): Invocation;
  /** What each worker does once the faults have ended, again and again until the check passes or time runs out. */
  readonly final?: Invocation;
  check(history: readonly Operation[]): Findings;
}

/** A node answered something that the workload does not allow: the node is wrong, whatever the history says. */
export class WrongReply extends Error {
  override readonly name = 'WrongReply';
}

/** A field of an answer that must have a certain form. */
export function field<T>(reply: Body, name: string, isRight: (value: unknown) => value is T, expected: string): T {
  const value = reply[name];
  if (isRight(value)) return value;
  throw new WrongReply(`answered ${JSON.stringify(reply)}; expected "${name}" to be ${expected}`);
}

export const isArray = (value: unknown): value is unknown[] => Array.isArray(value);
export const isInteger = (value: unknown): value is number => Number.isSafeInteger(value);
export const isPresent = (value: unknown): value is unknown => value !== undefined;
export const isRecord = isObject;

/** Verdict from violations found, and, if none, from what was not seen. */
export function findings(
  violations: readonly string[],
  doubts: readonly string[],
  figures: Readonly<Record<string, unknown>>,
): Findings {
  if (violations.length > 0) return { result: 'invalid', reasons: violations, figures };
  if (doubts.length > 0) return { result: 'unknown', reasons: doubts, figures };
  return { result: 'valid', reasons: [], figures };
}

const SHOWN_EXAMPLES = 5;

/** "3 things: a, b, c", with at most five of them. */
export function examples(items: readonly unknown[]): string {
  const shown = items.slice(0, SHOWN_EXAMPLES).map((item) => (typeof item === 'string' ? item : JSON.stringify(item)));
  return `${shown.join(', ')}${items.length > SHOWN_EXAMPLES ? `, and ${items.length - SHOWN_EXAMPLES} more` : ''}`;
}
