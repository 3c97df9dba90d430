import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

/** Data goes to stdout, progress to stderr, so that a pipe sees data only. */
export interface Terminal {
  data(text: string): void;
  bytes(bytes: Uint8Array): void;
  progress(text: string): void;
  /** Colour, unless NO_COLOR is set or stderr is not a terminal. */
  style(style: Style, text: string): string;
}

export function processTerminal(): Terminal {
  // https://no-color.org: set and not empty means no colour.
  const plain = (process.env['NO_COLOR'] ?? '') !== '' || process.stderr.isTTY !== true;
  return {
    data: (text) => void process.stdout.write(`${text}\n`),
    bytes: (bytes) => void process.stdout.write(bytes),
    progress: (text) => void process.stderr.write(`${text}\n`),
    style: (style, text) => (plain ? text : styleText(style, text, { validateStream: false })),
  };
}

/** Columns as wide as their widest cell, two spaces apart. */
export function formatTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(heads), ...rows.map(line)].join('\n');
}
