/**
 * How a clock travels with a request or a message. The compact form is `id:count|id:count`, ids percent-encoded, ids
 * ascending; it is the value of the header `polder-clock`, and of a member of that name in W3C Baggage.
 */
import { PolderError } from '../../base/error.ts';
import { MAX_CLOCK_MEMBERS, VectorClock } from '../vector-clock.ts';

export const CLOCK_HEADER = 'polder-clock';
export const BAGGAGE_HEADER = 'baggage';
/** What W3C Baggage §3.3.2 demands that everyone carries, and half of what Node's HTTP server accepts. */
export const MAX_CLOCK_HEADER_LENGTH = 8192;

/** Header names in lower case, as Node and the Fetch standard give them. */
export type ClockHeaders = Readonly<Record<string, string | readonly string[] | number | undefined>>;
export type Propagation = 'header' | 'baggage';

/** Sets the header in place; other members of a baggage stay. Throws `ClockLimit` when the clock does not fit. */
export function injectClock(clock: VectorClock, headers: Record<string, unknown>, how: Propagation = 'header'): void {
  if (how === 'header') {
    headers[CLOCK_HEADER] = formatClockHeader(clock);
    return;
  }
  const before = textOf(headers[BAGGAGE_HEADER]) ?? '';
  const others = before.split(',').filter((member) => member.trim() !== '' && nameOf(member) !== CLOCK_HEADER);
  const baggage = [
    ...others.map((member) => member.trim()),
    `${CLOCK_HEADER}=${encodeBaggage(formatClockHeader(clock))}`,
  ].join(',');
  if (baggage.length > MAX_CLOCK_HEADER_LENGTH) throw tooLong(baggage.length);
  headers[BAGGAGE_HEADER] = baggage;
}

/** null: none travels with it. Throws `MalformedClock`, `ClockLimit` or `InvalidMemberId` for one that cannot be read. */
export function extractClock(headers: ClockHeaders): VectorClock | null {
  const header = textOf(headers[CLOCK_HEADER]);
  if (header !== null) return parseClockHeader(header);
  const baggage = textOf(headers[BAGGAGE_HEADER]);
  if (baggage === null) return null;
  if (baggage.length > MAX_CLOCK_HEADER_LENGTH) throw tooLong(baggage.length);
  for (const member of baggage.split(',')) {
    if (nameOf(member) !== CLOCK_HEADER) continue;
    const value = (member.split(';')[0] as string).slice(member.indexOf('=') + 1).trim();
    return parseClockHeader(decode(value));
  }
  return null;
}

/** Throws `ClockLimit` when it is longer than a header may be. */
export function formatClockHeader(clock: VectorClock): string {
  const text = clock
    .entries()
    .map(([id, count]) => `${encodeURIComponent(id)}:${count}`)
    .join('|');
  if (text.length > MAX_CLOCK_HEADER_LENGTH) throw tooLong(text.length);
  return text;
}

/** Throws `MalformedClock`, `ClockLimit` or `InvalidMemberId`. */
export function parseClockHeader(text: string): VectorClock {
  if (text.length > MAX_CLOCK_HEADER_LENGTH) throw tooLong(text.length);
  if (text === '') return VectorClock.empty;
  const parts = text.split('|', MAX_CLOCK_MEMBERS + 1);
  return VectorClock.from(
    parts.map((part) => {
      const match = /^([^:]+):(\d{1,16})$/.exec(part);
      if (match === null) throw malformed(part);
      return [decode(match[1] as string), Number(match[2])] as const;
    }),
  );
}

/** A baggage value is percent-encoded once more where it is not a baggage-octet; a relay may decode and encode it. */
function encodeBaggage(text: string): string {
  return text.replaceAll('%', '%25');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed(text);
  }
}

function nameOf(member: string): string {
  return (member.split('=')[0] as string).trim();
}

/** A repeated header is one list (RFC 9110 §5.3). */
function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return Array.isArray(value) && value.every((each) => typeof each === 'string') ? value.join(',') : null;
}

function malformed(part: string): PolderError {
  const shown = JSON.stringify(part.slice(0, 40));
  return new PolderError(
    'MalformedClock',
    `${shown} is no "id:count" of a clock in a header: ignore it and tell its sender`,
  );
}

function tooLong(length: number): PolderError {
  const message = `a clock of ${length} characters does not fit a header of ${MAX_CLOCK_HEADER_LENGTH}: retire old members`;
  return new PolderError('ClockLimit', message);
}
