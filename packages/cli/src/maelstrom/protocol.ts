/** Maelstrom's wire protocol: one JSON message a line. Source: the protocol page of Maelstrom's documentation. */

export interface Body {
  readonly type: string;
  readonly msg_id?: number;
  readonly in_reply_to?: number;
  readonly [field: string]: unknown;
}

export interface Message {
  readonly src: string;
  readonly dest: string;
  readonly body: Body;
}

/** `definite` means that the operation certainly did not happen and never will. */
const ERRORS: ReadonlyMap<number, { readonly name: string; readonly definite: boolean }> = new Map([
  [0, { name: 'timeout', definite: false }],
  [1, { name: 'node-not-found', definite: true }],
  [10, { name: 'not-supported', definite: true }],
  [11, { name: 'temporarily-unavailable', definite: true }],
  [12, { name: 'malformed-request', definite: true }],
  [13, { name: 'crash', definite: false }],
  [14, { name: 'abort', definite: true }],
  [20, { name: 'key-does-not-exist', definite: true }],
  [21, { name: 'key-already-exists', definite: true }],
  [22, { name: 'precondition-failed', definite: true }],
  [30, { name: 'txn-conflict', definite: true }],
]);

/** A code that Maelstrom does not define says nothing about what happened: such an error is indefinite. */
export function isDefinite(code: number): boolean {
  return ERRORS.get(code)?.definite ?? false;
}

export function errorName(code: number): string {
  return ERRORS.get(code)?.name ?? 'unnamed';
}

/** The answer `error` to a request, as its client sees it; a request without an answer has code 0. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;

  constructor(code: number, text: string) {
    super(text);
    this.code = code;
  }
}

export function errorBody(code: number, text: string): Body {
  return { type: 'error', code, text };
}

export type ParsedLine =
  | { readonly type: 'message'; readonly message: Message }
  /** What is wrong, to be read after "wrote a line that ". */
  | { readonly type: 'garbage'; readonly problem: string };

const SHAPE = '{"src": ..., "dest": ..., "body": {"type": ...}}';

/** Reads one line that node `writer` wrote. */
export function parseLine(line: string, writer: string): ParsedLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return garbage(`is not JSON; expected one message ${SHAPE} a line, and logs on standard error`);
  }
  if (!isObject(value)) return garbage(`is not an object; expected ${SHAPE}`);
  const { src, dest, body } = value;
  if (src !== writer) return garbage(`has the src ${JSON.stringify(src)}; expected its own id "${writer}"`);
  if (typeof dest !== 'string') return garbage('has no dest; expected the id of a node, client or service');
  if (!isObject(body)) return garbage(`has no body; expected ${SHAPE}`);
  if (typeof body['type'] !== 'string') return garbage('has a body without a type; expected a string');
  for (const field of ['msg_id', 'in_reply_to']) {
    const id = body[field];
    if (id !== undefined && !Number.isSafeInteger(id)) return garbage(`has a ${field} that is not an integer`);
  }
  return { type: 'message', message: { src, dest, body: body as Body } };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Clients are c0, c1, ...: no node or service has such an id. */
export function isClient(id: string): boolean {
  return /^c\d+$/.test(id);
}

function garbage(problem: string): ParsedLine {
  return { type: 'garbage', problem };
}

/** The same text for the same JSON value, whatever the order of its object keys: what makes two values equal here. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join(',')}}`;
}
