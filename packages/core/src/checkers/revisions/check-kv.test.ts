import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { text, utf8 } from '../../base/bytes.ts';
import { encodeKvRequest, type KvRequest, KvStateMachine, type RequestOp, type ResponseOp } from '../../kv/index.ts';
import { type Pick, picker } from '../clients.test-support.ts';
import { checkKv, formatHistory, type HistoryEvent, type KvAnswered, type KvAsked } from '../index.ts';
import { fits, KvState } from './kv-state.ts';

/** The project's own store, asked in the checker's words. */
class Store {
  readonly #machine = new KvStateMachine();
  #sequence = 0;

  execute(asked: KvAsked): KvAnswered {
    const origin = { member: 1, boot: 1, sequence: ++this.#sequence, acknowledgedThrough: 0 };
    const command = encodeKvRequest(requestOf(asked));
    const result = this.#machine.apply({ term: 1, index: this.#machine.appliedIndex() + 1, origin, command });
    if (result?.type !== 'ok' || result.response.type === 'compact') throw new Error('the store refused');
    return { ...answerOf(result.response), revision: result.response.header.revision };
  }
}

function requestOf(asked: KvAsked): KvRequest & RequestOp {
  switch (asked.f) {
    case 'put':
      return { type: 'put', key: utf8(asked.key), value: utf8(asked.value) };
    case 'range': {
      const { key, end = '', limit = 0, revision = 0, countOnly = false, keysOnly = false } = asked;
      return { type: 'range', key: utf8(key), rangeEnd: utf8(end), limit, revision, countOnly, keysOnly };
    }
    case 'deleteRange':
      return { type: 'deleteRange', key: utf8(asked.key), rangeEnd: utf8(asked.end ?? '') };
    case 'txn': {
      const compare = asked.compare.map(({ key, target, result, operand }) => {
        const of = { key: utf8(key), result };
        switch (target) {
          case 'value':
            return { ...of, target, value: utf8(String(operand)) };
          case 'version':
            return { ...of, target, version: Number(operand) };
          case 'create':
            return { ...of, target, createRevision: Number(operand) };
          case 'mod':
            return { ...of, target, modRevision: Number(operand) };
        }
      });
      return { type: 'txn', compare, success: asked.success.map(requestOf), failure: asked.failure.map(requestOf) };
    }
  }
}

function answerOf(response: ResponseOp): KvAnswered {
  switch (response.type) {
    case 'put':
      return {};
    case 'range': {
      const keysOnly = response.kvs.every((kv) => kv.value.length === 0);
      const kvs = response.kvs.map(({ key, value, createRevision, modRevision, version }) => {
        const seen = { key: text(key), createRevision, modRevision, version };
        return keysOnly ? seen : { ...seen, value: text(value) };
      });
      return { kvs, count: response.count };
    }
    case 'deleteRange':
      return { deleted: response.deleted };
    case 'txn':
      return { succeeded: response.succeeded, responses: response.responses.map(answerOf) };
  }
}

const key = fc.constantFrom('a', 'b', 'c');
const value = fc.constantFrom('1', '2', '3');
const put = fc.record({ f: fc.constant('put' as const), key, value });
const range = fc.record(
  {
    f: fc.constant('range' as const),
    key,
    end: fc.constantFrom('c', '\u0000'),
    limit: fc.nat(2),
    countOnly: fc.boolean(),
  },
  { requiredKeys: ['f', 'key'] },
);
const deleteRange = fc.record(
  { f: fc.constant('deleteRange' as const), key, end: fc.constantFrom('c', '\u0000') },
  { requiredKeys: ['f', 'key'] },
);
const comparing = fc.constantFrom('equal' as const, 'notEqual' as const, 'greater' as const, 'less' as const);
const compare = fc.oneof(
  fc.record({ key, target: fc.constant('value' as const), result: comparing, operand: value }),
  fc.record({
    key,
    target: fc.constantFrom('version' as const, 'mod' as const, 'create' as const),
    result: comparing,
    operand: fc.nat(4),
  }),
);
const branch = fc.oneof(fc.constant([]), fc.tuple(put), fc.tuple(range), fc.tuple(deleteRange), fc.tuple(range, put));
const txn = fc.record({
  f: fc.constant('txn' as const),
  compare: fc.array(compare, { maxLength: 2 }),
  success: branch,
  failure: branch,
});
/** Its inner compare sees the state before the put that comes first. */
const nested = fc.tuple(txn, comparing, fc.nat(2)).map(([inner, result, operand]): KvAsked => {
  const compare = [{ key: 'd', target: 'version' as const, result, operand }];
  const success: KvAsked[] = [
    { f: 'put', key: 'd', value: '1' },
    { ...inner, compare },
  ];
  return { f: 'txn', compare: [], success, failure: [] };
});
const request: fc.Arbitrary<KvAsked> = fc.oneof(put, range, deleteRange, txn);

type Outcome = 'ok' | 'info';

/** Concurrent clients of the store; each operation takes effect between its invocation and its end, or later, or never. */
function clients(pick: Pick, requests: readonly KvAsked[], most: number, infoPercent: number): HistoryEvent[] {
  const store = new Store();
  const events: HistoryEvent[] = [];
  type Running = { process: number; asked: KvAsked; answer: KvAnswered | null };
  const running: Running[] = [];
  const lost: Running[] = [];
  const emit = (process: number, type: HistoryEvent['type'], f: string, value: unknown): void => {
    events.push({ index: events.length, process, type, f, key: '', value, time: 0 });
  };
  for (let begun = 0; begun < requests.length || running.length > 0; ) {
    const late = lost[pick(10)];
    if (late !== undefined && late.answer === null) late.answer = store.execute(late.asked);
    if (begun < requests.length && running.length < most && pick(2) === 0) {
      const asked = requests[begun] as KvAsked;
      emit(begun, 'invoke', asked.f, asked);
      running.push({ process: begun++, asked, answer: null });
      continue;
    }
    const at = pick(most);
    const one = running[at];
    if (one === undefined) continue;
    const outcome: Outcome | null = pick(100) < infoPercent ? 'info' : one.answer === null ? null : 'ok';
    if (outcome === null) {
      one.answer = store.execute(one.asked);
      continue;
    }
    running.splice(at, 1);
    emit(one.process, outcome, one.asked.f, outcome === 'ok' ? one.answer : one.asked);
    if (outcome === 'info') lost.push(one);
  }
  return events;
}

/** Every order and every subset of the unknown, knowing nothing of revisions but that they count changes. */
function explained(events: readonly HistoryEvent[], length = events.length): boolean {
  const spans = events.slice(0, length).flatMap((invoke, from) => {
    if (invoke.type !== 'invoke') return [];
    const to = events.findIndex((other, at) => at > from && other.process === invoke.process);
    const end = events[to];
    if (end?.type === 'fail') return [];
    const asked = { ...(invoke.value as object), f: invoke.f } as KvAsked;
    const must = end?.type === 'ok' && to < length;
    const answer = must ? (end.value as KvAnswered) : null;
    return [{ asked, answer, from, to: must ? to : Number.POSITIVE_INFINITY, must }];
  });
  const place = (rest: typeof spans, state: KvState): boolean => {
    if (rest.every((span) => !span.must)) return true;
    return rest.some((span, i) => {
      if (rest.some((other) => other.to < span.from)) return false;
      const { state: after, answer } = state.apply(span.asked);
      if (span.answer !== null && !fits(span.answer, answer)) return false;
      return place([...rest.slice(0, i), ...rest.slice(i + 1)], after);
    });
  };
  return place(spans, new KvState(1));
}

test('V1: the checker knows what the store answers to any request', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(request, nested), { maxLength: 12 }), (requests) => {
      const store = new Store();
      let state = new KvState(1);
      for (const asked of requests) {
        const right = state.apply(asked);
        const answered = store.execute(asked);
        expect(fits(answered, right.answer), JSON.stringify({ asked, answered, right: right.answer })).toBe(true);
        expect(answered.revision).toBe(right.answer.revision);
        state = right.state;
      }
    }),
    { seed: 3, numRuns: 400 },
  );
});

