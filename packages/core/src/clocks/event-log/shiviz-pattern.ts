/**
 * The patterns of ShiViz (Beschastnikh, Wang, Brun, Ernst: "Debugging Distributed Systems", 2016): a log is read by a
 * regular expression with the groups `host`, `clock` and `event`, its traces parted by another one. A log file may open
 * with the two, a line each.
 */
import { PolderError } from '../../base/error.ts';

/** ShiViz's own: the event, and below it the process and its clock. */
export const DEFAULT_PARSER = '(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})';
/** What GoVector writes. */
export const HOST_FIRST_PARSER = '(?<host>\\S*) (?<clock>{.*})\\n(?<event>.*)';
/** What Polder writes: also what kind of event it is, and the key, percent-encoded, or `-`. */
export const POLDER_PARSER = '(?<host>\\S*) (?<clock>{.*}) (?<kind>\\S*) (?<key>\\S*)\\n(?<event>.*)';
export const POLDER_DELIMITER = '^=== (?<trace>.*) ===$';

export interface ShiVizPatterns {
  readonly parser: string;
  /** null: the file is one trace. */
  readonly delimiter: string | null;
}

/** The patterns in force, and where the log itself begins. */
export interface ShiVizHeader extends ShiVizPatterns {
  readonly bodyStart: number;
}

/**
 * Patterns that are given come first, then those of the file's first two lines (the first empty: the default one), and
 * without either the order of process and event is taken from the first line.
 */
export function headerOf(text: string, given: Partial<ShiVizPatterns>): ShiVizHeader {
  const [first = '', second = ''] = text.split('\n', 2);
  const hasParser = ['host', 'clock', 'event'].every((group) => first.includes(`(?<${group}>`));
  if (hasParser || first.trim() === '') {
    const bodyStart = Math.min(text.length, first.length + second.length + 2);
    const delimiter = second.trim() === '' ? null : second.trim();
    const parser = hasParser ? first.trim() : DEFAULT_PARSER;
    return { parser: given.parser ?? parser, delimiter: given.delimiter ?? delimiter, bodyStart };
  }
  const guessed = /^\S* \{.*\}$/.test(first) ? HOST_FIRST_PARSER : DEFAULT_PARSER;
  return { parser: given.parser ?? guessed, delimiter: given.delimiter ?? null, bodyStart: 0 };
}

/** As ShiViz compiles it, with `^` and `$` at every line. Throws `MalformedPattern`. */
export function compile(pattern: string, groups: readonly string[], flags = ''): RegExp {
  const missing = groups.find((group) => !pattern.includes(`(?<${group}>`));
  if (missing !== undefined) {
    throw new PolderError('MalformedPattern', `the pattern ${pattern} has no group (?<${missing}>…): add it`);
  }
  try {
    return new RegExp(pattern, `gm${flags}`);
  } catch (cause) {
    throw new PolderError('MalformedPattern', `${pattern} is no regular expression: correct it`, { cause });
  }
}
