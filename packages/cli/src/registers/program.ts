/** `polder read|write`: the registers, a keyspace of its own beside `get|put`. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { type Located, locate, type Whereabouts } from '../cluster/locate.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { integer } from '../integer-flag.ts';
import type { Terminal } from '../terminal.ts';
import { askRegisters, type RegisterAnswer } from './call.ts';
import { collectRegisters, registersTable } from './status.ts';

const LEVELS = ['weak', 'eventual', 'causal', 'strong'];
const MAX_TIMEOUT_MS = 600_000;

interface RegisterOptions extends Whereabouts {
  readonly endpoint?: string;
  readonly member?: string;
  readonly level: string;
  readonly degradeTo?: string;
  readonly tokenFile?: string;
  readonly tag?: string;
  readonly timeoutMs: number;
  readonly json?: boolean;
}

export function addRegisters(program: Command, terminal: Terminal): void {
  registerCommand(program, 'read <key>')
    .description('read a register at a level (get reads the replicated store)')
    .action(async (key: string, options: RegisterOptions) => {
      const answer = await ask('read', { key }, options);
      if (options.json) return terminal.data(JSON.stringify(answer));
      if (answer.valueBase64 !== undefined) terminal.bytes(Buffer.from(answer.valueBase64, 'base64'));
      else if (typeof answer.value === 'string') terminal.data(answer.value);
      terminal.progress(serviceOf(answer));
      if (answer.value !== null) return;
      const hint = answer.isInStore === true ? `; the replicated store has it: polder get ${key}` : '';
      throw new CommandError(ExitCode.failure, `there is no register ${key}${hint}`);
    });
  registerCommand(program, 'write <key> <value>')
    .description('write a register at a level (put writes the replicated store)')
    .option('--tag <tag>', 'repeat the strong write whose outcome was unknown')
    .action(async (key: string, value: string, options: RegisterOptions) => {
      const answer = await ask(
        'write',
        { key, value, ...(options.tag === undefined ? {} : { tag: options.tag }) },
        options,
      );
      terminal.data(options.json ? JSON.stringify(answer) : 'OK');
      if (!options.json) terminal.progress(serviceOf(answer));
    });
  program
    .command('registers')
    .description('the leaderless store beside the replicated one')
    .command('status')
    .description('state, records, peers, version vector and backlog of each member, and how far each is behind')
    .option('--endpoints <list>', 'host:port,host:port (default: the cluster started last on this machine)')
    .option('--data <dir>', 'the data directory of "polder up"')
    .option('--json', 'for programs')
    .action(async (options: Whereabouts & { json?: boolean }) => {
      const rows = await collectRegisters(locate(options).members);
      terminal.data(options.json ? JSON.stringify({ members: rows }) : registersTable(rows));
      if (rows.every(({ status }) => status === null)) throw new CommandError(ExitCode.noCluster, 'no member answers');
    });
}

function registerCommand(program: Command, nameAndArguments: string): Command {
  return program
    .command(nameAndArguments)
    .addOption(new Option('--level <level>', 'what it promises').choices(LEVELS).default('eventual'))
    .addOption(new Option('--degrade-to <level>', 'accept less when strong cannot be had').choices(LEVELS.slice(0, 3)))
    .option('--token-file <file>', 'the session: read if it is there, and written after')
    .option('--timeout-ms <n>', 'how long it may take', integer(1, MAX_TIMEOUT_MS), 5_000)
    .option('--member <name>', 'ask this one (default: the first that is there)')
    .option('--endpoint <endpoint>', 'host:port, to ask this one')
    .option('--endpoints <list>', 'host:port,host:port (default: the cluster started last on this machine)')
    .option('--data <dir>', 'the data directory of "polder up"')
    .option('--json', 'for programs');
}

async function ask(operation: 'read' | 'write', request: object, options: RegisterOptions): Promise<RegisterAnswer> {
  const { level, degradeTo, tokenFile, timeoutMs } = options;
  const session =
    tokenFile === undefined ? {} : { token: existsSync(tokenFile) ? readFileSync(tokenFile, 'utf8').trim() : '' };
  const terms = { level, ...(degradeTo === undefined ? {} : { degradeTo }), ...session };
  const answer = await askRegisters(membersOf(options), operation, { ...request, ...terms }, timeoutMs);
  if (tokenFile !== undefined && answer.token !== undefined) writeFileSync(tokenFile, `${answer.token}\n`);
  return answer;
}

function membersOf({ endpoint, member, ...whereabouts }: RegisterOptions): Located['members'] {
  const { members } = locate(endpoint === undefined ? whereabouts : { endpoints: endpoint });
  const chosen = members.filter(({ name }) => member === undefined || name === member);
  if (chosen.length > 0) return chosen;
  throw new CommandError(
    ExitCode.unknown,
    `there is no member ${member}: ${members.map(({ name }) => name).join(', ')}`,
  );
}

function serviceOf({ level, reached, stalenessMs, tag }: RegisterAnswer): string {
  const staleness = stalenessMs === null ? 'unknown' : `${stalenessMs} ms`;
  return `level ${level}, reached ${reached.join(',')}, staleness ${staleness}, tag ${tag ?? 'none'}`;
}
