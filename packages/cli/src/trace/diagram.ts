import { writeFileSync } from 'node:fs';
import { spaceTimeSvg, spaceTimeText } from '@polder/core/clocks';
import type { Terminal } from '../terminal.ts';
import { readLog, type TraceOptions } from './trace-file.ts';

export interface DiagramOptions extends TraceOptions {
  readonly limit: number;
  readonly text?: boolean;
  readonly output?: string;
}

/**
 * At a terminal an SVG file, since nobody reads SVG on a screen; into a pipe, or when asked for, text. `--output` is
 * always SVG.
 */
export function traceDiagram(path: string, options: DiagramOptions, terminal: Terminal, toTerminal: boolean): void {
  const log = readLog(path, options);
  if (options.output === undefined && (options.text === true || !toTerminal)) {
    terminal.data(spaceTimeText(log, options.limit));
    return;
  }
  const output = options.output ?? `${path}.svg`;
  writeFileSync(output, spaceTimeSvg(log, options.limit));
  terminal.progress(`wrote ${output}; for text: --text`);
}
