import { expect, test } from 'vitest';
import { prefixEnd } from './kv.ts';
import { parseGroup, planPartition } from './links.ts';

test('a partition blocks each link between the groups at both its ends, and none inside a group', () => {
  const plan = planPartition([['a', 'b'], ['c']], false);
  const block = (peer: string) => ({ peer, direction: 'both', mode: 'block' });
  expect(plan.get('a')).toEqual([block('c')]);
  expect(plan.get('b')).toEqual([block('c')]);
  expect(plan.get('c')).toEqual([block('a'), block('b')]);
});

test('one way: what the earlier group sends is lost, what it receives is not', () => {
  const plan = planPartition([['a'], ['b']], true);
  expect(plan.get('a')).toEqual([{ peer: 'b', direction: 'out', mode: 'block' }]);
  expect(plan.get('b')).toEqual([{ peer: 'a', direction: 'in', mode: 'block' }]);
});

test('a member that is unknown, named twice, or in two groups is an error', () => {
  expect(() => parseGroup('a,x', ['a', 'b'])).toThrow('there is no member "x"; there are a, b');
  expect(() => parseGroup('a,a', ['a', 'b'])).toThrow('twice');
  expect(() => planPartition([['a'], ['a', 'b']], false)).toThrow('in two groups');
  expect(() => planPartition([['a']], false)).toThrow('at least two groups');
});

test('the end of a prefix is the first key after all that start with it', () => {
  expect([...prefixEnd(Uint8Array.of(1, 2))]).toEqual([1, 3]);
  expect([...prefixEnd(Uint8Array.of(1, 0xff))]).toEqual([2]);
  expect([...prefixEnd(Uint8Array.of(0xff))]).toEqual([0]);
});