describe('V2: the answer is that of brute force', () => {
  const history = fc.tuple(fc.array(request, { minLength: 2, maxLength: 5 }), fc.nat(1_000_000));

  test('D6: on what concurrent clients of the store saw, some of them timed out', () => {
    fc.assert(
      fc.property(history, ([requests, seed]) => {
        const events = clients(picker(seed), requests, 3, 12);
        if (!events.some((event) => event.type === 'ok')) return;
        expect(checkKv(events).result, formatHistory(events)).toBe('valid');
        expect(explained(events)).toBe(true);
      }),
      { seed: 5, numRuns: 400 },
    );
  });

  test('on the same with an answer altered, and the prefix is the shortest', () => {
    let invalid = 0;
    fc.assert(
      fc.property(history, fc.nat(100), fc.nat(100), ([requests, seed], which, how) => {
        const events = clients(picker(seed), requests, 3, 12);
        const answers = events.filter((event) => event.type === 'ok');
        const victim = answers[which % answers.length];
        const other = answers[how % answers.length];
        if (victim === undefined || other === undefined) return;
        const changed = {
          ...(victim.value as object),
          ...(how % 2 === 0 ? { revision: ((victim.value as KvAnswered).revision as number) - 1 } : {}),
          ...(how % 2 === 1 && victim.f === other.f && victim.f !== 'txn' ? (other.value as object) : {}),
        };
        const altered = events.map((event) => (event === victim ? { ...event, value: changed } : event));
        const verdict = checkKv(altered);
        expect(verdict.result === 'valid', formatHistory(altered)).toBe(explained(altered));
        if (verdict.violation === undefined) return;
        invalid++;
        const { prefixLength } = verdict.violation;
        expect(explained(altered, prefixLength), `${prefixLength} of ${formatHistory(altered)}`).toBe(false);
        expect(explained(altered, prefixLength - 1), `${prefixLength} of ${formatHistory(altered)}`).toBe(true);
      }),
      { seed: 9, numRuns: 800 },
    );
    expect(invalid).toBeGreaterThan(100);
  });
});

