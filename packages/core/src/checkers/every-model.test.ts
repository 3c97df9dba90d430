import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  explained,
  historyOf,
  KINDS,
  type Kind,
  NAIVE,
  type Naive,
  shapes,
  spansOf,
} from './brute-force.test-support.ts';
import { clientsOf, picker } from './clients.test-support.ts';
import {
  checkLinearizable,
  formatHistory,
  type HistoryEvent,
  LinearizabilityChecker,
  modelNamed,
  type Violation,
} from './index.ts';

/**
 * POLDER_CAMPAIGN=100000 npx vitest run --project core --testTimeout 3600000 packages/core/src/checkers/every-model.test.ts
 * runs so many random histories of each kind for each model.
 */
const CAMPAIGN = Number(process.env['POLDER_CAMPAIGN'] ?? 0);
const RANDOM_RUNS = CAMPAIGN || 1000;
const CLIENT_RUNS = CAMPAIGN === 0 ? 40 : Math.ceil(CAMPAIGN / 20);

interface Seen {
  valid: number;
  invalid: number;
  unknown: number;
}

const MODELS = Object.keys(KINDS);

function naiveOf(model: string): Naive {
  return NAIVE[model] as Naive;
}

function agree(model: string, events: readonly HistoryEvent[], seen: Seen): void {
  const naive = naiveOf(model);
  const verdict = checkLinearizable(events, { model });
  seen[verdict.result]++;
  if (verdict.result === 'unknown') {
    expect(Object.values(verdict.operations).every(({ ok }) => ok === 0)).toBe(true);
    return;
  }
  const right = (verdict.result === 'valid') === explained(events, naive);
  if (!right) expect.fail(`${model}: ${verdict.result}, brute force says otherwise\n${formatHistory(events)}`);
  if (verdict.violation === undefined) return;
  const { prefixLength } = verdict.violation;
  const shortest = !explained(events, naive, prefixLength) && explained(events, naive, prefixLength - 1);
  if (!shortest) expect.fail(`${model}: ${prefixLength} is not the shortest prefix\n${formatHistory(events)}`);
  const complaint = complaintOfOrder(verdict.violation, events, naive);
  if (complaint !== null) expect.fail(`${model}: ${complaint}\n${formatHistory(events)}`);
}

/** null when it is legal, keeps real time, and holds everything that had returned before the violation. */
function complaintOfOrder(
  { order, prefixLength }: Violation,
  events: readonly HistoryEvent[],
  naive: Naive,
): string | null {
  const processes = order.map((operation) => operation.process);
  const told = `the order of processes ${processes}`;
  if (new Set(processes).size !== processes.length) return `${told} has one twice`;
  const spans = spansOf(events, prefixLength - 1);
  const spanOf = new Map(spans.map((span) => [events[span.from]?.process as number, span]));
  let state = naive.initial;
  for (const [i, { process, invokedAt }] of order.entries()) {
    const span = spanOf.get(process);
    if (span === undefined) return `${told} has one that was not invoked: ${process}`;
    const next = naive.apply(state, span);
    if (next === null) return `${told} is not legal at ${process}`;
    state = next.state;
    if (order.slice(i + 1).some((other) => other.completedAt < invokedAt)) return `${told} is not that of real time`;
  }
  for (const [process, span] of spanOf) {
    if (span.must && !processes.includes(process)) return `${told} lacks ${process}`;
  }
  return null;
}

/** The streaming checker says at each event what brute force says of the history up to there. */
function agreeStreaming(model: string, events: readonly HistoryEvent[], reads: number): void {
  const checker = new LinearizabilityChecker(model);
  for (let i = 0; i < reads; i++) {
    const begun = { index: i, process: 1000 + i, type: 'invoke', f: 'read', key: '', value: null, time: 0 } as const;
    expect(checker.add(begun)).toBeNull();
  }
  let open = true;
  for (const [i, event] of events.entries()) {
    const violation = checker.add({ ...event, index: event.index + reads });
    const prefix = events.slice(0, i + 1);
    if (open) open = explained(prefix, naiveOf(model));
    if ((violation === null) !== open) expect.fail(`${model}: wrong at event ${i}\n${formatHistory(events)}`);
    if (violation === null) continue;
    expect(violation.prefixLength).toBe(reads + i + 1);
    expect(checker.verdict().violation).toBe(violation);
    return;
  }
  expect(checker.verdict().result).not.toBe('invalid');
}

function picked(model: string, codes: readonly number[]): Kind[] {
  const kinds = KINDS[model] as readonly Kind[];
  return codes.map((code) => kinds[code % kinds.length] as Kind);
}

/** A shape from a list of numbers: each opens the next operation or ends one that is open. */
function shapeOf(count: number, choices: readonly number[]): number[] {
  const shape: number[] = [];
  const open: number[] = [];
  let begun = 0;
  for (let i = 0; shape.length < 2 * count; i++) {
    const choice = choices[i % choices.length] as number;
    if (begun < count && (open.length === 0 || choice % 5 < 3)) {
      open.push(begun);
      shape.push(begun++);
    } else {
      shape.push(...open.splice(Math.floor(choice / 5) % open.length, 1));
    }
  }
  return shape;
}

