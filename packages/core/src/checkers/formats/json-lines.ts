import { checkEvent, type HistoryEvent, malformed } from '../history.ts';
import { type RecordedHistory, recorded } from './recorded.ts';

/** Reads JSON lines; throws `MalformedHistory` with the line and what to do. Empty lines are allowed. */
export function parseHistory(jsonl: string): HistoryEvent[] {
  return parseJsonLines(jsonl).events;
}

/** One event a line; a missing key means the one object '', a missing index or time the place in the file. */
export function parseJsonLines(text: string): RecordedHistory {
  const events: HistoryEvent[] = [];
  const lines: number[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    let parsed: unknown;
    try {
      parsed = JSON.parse(line);
    } catch (cause) {
      const advice = 'is not JSON: if the writer was killed in mid-line, remove the line; else write one object a line';
      throw malformed(`line ${i + 1}`, advice, cause);
    }
    events.push(checkEvent(completed(parsed, events.at(-1)), i, (at) => `line ${at + 1}`));
    lines.push(i + 1);
  }
  return recorded(events, lines);
}

function completed(parsed: unknown, before: HistoryEvent | undefined): unknown {
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return parsed;
  const { index, process, type, f, key, value, time } = parsed as Record<string, unknown>;
  const place = before === undefined ? 0 : before.index + 1;
  return { index: index ?? place, process, type, f, key: key ?? '', value, time: time === undefined ? place : time };
}
