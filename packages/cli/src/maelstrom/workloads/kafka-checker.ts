import type { Operation } from '../operation.ts';
import { canonical } from '../protocol.ts';
import { examples, type Findings, findings } from './workload.ts';

export type OffsetMessage = [offset: number, message: unknown];

/** One poll: where it asked to begin, and what came, by key. */
export interface Batch {
  readonly from: Readonly<Record<string, number>>;
  readonly messages: Readonly<Record<string, readonly OffsetMessage[]>>;
}

interface LogOfKey {
  /** The messages that anybody saw at an offset: more than one is a contradiction. */
  readonly at: Map<number, Set<string>>;
  readonly polled: Set<number>;
  readonly acknowledged: Set<number>;
  readonly offsetsOf: Map<string, Set<number>>;
  /** The known offsets in order; made once all are known. */
  order: number[];
}

type Anomaly =
  | 'inconsistent-offsets'
  | 'duplicate'
  | 'lost-write'
  | 'unseen'
  | 'poll-skip'
  | 'int-poll-skip'
  | 'nonmonotonic-poll'
  | 'int-nonmonotonic-poll'
  | 'nonmonotonic-send'
  | 'aborted-read'
  | 'invented-message'
  | 'invented-commit';

/** What each anomaly means, to be read after "key k: ". The names are Maelstrom's where it has one. */
const MEANING: Readonly<Record<Anomaly, string>> = {
  'inconsistent-offsets': 'one offset held two messages',
  duplicate: 'one message stands at two offsets',
  'lost-write': 'an offset before others that were polled was never polled',
  unseen: 'an acknowledged message was never polled, not even in the end from the beginning',
  'poll-skip': 'a poll began after an offset that exists and that the client had not read',
  'int-poll-skip': 'one poll skipped an offset that exists',
  'nonmonotonic-poll': 'a poll began before the offset that was asked for',
  'int-nonmonotonic-poll': 'offsets did not increase within one poll',
  'nonmonotonic-send': "one client's later send got an offset that is not higher",
  'aborted-read': 'a message was polled whose send had certainly failed',
  'invented-message': 'a message was polled that nobody sent',
  'invented-commit': 'a committed offset was listed that nobody had committed',
};

/** The anomalies of append-only logs, over all keys. Offsets may be sparse: only one that somebody saw is known to exist. */
export function checkLog(history: readonly Operation[]): Findings {
  const found = new Map<Anomaly, string[]>();
  const note = (anomaly: Anomaly, key: string, detail: string): void => {
    const list = found.get(anomaly) ?? [];
    list.push(`key ${key}: ${detail}`);
    found.set(anomaly, list);
  };
  const logs = collect(history);
  for (const [key, log] of logs) checkContents(key, log, note);
  checkPolls(history, logs, note);
  checkSends(history, note);
  checkOrigins(history, logs, note);
  checkCommits(history, note);
  const drained = history.some(({ final, outcome }) => final && outcome === 'ok');
  if (!drained) found.delete('unseen');
  const violations = [...found].map(
    ([anomaly, list]) => `${anomaly} (${MEANING[anomaly]}), ${list.length} times: ${examples(list.slice(0, 3))}`,
  );
  const doubts = drained ? [] : ['no final read of the logs succeeded, so nobody knows what was lost'];
  const sends = history.filter(({ f }) => f === 'send');
  return findings(violations, doubts, {
    keys: logs.size,
    sent: sends.length,
    acknowledged: sends.filter(({ outcome }) => outcome === 'ok').length,
    anomalies: Object.fromEntries([...found].map(([anomaly, list]) => [anomaly, list.length])),
  });
}

type Note = (anomaly: Anomaly, key: string, detail: string) => void;

function batchesOf({ f, outcome, result }: Operation): readonly Batch[] {
  return outcome === 'ok' && (f === 'poll' || f === 'drain') ? (result as Batch[]) : [];
}

function sendOf(operation: Operation): { key: string; message: string } | null {
  if (operation.f !== 'send') return null;
  const { key, message } = operation.value as { key: string; message: unknown };
  return { key, message: canonical(message) };
}

function collect(history: readonly Operation[]): Map<string, LogOfKey> {
  const logs = new Map<string, LogOfKey>();
  const see = (key: string, offset: number, message: string): LogOfKey => {
    let log = logs.get(key);
    if (log === undefined) {
      log = { at: new Map(), polled: new Set(), acknowledged: new Set(), offsetsOf: new Map(), order: [] };
      logs.set(key, log);
    }
    log.at.set(offset, (log.at.get(offset) ?? new Set()).add(message));
    log.offsetsOf.set(message, (log.offsetsOf.get(message) ?? new Set()).add(offset));
    return log;
  };
  for (const operation of history) {
    const send = sendOf(operation);
    if (send !== null && operation.outcome === 'ok') {
      const offset = operation.result as number;
      see(send.key, offset, send.message).acknowledged.add(offset);
    }
    for (const { messages } of batchesOf(operation)) {
      for (const [key, pairs] of Object.entries(messages)) {
        for (const [offset, message] of pairs) see(key, offset, canonical(message)).polled.add(offset);
      }
    }
  }
  for (const log of logs.values()) log.order = [...log.at.keys()].sort((a, b) => a - b);
  return logs;
}