const randomHistory = (model: string, most: number): fc.Arbitrary<HistoryEvent[]> =>
  fc
    .integer({ min: 3, max: most })
    .chain((count) =>
      fc.tuple(
        fc.array(fc.nat(1000), { minLength: count, maxLength: count }),
        fc.array(fc.nat(1000), { minLength: 2 * count, maxLength: 2 * count }),
      ),
    )
    .map(([codes, choices]) => historyOf(shapeOf(codes.length, choices), picked(model, codes)));

describe.each(MODELS)('L1: %s', (model) => {
  test('D6: the verdict, its prefix and its order are right on every history of up to three operations', () => {
    const seen = { valid: 0, invalid: 0, unknown: 0 };
    const kinds = (KINDS[model] as readonly Kind[]).length;
    for (const count of [1, 2, 3]) {
      for (const shape of shapes(count)) {
        for (let code = 0; code < kinds ** count; code++) {
          const codes = Array.from({ length: count }, (_, i) => Math.floor(code / kinds ** i) % kinds);
          agree(model, historyOf(shape, picked(model, codes)), seen);
        }
      }
    }
    expect(seen.valid).toBeGreaterThan(500);
    expect(seen.invalid).toBeGreaterThan(500);
  });

  test('the verdict is that of brute force on random histories of up to seven operations', () => {
    const seen = { valid: 0, invalid: 0, unknown: 0 };
    fc.assert(
      fc.property(randomHistory(model, 7), (events) => agree(model, events, seen)),
      { seed: 7, numRuns: RANDOM_RUNS },
    );
    expect(seen.invalid).toBeGreaterThan(RANDOM_RUNS / 20);
    expect(seen.valid).toBeGreaterThan(RANDOM_RUNS / 20);
  });

  test('L6: the streaming checker is right after every event of random histories', () => {
    fc.assert(
      fc.property(randomHistory(model, 6), fc.boolean(), (events, crowded) => {
        // Reads that never return take places: with 40 of them the others need a second word of bits.
        agreeStreaming(model, events, crowded && 'read' in modelNamed(model).functions ? 40 : 0);
      }),
      { seed: 11, numRuns: RANDOM_RUNS },
    );
  });

  test('L3: what clients of a right object saw is valid, at once and event by event', () => {
    // Logs and queues remember every order, so that many clients at once take many states.
    const mayGiveUp = model === 'queue' || model === 'append-log';
    const clients = model === 'queue' ? 2 : model === 'append-log' ? 4 : 7;
    for (let seed = 0; seed < CLIENT_RUNS; seed++) {
      const events = clientsOf(
        naiveOf(model),
        KINDS[model] as readonly Kind[],
        picker(seed),
        model === 'queue' ? 25 : 60,
        clients,
      );
      const verdict = checkLinearizable(events, { model });
      if (verdict.result === 'unknown' && CAMPAIGN > 0 && mayGiveUp) continue;
      if (verdict.result !== 'valid')
        expect.fail(`seed ${seed}: ${verdict.reason ?? verdict.violation?.sentence}\n${formatHistory(events)}`);
      const checker = new LinearizabilityChecker(model);
      for (const event of events) {
        if (checker.add(event) !== null) expect.fail(`seed ${seed}: wrong at ${event.index}\n${formatHistory(events)}`);
      }
      expect(checker.verdict().result, `seed ${seed}`).toBeOneOf(mayGiveUp ? ['valid', 'unknown'] : ['valid']);
      expect(checker.verdict().operations).toEqual(verdict.operations);
    }
  });

  test('L3: an altered answer is found by both, or by neither', () => {
    let found = 0;
    for (let seed = 0; seed < CLIENT_RUNS; seed++) {
      const pick = picker(seed);
      const events = clientsOf(naiveOf(model), KINDS[model] as readonly Kind[], pick, 40, model === 'queue' ? 2 : 4);
      const answers = events.filter((event) => event.type === 'ok' && (event.f === 'read' || event.f === 'dequeue'));
      const [victim, other] = [answers[pick(answers.length)], answers[pick(answers.length)]];
      // A lock answers nothing: there, a refusal that was none.
      const altered = events.map((event): HistoryEvent => {
        if (answers.length > 0) return event === victim ? { ...event, value: other?.value } : event;
        return event.type === 'fail' ? { ...event, type: 'ok' } : event;
      });
      const verdict = checkLinearizable(altered, { model });
      const checker = new LinearizabilityChecker(model);
      for (const event of altered) checker.add(event);
      const streamed = checker.verdict().result;
      // Not knowing what will be read or dequeued, the stream gives up on these sooner.
      if (streamed === 'unknown' && (model === 'queue' || model === 'append-log')) continue;
      if (streamed !== verdict.result)
        expect.fail(`seed ${seed}: ${streamed} as it came, else ${verdict.result}\n${formatHistory(altered)}`);
      if (verdict.violation !== undefined) {
        found++;
        const complaint = complaintOfOrder(verdict.violation, altered, naiveOf(model));
        if (complaint !== null) expect.fail(`seed ${seed}: ${complaint}\n${formatHistory(altered)}`);
      }
    }
    expect(found).toBeGreaterThan(0);
  });
});
