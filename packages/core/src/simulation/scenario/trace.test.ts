import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatTrace, parseTrace, type Trace } from './trace.ts';

const TRACE: Trace = {
  polder: 'trace',
  version: 1,
  scenario: 'mine',
  seed: 1,
  members: 3,
  troubleUs: 1_000,
  violation: null,
  hashes: [],
  script: [{ atUs: 5, do: 'fault', fault: { type: 'heal' } }],
  frames: [],
};

const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as null);
const member = fc.integer({ min: 1, max: 31 });
const atUs = fc.nat(10_000_000);
const step = fc.oneof(
  fc.record({
    atUs,
    do: fc.constant('operation' as const),
    operation: fc.record({
      client: fc.nat(9),
      member,
      timeoutUs: fc.nat(),
      f: fc.string(),
      key: fc.string(),
      value: json,
    }),
  }),
  fc.record({
    atUs,
    do: fc.constant('fault' as const),
    fault: fc.oneof(
      fc.record({ type: fc.constant('crash' as const), member, power: fc.boolean() }),
      fc.record({ type: fc.constant('pause' as const), member }),
      fc.record({
        type: fc.constant('partition' as const),
        shape: fc.constant('one-way' as const),
        links: fc.array(fc.tuple(member, member)),
      }),
    ),
  }),
);
const frame = fc.record({ from: member, to: member, kind: fc.string(), nth: fc.nat(), delaysUs: fc.array(fc.nat()) });
const violation = fc.record({ rule: fc.string(), sentence: fc.string(), atUs });
const trace: fc.Arbitrary<Trace> = fc.record({
  polder: fc.constant('trace' as const),
  version: fc.constant(1 as const),
  scenario: fc.string(),
  seed: fc.nat(),
  members: member,
  troubleUs: atUs,
  violation: fc.option(violation),
  hashes: fc.array(fc.nat()),
  script: fc.array(step),
  frames: fc.array(frame),
});

describe('a trace', () => {
  it('is the same after it was written and read', () => {
    fc.assert(
      fc.property(trace, (each) => {
        expect(parseTrace(formatTrace(each))).toEqual(each);
      }),
    );
  });

  it('is JSON with a line for each step and each frame, so that people can read and cut it', () => {
    const lost = { from: 1, to: 2, kind: 'ping', nth: 3, delaysUs: [] };
    const lines = formatTrace({ ...TRACE, frames: [lost, { ...lost, nth: 4 }] }).split('\n');
    expect(lines).toContain('    {"atUs":5,"do":"fault","fault":{"type":"heal"}}');
    expect(lines).toContain('    {"from":1,"to":2,"kind":"ping","nth":3,"delaysUs":[]},');
  });

  it.each([
    ['{"polder"', 'is not JSON'],
    ['7', 'is not an object'],
    ['null', 'is not an object'],
    [JSON.stringify({ ...TRACE, polder: 'history' }), 'does not say "polder": "trace"'],
    [JSON.stringify({ ...TRACE, version: 2 }), 'is of version 2, not 1'],
    [JSON.stringify({ ...TRACE, seed: undefined }), 'has no seed'],
    [JSON.stringify({ ...TRACE, members: 'three' }), 'has no members'],
    [JSON.stringify({ ...TRACE, troubleUs: 1.5 }), 'has no troubleUs'],
    [JSON.stringify({ ...TRACE, script: {} }), 'has no list of script'],
    [JSON.stringify({ ...TRACE, frames: null }), 'has no list of frames'],
    [JSON.stringify({ ...TRACE, hashes: undefined }), 'has no list of hashes'],
    [JSON.stringify({ ...TRACE, script: [...TRACE.script, { atUs: 1, do: 'nothing' }] }), 'in step 1 of its script'],
    [JSON.stringify({ ...TRACE, script: [{ atUs: 1, do: 'fault' }] }), 'in step 0 of its script'],
    [JSON.stringify({ ...TRACE, script: [{ ...TRACE.script[0], atUs: 'soon' }] }), 'in step 0 of its script'],
  ])('that is %s is refused with what is wrong', (text, said) => {
    const message = expect.stringMatching(new RegExp(`${said}.*: give a file that`));
    expect(() => parseTrace(text)).toThrow(expect.objectContaining({ code: 'MalformedTrace', message }));
  });
});
