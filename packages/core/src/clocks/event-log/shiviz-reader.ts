import { PolderError } from '../../base/error.ts';
import { ClockScanner } from './clock-scanner.ts';
import type { EventId, EventKind } from './event.ts';
import { type EventLogResult, logOf } from './event-log.ts';
import { EventTable, MAX_COUNT } from './event-table.ts';
import {
  compile,
  DEFAULT_PARSER,
  HOST_FIRST_PARSER,
  headerOf,
  POLDER_PARSER,
  type ShiVizPatterns,
} from './shiviz-pattern.ts';
import { unescapeText } from './shiviz-text.ts';

/** One run of a system. A file holds several when it has a delimiter. */
export interface Trace {
  /** What the delimiter before it says; empty without one. */
  readonly label: string;
  readonly result: EventLogResult;
  /** Lines that are no part of an event; a clock that then seems to skip may stand there. */
  readonly skipped: { readonly count: number; readonly firstLine: number };
}

/**
 * Reads a ShiViz log. A malformed clock is a result; throws `MalformedPattern`, `NoEvents`, `InvalidMemberId` and
 * `EventLogLimit`. The pattern of a file runs as it is: do not read a file whose author you would not run code for
 * minutes for.
 */
export function readShiViz(text: string, given: Partial<ShiVizPatterns> = {}): Trace[] {
  const unified = text.includes('\r\n') ? text.replaceAll('\r\n', '\n') : text;
  const { parser, delimiter, bodyStart } = headerOf(unified, given);
  const traces: Trace[] = [];
  let line = 1 + newlines(unified, 0, bodyStart);
  let end = bodyStart;
  for (const section of sections(unified, bodyStart, delimiter)) {
    line += newlines(unified, end, section.start);
    end = section.start;
    const body = unified.slice(section.start, section.end);
    if (body.trim() !== '') traces.push(new TraceReader(parser, delimiter, line).read(body, section.label));
  }
  if (traces.length === 0) throw noEvents(parser, '');
  return traces;
}

interface Section {
  readonly label: string;
  readonly start: number;
  readonly end: number;
}

function sections(text: string, bodyStart: number, delimiter: string | null): Section[] {
  if (delimiter === null) return [{ label: '', start: bodyStart, end: text.length }];
  const found: Section[] = [];
  const pattern = compile(delimiter, []);
  pattern.lastIndex = bodyStart;
  let label = '';
  let start = bodyStart;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    if (match[0] === '')
      throw new PolderError('MalformedPattern', `the delimiter ${delimiter} matches nothing at all: correct it`);
    found.push({ label, start, end: match.index });
    label = match.groups?.['trace'] ?? '';
    start = pattern.lastIndex;
  }
  return [...found, { label, start, end: text.length }];
}

class TraceReader {
  readonly #table = new EventTable();
  readonly #scanner = new ClockScanner(this.#table);
  readonly #parser: string;
  readonly #delimiter: string | null;
  readonly #pattern: RegExp;
  /** Of the first character that was not looked at yet. */
  #line: number;
  #position = 0;
  #skippedCount = 0;
  #skippedLine = 0;

  constructor(parser: string, delimiter: string | null, line: number) {
    this.#parser = parser;
    this.#delimiter = delimiter;
    this.#line = line;
    const known = [DEFAULT_PARSER, HOST_FIRST_PARSER, POLDER_PARSER].includes(parser);
    // Where the groups stand is slow to ask for, and known of the known patterns.
    this.#pattern = compile(parser, ['host', 'clock', 'event'], known ? '' : 'd');
  }

  read(body: string, label: string): Trace {
    for (let match = this.#pattern.exec(body); match !== null; match = this.#pattern.exec(body)) {
      this.#skip(body, match.index);
      if (match[0] === '') this.#pattern.lastIndex++;
      else this.#add(body, match);
    }
    this.#skip(body, body.length);
    if (this.#table.size === 0) throw noEvents(this.#parser, label);
    const skipped = { count: this.#skippedCount, firstLine: this.#skippedLine };
    return { label, result: logOf(this.#table), skipped };
  }

  #add(body: string, match: RegExpExecArray): void {
    const groups = match.groups as Record<string, string | undefined>;
    const own = this.#parser === POLDER_PARSER;
    const clock = groups['clock'] ?? '';
    const end = match.index + match[0].length;
    const clockAt =
      match.indices?.groups?.['clock']?.[0] ?? (this.#parser === DEFAULT_PARSER ? end - clock.length : match.index);
    this.#advance(body, clockAt);
    const key = groups['key'] ?? null;
    const text = groups['event'] ?? '';
    const event = this.#table.append(
      this.#table.slotOf(groups['host'] ?? ''),
      kindOf(groups['kind']),
      own ? decodeKey(key) : key,
      own ? unescapeText(text) : text,
      this.#line,
    );
    this.#readClock(event, clock);
    this.#advance(body, end);
  }

  #readClock(event: EventId, json: string): void {
    if (this.#scanner.scan(event, json)) return;
    let counts: unknown;
    try {
      counts = JSON.parse(json);
    } catch {
      this.#table.defects.set(event, 'its clock is not JSON');
      return;
    }
    if (typeof counts !== 'object' || counts === null || Array.isArray(counts)) {
      this.#table.defects.set(event, 'its clock is not an object of counts');
      return;
    }
    for (const [process, count] of Object.entries(counts)) {
      if (Number.isInteger(count) && (count as number) >= 0 && (count as number) <= MAX_COUNT) {
        if (count !== 0) this.#table.setCount(event, this.#table.slotOf(process), count as number);
      } else {
        this.#table.defects.set(event, `it counts ${JSON.stringify(count)} events of ${JSON.stringify(process)}`);
      }
    }
  }

  /** What lies between two events is passed over, and counted unless it is blank. */
  #skip(body: string, to: number): void {
    const between = body.slice(this.#position, to);
    if (between.trim() !== '') {
      for (const [i, each] of between.split('\n').entries()) {
        // Logs of several processes are put together with `cat`: each brings the same header.
        if (['', this.#parser, this.#delimiter].includes(each.trim())) continue;
        if (this.#skippedCount === 0) this.#skippedLine = this.#line + i;
        this.#skippedCount++;
      }
    }
    this.#advance(body, to);
  }

  #advance(body: string, to: number): void {
    this.#line += newlines(body, this.#position, to);
    this.#position = to;
  }
}

function kindOf(text: string | undefined): EventKind | null {
  return text === 'local' || text === 'send' || text === 'receive' ? text : null;
}

function decodeKey(text: string | null): string | null {
  if (text === null || text === '-') return null;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function newlines(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', from); at >= 0 && at < to; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

function noEvents(parser: string, label: string): PolderError {
  const where = label === '' ? 'the log' : `the trace ${JSON.stringify(label)}`;
  return new PolderError(
    'NoEvents',
    `${where} has no event that ${parser} matches: give the pattern that its lines follow`,
  );
}
