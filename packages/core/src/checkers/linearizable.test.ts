import { describe, expect, test } from 'vitest';
import { draw, scaled } from '../base/random.ts';
import { checkLinearizable, formatHistory, type HistoryEvent, parseHistory } from './index.ts';

type Kind = { f: HistoryEvent['f']; value: unknown; outcome: 'ok' | 'fail' | 'info' };
type Pick = (bound: number) => number;

/** One event in short: process, type, f, value; key "a". */
type Short = [number, HistoryEvent['type'], HistoryEvent['f'], unknown?, string?];

function history(...events: Short[]): HistoryEvent[] {
  return events.map(([process, type, f, value, key], index) => {
    return { index, process, type, f, key: key ?? 'a', value: value ?? null, time: index };
  });
}

/** Knows nothing of the checker: every subset of the unknown operations, in every order. */
function bruteForce(events: readonly HistoryEvent[]): boolean {
  return [...new Set(events.map((event) => event.key))].every((key) => {
    const spans: { f: string; value: unknown; from: number; to: number; must: boolean }[] = [];
    for (const [from, event] of events.entries()) {
      if (event.type !== 'invoke' || event.key !== key) continue;
      const after = events.findIndex((other, at) => at > from && other.process === event.process);
      const end = after < 0 ? undefined : events[after];
      if (end?.type === 'fail') continue;
      const must = end?.type === 'ok';
      const value = event.f === 'read' ? end?.value : event.value;
      if (!must && event.f === 'read') continue;
      spans.push({ f: event.f, value, from, to: must ? after : Number.POSITIVE_INFINITY, must });
    }
    const place = (rest: typeof spans, value: unknown): boolean => {
      if (rest.every((span) => !span.must)) return true;
      return rest.some((span, i) => {
        if (rest.some((other) => other.to < span.from)) return false;
        const others = rest.filter((_, j) => j !== i);
        if (span.f === 'read') return span.value === value && place(others, value);
        if (span.f === 'write') return place(others, span.value);
        const [old, next] = span.value as [unknown, unknown];
        return old === value && place(others, next);
      });
    };
    return place(spans, null);
  });
}

const KINDS: Kind[] = [
  ...[null, 1, 2].map((value): Kind => ({ f: 'read', value, outcome: 'ok' })),
  ...[1, 2].flatMap((value): Kind[] => [
    { f: 'write', value, outcome: 'ok' },
    { f: 'write', value, outcome: 'info' },
  ]),
  ...[
    [1, 2],
    [null, 1],
  ].flatMap((value): Kind[] => [
    { f: 'cas', value, outcome: 'ok' },
    { f: 'cas', value, outcome: 'info' },
  ]),
  { f: 'write', value: 1, outcome: 'fail' },
];

/** Every way in which so many intervals can lie, as the numbers of operations: first its invocation, then its end. */
function shapes(operations: number): number[][] {
  const all: number[][] = [];
  const extend = (shape: number[], invoked: number, open: number[]): void => {
    if (shape.length === 2 * operations) return void all.push(shape);
    if (invoked < operations) extend([...shape, invoked], invoked + 1, [...open, invoked]);
    for (const one of open) {
      extend(
        [...shape, one],
        invoked,
        open.filter((other) => other !== one),
      );
    }
  };
  extend([], 0, []);
  return all;
}

function build(shape: readonly number[], kinds: readonly Kind[], keys: readonly string[] = []): HistoryEvent[] {
  const begun = new Set<number>();
  return shape.map((process, index) => {
    const { f, value, outcome } = kinds[process] as Kind;
    const type = begun.has(process) ? outcome : 'invoke';
    begun.add(process);
    const unknownYet = f === 'read' && type === 'invoke';
    return { index, process, type, f, key: keys[process] ?? 'a', value: unknownYet ? null : value, time: index };
  });
}

