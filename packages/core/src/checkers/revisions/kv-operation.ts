/**
 * Operations on a store with revisions, as etcd has them, in plain JSON: what stands in the `value` of a history's
 * events. `f` is `put`, `range`, `deleteRange` or `txn`; the invocation carries the request, the `ok` its answer. Keys
 * and values are texts; whoever has bytes writes them in an encoding that keeps their order, such as hexadecimal.
 */
export interface PutAsked {
  readonly key: string;
  readonly value: string;
}

export interface RangeAsked {
  readonly key: string;
  /** Up to, not including, this; left out: only `key`; "\u0000": from `key` to the end. */
  readonly end?: string;
  /** As of this revision; left out: now. */
  readonly revision?: number;
  /** Answered by one member alone: it may be old, but not wrong. */
  readonly serializable?: boolean;
  readonly limit?: number;
  readonly countOnly?: boolean;
  readonly keysOnly?: boolean;
}

export interface DeleteRangeAsked {
  readonly key: string;
  readonly end?: string;
}

/** `operand`: a text for `value`, a number for the others; a key that is absent has 0 for these. */
export interface CompareAsked {
  readonly key: string;
  readonly target: 'value' | 'version' | 'create' | 'mod';
  readonly result: 'equal' | 'notEqual' | 'greater' | 'less';
  readonly operand: string | number;
}

export interface TxnAsked {
  readonly compare: readonly CompareAsked[];
  readonly success: readonly KvAsked[];
  readonly failure: readonly KvAsked[];
}

export type KvAsked =
  | ({ readonly f: 'put' } & PutAsked)
  | ({ readonly f: 'range' } & RangeAsked)
  | ({ readonly f: 'deleteRange' } & DeleteRangeAsked)
  | ({ readonly f: 'txn' } & TxnAsked);

/** A key in an answer; what is left out is not checked. */
export interface KeySeen {
  readonly key: string;
  readonly value?: string;
  readonly createRevision?: number;
  readonly modRevision?: number;
  readonly version?: number;
}

/**
 * An answer. `revision` is the store's when it was given (etcd's `header.revision`), and must be there except within
 * a transaction; the rest is checked when it is there.
 */
export interface KvAnswered {
  readonly revision?: number;
  readonly kvs?: readonly KeySeen[];
  readonly count?: number;
  readonly deleted?: number;
  readonly succeeded?: boolean;
  readonly responses?: readonly KvAnswered[];
}

export const KV_FUNCTIONS: readonly string[] = ['put', 'range', 'deleteRange', 'txn'];

/** What is wrong with a request, to be read after "line 3 "; null when nothing is. `depth` bounds nesting. */
export function complaintOfAsked(f: string, value: unknown, depth = 0): string | null {
  if (!isRecord(value)) return `is a ${f} without its request: write an object`;
  switch (f) {
    case 'put':
      return text(value, 'key', f) ?? text(value, 'value', f);
    case 'range':
      return text(value, 'key', f) ?? optional(value, 'end', 'string', f) ?? complaintOfRange(value);
    case 'deleteRange':
      return text(value, 'key', f) ?? optional(value, 'end', 'string', f);
    case 'txn':
      return complaintOfTxn(value, depth);
    default:
      return `has the unknown f ${JSON.stringify(f)}: use one of ${KV_FUNCTIONS.join(', ')}`;
  }
}

/** Likewise of an answer, which must say enough to tell whether anything was written. */
export function complaintOfAnswer(f: string, asked: unknown, value: unknown): string | null {
  if (!isRecord(value)) return `answers a ${f} without an object: write at least {revision}`;
  if (!isRevision(value['revision'])) return `answers a ${f} without its revision: write the revision of the store`;
  return complaintOfParts(value, 0) ?? complaintOfEffect(f, asked, value);
}

