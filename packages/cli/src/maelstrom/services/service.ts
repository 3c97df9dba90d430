import type { Body } from '../protocol.ts';

/** A node that the runner provides. Deterministic: the answer follows from the requests so far and the seed. */
export interface Service {
  handle(client: string, request: Body): Body;
}