function agree(events: readonly HistoryEvent[], replay: string): 'valid' | 'invalid' | 'unknown' {
  const verdict = checkLinearizable(events);
  if (verdict.result === 'unknown') {
    expect(
      Object.values(verdict.operations).every((count) => count.ok === 0),
      replay,
    ).toBe(true);
    return 'unknown';
  }
  const context = `${replay}\n${formatHistory(events)}`;
  expect(verdict.result, context).toBe(bruteForce(events) ? 'valid' : 'invalid');
  if (verdict.violation !== undefined) checkPrefix(events, verdict.violation.prefixLength, context);
  return verdict.result;
}

/** Operations that failed later are known not to have happened, so they are taken out of the prefix too. */
function checkPrefix(events: readonly HistoryEvent[], length: number, context: string): void {
  const failed = new Set(events.filter((event) => event.type === 'fail').map((event) => event.process));
  const prefix = (end: number): HistoryEvent[] => events.slice(0, end).filter((event) => !failed.has(event.process));
  expect(bruteForce(prefix(length)), `the prefix fails: ${context}`).toBe(false);
  expect(bruteForce(prefix(length - 1)), `one event fewer does not: ${context}`).toBe(true);
}

/** Clients of a register that is linearizable by construction; an unknown operation may happen, late or never. */
function simulate(pick: Pick, operations: number, clients: number): HistoryEvent[] {
  const events: HistoryEvent[] = [];
  const registers = new Map<string, unknown>();
  type Call = { process: number; f: HistoryEvent['f']; key: string; value: unknown; done: boolean; result: unknown };
  const calls: Call[] = [];
  const lost: Call[] = [];
  let nextProcess = 0;
  let nextValue = 1;
  const emit = (call: Call, type: HistoryEvent['type'], value: unknown): void => {
    events.push({ index: events.length, process: call.process, type, f: call.f, key: call.key, value, time: 0 });
  };
  const apply = (call: Call): void => {
    const present = registers.get(call.key) ?? null;
    call.done = true;
    call.result = present;
    if (call.f === 'write') registers.set(call.key, call.value);
    const [old, next] = call.f === 'cas' ? (call.value as unknown[]) : [];
    if (call.f === 'cas' && old === present) registers.set(call.key, next);
  };
  for (let begun = 0; begun < operations || calls.length > 0; ) {
    const late = lost[pick(40)];
    if (late !== undefined && !late.done) apply(late);
    if (begun < operations && calls.length < clients && pick(2) === 0) {
      const f = (['read', 'write', 'cas'] as const)[pick(3)] as HistoryEvent['f'];
      const key = `k${pick(3)}`;
      const value = f === 'read' ? null : f === 'write' ? nextValue++ : [registers.get(key) ?? null, nextValue++];
      const call = { process: nextProcess++, f, key, value, done: false, result: null };
      emit(call, 'invoke', value);
      calls.push(call);
      begun++;
      continue;
    }
    const at = pick(clients);
    const call = calls[at];
    if (call === undefined) continue;
    if (pick(30) === 0) {
      emit(call, 'info', call.value);
      lost.push(call);
      calls.splice(at, 1);
    } else if (!call.done) {
      apply(call);
    } else {
      const swapped = call.f !== 'cas' || (call.value as unknown[])[0] === call.result;
      emit(call, swapped ? 'ok' : 'fail', call.f === 'read' ? call.result : call.value);
      calls.splice(at, 1);
    }
  }
  return events;
}

function picker(seed: number): Pick {
  let n = 0;
  return (bound) => scaled(draw(seed, 1, 0, n++), bound);
}

