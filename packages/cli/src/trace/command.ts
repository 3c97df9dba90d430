import { type Command, InvalidArgumentError } from 'commander';
import type { ExitCode } from '../exit-code.ts';
import type { Terminal } from '../terminal.ts';
import { type DiagramOptions, traceDiagram } from './diagram.ts';
import { type QueryOptions, type Relation, traceChain, traceRelation } from './queries.ts';
import { traceSummary } from './summary.ts';
import type { TraceOptions } from './trace-file.ts';

const MAX_LISTED = 50_000;

export function addTrace(program: Command, terminal: Terminal, setExit: (code: ExitCode) => void): void {
  const trace = program
    .command('trace')
    .description('ask a log of events with vector clocks (ShiViz format) what could have caused what');
  fileCommand(trace, 'summary <file>')
    .description('processes, messages and races; the first malformed clock, with what it should be (exit code 1)')
    .option('--json', 'for programs')
    .action((path: string, options: TraceOptions & { json?: boolean }) => {
      const { text, exitCode } = traceSummary(path, options, options.json === true);
      terminal.data(text);
      setExit(exitCode);
    });
  const descriptions: Record<Relation, string> = {
    past: 'the events that could have caused an event, such as orders:3',
    future: 'the events that an event could have caused',
    concurrent: 'the events that an event neither caused nor was caused by',
  };
  for (const relation of ['past', 'future', 'concurrent'] as const) {
    fileCommand(trace, `${relation} <file> <event>`)
      .description(descriptions[relation])
      .option('--limit <n>', 'list at most so many; 0 only counts', upTo(0), 50)
      .option('--json', 'for programs')
      .action((path: string, event: string, options: QueryOptions) => {
        terminal.data(traceRelation(path, event, relation, options));
      });
  }
  fileCommand(trace, 'chain <file> <from> <to>')
    .description('the shortest way by which one event can have influenced another (exit code 1: there is none)')
    .option('--json', 'for programs')
    .action((path: string, from: string, to: string, options: TraceOptions & { json?: boolean }) => {
      terminal.data(traceChain(path, from, to, options));
    });
  fileCommand(trace, 'diagram <file>')
    .description('a space-time diagram: <file>.svg at a terminal, text into a pipe')
    .option('--text', 'text, also at a terminal')
    .option('--output <path>', 'SVG, to this file')
    .option('--limit <n>', 'draw at most so many events', upTo(1), 500)
    .action((path: string, options: DiagramOptions) => {
      traceDiagram(path, options, terminal, process.stdout.isTTY === true);
    });
}

function fileCommand(parent: Command, nameAndArguments: string): Command {
  return parent
    .command(nameAndArguments)
    .option('--trace <label>', 'which trace of the file, by label or number')
    .option('--parser <regexp>', "with the groups host, clock and event (default: the file's first line, or ShiViz's)")
    .option('--delimiter <regexp>', "what parts traces, with the group trace (default: the file's second line)");
}

function upTo(minimum: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= MAX_LISTED) return value;
    throw new InvalidArgumentError(`It must be an integer from ${minimum} to ${MAX_LISTED}.`);
  };
}
