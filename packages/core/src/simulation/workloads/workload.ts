import type { Completion, Json } from '../protocol.ts';

/** What a client wants: an operation of a history. */
export interface Intent {
  readonly f: string;
  readonly key: string;
  readonly value: Json;
}

export type Step<Request> =
  /** `changes`: an answer that never comes leaves it open whether the state has changed. */
  | { readonly type: 'ask'; readonly request: Request; readonly changes: boolean }
  | { readonly type: 'done'; readonly completion: Completion; readonly value: Json };

export interface Choice {
  /** An integer in [0, bound). */
  readonly draw: (bound: number) => number;
  /** A number that no other operation of the run gets. */
  readonly fresh: () => number;
  /** What the client last did to a key, with success; null: nothing. */
  readonly known: (key: string) => { readonly f: string; readonly value: Json } | null;
  /** The client's last operation, if it succeeded, and of which key. */
  readonly last: () => { readonly key: string; readonly f: string; readonly value: Json } | null;
}

/** What clients do: which operations, and how each becomes one or more requests. */
export interface Workload<Request> {
  readonly name: string;
  /** The checker's model of what the operations mean. */
  readonly model: string;
  begin(choice: Choice): Intent;
  /** The next request, or the end, given the values of the answers so far. At most one request changes anything, the last. */
  next(intent: Intent, answers: readonly Json[]): Step<Request>;
}

export function done(
  value: Json,
  completion: Completion = 'ok',
): { type: 'done'; completion: Completion; value: Json } {
  return { type: 'done', completion, value };
}

/** The operations themselves are the requests: for protocols that take them as they are. */
export function direct(
  name: string,
  model: string,
  begin: (choice: Choice) => Intent,
  isRead: (intent: Intent) => boolean = (intent) => intent.f === 'read',
): Workload<Intent> {
  return {
    name,
    model,
    begin,
    next: (intent, answers) =>
      answers.length === 0 ? { type: 'ask', request: intent, changes: !isRead(intent) } : done(answers[0] ?? null),
  };
}