describe('V3: histories of a store', () => {
  type Short = [number, HistoryEvent['type'], string, unknown];
  const history = (...events: Short[]): HistoryEvent[] =>
    events.map(([process, type, f, value], index) => ({ index, process, type, f, key: '', value, time: index }));
  const putA = (process: number, value: string, revision?: number): Short[] => [
    [process, 'invoke', 'put', { key: 'a', value }],
    revision === undefined ? [process, 'info', 'put', null] : [process, 'ok', 'put', { revision }],
  ];
  const readA = (process: number, revision: number, value: string | null, mod: number, more = {}): Short[] => [
    [process, 'invoke', 'range', { key: 'a', ...more }],
    [process, 'ok', 'range', { revision, kvs: value === null ? [] : [{ key: 'a', value, modRevision: mod }] }],
  ];

  test('a long history with many unknown writes is valid, and one lost write is not', () => {
    const requests = fc.sample(request, { seed: 1, numRuns: 400 });
    const events = clients(picker(1), requests, 5, 3);
    expect(events.some((event) => event.type === 'info')).toBe(true);
    const verdict = checkKv(events);
    expect(verdict.reason ?? verdict.violation?.sentence ?? '').toBe('');
    const writes = events.filter((event) => event.f === 'put' && event.type === 'ok');
    const lost = writes[Math.floor(writes.length / 2)];
    const without = events.filter((event) => event.process !== lost?.process);
    expect(checkKv(without).result).toBe('invalid');
  });

  test('D6: an unknown write fills the revision that nobody claims, once', () => {
    expect(checkKv(history(...putA(1, 'x'), ...putA(2, 'y', 3), ...readA(3, 3, 'y', 3))).result).toBe('valid');
    expect(checkKv(history(...putA(1, 'x'), ...putA(2, 'y', 4))).result).toBe('invalid');
    expect(checkKv(history(...putA(2, 'y', 3))).violation?.sentence).toContain('no write can have made revision 2');
  });

  test('an answer that tells what a revision changed leaves one way to fill it, however many writes are unknown', () => {
    const unknown = Array.from({ length: 30 }, (_, i) => putA(i, `v${i}`)).flat();
    const reads = Array.from({ length: 30 }, (_, i) => readA(100 + i, i + 2, `v${i}`, i + 2)).flat();
    const verdict = checkKv(history(...unknown, ...reads));
    expect(verdict.result).toBe('valid');
    expect(verdict.states).toBeLessThan(1000);
  });

  test('an unknown write cannot fill a revision that was there before it began', () => {
    const read = readA(3, 3, 'y', 3);
    expect(checkKv(history(...putA(2, 'y', 3), ...read, ...putA(1, 'x'))).result).toBe('invalid');
  });

  test('a read of an older revision than one that had returned is a stale read', () => {
    const stale = history(...putA(1, 'x', 2), ...putA(2, 'y', 3), ...readA(3, 2, 'x', 2));
    const { result, violation } = checkKv(stale);
    expect(result).toBe('invalid');
    expect(violation).toMatchObject({ prefixLength: 6, operation: { process: 3 } });
    expect(violation?.sentence).toContain("process 2's put of event 2 had returned at revision 3 before that began");
  });

  test('a serializable read may be old, but not wrong', () => {
    const old = (value: string): HistoryEvent[] =>
      history(...putA(1, 'x', 2), ...putA(2, 'y', 3), ...readA(3, 2, value, 2, { serializable: true }));
    expect(checkKv(old('x')).result).toBe('valid');
    expect(checkKv(old('y')).result).toBe('invalid');
  });

  test('two writes cannot have made one revision', () => {
    const { result, violation } = checkKv(history(...putA(1, 'x', 2), ...putA(2, 'y', 2)));
    expect(result).toBe('invalid');
    expect(violation?.sentence).toContain('claimed by two writes');
  });

  test('a transaction is one change, and its compare holds', () => {
    const asked = {
      compare: [{ key: 'a', target: 'mod', result: 'equal', operand: 2 }],
      success: [{ f: 'put', key: 'a', value: 'z' }],
      failure: [{ f: 'range', key: 'a' }],
    };
    const swap = (succeeded: boolean, revision: number, responses: unknown[]): HistoryEvent[] =>
      history(...putA(1, 'x', 2), [2, 'invoke', 'txn', asked], [2, 'ok', 'txn', { revision, succeeded, responses }]);
    expect(checkKv(swap(true, 3, [{}])).result).toBe('valid');
    expect(checkKv(swap(false, 2, [{ kvs: [{ key: 'a', value: 'x' }] }])).result).toBe('invalid');
  });

  test('D5: an empty history is not valid', () => {
    expect(checkKv([])).toMatchObject({ result: 'unknown', reason: expect.stringContaining('only 0 operations') });
  });

  test('V4: a request or answer of the wrong shape is refused with its place', () => {
    const refused: [Short[], RegExp][] = [
      [[[1, 'invoke', 'write', 1]], /^the event at position 0 has the unknown f "write"/],
      [[[1, 'invoke', 'put', { key: 'a' }]], /^the event at position 0 is a put without its "value"/],
      [
        [
          [1, 'invoke', 'range', { key: 'a' }],
          [1, 'ok', 'range', {}],
        ],
        /^the event at position 1 .* without its revision/,
      ],
      [
        [
          [1, 'invoke', 'deleteRange', { key: 'a' }],
          [1, 'ok', 'deleteRange', { revision: 2 }],
        ],
        /without "deleted"/,
      ],
      [
        [[1, 'invoke', 'txn', { compare: [], success: [] }]],
        /^the event at position 0 is a txn without its list "failure"/,
      ],
    ];
    for (const [events, message] of refused) expect(() => checkKv(history(...events))).toThrow(message);
  });
});
