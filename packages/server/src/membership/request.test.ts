import { describe, expect, it } from 'vitest';
import { parseMembershipCall } from './request.ts';

const parse = (request: unknown, rest: object = {}) => parseMembershipCall(JSON.stringify({ request, ...rest }));

describe('a request to change the membership', () => {
  it('is read whole, with a time-out of five seconds unless another is given', () => {
    const changes = [
      { type: 'promote', member: 4 },
      { type: 'remove', member: 2 },
    ];
    expect(parse({ type: 'change', changes })).toEqual({
      request: { type: 'change', changes, waits: false },
      timeoutMs: 5_000,
      forwarded: false,
    });
    expect(parse({ type: 'add', host: 'h', port: 1 }, { timeoutMs: 9, forwarded: true })).toEqual({
      request: { type: 'add', host: 'h', port: 1 },
      timeoutMs: 9,
      forwarded: true,
    });
    expect(parse({ type: 'transfer', to: 0 }).request).toEqual({ type: 'transfer', to: 0 });
  });

  it.each([
    ['no request', undefined],
    ['another type', { type: 'erase' }],
    ['no changes', { type: 'change', changes: [] }],
    ['too many changes', { type: 'change', changes: Array(32).fill({ type: 'remove', member: 1 }) }],
    ['a learner from nowhere', { type: 'change', changes: [{ type: 'addLearner', member: 1 }] }],
    ['a member by name', { type: 'change', changes: [{ type: 'remove', member: 'm1' }] }],
    ['a port that is none', { type: 'add', host: 'h', port: 65_536 }],
    ['no host', { type: 'readdress', member: 1, port: 1 }],
    ['a host as long as a page', { type: 'add', host: 'h'.repeat(256), port: 1 }],
    ['a transfer to nobody', { type: 'transfer', to: -1 }],
  ])('with %s is refused as a whole', (_, request) => {
    expect(() => parse(request)).toThrow(expect.objectContaining({ code: 'InvalidRequest' }));
  });

  it.each([0, -1, 60_001, '5'])('that would wait %s ms is refused', (timeoutMs) => {
    expect(() => parse({ type: 'transfer', to: 0 }, { timeoutMs })).toThrow('timeoutMs is from 1 to 60000');
  });
});
