/** An event is one line of a log: what would end the line, or part two traces, is written as an escape. */

const ESCAPES: readonly (readonly [string, string])[] = [
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\u2028', '\\u2028'],
  ['\u2029', '\\u2029'],
];
const TO_ESCAPE = /[\\\n\r\u2028\u2029]/g;
const ESCAPED = /\\(?:\\|n|r|=|u2028|u2029)/g;
const escapeOf = new Map(ESCAPES);
const unescaped = new Map([...ESCAPES.map(([plain, escape]) => [escape, plain] as const), ['\\=', '='] as const]);

export function escapeText(text: string): string {
  const escaped = text.replace(TO_ESCAPE, (found) => escapeOf.get(found) ?? found);
  return escaped.startsWith('=') ? `\\${escaped}` : escaped;
}

export function unescapeText(text: string): string {
  return text.includes('\\') ? text.replace(ESCAPED, (found) => unescaped.get(found) ?? found) : text;
}

/** For readers that know no escapes: white space instead. */
export function plainText(text: string): string {
  const line = text.replace(/[\n\r\u2028\u2029]+/g, ' ');
  return line.startsWith('=') ? ` ${line}` : line;
}
