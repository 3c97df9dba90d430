/** Operations, values and times in a person's words, safe to print: no control characters, no text that runs backwards. */
import { canonical } from '../history.ts';
import type { DrawnOperation } from './history-drawing.ts';

const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu;
const NOT_ASCII = /[^\x20-\x7e]/gu;
const COMBINING = /\p{M}/u;
/** What a terminal draws two columns wide: East Asian scripts and pictographs (Unicode Standard Annex 11). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
/** A text that cannot be taken for a number, null or the words around it. */
const BARE = /^[\p{L}_][\p{L}\p{M}\p{N}_./:#@-]*$/u;
const RESERVED = ['null', 'true', 'false', 'nothing', 'failed', 'unknown'];

const LONGEST_NAME_COLUMNS = 18;

export interface Words {
  /** `read x → 2` */
  readonly deed: string;
  /** `failed`, `? unknown` or nothing. */
  readonly ending: string;
}

export function wordsOf(operation: DrawnOperation, shortened = true): Words {
  const name = (value: unknown): string => {
    const text = nameOf(value);
    return shortened ? cut(text, LONGEST_NAME_COLUMNS) : text;
  };
  const { f, key, outcome, value } = operation;
  const ending = outcome === 'ok' ? '' : outcome === 'fail' ? 'failed' : '? unknown';
  const start = `${printable(f)} ${name(key)}`;
  if (f === 'cas' && Array.isArray(value) && value.length === 2) {
    return { deed: `${start} ${name(value[0])}→${name(value[1])}`, ending };
  }
  // Only a read that was answered has a value of its own: what it saw.
  if (f === 'read') return { deed: outcome === 'ok' ? `${start} → ${name(value)}` : start, ending };
  return { deed: value === null || value === undefined ? start : `${start} ${name(value)}`, ending };
}

/** The whole sentence, for titles and lists. */
export function sentenceOf(operation: DrawnOperation): string {
  const { deed, ending } = wordsOf(operation, false);
  return ending === '' ? deed : `${deed} ${ending}`;
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string' && BARE.test(value) && !RESERVED.includes(value)) return value;
  return printable(canonical(value));
}

/** One line, every character of which shows: others are written as `\u{202e}`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

export function ascii(text: string): string {
  const plain = text
    .replaceAll('→', '->')
    .replaceAll('…', '~')
    .replaceAll('µ', 'u')
    .replaceAll('–', '-')
    .replaceAll('⋮', ':');
  return plain.replace(NOT_ASCII, escaped);
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += COMBINING.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return columns;
}

export function cut(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let kept = '';
  let used = 1;
  for (const character of text) {
    used += columnsOf(character);
    if (used > columns) break;
    kept += character;
  }
  return `${kept}…`;
}

export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}

/** Lines of at most `columns`; a word that is longer is cut. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const whole of text.split(' ')) {
    const word = cut(whole, columns);
    if (line !== '' && columnsOf(line) + 1 + columnsOf(word) > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return line === '' ? lines : [...lines, line];
}

export function durationWords(us: number): string {
  if (us === 0) return '0';
  if (Math.abs(us) < 1_000) return `${us} µs`;
  if (Math.abs(us) < 1_000_000) return `${trimmed(us / 1_000, 1)} ms`;
  return `${trimmed(us / 1_000_000, 2)} s`;
}

function trimmed(value: number, digits: number): string {
  return value.toFixed(digits).replace(/\.0+$/, '');
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