function checkContents(key: string, log: LogOfKey, note: Note): void {
  const highestPolled = log.order.findLast((offset) => log.polled.has(offset)) ?? Number.NEGATIVE_INFINITY;
  for (const offset of log.order) {
    const messages = log.at.get(offset) ?? new Set();
    if (messages.size > 1) note('inconsistent-offsets', key, `offset ${offset} is ${[...messages].join(' and ')}`);
    if (log.polled.has(offset)) continue;
    const detail = `offset ${offset}, message ${[...messages].join(', ')}`;
    note(offset < highestPolled ? 'lost-write' : 'unseen', key, detail);
  }
  for (const [message, offsets] of log.offsetsOf) {
    if (offsets.size > 1) note('duplicate', key, `message ${message} at offsets ${[...offsets].join(' and ')}`);
  }
}

function checkPolls(history: readonly Operation[], logs: ReadonlyMap<string, LogOfKey>, note: Note): void {
  for (const operation of history) {
    for (const { from, messages } of batchesOf(operation)) {
      for (const [key, pairs] of Object.entries(messages)) {
        const order = logs.get(key)?.order ?? [];
        let expected = from[key] ?? 0;
        for (const [index, [offset]] of pairs.entries()) {
          const where = `process ${operation.process} expected offset ${expected} or the next, got ${offset}`;
          const within = index > 0;
          if (offset < expected) note(within ? 'int-nonmonotonic-poll' : 'nonmonotonic-poll', key, where);
          if (existsBetween(order, expected, offset)) note(within ? 'int-poll-skip' : 'poll-skip', key, where);
          expected = offset + 1;
        }
      }
    }
  }
}

/** Whether an offset is known in [from, to). */
function existsBetween(order: readonly number[], from: number, to: number): boolean {
  if (from >= to) return false;
  let [low, high] = [0, order.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((order[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return (order[low] ?? Number.POSITIVE_INFINITY) < to;
}

function checkSends(history: readonly Operation[], note: Note): void {
  const last = new Map<string, number>();
  for (const operation of [...history].sort((a, b) => a.invokedAt - b.invokedAt)) {
    const send = sendOf(operation);
    if (send === null || operation.outcome !== 'ok') continue;
    const who = `${operation.process} ${send.key}`;
    const [offset, before] = [operation.result as number, last.get(who)];
    if (before !== undefined && offset <= before) {
      note('nonmonotonic-send', send.key, `process ${operation.process} got offset ${offset} after ${before}`);
    }
    last.set(who, offset);
  }
}

function checkOrigins(history: readonly Operation[], logs: ReadonlyMap<string, LogOfKey>, note: Note): void {
  const outcomes = new Map<string, Operation['outcome']>();
  for (const operation of history) {
    const send = sendOf(operation);
    if (send !== null) outcomes.set(`${send.key} ${send.message}`, operation.outcome);
  }
  for (const [key, log] of logs) {
    for (const offset of log.polled) {
      for (const message of log.at.get(offset) ?? []) {
        const outcome = outcomes.get(`${key} ${message}`);
        if (outcome === 'fail') note('aborted-read', key, `message ${message} at offset ${offset}`);
        if (outcome === undefined) note('invented-message', key, `message ${message} at offset ${offset}`);
      }
    }
  }
}

function checkCommits(history: readonly Operation[], note: Note): void {
  // What a failed commit wanted to store is unknown, and so is its key: then nothing is invented for certain.
  if (history.some(({ f, outcome }) => f === 'commit' && outcome !== 'ok')) return;
  const committed = new Map<string, number>();
  for (const { f, result } of history) {
    if (f !== 'commit') continue;
    for (const [key, offset] of Object.entries(result as Record<string, number>)) {
      committed.set(key, Math.max(committed.get(key) ?? -1, offset));
    }
  }
  for (const { f, outcome, result, node } of history) {
    if (f !== 'assign' || outcome !== 'ok') continue;
    for (const [key, offset] of Object.entries(result as Record<string, number>)) {
      const highest = committed.get(key) ?? -1;
      if (offset > highest)
        note('invented-commit', key, `${node} listed ${offset}, the highest committed is ${highest}`);
    }
  }
}
