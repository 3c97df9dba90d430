/** What clients do with the key-value store. Each workload's operations are those of the checker's model that it names. */
import type { Json } from '../protocol.ts';
import type { RaftRequest } from '../raft/types.ts';
import { ask, askRead, found, get, holds, kvs, list, put, remove, succeeded, unchanged, when } from './kv-requests.ts';
import { type Choice, done, type Intent, type Step, type Workload } from './workload.ts';

type KvWorkload = Workload<RaftRequest>;
type KvStep = Step<RaftRequest>;

/** Of a hundred operations. */
export interface Mix {
  readonly reads: number;
  readonly writes: number;
}

export const READ_HEAVY: Mix = { reads: 80, writes: 15 };
export const WRITE_HEAVY: Mix = { reads: 20, writes: 60 };
const BALANCED: Mix = { reads: 40, writes: 35 };

export interface KeyOptions {
  /** Few keys, so that operations meet. */
  readonly keys?: number;
  /** Half of the operations are on one key. */
  readonly hot?: boolean;
}

function chooseKey(options: KeyOptions, { draw }: Choice): string {
  const { keys = 3, hot = false } = options;
  return `key-${hot && draw(2) === 0 ? 0 : draw(keys)}`;
}

export const kv = {
  /** Reads, writes of values that occur once, and compare-and-sets: `read`, `write v`, `cas [old, new]`. */
  registers(options: KeyOptions & { readonly mix?: Mix } = {}): KvWorkload {
    const { reads, writes } = options.mix ?? BALANCED;
    return {
      name: 'registers',
      model: 'cas-register',
      begin(choice) {
        const key = chooseKey(options, choice);
        const dice = choice.draw(100);
        const known = choice.known(key)?.value ?? null;
        const seen = Array.isArray(known) ? (known[1] as Json) : known;
        if (dice < reads) return { f: 'read', key, value: null };
        if (dice < reads + writes || seen === null) return { f: 'write', key, value: choice.fresh() };
        return { f: 'cas', key, value: [seen, choice.fresh()] };
      },
      next({ f, key, value }, answers) {
        if (f === 'read') return answers.length === 0 ? askRead(get(key)) : done(found(answers[0], key).value);
        if (answers.length > 0) return succeeded(answers[0]) ? done(value) : done(value, 'fail');
        if (f === 'write') return ask(put(key, value));
        const [old, next] = value as readonly [Json, Json];
        return ask(when([holds(key, old)], [put(key, next)]));
      },
    };
  },

  /** A log of values: `append v`, `read` → every value in order. */
  appends(options: KeyOptions = {}): KvWorkload {
    return {
      name: 'appends',
      model: 'append-log',
      begin: (choice) => readOr('append', chooseKey(options, choice), choice),
      next({ f, key, value }, answers) {
        if (f === 'read') return answers.length === 0 ? askRead(get(key)) : done(found(answers[0], key).value ?? []);
        return readThenChange(key, answers, (log) => [...((log ?? []) as readonly Json[]), value], value);
      },
    };
  },

  /** `add n`, `read` → the sum. */
  counters(options: KeyOptions = {}): KvWorkload {
    return {
      name: 'counters',
      model: 'counter',
      begin: (choice) => {
        const key = chooseKey(options, choice);
        return choice.draw(2) === 0 ? { f: 'read', key, value: null } : { f: 'add', key, value: 1 + choice.draw(9) };
      },
      next({ f, key, value }, answers) {
        if (f === 'read') return answers.length === 0 ? askRead(get(key)) : done(found(answers[0], key).value ?? 0);
        return readThenChange(key, answers, (sum) => Number(sum ?? 0) + Number(value), value);
      },
    };
  },

  /** A set that only grows: `add v`, `read` → every element, in ascending order. */
  sets(): KvWorkload {
    return {
      name: 'sets',
      model: 'set',
      begin: (choice) => readOr('add', 'set', choice),
      next({ f, value }, answers) {
        if (f === 'add') return answers.length === 0 ? ask(put(`set/${JSON.stringify(value)}`, value)) : done(value);
        if (answers.length === 0) return askRead(list('set/'));
        return done(
          kvs(answers[0])
            .map((element) => JSON.parse(element.value))
            .sort((a: number, b: number) => a - b),
        );
      },
    };
  },

  /** First in, first out: `enqueue v`, `dequeue` → the oldest value, or null. */
  queue(): KvWorkload {
    return {
      name: 'queue',
      model: 'queue',
      begin: ({ draw, fresh }) =>
        draw(2) === 0 ? { f: 'enqueue', key: 'queue', value: fresh() } : { f: 'dequeue', key: 'queue', value: null },
      next({ f, value }, answers) {
        if (f === 'enqueue')
          return answers.length === 0 ? ask(put(`queue/${JSON.stringify(value)}`, value)) : done(value);
        const [head] = answers;
        if (head === undefined) return askRead(list('queue/', 1));
        const oldest = kvs(head)[0];
        if (oldest === undefined) return done(null);
        if (answers.length === 1) return ask(when([unchanged(oldest.key, oldest.mod)], [remove(oldest.key)]));
        return succeeded(answers[1]) ? done(JSON.parse(oldest.value)) : done(null, 'fail');
      },
    };
  },

  /** `acquire` fails while another holds it; `release` fails for who does not. The value names the client. */
  locks(options: KeyOptions = {}): KvWorkload {
    return {
      name: 'locks',
      model: 'lock',
      begin: (choice) => {
        const last = choice.last();
        // A name of its own for each hold: a release that was in doubt never frees a later one.
        if (last?.f === 'acquire') return { f: 'release', key: last.key, value: last.value };
        const key = chooseKey(options, choice);
        // A lock whose holder nobody knows stays locked: so there are new ones from time to time.
        const value = choice.fresh();
        return { f: 'acquire', key: `${key}-${value >> 5}`, value };
      },
      next({ f, key, value }, answers) {
        if (answers.length > 0) return succeeded(answers[0]) ? done(value) : done(value, 'fail');
        if (f === 'acquire') return ask(when([unchanged(key, 0)], [put(key, value)]));
        return ask(when([holds(key, value)], [remove(key)]));
      },
    };
  },

  /** Money moves between accounts and is never made or lost: `transfer {from, to, amount}`, `read` → every balance. */
  bank(options: { readonly accounts?: number; readonly total?: number } = {}): KvWorkload {
    const { accounts = 4, total = 100 } = options;
    return {
      name: 'bank',
      model: `bank ${total}`,
      begin: ({ draw }) => {
        if (draw(3) === 0) return { f: 'read', key: 'bank', value: null };
        const from = draw(accounts);
        const to = (from + 1 + draw(accounts - 1)) % accounts;
        return { f: 'transfer', key: 'bank', value: { from, to, amount: 1 + draw(10) } };
      },
      next: (intent, answers) => nextOfBank(intent, answers, accounts, total),
    };
  },

  /** Lists that transactions read and append to, as Elle wants them: `txn [['append', k, v], ['r', k, null], …]`. */
  transactions(options: { readonly keys?: number } = {}): KvWorkload {
    const { keys = 3 } = options;
    return {
      name: 'transactions',
      model: 'list-append',
      begin: ({ draw, fresh }) => {
        const length = 1 + draw(3);
        const value = Array.from({ length }, (): Json => {
          const key = `list-${draw(keys)}`;
          return draw(2) === 0 ? ['r', key, null] : ['append', key, fresh()];
        });
        return { f: 'txn', key: '', value };
      },
      next: (intent, answers) => nextOfTransaction(intent, answers),
    };
  },
};

