/** Clients that mix levels on a few keys. Their sessions travel with them, from member to member. */
import { utf8 } from '../../base/bytes.ts';
import type { Level, RegisterRequest } from '../../registers/index.ts';
import type { Json } from '../protocol.ts';
import { type Choice, done, type Intent, type Workload } from '../workloads/workload.ts';
import type { AskedOfRegisters } from './types.ts';

/** The value of an operation in the history: what was asked, then what was answered. */
export interface Asked {
  readonly level: Level;
  readonly v: Json;
  /** The client's session so far, in hexadecimal; '' has seen nothing. */
  readonly token: string;
  /** Whether the operation is part of the session: else it is only carried along. */
  readonly session: boolean;
  readonly degradeTo: Level | null;
}

export interface LevelsOptions {
  /** Of ten thousand. */
  readonly weights?: Readonly<Record<Level, number>>;
  /** Keys that are never deleted, and whose every value is written once. */
  readonly keys?: number;
  readonly timeoutUs?: number;
}

const MIXED: Readonly<Record<Level, number>> = { strong: 45, causal: 30, eventual: 17, weak: 8 };

/** Keys begin with this where tombstones are written as well. */
export const DELETED = 'deleted/';

export function levels({
  weights = MIXED,
  keys = 2,
  timeoutUs = 240_000,
}: LevelsOptions = {}): Workload<AskedOfRegisters> {
  return {
    name: 'levels',
    model: 'levels',
    begin: (choice) => begin(choice, weights, keys),
    next: (intent, answers) => {
      if (answers.length > 0) return done(carrying(intent, answers[0] ?? null));
      return { type: 'ask', request: askedOf(intent, timeoutUs), changes: intent.f === 'write' };
    },
  };
}

function begin({ draw, fresh, last }: Choice, weights: Readonly<Record<Level, number>>, keys: number): Intent {
  const at = draw(keys + 1);
  const key = at === keys ? `${DELETED}x` : `k${at}`;
  const level = levelOf(draw(weights.strong + weights.causal + weights.eventual + weights.weak), weights);
  const write = draw(2) === 0;
  const value = write ? (at === keys && draw(3) === 0 ? null : fresh()) : null;
  const session = level === 'causal' || draw(3) === 0;
  const degradeTo = level === 'strong' && draw(8) === 0 ? (draw(2) === 0 ? 'eventual' : 'causal') : null;
  const token = tokenOf(last()?.value ?? null);
  const asked = { level, v: value, token, session, degradeTo };
  return { f: write ? 'write' : 'read', key, value: asked };
}

function levelOf(drawn: number, weights: Readonly<Record<Level, number>>): Level {
  if (drawn < weights.strong) return 'strong';
  if (drawn < weights.strong + weights.causal) return 'causal';
  return drawn < weights.strong + weights.causal + weights.eventual ? 'eventual' : 'weak';
}

/** The session so far; '' begins one. */
function tokenOf(answer: Json): string {
  const token = (answer as { token?: string | null } | null)?.token;
  return token ?? '';
}

function carrying({ value }: Intent, answer: Json): Json {
  const { token } = value as unknown as Asked;
  const answered = answer as { readonly token: string | null };
  return { ...answered, token: answered.token ?? token };
}

function askedOf({ f, key, value }: Intent, timeoutUs: number): AskedOfRegisters {
  const { level, v, token, session, degradeTo } = value as unknown as Asked;
  const terms = {
    level,
    degradeTo: degradeTo === 'strong' ? null : degradeTo,
    timeoutUs,
    token: session ? bytesOf(token) : null,
  };
  const request: RegisterRequest =
    f === 'write'
      ? { type: 'write', ...terms, key, value: v === null ? null : utf8(JSON.stringify(v)), tag: null }
      : { type: 'read', ...terms, key };
  return { request, repeats: level === 'strong' && degradeTo === null };
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));
}
