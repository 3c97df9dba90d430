import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PolderError } from '../../base/error.ts';
import { VectorClock } from '../vector-clock.ts';
import {
  extractClock,
  formatClockHeader,
  injectClock,
  MAX_CLOCK_HEADER_LENGTH,
  parseClockHeader,
} from './propagation.ts';

const clock = fc
  .uniqueArray(
    fc.tuple(fc.constantFrom('a', '__proto__', 'x y', 'ü', ':', '|', '%', ',;=', '10', '"\\'), fc.maxSafeNat()),
    {
      selector: ([id]) => id,
    },
  )
  .map((entries) => VectorClock.from(entries));

function codeOf(action: () => unknown): string {
  try {
    action();
    return 'nothing thrown';
  } catch (error) {
    expect(error).toBeInstanceOf(PolderError);
    return (error as PolderError).code;
  }
}

test('PR1: a clock that is injected is extracted again, as a header and as baggage', () => {
  fc.assert(
    fc.property(clock, fc.constantFrom('header' as const, 'baggage' as const), (sent, how) => {
      const headers: Record<string, string> = {};
      injectClock(sent, headers, how);
      expect(extractClock(headers)?.toString()).toBe(sent.toString());
      // RFC 9110 §5.5 and W3C Baggage §3.3.1: these characters, and no others, are safe in both.
      for (const value of Object.values(headers))
        expect(value).toMatch(/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/);
    }),
  );
});

test('PR2: the compact form is short enough to read', () => {
  const sent = VectorClock.from([
    ['b', 12],
    ['a b', 3],
  ]);
  expect(formatClockHeader(sent)).toBe('a%20b:3|b:12');
  const headers: Record<string, string> = {};
  injectClock(sent, headers);
  expect(headers).toEqual({ 'polder-clock': 'a%20b:3|b:12' });
});

test('PR3: other members of a baggage stay, and an older clock in it is replaced', () => {
  const headers = { baggage: 'userId=alice;ttl=3, polder-clock=a:1 ,serverNode=DF%2028' };
  injectClock(VectorClock.from([['a', 2]]), headers, 'baggage');
  expect(headers.baggage).toBe('userId=alice;ttl=3,serverNode=DF%2028,polder-clock=a:2');
  expect(extractClock(headers)?.toString()).toBe('{"a":2}');
});

test('PR4: a relay may decode and encode baggage as it likes, and add properties', () => {
  fc.assert(
    fc.property(clock, (sent) => {
      const headers: Record<string, string> = {};
      injectClock(sent, headers, 'baggage');
      const value = (headers['baggage'] as string).slice('polder-clock='.length);
      const relayed = { baggage: `x=1, polder-clock = ${encodeURIComponent(decodeURIComponent(value))};hop=2,y=2` };
      expect(extractClock(relayed)?.toString()).toBe(sent.toString());
    }),
  );
});

test('PR5: no clock is null, an empty one is a clock, and a list of headers is one header', () => {
  expect(extractClock({})).toBeNull();
  expect(extractClock({ baggage: 'a=b', 'content-length': 5 })).toBeNull();
  expect(extractClock({ 'polder-clock': '' })?.size).toBe(0);
  expect(extractClock({ baggage: ['a=b', 'polder-clock=a:1'] })?.toString()).toBe('{"a":1}');
  expect(extractClock({ 'polder-clock': 'a:1', baggage: 'polder-clock=a:9' })?.toString()).toBe('{"a":1}');
});

test('PR6: a hostile header is refused with a code and never read as something else', () => {
  for (const hostile of [
    'a',
    'a:',
    ':1',
    'a:1|',
    'a:-1',
    'a:1.5',
    'a:1e3',
    'a:99999999999999999',
    'a:1|a:2',
    '%:1',
    '%ff:1',
    'a:1,b:2',
    'a:1 ',
  ]) {
    expect(
      codeOf(() => parseClockHeader(hostile)),
      hostile,
    ).toBe('MalformedClock');
    expect(
      codeOf(() => extractClock({ 'polder-clock': hostile })),
      hostile,
    ).toBe('MalformedClock');
  }
  expect(codeOf(() => parseClockHeader(`${'x'.repeat(256)}:1`))).toBe('InvalidMemberId');
  expect(codeOf(() => parseClockHeader('a:1|'.repeat(3000)))).toBe('ClockLimit');
  expect(codeOf(() => parseClockHeader(Array.from({ length: 1025 }, (_, i) => `${i}:1`).join('|')))).toBe('ClockLimit');
  expect(codeOf(() => extractClock({ baggage: `polder-clock=a:1,${'x'.repeat(MAX_CLOCK_HEADER_LENGTH)}` }))).toBe(
    'ClockLimit',
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), (hostile) => {
      const codes = ['nothing thrown', 'MalformedClock', 'ClockLimit', 'InvalidMemberId'];
      expect(codes).toContain(codeOf(() => extractClock({ 'polder-clock': hostile })));
      expect(codes).toContain(codeOf(() => extractClock({ baggage: `polder-clock=${hostile}` })));
    }),
  );
});

test('PR7: a clock that does not fit a header is refused, not cut', () => {
  const large = VectorClock.from(Array.from({ length: 900 }, (_, i) => [`member-${i}`, 1] as const));
  expect(codeOf(() => injectClock(large, {}))).toBe('ClockLimit');
  const full = { baggage: 'x='.padEnd(MAX_CLOCK_HEADER_LENGTH - 5, 'y') };
  expect(codeOf(() => injectClock(VectorClock.from([['a', 1]]), full, 'baggage'))).toBe('ClockLimit');
  expect(full.baggage.length).toBe(MAX_CLOCK_HEADER_LENGTH - 5);
});