function readOr(change: string, key: string, { draw, fresh }: Choice): Intent {
  return draw(3) === 0 ? { f: 'read', key, value: null } : { f: change, key, value: fresh() };
}

/** Optimistic: reads, then writes if nobody wrote in between; otherwise it certainly did not happen. */
function readThenChange(key: string, answers: readonly Json[], change: (old: Json) => Json, value: Json): KvStep {
  if (answers.length === 0) return askRead(get(key));
  const { value: old, mod } = found(answers[0], key);
  if (answers.length === 1) return ask(when([unchanged(key, mod)], [put(key, change(old))]));
  return succeeded(answers[1]) ? done(value) : done(value, 'fail');
}

function nextOfBank({ f, value }: Intent, answers: readonly Json[], accounts: number, total: number): KvStep {
  const opening = total / accounts;
  const names = Array.from({ length: accounts }, (_, i) => `bank/${i}`);
  if (answers.length === 0) return askRead(list('bank/'));
  const balances = names.map((name) => found(answers[0], name));
  if (f === 'read') return done(balances.map((balance) => Number(balance.value ?? opening)));
  if (answers.length > 1) return succeeded(answers[1]) ? done(value) : done(value, 'fail');
  const { from, to, amount } = value as { from: number; to: number; amount: number };
  const [source, target] = [balances[from], balances[to]];
  if (source === undefined || target === undefined) return done(value, 'fail');
  const left = Number(source.value ?? opening) - amount;
  if (left < 0) return done(value, 'fail');
  const changes = [put(`bank/${from}`, left), put(`bank/${to}`, Number(target.value ?? opening) + amount)];
  return ask(when([unchanged(`bank/${from}`, source.mod), unchanged(`bank/${to}`, target.mod)], changes));
}

/** Reads every list first, then writes what it appends, if no list has changed: serializable, and strictly so. */
function nextOfTransaction({ value }: Intent, answers: readonly Json[]): KvStep {
  const operations = value as readonly (readonly [string, string, Json])[];
  if (answers.length === 0) return askRead(list('list-'));
  const used = [...new Set(operations.map(([, key]) => key))];
  const lists = new Map(used.map((key) => [key, (found(answers[0], key).value ?? []) as readonly Json[]]));
  const written = new Set<string>();
  const results = operations.map(([kind, key, element]): Json => {
    if (kind === 'r') return ['r', key, lists.get(key) ?? []];
    lists.set(key, [...(lists.get(key) ?? []), element]);
    written.add(key);
    return ['append', key, element];
  });
  if (written.size === 0) return done(results);
  if (answers.length > 1) return succeeded(answers[1]) ? done(results) : done(value, 'fail');
  const compare = used.map((key) => unchanged(key, found(answers[0], key).mod));
  return ask(
    when(
      compare,
      [...written].map((key) => put(key, lists.get(key) ?? [])),
    ),
  );
}
