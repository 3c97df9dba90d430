import { FORMATS } from '@polder/core/checkers';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { MAX_MEMBERS } from './cluster/cluster-file.ts';
import { askControl, MEMBER_ACTIONS } from './cluster/control.ts';
import { locate, type Whereabouts } from './cluster/locate.ts';
import { type LinkFault } from './cluster/member-http.ts';
import { CHECK_MODELS, type CheckFileOptions, checkFile } from './commands/check.ts';
import { compact, del, get, type KvOptions, put, type TxnOptions, txn } from './commands/kv.ts';
import { applyPlan, heal, type LinkPlan, parseGroup, planPartition } from './commands/links.ts';
import { collectStatus, statusJson, statusTable } from './commands/status.ts';
import { CommandError, EXIT_CODE_HELP, ExitCode, messageOf } from './exit-code.ts';
import { integer } from './integer-flag.ts';
import { addMaelstrom } from './maelstrom/command.ts';
import { addMembers } from './member/program.ts';
import { addRegisters } from './registers/program.ts';
import { serve } from './serve/serve.ts';
import { LOG_LEVELS, resolveServeConfig, type ServeFlags } from './serve/serve-config.ts';
import { addSimulate } from './simulate/commands.ts';
import { addSnapshot } from './snapshot/program.ts';
import type { Terminal } from './terminal.ts';
import { Tour } from './tour/tour.ts';
import { addTrace } from './trace/command.ts';
import { type UpCommand, up } from './up/up.ts';

const MAX_TIMEOUT_MS = 600_000;