describe('L1: the answer is that of brute force', () => {
  test('on every history of up to three operations', () => {
    const seen = { valid: 0, invalid: 0, unknown: 0 };
    for (const count of [1, 2, 3]) {
      for (const shape of shapes(count)) {
        for (let code = 0; code < KINDS.length ** count; code++) {
          const kinds = shape.slice(0, count).map((_, i) => KINDS[Math.floor(code / KINDS.length ** i) % KINDS.length]);
          seen[agree(build(shape, kinds as Kind[]), `shape ${shape} code ${code}`)]++;
        }
      }
    }
    expect(seen.valid).toBeGreaterThan(1000);
    expect(seen.invalid).toBeGreaterThan(1000);
  });

  test('on 30000 random histories of four to seven operations on one or two keys', () => {
    const seen = { valid: 0, invalid: 0, unknown: 0 };
    for (let seed = 0; seed < 30_000; seed++) {
      const pick = picker(seed);
      const count = 4 + pick(4);
      const keys = Array.from({ length: count }, () => (pick(4) === 0 ? 'b' : 'a'));
      const kinds = Array.from({ length: count }, () => KINDS[pick(KINDS.length)] as Kind);
      const shape: number[] = [];
      const open: number[] = [];
      for (let begun = 0; shape.length < 2 * count; ) {
        if (begun < count && (open.length === 0 || pick(5) < 3)) {
          open.push(begun);
          shape.push(begun++);
        } else {
          shape.push(...open.splice(pick(open.length), 1));
        }
      }
      seen[agree(build(shape, kinds, keys), `seed ${seed}`)]++;
    }
    expect(seen.valid).toBeGreaterThan(3000);
    expect(seen.invalid).toBeGreaterThan(3000);
  });
});

describe('L2: unknown outcomes', () => {
  const timedOut: Short[] = [
    [1, 'invoke', 'write', 1],
    [1, 'info', 'write', 1],
  ];
  const read = (process: number, value: unknown): Short[] => [
    [process, 'invoke', 'read'],
    [process, 'ok', 'read', value],
  ];

  test('D6: a timed-out write may have happened, so a read of it is right', () => {
    expect(checkLinearizable(history(...timedOut, ...read(2, 1))).result).toBe('valid');
  });

  test('D6: a timed-out write may take effect after later reads, or never', () => {
    expect(checkLinearizable(history(...timedOut, ...read(2, null), ...read(2, 1))).result).toBe('valid');
    expect(checkLinearizable(history(...timedOut, ...read(2, null))).result).toBe('valid');
  });

  test('D6: an operation that never completed is unknown too, and counted', () => {
    const verdict = checkLinearizable(history([1, 'invoke', 'write', 1], ...read(2, 1)));
    expect(verdict.result).toBe('valid');
    expect(verdict.operations.write).toEqual({ ok: 0, fail: 0, info: 1 });
  });

  test('a timed-out write happens once at most', () => {
    expect(checkLinearizable(history(...timedOut, ...read(2, 1), ...read(2, null))).result).toBe('invalid');
    const overwritten: Short[] = [
      [3, 'invoke', 'write', 2],
      [3, 'ok', 'write', 2],
    ];
    const again = history(...timedOut, ...read(2, 1), ...overwritten, ...read(2, 2), ...read(2, 1));
    expect(checkLinearizable(again).result).toBe('invalid');
  });

  test('a failed write certainly did not happen', () => {
    const verdict = checkLinearizable(history([1, 'invoke', 'write', 1], [1, 'fail', 'write', 1], ...read(2, 1)));
    expect(verdict.result).toBe('invalid');
    expect(verdict.violation?.sentence).toContain('had failed');
  });
});

