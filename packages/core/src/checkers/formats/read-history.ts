import { PolderError } from '../../base/error.ts';
import { parseEdnHistory } from './edn-history.ts';
import { parseJepsenLog } from './jepsen-log.ts';
import { parseJsonLines } from './json-lines.ts';
import type { RecordedHistory } from './recorded.ts';

/** `jsonl`: Polder's own JSON lines; `log`: Jepsen's log; `edn`: a history of Jepsen or Knossos. */
export const FORMATS = ['jsonl', 'log', 'edn'] as const;
export type HistoryFormat = (typeof FORMATS)[number];

/** Reads a history in any format, by its content unless named. Throws `MalformedHistory` and `UnknownFormat`. */
export function readHistory(text: string, format: string = formatOf(text)): RecordedHistory {
  switch (format) {
    case 'jsonl':
      return parseJsonLines(text);
    case 'log':
      return parseJepsenLog(text);
    case 'edn':
      return parseEdnHistory(text);
    default:
      throw new PolderError('UnknownFormat', `there is no format "${format}": use one of ${FORMATS.join(', ')}`);
  }
}

/** By the first characters that mean something; what looks like nothing known is read as JSON lines. */
export function formatOf(text: string): HistoryFormat {
  const start = text.slice(0, 100_000).replace(/^(?:\s|,|;[^\n]*\n)+/, '');
  if (/^(?:[[(#]|\{\s*:)/.test(start)) return 'edn';
  if (start.startsWith('{') || start === '') return 'jsonl';
  return /^[^\n]*\bjepsen\.util\b/m.test(text) || /^[^\n]*\t:(?:invoke|ok|fail|info)\b/m.test(text) ? 'log' : 'jsonl';
}
