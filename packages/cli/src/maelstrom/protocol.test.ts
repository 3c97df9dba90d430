import { expect, test } from 'vitest';
import { canonical, isDefinite, parseLine } from './protocol.ts';

test('a line is a message only if it has what the protocol asks for, and says what is missing', () => {
  const right = '{"src":"n1","dest":"n2","body":{"type":"hello","msg_id":1}}';
  expect(parseLine(right, 'n1')).toEqual({ type: 'message', message: JSON.parse(right) });
  for (const [line, problem] of [
    ['hello', 'is not JSON'],
    ['[1]', 'is not an object'],
    [right.replace('n1', 'n2'), 'has the src "n2"; expected its own id "n1"'],
    ['{"src":"n1","body":{"type":"a"}}', 'has no dest'],
    ['{"src":"n1","dest":"n2"}', 'has no body'],
    ['{"src":"n1","dest":"n2","body":{}}', 'a body without a type'],
    [right.replace('"msg_id":1', '"in_reply_to":"1"'), 'in_reply_to that is not an integer'],
  ] as const) {
    const parsed = parseLine(line, 'n1');
    expect(parsed.type === 'garbage' && parsed.problem, line).toContain(problem);
  }
});

test('only errors that say so are definite: not a timeout, a crash, or a code that nobody defined', () => {
  expect([1, 10, 11, 12, 14, 20, 21, 22, 30].filter((code) => !isDefinite(code))).toEqual([]);
  expect([0, 13, 2, 999, 1000, 4711].filter(isDefinite)).toEqual([]);
});

test('values are equal as JSON, whatever the order of their keys', () => {
  expect(canonical({ b: [1, { d: 1, c: null }], a: 'x' })).toBe(canonical({ a: 'x', b: [1, { c: null, d: 1 }] }));
  expect(canonical('1')).not.toBe(canonical(1));
});