function complaintOfEffect(f: string, asked: unknown, value: unknown): string | null {
  if (!isRecord(value) || !isRecord(asked)) return `answers a ${f} without an object`;
  if (f === 'deleteRange' && !isRevision(value['deleted']))
    return 'answers a deleteRange without "deleted": write how many';
  if (f !== 'txn') return null;
  if (typeof value['succeeded'] !== 'boolean') return 'answers a txn without "succeeded": write true or false';
  const branch = listOf(asked, value['succeeded'] ? 'success' : 'failure');
  const responses = listOf(value, 'responses');
  for (const [i, operation] of branch.entries()) {
    const inner = isRecord(operation) ? operation['f'] : undefined;
    if (inner !== 'deleteRange' && inner !== 'txn') continue;
    if (responses.length !== branch.length) return 'answers a txn without a response for each operation of its branch';
    const complaint = complaintOfEffect(inner, operation, responses[i]);
    if (complaint !== null) return complaint;
  }
  return null;
}

const MAX_DEPTH = 8;
const TARGETS: readonly unknown[] = ['value', 'version', 'create', 'mod'];
const RESULTS: readonly unknown[] = ['equal', 'notEqual', 'greater', 'less'];

function complaintOfRange(value: Record<string, unknown>): string | null {
  const numbers = optional(value, 'revision', 'number', 'range') ?? optional(value, 'limit', 'number', 'range');
  if (numbers !== null) return numbers;
  for (const flag of ['serializable', 'countOnly', 'keysOnly']) {
    const complaint = optional(value, flag, 'boolean', 'range');
    if (complaint !== null) return complaint;
  }
  return null;
}

function complaintOfTxn(value: Record<string, unknown>, depth: number): string | null {
  if (depth > MAX_DEPTH) return `is a txn nested more than ${MAX_DEPTH} deep`;
  for (const compare of listOf(value, 'compare')) {
    const right =
      isRecord(compare) &&
      typeof compare['key'] === 'string' &&
      TARGETS.includes(compare['target']) &&
      RESULTS.includes(compare['result']) &&
      typeof compare['operand'] === (compare['target'] === 'value' ? 'string' : 'number');
    if (!right) return 'has a compare that is not {key, target, result, operand}';
  }
  for (const branch of ['compare', 'success', 'failure']) {
    if (!Array.isArray(value[branch])) return `is a txn without its list "${branch}"`;
  }
  for (const operation of [...listOf(value, 'success'), ...listOf(value, 'failure')]) {
    if (!isRecord(operation) || typeof operation['f'] !== 'string') return 'has an operation in its txn without f';
    const complaint = complaintOfAsked(operation['f'], operation, depth + 1);
    if (complaint !== null) return complaint;
  }
  return null;
}

function complaintOfParts(value: Record<string, unknown>, depth: number): string | null {
  if (depth > MAX_DEPTH) return `has an answer nested more than ${MAX_DEPTH} deep`;
  for (const list of ['kvs', 'responses']) {
    if (value[list] !== undefined && !Array.isArray(value[list])) return `has an answer whose "${list}" is no list`;
  }
  for (const seen of listOf(value, 'kvs')) {
    if (!isRecord(seen) || typeof seen['key'] !== 'string') return 'has an answer with a key-value without its key';
  }
  for (const response of listOf(value, 'responses')) {
    if (!isRecord(response)) return 'has an answer with a response that is no object';
    const complaint = complaintOfParts(response, depth + 1);
    if (complaint !== null) return complaint;
  }
  return null;
}

function text(value: Record<string, unknown>, name: string, f: string): string | null {
  return typeof value[name] === 'string' ? null : `is a ${f} without its "${name}": write a string`;
}

function optional(value: Record<string, unknown>, name: string, type: string, f: string): string | null {
  if (value[name] === undefined || typeof value[name] === type) return null;
  return `is a ${f} whose "${name}" is no ${type}`;
}

function listOf(value: Record<string, unknown>, name: string): readonly unknown[] {
  const list = value[name];
  return Array.isArray(list) ? list : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isRevision(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
