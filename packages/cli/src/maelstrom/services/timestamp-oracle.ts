import { type Body, errorBody } from '../protocol.ts';
import type { Service } from './service.ts';

/** lin-tso: each request `ts` gets the next integer, from 0. */
export class TimestampOracle implements Service {
  #next = 0;

  handle(_client: string, request: Body): Body {
    if (request.type !== 'ts') return errorBody(10, `the timestamp oracle knows ts, not "${request.type}"`);
    return { type: 'ts_ok', ts: this.#next++ };
  }
}