/** The exit code of one run of the command. Never throws for what a person can put right. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exitCode: ExitCode = ExitCode.ok;
  const program = buildProgram(terminal, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has already printed its own message; help and version count as errors with code 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.unknown;
    terminal.progress(`${terminal.style('red', 'error:')} ${messageOf(error)}`);
    return error instanceof CommandError ? error.exitCode : ExitCode.failure;
  }
}

function buildProgram(terminal: Terminal, setExit: (code: ExitCode) => void): Command {
  const program = new Command('polder')
    .description('A replicated store that keeps its promise while things break')
    .addHelpText('after', EXIT_CODE_HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.data(text.trimEnd()),
      writeErr: (text) => terminal.progress(text.trimEnd()),
    });
  addUp(program, terminal, setExit);
  addServe(program);
  addStatus(program, terminal);
  addKv(program, terminal);
  addRegisters(program, terminal);
  addMembers(program, terminal);
  addSnapshot(program, terminal);
  addFaults(program, terminal);
  addLinks(program, terminal);
  addCheck(program, terminal, setExit);
  addTour(program, terminal, setExit);
  addSimulate(program, terminal, setExit);
  addMaelstrom(program, terminal, setExit);
  addTrace(program, terminal, setExit);
  return program;
}

function addUp(program: Command, terminal: Terminal, setExit: (code: ExitCode) => void): void {
  program
    .command('up')
    .description('start members as processes on this machine, and stop them with Ctrl-C')
    .option('--members <n>', `how many a new cluster has, 1 to ${MAX_MEMBERS} (default: 5)`, integer(1, MAX_MEMBERS))
    .option('--data <dir>', 'where their data is kept (default: a new temporary directory)')
    .option(
      '--base-port <port>',
      'client and peer port of each in turn from here (default: free ports)',
      integer(1, 65_000),
    )
    .option('--breakable', 'allow fail, recover, pause, resume, partition, heal, slow and lossy', false)
    .option('--tour', 'run the tour once the members are up', false)
    .option('--exit', 'stop after that: 0 if all went well, else 1', false)
    .addOption(new Option('--log-level <level>', 'of the members').choices(LOG_LEVELS).default('info'))
    .action(async (options: UpCommand) => {
      if (options.tour && !options.breakable) throw new CommandError(ExitCode.unknown, '--tour needs --breakable');
      setExit(await up(options, terminal));
    });
}

function addServe(program: Command): void {
  program
    .command('serve')
    .description('run one member; each flag may also be POLDER_<FLAG> in the environment or stand in the file')
    .option(
      '--config <file>',
      'JSON: name, cluster, members, dataDirectory, breakable, logLevel, slowRequestMs, timing, leaseReads, storage, quotaBytes',
    )
    .option('--name <name>', 'which of the members this is')
    .option('--cluster <name>', 'members of another cluster are refused (default: polder)')
    .option('--members <list>', 'name=id@peerHost:peerPort/clientHost:clientPort,...')
    .option('--join', 'wait to be added to a cluster that runs; --members names this member with its new number')
    .option('--data <dir>', 'data directory')
    .option('--breakable', 'allow POST /polder/links')
    .addOption(new Option('--storage <kind>', 'data on disk or in memory (default: lmdb)').choices(['lmdb', 'memory']))
    .option('--quota-bytes <bytes>', 'refuse writes when the data takes so much (default: 2 GiB)')
    .addOption(new Option('--log-level <level>').choices(LOG_LEVELS))
    .option('--slow-request-ms <n>', 'log requests that take longer; 0: none (default: 500)', integer(0, 3_600_000))
    .option('--stop-with-stdin', 'stop when standard input ends', false)
    .action(async (options: ServeFlags & { stopWithStdin: boolean }) => {
      await serve(resolveServeConfig(options, process.env), options.stopWithStdin);
    });
}

function addStatus(program: Command, terminal: Terminal): void {
  clusterCommand(program, 'status')
    .description('role, term and progress of every member, also of those that are down')
    .option('--json', 'for programs')
    .addHelpText(
      'after',
      '\nStates: healthy = reaches a majority; partitioned = answers but reaches none; failed = does not answer.\n' +
        'Exit code 3 when no member answers.',
    )
    .action(async (options: Whereabouts & { json?: boolean }) => {
      const rows = await collectStatus(locate(options));
      terminal.data(options.json ? statusJson(rows) : statusTable(rows));
      if (rows.every((row) => row.state === 'failed')) throw new CommandError(ExitCode.noCluster, 'no member answers');
    });
}

function addKv(program: Command, terminal: Terminal): void {
  kvCommand(program, 'get <key> [end]')
    .description('read a key, or the keys from key up to end')
    .option('--prefix', 'all keys that start with key')
    .option('--serializable', "one member's own state, which may be old")
    .option('--limit <n>', 'at most so many keys', integer(1, 1_000_000_000))
    .option('--rev <revision>', 'as of this revision', integer(1, Number.MAX_SAFE_INTEGER))
    .option('--keys-only', 'no values')
    .option('--count-only', 'only how many')
    .option('--print-value-only', 'no keys')
    .action((key: string, end: string | undefined, options: Whereabouts & KvOptions) =>
      get(locate(options), key, end, options, terminal),
    );
  kvCommand(program, 'put <key> <value>')
    .description('write a key')
    .action((key: string, value: string, options: Whereabouts & KvOptions) =>
      put(locate(options), key, value, options, terminal),
    );
  kvCommand(program, 'del <key> [end]')
    .description('delete a key, or the keys from key up to end; prints how many')
    .option('--prefix', 'all keys that start with key')
    .action((key: string, end: string | undefined, options: Whereabouts & KvOptions) =>
      del(locate(options), key, end, options, terminal),
    );
  kvCommand(program, 'txn')
    .description('compare, then do one thing or the other, at once')
    .option('--if <compare>', 'value|version|create|mod("key") =|!=|<|> "operand"; may be repeated', collect)
    .option('--then <operation>', 'put key value, get key or del key; may be repeated', collect)
    .option('--else <operation>', 'likewise', collect)
    .action((options: Whereabouts & TxnOptions) => txn(locate(options), options, terminal));
  kvCommand(program, 'compact <revision>')
    .description('forget the history below a revision')
    .option('--physical', 'wait until it is done')
    .action((revision: string, options: Whereabouts & KvOptions & { physical?: boolean }) =>
      compact(locate(options), integer(1, Number.MAX_SAFE_INTEGER)(revision), options, terminal),
    );
}

function addFaults(program: Command, terminal: Terminal): void {
  const descriptions = {
    fail: 'kill -9 a member (process death)',
    recover: 'start a dead member again on the same data',
    pause: 'SIGSTOP: the process is there but does nothing',
    resume: 'SIGCONT after pause',
  };
  for (const action of MEMBER_ACTIONS) {
    clusterCommand(program, `${action} <member>`)
      .description(descriptions[action])
      .action(async (name: string, options: Whereabouts) => {
        const { file } = locate(options);
        if (file === null) {
          throw new CommandError(
            ExitCode.unknown,
            `${action} works on the machine that ran "polder up", with --data, not --endpoints`,
          );
        }
        await askControl(file, action, name);
        terminal.progress(`${name}: ${action} done`);
      });
  }
}

function addLinks(program: Command, terminal: Terminal): void {
  clusterCommand(program, 'partition <group> <groups...>')
    .description('block the links between groups of members, such as m1,m2 m3,m4,m5')
    .option('--one-way', 'only from an earlier group to a later one')
    .action(async (first: string, more: string[], options: Whereabouts & { oneWay?: boolean }) => {
      const located = locate(options);
      const names = located.members.map((member) => member.name);
      const groups = [first, ...more].map((group) => parseGroup(group, names));
      await applyPlan(located, planPartition(groups, options.oneWay ?? false));
      terminal.progress(`blocked between ${[first, ...more].join(' | ')}; undo with: polder heal`);
    });
  clusterCommand(program, 'heal')
    .description('clear every fault of the links')
    .action(async (options: Whereabouts) => {
      terminal.progress(`healed: ${(await heal(locate(options))).join(', ')}`);
    });
  type LinkOptions = Whereabouts & { delayMs?: number; rate?: number; peer: string; oneWay?: boolean };
  const degrade = async (name: string, options: LinkOptions, fault: Partial<LinkFault> & Pick<LinkFault, 'mode'>) => {
    const located = locate(options);
    parseGroup(
      name,
      located.members.map((member) => member.name),
    );
    if (options.peer !== '*')
      parseGroup(
        options.peer,
        located.members.map((member) => member.name),
      );
    const direction = options.oneWay === true ? 'out' : 'both';
    const plan: LinkPlan = new Map([[name, [{ peer: options.peer, direction, ...fault }]]]);
    await applyPlan(located, plan);
    terminal.progress(`done; undo with: polder heal`);
  };
  clusterCommand(program, 'slow <member>')
    .description('delay what a member sends and receives')
    .requiredOption('--delay-ms <n>', 'by so much', integer(0, 60_000))
    .option('--peer <name>', 'only on the link to this member', '*')
    .option('--one-way', 'only what it sends')
    .action((name: string, options: LinkOptions) =>
      degrade(name, options, { mode: 'delay', delayMs: options.delayMs ?? 0 }),
    );
  clusterCommand(program, 'lossy <member>')
    .description('lose part of what a member sends and receives')
    .requiredOption('--rate <rate>', 'from 0 to 1', rate)
    .option('--peer <name>', 'only on the link to this member', '*')
    .option('--one-way', 'only what it sends')
    .action((name: string, options: LinkOptions) =>
      degrade(name, options, { mode: 'drop', dropRate: options.rate ?? 0 }),
    );
}

function addCheck(program: Command, terminal: Terminal, setExit: (code: ExitCode) => void): void {
  program
    .command('check <file>')
    .description('is a history linearizable? exit code 0 yes, 1 no, 2 unknown; "-" reads standard input')
    .addOption(
      new Option('--model <model>', 'what it was done to (default: told by the operations)').choices(CHECK_MODELS),
    )
    .addOption(new Option('--format <format>', 'of the file (default: told by its content)').choices(FORMATS))
    .option('--max-states <n>', 'give up a key after so many', integer(1, Number.MAX_SAFE_INTEGER))
    .option('--json', 'the whole verdict, for programs')
    .action((path: string, options: CheckFileOptions & { json?: boolean }) => {
      const { exitCode, verdict, text } = checkFile(path, options);
      terminal.data(options.json ? JSON.stringify(verdict) : text);
      setExit(exitCode);
    });
}

function addTour(program: Command, terminal: Terminal, setExit: (code: ExitCode) => void): void {
  clusterCommand(program, 'tour')
    .description('break a running breakable cluster in every way, and check that nothing is lost')
    .action(async (options: Whereabouts) => {
      const { file, directory } = locate(options);
      if (file === null || directory === null) {
        throw new CommandError(ExitCode.unknown, 'the tour works on the machine that ran "polder up", with --data');
      }
      const passed = await new Tour(file, directory, terminal).run();
      setExit(passed ? ExitCode.ok : ExitCode.failure);
    });
}

function clusterCommand(parent: Command, nameAndArguments: string): Command {
  return parent
    .command(nameAndArguments)
    .option('--endpoints <list>', 'host:port,host:port (default: the cluster started last on this machine)')
    .option('--data <dir>', 'the data directory of "polder up"');
}

function kvCommand(parent: Command, nameAndArguments: string): Command {
  return clusterCommand(parent, nameAndArguments)
    .option('--json', 'for programs')
    .option('--timeout-ms <n>', 'how long to wait for one member', integer(1, MAX_TIMEOUT_MS), 5_000);
}

function rate(text: string): number {
  const value = /^(0|1|0?\.\d+|1\.0+)$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be from 0 to 1, such as 0.1.');
}

function collect(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text];
}