describe('L3: histories of clients', () => {
  test('a register that is linearizable by construction is valid, with unknown operations in it', () => {
    for (let seed = 0; seed < 20; seed++) {
      const events = simulate(picker(seed), 1500, 5);
      const verdict = checkLinearizable(events, { minimumOk: 500 });
      expect(verdict.result, `seed ${seed}: ${verdict.reason ?? verdict.violation?.sentence}`).toBe('valid');
      expect(verdict.operations.write?.info).toBeGreaterThan(0);
    }
  });

  test('one altered read is rejected, at that read or before', () => {
    for (let seed = 0; seed < 20; seed++) {
      const events = simulate(picker(seed), 300, 5);
      const reads = events.filter((event) => event.type === 'ok' && event.f === 'read');
      const altered = reads[picker(seed + 1000)(reads.length)] as HistoryEvent;
      const changed = events.map((event) => (event === altered ? { ...event, value: -1 } : event));
      const { result, violation } = checkLinearizable(changed);
      expect(result, `seed ${seed}`).toBe('invalid');
      expect(violation?.operation.completeIndex).toBe(altered.index);
      expect(violation?.prefixLength).toBe(altered.index + 1);
      expect(violation?.sentence).toContain('nobody had written that by then');
    }
  });

  test('an acknowledged write that is lost is rejected', () => {
    const { result, violation } = checkLinearizable(
      history(
        [1, 'invoke', 'write', 1],
        [1, 'ok', 'write', 1],
        [1, 'invoke', 'write', 2],
        [1, 'ok', 'write', 2],
        [3, 'invoke', 'read'],
        [3, 'ok', 'read', 1],
      ),
    );
    expect(result).toBe('invalid');
    expect(violation).toMatchObject({ key: 'a', prefixLength: 6, operation: { f: 'read', process: 3, value: 1 } });
    expect(violation?.sentence).toBe(
      'Process 3 read 1 at key "a" (events 4 to 5), but process 1\'s write of 2 was acknowledged at event 3, ' +
        'before that began, and no order of the operations brings 1 back.',
    );
  });

  test('an acknowledged write that is taken out of the history is rejected when somebody read it', () => {
    const events = simulate(picker(7), 300, 5);
    const seen = events.find((event) => event.type === 'ok' && event.f === 'read' && event.value !== null);
    const lost = events.find((event) => event.f === 'write' && event.type === 'ok' && event.value === seen?.value);
    const writer = lost ?? events.find((event) => event.f === 'cas' && (event.value as unknown[])[1] === seen?.value);
    const without = events.filter((event) => event.process !== writer?.process);
    expect(without.length).toBe(events.length - 2);
    expect(checkLinearizable(without).result).toBe('invalid');
  });

  test('two clients that swap the same value cannot both succeed', () => {
    const { result } = checkLinearizable(
      history(
        [1, 'invoke', 'cas', [null, 1]],
        [2, 'invoke', 'cas', [null, 2]],
        [1, 'ok', 'cas', [null, 1]],
        [2, 'ok', 'cas', [null, 2]],
      ),
    );
    expect(result).toBe('invalid');
  });

  test('keys are independent, and values are compared as JSON', () => {
    const verdict = checkLinearizable(
      history(
        [1, 'invoke', 'write', { x: 1, y: [2] }, 'a'],
        [1, 'ok', 'write', null, 'a'],
        [1, 'invoke', 'read', null, 'b'],
        [1, 'ok', 'read', null, 'b'],
        [1, 'invoke', 'read', null, 'a'],
        [1, 'ok', 'read', { y: [2], x: 1 }, 'a'],
      ),
    );
    expect(verdict).toMatchObject({ result: 'valid', keys: 2 });
  });
});

describe('L7: what changes nothing is not placed for that reason', () => {
  test('a write of the value that is there may have overwritten another one first', () => {
    const { result } = checkLinearizable(
      history(
        [1, 'invoke', 'cas', [null, 3]],
        [5, 'invoke', 'write', 1],
        [6, 'invoke', 'write', 3],
        [6, 'ok', 'write', 3],
        [5, 'ok', 'write', 1],
        [1, 'ok', 'cas', [null, 3]],
        [0, 'invoke', 'cas', [3, 2]],
        [0, 'ok', 'cas', [3, 2]],
      ),
    );
    expect(result).toBe('valid');
  });

  test('a write of the value that is there may come later, where its value is needed again', () => {
    const events = history(
      [1, 'invoke', 'write', 1],
      [1, 'ok', 'write', 1],
      [2, 'invoke', 'write', 1],
      [1, 'invoke', 'write', 2],
      [1, 'ok', 'write', 2],
      [3, 'invoke', 'read'],
      [3, 'ok', 'read', 1],
      [2, 'ok', 'write', 1],
    );
    expect(checkLinearizable(events).result).toBe('valid');
  });

  test('more operations under way than a word has bits are all kept apart', () => {
    const open = Array.from({ length: 70 }, (_, i): Short => [i, 'invoke', 'cas', [i === 0 ? null : i, i + 1]]);
    const ends = Array.from({ length: 70 }, (_, i): Short => [i, 'ok', 'cas', [i === 0 ? null : i, i + 1]]);
    expect(checkLinearizable(history(...open, ...ends)).result).toBe('valid');
    expect(checkLinearizable(history(...open.slice(1), ...ends.slice(1))).result).toBe('invalid');
    const twice: Short[] = [
      [99, 'invoke', 'cas', [35, 36]],
      [99, 'ok', 'cas', [35, 36]],
    ];
    expect(checkLinearizable(history(...open, ...twice, ...ends)).result).toBe('invalid');
  });
});

