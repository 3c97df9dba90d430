/** What each workload's operations mean, against the key-value store itself: one at a time, and one amid another. */
import { describe, expect, it } from 'vitest';
import { draw, scaled } from '../../base/random.ts';
import { encodeKvRequest, KvStateMachine } from '../../kv/index.ts';
import type { Completion, Json } from '../protocol.ts';
import { raft } from '../raft/protocol.ts';
import type { RaftRequest } from '../raft/types.ts';
import { kv, READ_HEAVY, WRITE_HEAVY } from './kv.ts';
import { direct, type Intent, type Workload } from './workload.ts';

const OPERATIONS = 400;
const { answerOf } = raft(1);

class Store {
  readonly #machine = new KvStateMachine();

  ask({ kind, request }: RaftRequest): Json {
    const index = this.#machine.appliedIndex() + 1;
    const origin = { member: 1, boot: 1, sequence: index, acknowledgedThrough: 0 };
    if (kind === 'read') {
      const answer = this.#machine.query(request);
      return answerOf({ type: 'answer', index, term: 1, answer }).value;
    }
    const result = this.#machine.apply({ term: 1, index, origin, command: encodeKvRequest(request) });
    if (result === null) throw new Error('a fresh proposal is executed');
    return answerOf({ type: 'applied', index, term: 1, result }).value;
  }
}

interface Done {
  readonly client: number;
  readonly f: string;
  readonly key: string;
  /** What was asked for. */
  readonly asked: Json;
  readonly completion: Completion;
  readonly value: Json;
}

/** Does what is left of an operation. */
function finish(
  workload: Workload<RaftRequest>,
  store: Store,
  intent: Intent,
  answers: Json[] = [],
): { readonly completion: Completion; readonly value: Json } {
  for (;;) {
    const step = workload.next(intent, answers);
    if (step.type === 'done') return step;
    answers.push(store.ask(step.request));
  }
}

class Clients {
  readonly store = new Store();
  readonly history: Done[] = [];
  readonly #workload: Workload<RaftRequest>;
  readonly #seed: number;
  readonly #known: Done[] = [];
  #draws = 0;
  #fresh = 0;

  constructor(workload: Workload<RaftRequest>, seed: number) {
    this.#workload = workload;
    this.#seed = seed;
  }

