import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter, compareBytes, equalBytes, text, utf8 } from '../base/bytes.ts';
import { encodeKvRequest, type KvRequest, type KvResult, KvStateMachine } from './index.ts';

/** A version of a key in the naive model; a null value is a deletion. */
interface Write {
  key: string;
  revision: number;
  value: string | null;
}

/** Everything that ever happened, read from the start for every question. */
class Model {
  writes: Write[] = [];
  revision = 1;
  compacted = -1;

  at(revision: number): Map<string, { create: number; mod: number; version: number; value: string }> {
    const keys = new Map<string, { create: number; mod: number; version: number; value: string }>();
    for (const write of this.writes.filter((each) => each.revision <= revision)) {
      const old = keys.get(write.key);
      if (write.value === null) keys.delete(write.key);
      else {
        const create = old?.create ?? write.revision;
        keys.set(write.key, { create, mod: write.revision, version: (old?.version ?? 0) + 1, value: write.value });
      }
    }
    return keys;
  }

  inRange(key: string, end: string, revision: number): string[] {
    const keys = [...this.at(revision).keys()].filter((each) => {
      if (end === '') return each === key;
      return compareBytes(utf8(each), utf8(key)) >= 0 && (end === '\0' || compareBytes(utf8(each), utf8(end)) < 0);
    });
    return keys.sort((a, b) => compareBytes(utf8(a), utf8(b)));
  }
}

type Step =
  | { type: 'put'; key: string; value: string }
  | { type: 'delete'; key: string; end: string }
  | { type: 'txn'; key: string; other: string; value: string }
  | { type: 'compact'; back: number }
  | { type: 'range'; key: string; end: string; back: number; limit: number; descend: boolean }
  | { type: 'reload' };

const keys = fc.constantFrom('a', 'a\0', 'a\0b', 'ab', 'b', 'ba', 'c', '\0', '\u{7f}', 'é');
const ends = fc.oneof(keys, fc.constantFrom('', '\0'));
const back = fc.integer({ min: -1, max: 12 });
const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('put' as const), key: keys, value: fc.string({ maxLength: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), key: keys, end: ends }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('txn' as const),
      key: keys,
      other: keys,
      value: fc.string({ maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('compact' as const), back }) },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('range' as const),
      key: keys,
      end: ends,
      back,
      limit: fc.integer({ min: 0, max: 4 }),
      descend: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reload' as const) }) },
);

class Subject {
  machine = new KvStateMachine();
  #sequence = 0;

  apply(request: KvRequest): KvResult {
    const index = this.machine.appliedIndex() + 1;
    const origin = { member: 1, boot: 1, sequence: ++this.#sequence, acknowledgedThrough: 0 };
    const result = this.machine.apply({ term: 1, index, origin, command: encodeKvRequest(request) });
    if (result === null) throw new Error('a fresh proposal was not executed');
    return result;
  }

  reload(): void {
    const writer = new ByteWriter();
    this.machine.save(writer);
    const copy = new KvStateMachine();
    const reader = new ByteReader(writer.finish());
    copy.load(reader);
    reader.end();
    const again = new ByteWriter();
    copy.save(again);
    expect(equalBytes(writer.finish(), again.finish())).toBe(true);
    expect(copy.sizeBytes()).toBe(this.machine.sizeBytes());
    this.machine = copy;
  }
}

function run(model: Model, subject: Subject, step: Step): void {
  switch (step.type) {
    case 'put':
      model.writes.push({ key: step.key, revision: ++model.revision, value: step.value });
      subject.apply({ type: 'put', key: utf8(step.key), value: utf8(step.value) });
      break;
    case 'delete': {
      const dead = model.inRange(step.key, step.end, model.revision);
      if (dead.length > 0) model.revision++;
      for (const key of dead) model.writes.push({ key, revision: model.revision, value: null });
      const result = subject.apply({ type: 'deleteRange', key: utf8(step.key), rangeEnd: utf8(step.end) });
      expect(result).toMatchObject({ response: { deleted: dead.length, header: { revision: model.revision } } });
      break;
    }
    case 'txn': {
      if (step.key === step.other) break;
      const exists = model.at(model.revision).has(step.key);
      if (exists || model.at(model.revision).has(step.other)) model.revision++;
      if (exists) model.writes.push({ key: step.key, revision: model.revision, value: null });
      if (exists) model.writes.push({ key: step.other, revision: model.revision, value: step.value });
      else if (model.at(model.revision).has(step.other)) {
        model.writes.push({ key: step.other, revision: model.revision, value: null });
      }
      subject.apply({
        type: 'txn',
        compare: [{ key: utf8(step.key), target: 'create', result: 'greater', createRevision: 0 }],
        success: [
          { type: 'deleteRange', key: utf8(step.key) },
          { type: 'put', key: utf8(step.other), value: utf8(step.value) },
        ],
        failure: [{ type: 'deleteRange', key: utf8(step.other) }],
      });
      break;
    }
    case 'compact': {
      const revision = model.revision - step.back;
      const code = revision <= model.compacted ? 'compacted' : revision > model.revision ? 'futureRevision' : null;
      const result = subject.apply({ type: 'compact', revision });
      if (code === null) model.compacted = revision;
      expect(result.type === 'error' ? result.code : null).toBe(code);
      break;
    }
    case 'range':
      range(model, subject, step);
      break;
    case 'reload':
      subject.reload();
      break;
  }
  expect(subject.machine.revision()).toBe(model.revision);
  expect(subject.machine.keyCount()).toBe(model.at(model.revision).size);
}

function range(model: Model, subject: Subject, step: Extract<Step, { type: 'range' }>): void {
  const asked = model.revision - step.back;
  const revision = asked <= 0 ? model.revision : asked;
  const result = subject.machine.query({
    type: 'range',
    key: utf8(step.key),
    rangeEnd: utf8(step.end),
    revision: asked,
    limit: step.limit,
    sortOrder: step.descend ? 'descend' : 'none',
  });
  if (revision > model.revision) return expect(result).toEqual({ type: 'error', code: 'futureRevision' });
  if (revision < model.compacted) return expect(result).toEqual({ type: 'error', code: 'compacted' });
  if (result.type !== 'ok' || result.response.type !== 'range') throw new Error('a range answers with a range');
  const names = model.inRange(step.key, step.end, revision);
  if (step.descend) names.reverse();
  const shown = step.limit > 0 ? names.slice(0, step.limit) : names;
  expect(result.response.count).toBe(names.length);
  expect(result.response.more).toBe(shown.length < names.length);
  const state = model.at(revision);
  const seen = result.response.kvs.map((kv) => ({
    key: text(kv.key),
    create: kv.createRevision,
    mod: kv.modRevision,
    version: kv.version,
    value: text(kv.value),
  }));
  expect(seen).toEqual(shown.map((key) => ({ key, ...state.get(key) })));
}

describe('the store against a naive model of all versions', () => {
  test('K1 K4 K5: any operations, ranges at old revisions, compactions and reloads answer as the model', () => {
    fc.assert(
      fc.property(fc.array(steps, { minLength: 1, maxLength: 60, size: 'max' }), (list) => {
        const model = new Model();
        const subject = new Subject();
        for (const step of list) run(model, subject, step);
      }),
      { numRuns: 300 },
    );
  });
});
