import { PolderError } from '@polder/core';

/** What a breakable member does to the messages between it and a peer. */
export interface LinkRule {
  /** A member's name, or '*' for every peer. */
  readonly peer: string;
  readonly direction: 'in' | 'out' | 'both';
  readonly mode: 'block' | 'delay' | 'drop' | 'clear';
  readonly delayMs?: number;
  /** Of messages, between 0 and 1. */
  readonly dropRate?: number;
}

/** Given to a listener only on members started as breakable. */
export interface Faults {
  apply(rules: readonly LinkRule[]): void;
  /** The rules now in force, in words. */
  list(): readonly string[];
}

const MAX_RULES = 256;
const MAX_DELAY_MS = 60_000;

/** Checks a request's body whole before any rule is applied. Throws a PolderError `InvalidLinks`. */
export function parseLinkRules(json: string, peers: readonly string[]): LinkRule[] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new PolderError('InvalidLinks', 'the body is not JSON: send an array of link rules', { cause });
  }
  if (!Array.isArray(value) || value.length > MAX_RULES) {
    throw new PolderError('InvalidLinks', `send an array of at most ${MAX_RULES} link rules`);
  }
  return value.map((rule: unknown, position) => parseRule(rule, position, peers));
}

function parseRule(value: unknown, position: number, peers: readonly string[]): LinkRule {
  const refuse = (what: string): never => {
    throw new PolderError('InvalidLinks', `rule ${position}: ${what}`);
  };
  if (typeof value !== 'object' || value === null) return refuse('must be an object');
  const { peer, direction, mode, delayMs, dropRate } = value as Record<string, unknown>;
  if (typeof peer !== 'string' || (peer !== '*' && !peers.includes(peer))) {
    return refuse(`peer must be '*' or one of ${peers.join(', ')}`);
  }
  if (direction !== 'in' && direction !== 'out' && direction !== 'both') {
    return refuse('direction must be in, out or both');
  }
  switch (mode) {
    case 'block':
    case 'clear':
      return { peer, direction, mode };
    case 'delay':
      if (typeof delayMs !== 'number' || !(delayMs >= 0 && delayMs <= MAX_DELAY_MS)) {
        return refuse(`delayMs must be between 0 and ${MAX_DELAY_MS}`);
      }
      return { peer, direction, mode, delayMs };
    case 'drop':
      if (typeof dropRate !== 'number' || !(dropRate >= 0 && dropRate <= 1)) {
        return refuse('dropRate must be between 0 and 1');
      }
      return { peer, direction, mode, dropRate };
    default:
      return refuse('mode must be block, delay, drop or clear');
  }
}
