/** A database of a few lines for each isolation level, run by interleaved clients, that records what they saw. */
import type { RecordedOperation } from '../recorded.ts';

export type Isolation =
  | 'serial'
  | 'stale-reads'
  | 'session-reads'
  | 'snapshot-isolation'
  | 'read-committed'
  | 'dirty-writes';

type List = readonly number[];
type State = ReadonlyMap<string, List>;
type Micro = ['append' | 'w' | 'r', string, unknown];

interface Client {
  readonly process: number;
  steps: Micro[];
  done: Micro[];
  snapshot: State;
  snapshotAt: number;
  own: Map<string, List>;
  invokedAt: number;
  lastCommit: number;
}

export interface Run {
  readonly isolation: Isolation;
  readonly type: 'list-append' | 'register';
  readonly clients: number;
  readonly transactions: number;
  readonly keys: number;
  /** Of a hundred transactions, how many fail and how many get no answer. */
  readonly fail: number;
  readonly info: number;
}

/** `pick(bound)` is the only source of chance. A register is a list whose last element counts. */
export function runTinyDatabase(run: Run, pick: (bound: number) => number): RecordedOperation[] {
  const history: RecordedOperation[] = [];
  const versions: State[] = [new Map()];
  const clients = Array.from({ length: run.clients }, (_, process) => idle(process));
  let started = 0;
  let time = 0;
  let nextValue = 1;
  const current = (): State => versions.at(-1) as State;

  const begin = (client: Client): void => {
    started++;
    client.invokedAt = time++;
    client.done = [];
    client.own = new Map();
    client.steps = Array.from({ length: 1 + pick(3) }, (): Micro => {
      const key = `k${pick(run.keys)}`;
      if (pick(2) === 0) return ['r', key, null];
      return [run.type === 'list-append' ? 'append' : 'w', key, nextValue++];
    });
    const readOnly = client.steps.every(([f]) => f === 'r');
    const oldest = run.isolation === 'session-reads' ? client.lastCommit : 0;
    const stale = readOnly && (run.isolation === 'stale-reads' || run.isolation === 'session-reads');
    client.snapshotAt = stale ? oldest + pick(versions.length - oldest) : versions.length - 1;
    client.snapshot = versions[client.snapshotAt] as State;
  };

  const base = (client: Client, key: string): List => {
    const live = run.isolation === 'read-committed' || run.isolation === 'dirty-writes';
    return (live ? current() : client.snapshot).get(key) ?? [];
  };

  const step = (client: Client): void => {
    const [f, key, value] = client.steps[client.done.length] as Micro;
    const own = client.own.get(key) ?? [];
    if (f !== 'r') {
      client.own.set(key, [...own, value as number]);
      if (run.isolation === 'dirty-writes') versions.push(withAppended(current(), new Map([[key, [value as number]]])));
      client.done.push([f, key, value]);
      return;
    }
    const list = run.isolation === 'dirty-writes' ? base(client, key) : [...base(client, key), ...own];
    client.done.push(['r', key, run.type === 'list-append' ? list : (list.at(-1) ?? null)]);
  };

  const end = (client: Client): void => {
    const conflict =
      run.isolation === 'snapshot-isolation' &&
      [...client.own.keys()].some((key) => (current().get(key) ?? []).length > (client.snapshot.get(key) ?? []).length);
    const chance = pick(100);
    const commits = !conflict && chance >= run.fail;
    const unknown = pick(100) < run.info;
    if (commits && run.isolation !== 'dirty-writes' && client.own.size > 0) {
      versions.push(withAppended(current(), client.own));
    }
    const outcome = unknown ? 'info' : commits ? 'ok' : 'fail';
    if (outcome === 'ok') client.lastCommit = client.own.size > 0 ? versions.length - 1 : client.snapshotAt;
    history.push({
      process: client.process,
      f: 'txn',
      key: '',
      value: outcome === 'ok' ? client.done : client.steps,
      outcome,
      invokedAt: client.invokedAt,
      completedAt: outcome === 'info' ? Number.POSITIVE_INFINITY : time,
    });
    time++;
    client.steps = [];
  };

  const oneAtATime = ['serial', 'stale-reads', 'session-reads'].includes(run.isolation);
  for (;;) {
    const busy = clients.filter((client) => client.steps.length > 0);
    const free = started < run.transactions ? clients.filter((client) => client.steps.length === 0) : [];
    const able = oneAtATime && busy.length > 0 ? busy : [...busy, ...free];
    if (able.length === 0) break;
    const client = able[pick(able.length)] as Client;
    if (client.steps.length === 0) begin(client);
    else if (client.done.length < client.steps.length) step(client);
    else end(client);
  }
  return history.sort((a, b) => a.invokedAt - b.invokedAt);
}

function idle(process: number): Client {
  const nothing = { steps: [], done: [], snapshot: new Map(), snapshotAt: 0, own: new Map() };
  return { process, ...nothing, invokedAt: 0, lastCommit: 0 };
}

function withAppended(state: State, own: ReadonlyMap<string, List>): State {
  const next = new Map(state);
  for (const [key, list] of own) next.set(key, [...(next.get(key) ?? []), ...list]);
  return next;
}