describe('L4: a verdict never claims more than was seen', () => {
  test('D5: an empty history is not valid', () => {
    expect(checkLinearizable([])).toMatchObject({ result: 'unknown', keys: 0 });
  });

  test('D5: a history in which nothing succeeded is not valid', () => {
    const verdict = checkLinearizable(history([1, 'invoke', 'write', 1], [1, 'info', 'write', 1]));
    expect(verdict.result).toBe('unknown');
    expect(verdict.reason).toContain('only 0 operations succeeded');
  });

  test('D5: fewer successes than the stated minimum are not valid, but a violation among them counts', () => {
    const good = history([1, 'invoke', 'read'], [1, 'ok', 'read', null]);
    const bad = history([1, 'invoke', 'read'], [1, 'ok', 'read', 1]);
    expect(checkLinearizable(good, { minimumOk: 2 }).result).toBe('unknown');
    expect(checkLinearizable(good, { minimumOk: 1 }).result).toBe('valid');
    expect(checkLinearizable(bad, { minimumOk: 2 }).result).toBe('invalid');
  });

  test('a search that needs more than maxStates says unknown and names the key', () => {
    const writes = Array.from({ length: 12 }, (_, i): Short => [i, 'invoke', 'write', i % 6]);
    const ends = Array.from({ length: 12 }, (_, i): Short => [i, 'ok', 'write', i % 6]);
    const verdict = checkLinearizable(history(...writes, ...ends), { maxStates: 50 });
    expect(verdict.result).toBe('unknown');
    expect(verdict.reason).toContain('key "a": no answer within 50 states');
  });

  test('the same unknown write a hundred times costs no more than once', () => {
    const events: Short[] = [];
    for (let i = 0; i < 100; i++) events.push([i, 'invoke', 'write', 1], [i, 'info', 'write', 1]);
    for (let i = 0; i < 100; i++) {
      events.push(
        [200, 'invoke', 'write', 2],
        [200, 'ok', 'write', 2],
        [200, 'invoke', 'read'],
        [200, 'ok', 'read', 1],
      );
    }
    expect(checkLinearizable(history(...events))).toMatchObject({ result: 'valid' });
    expect(checkLinearizable(history(...events)).states).toBeLessThan(2000);
    const oneMore: Short[] = [
      [200, 'invoke', 'write', 2],
      [200, 'ok', 'write', 2],
      [200, 'invoke', 'read'],
      [200, 'ok', 'read', 1],
    ];
    expect(checkLinearizable(history(...events, ...oneMore)).result).toBe('invalid');
  });

  test('unknown writes that nobody read cost nothing', () => {
    const events: Short[] = [];
    for (let i = 0; i < 1000; i++) events.push([i, 'invoke', 'write', i], [i, 'info', 'write', i]);
    for (let i = 0; i < 100; i++) {
      events.push([2000, 'invoke', 'write', -i - 1], [2000, 'ok', 'write', -i - 1]);
      events.push([2000, 'invoke', 'read'], [2000, 'ok', 'read', -i - 1]);
    }
    expect(checkLinearizable(history(...events)).states).toBeLessThan(500);
  });
});

test('L5: a history survives being written and read', () => {
  const events = simulate(picker(3), 200, 4);
  expect(parseHistory(formatHistory(events))).toEqual(events);
});
