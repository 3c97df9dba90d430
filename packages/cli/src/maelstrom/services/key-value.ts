import { type Body, canonical, errorBody } from '../protocol.ts';
import type { Service } from './service.ts';

/** One key's value; undefined while the key does not exist. */
export type Cell = { readonly value: unknown } | undefined;

export interface Step {
  readonly cell: Cell;
  readonly reply: Body;
}

/**
 * What a request does to the one key that it names: `read`, `write`, or `cas` from one value to another (error 20
 * without the key, 22 with another value; `create_if_not_exists` makes the key). Values are compared as JSON.
 */
export function stepKey(cell: Cell, request: Body): Step {
  switch (request.type) {
    case 'read':
      return cell === undefined ? refuse(cell, 20, 'the key does not exist') : accept(cell, 'read_ok', cell);
    case 'write':
      return accept({ value: request['value'] }, 'write_ok');
    case 'cas': {
      const next = { value: request['to'] };
      if (cell === undefined) {
        if (request['create_if_not_exists'] === true) return accept(next, 'cas_ok');
        return refuse(cell, 20, 'the key does not exist');
      }
      if (canonical(cell.value) === canonical(request['from'])) return accept(next, 'cas_ok');
      return refuse(cell, 22, `the value is ${canonical(cell.value)}, not ${canonical(request['from'])}`);
    }
    default:
      return refuse(cell, 10, `a key-value service knows read, write and cas, not "${request.type}"`);
  }
}

/** Whether a step left the key as it was. */
export function isUnchanged(before: Cell, after: Cell): boolean {
  if (before === undefined || after === undefined) return before === after;
  return before === after || canonical(before.value) === canonical(after.value);
}

/** The key as a map's key, or null: a request must name one. */
export function keyOf(request: Body): string | null {
  return request['key'] === undefined ? null : canonical(request['key']);
}

export const NO_KEY: Body = errorBody(12, 'the request names no key');

/** lin-kv: every request acts on the present state. */
export class LinearizableKeyValue implements Service {
  readonly #cells = new Map<string, Cell>();

  handle(_client: string, request: Body): Body {
    const key = keyOf(request);
    if (key === null) return NO_KEY;
    const { cell, reply } = stepKey(this.#cells.get(key), request);
    this.#cells.set(key, cell);
    return reply;
  }
}

function accept(cell: Cell, type: string, fields: object = {}): Step {
  return { cell, reply: { type, ...fields } };
}

function refuse(cell: Cell, code: number, text: string): Step {
  return { cell, reply: errorBody(code, text) };
}