  intent(client: number): Intent {
    const mine = this.#known.filter((done) => done.client === client);
    const choice = {
      draw: (bound: number) => scaled(draw(this.#seed, 1, client, this.#draws++), bound),
      fresh: () => ++this.#fresh,
      known: (key: string) => mine.findLast((done) => done.key === key) ?? null,
      last: () => mine.at(-1) ?? null,
    };
    return this.#workload.begin(choice);
  }

  perform(client: number, intent: Intent = this.intent(client), answers: Json[] = []): Done {
    const { f, key, value: asked } = intent;
    const { completion, value } = finish(this.#workload, this.store, intent, answers);
    const done = { client, f, key, asked, completion, value };
    this.history.push(done);
    if (completion === 'ok') this.#known.push(done);
    return done;
  }
}

function sequential(workload: Workload<RaftRequest>, seed = 1): readonly Done[] {
  const clients = new Clients(workload, seed);
  for (let i = 0; i < OPERATIONS; i++) clients.perform(i % 3);
  return clients.history;
}

/** How many of each kind succeeded: a history in which nothing happens shows nothing. */
const ok = (history: readonly Done[], f: string): Done[] =>
  history.filter((done) => done.f === f && done.completion === 'ok');

describe('one operation after the other', () => {
  it.each([
    ['balanced', kv.registers()],
    ['read-heavy', kv.registers({ mix: READ_HEAVY })],
    ['write-heavy', kv.registers({ mix: WRITE_HEAVY, keys: 5, hot: true })],
  ])('%s registers hold what was last written, and swap only what is there', (_, workload) => {
    const history = sequential(workload);
    const registers = new Map<string, Json>();
    for (const { f, key, asked, completion, value } of history) {
      const holds = registers.get(key) ?? null;
      if (f === 'read') expect(value).toEqual(holds);
      if (f === 'write') registers.set(key, asked);
      if (f !== 'cas') continue;
      const [old, next] = asked as readonly [Json, Json];
      expect(completion).toBe(old === holds ? 'ok' : 'fail');
      if (completion === 'ok') registers.set(key, next);
    }
    expect(ok(history, 'cas').length).toBeGreaterThan(2);
    expect(history.filter(({ completion }) => completion === 'fail').length).toBeGreaterThan(2);
  });

  it('logs give back every value that was appended, in its order', () => {
    const history = sequential(kv.appends());
    const logs = new Map<string, Json[]>();
    for (const { f, key, asked, completion, value } of history) {
      expect(completion).toBe('ok');
      const log = logs.get(key) ?? [];
      if (f === 'read') expect(value).toEqual(log);
      else logs.set(key, [...log, asked]);
    }
    expect(ok(history, 'read').length).toBeGreaterThan(50);
  });

  it('counters give the sum of what was added', () => {
    const history = sequential(kv.counters());
    const sums = new Map<string, number>();
    for (const { f, key, asked, value } of history) {
      const sum = sums.get(key) ?? 0;
      if (f === 'read') expect(value).toBe(sum);
      else sums.set(key, sum + Number(asked));
    }
    expect(ok(history, 'add').length).toBeGreaterThan(100);
  });

  it('sets hold what was added, once, in ascending order', () => {
    const history = sequential(kv.sets());
    const added: number[] = [];
    for (const { f, asked, value } of history) {
      if (f === 'read') expect(value).toEqual(added.toSorted((a, b) => a - b));
      else added.push(Number(asked));
    }
    expect(added.length).toBeGreaterThan(100);
  });

  it('queues give first what came first, each value once, and null when they are empty', () => {
    const history = sequential(kv.queue());
    const queue: Json[] = [];
    let empty = 0;
    for (const { f, asked, completion, value } of history) {
      expect(completion).toBe('ok');
      if (f === 'enqueue') queue.push(asked);
      else if (queue.length > 0) expect(value).toEqual(queue.shift());
      else empty += value === null ? 1 : Number.NaN;
    }
    expect(empty).toBeGreaterThan(0);
    expect(ok(history, 'dequeue').length).toBeGreaterThan(100);
  });

  it('locks have one holder at a time, who alone releases them', () => {
    const history = sequential(kv.locks());
    const holders = new Map<string, Done>();
    for (const done of history) {
      const { client, f, key, asked, completion } = done;
      const holder = holders.get(key);
      if (f === 'acquire') {
        expect(completion).toBe(holder === undefined ? 'ok' : 'fail');
        if (holder === undefined) holders.set(key, done);
      } else {
        expect(holder).toMatchObject({ client, asked });
        expect(completion).toBe('ok');
        holders.delete(key);
      }
    }
    expect(ok(history, 'acquire').length).toBeGreaterThan(50);
    expect(ok(history, 'release').length).toBeGreaterThan(50);
    expect(history.filter(({ completion }) => completion === 'fail').length).toBeGreaterThan(10);
  });

  it('a lock is not released by who does not hold it', () => {
    const [workload, store] = [kv.locks(), new Store()];
    const perform = (f: string, value: number): Completion =>
      finish(workload, store, { f, key: 'l', value }).completion;
    expect(perform('release', 1)).toBe('fail');
    expect(perform('acquire', 1)).toBe('ok');
    expect([perform('acquire', 2), perform('release', 2)]).toEqual(['fail', 'fail']);
    expect([perform('release', 1), perform('acquire', 2)]).toEqual(['ok', 'ok']);
  });

  it('a bank moves money, and neither makes nor loses any; no account is overdrawn', () => {
    const history = sequential(kv.bank({ accounts: 4, total: 40 }));
    const balances = [10, 10, 10, 10];
    for (const { f, asked, completion, value } of history) {
      if (f === 'read') {
        expect(value).toEqual(balances);
        continue;
      }
      const { from, to, amount } = asked as { from: number; to: number; amount: number };
      expect(from).not.toBe(to);
      expect(completion).toBe((balances[from] ?? 0) >= amount ? 'ok' : 'fail');
      if (completion === 'fail') continue;
      balances[from] = (balances[from] ?? 0) - amount;
      balances[to] = (balances[to] ?? 0) + amount;
    }
    expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(40);
    expect(ok(history, 'transfer').length).toBeGreaterThan(50);
  });

  it('transactions read what was appended before them and by themselves', () => {
    const history = sequential(kv.transactions());
    const lists = new Map<string, Json[]>();
    for (const { asked, completion, value } of history) {
      expect(completion).toBe('ok');
      for (const [i, [kind, key, element]] of (asked as [string, string, Json][]).entries()) {
        const list = lists.get(key) ?? [];
        if (kind === 'append') lists.set(key, [...list, element]);
        const expected = kind === 'append' ? element : list;
        expect((value as [string, string, Json][])[i]).toEqual([kind, key, expected]);
      }
    }
    expect([...lists.values()].flat().length).toBeGreaterThan(100);
  });
});

describe('an operation that another one comes between', () => {
  const WORKLOADS: readonly (readonly [string, Workload<RaftRequest>])[] = [
    ['appends', kv.appends({ keys: 1 })],
    ['counters', kv.counters({ keys: 1 })],
    ['queue', kv.queue()],
    ['bank', kv.bank({ accounts: 3, total: 30 })],
    ['transactions', kv.transactions({ keys: 1 })],
  ];

  it.each(WORKLOADS)('on %s has failed and changed nothing, or happened as a whole', (_, workload) => {
    let failed = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const clients = new Clients(workload, seed);
      for (let i = 0; i < 6; i++) clients.perform(i % 3);
      const intent = clients.intent(0);
      const first = workload.next(intent, []);
      if (first.type === 'done') continue;
      const answers = [clients.store.ask(first.request)];
      if (first.changes) continue;
      // Somebody else, before the first has changed anything.
      clients.perform(1);
      const before = stateOf(clients.store);
      const { completion } = clients.perform(0, intent, answers);
      const changed = stateOf(clients.store) !== before;
      if (completion === 'fail') expect(changed, `seed ${seed}`).toBe(false);
      if (completion === 'fail') failed++;
      if (workload.name !== 'bank') continue;
      const { value: balances } = finish(workload, clients.store, { f: 'read', key: 'bank', value: null });
      expect((balances as number[]).reduce((sum, balance) => sum + balance, 0)).toBe(30);
    }
    expect(failed).toBeGreaterThan(3);
  });
});

function stateOf(store: Store): string {
  const everything = new Uint8Array([0]);
  return JSON.stringify(
    store.ask({ kind: 'read', request: { type: 'range', key: everything, rangeEnd: everything } as never }),
  );
}

describe('operations that are the requests themselves', () => {
  const workload = direct('registers', 'register', () => ({ f: 'read', key: 'x', value: null }));
  const write: Intent = { f: 'write', key: 'x', value: 1 };

  it('are asked once, and answered with what the member says', () => {
    expect(workload.next(write, [])).toEqual({ type: 'ask', request: write, changes: true });
    expect(workload.next(write, [7])).toEqual({ type: 'done', completion: 'ok', value: 7 });
  });

  it('leave no doubt when they only read, as `read` does unless told otherwise', () => {
    expect(workload.next({ f: 'read', key: 'x', value: null }, [])).toMatchObject({ changes: false });
    const own = direct(
      'own',
      'none',
      () => write,
      ({ f }) => f === 'write',
    );
    expect(own.next(write, [])).toMatchObject({ changes: false });
  });
});
