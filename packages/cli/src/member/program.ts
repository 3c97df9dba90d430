import type { Command } from 'commander';
import { locate, type Whereabouts } from '../cluster/locate.ts';
import { type KvOptions, memberList } from '../commands/kv.ts';
import { integer } from '../integer-flag.ts';
import type { Terminal } from '../terminal.ts';
import {
  addMember,
  type MemberOptions,
  promoteMember,
  removeMember,
  replaceMember,
  transferLeadership,
  updateMember,
} from './commands.ts';
import type { JoinOptions } from './joining.ts';

const TIMEOUT_MS_DEFAULT = 60_000;
const TIMEOUT_MS_MAX = 24 * 3_600_000;

const AGAIN =
  '\nWhat a run that did not end has done stays done: run the same command again, and it goes on from there.\n' +
  'Exit codes: 0 done; 1 refused, nothing changed, or the learner is still behind; 2 outcome unknown; 3 no member answers.';

export function addMembers(program: Command, terminal: Terminal): void {
  const member = program.command('member').description('who is in the cluster');
  memberCommand(member, 'list', 5_000)
    .description('names, ids and addresses')
    .action((options: Whereabouts & KvOptions) => memberList(locate(options), options, terminal));
  memberCommand(member, 'add [name]')
    .description('start a member with an empty directory, add it as a learner, and let it vote once it has caught up')
    .option('--peer-url <url>', 'add the process that was started with "polder serve --join", and listens there')
    .option('--learner', 'leave it a learner', false)
    .addHelpText('after', AGAIN)
    .action((name: string | undefined, options: MemberOptions & JoinOptions & { learner: boolean }) =>
      addMember(name, options, terminal),
    );
  memberCommand(member, 'promote <name>')
    .description('let a learner vote, once it has caught up')
    .addHelpText('after', AGAIN)
    .action((name: string, options: MemberOptions) => promoteMember(name, options, terminal));
  memberCommand(member, 'remove <name>')
    .description('take a member out, dead or alive; a live one stops by itself')
    .addHelpText('after', AGAIN)
    .action((name: string, options: MemberOptions) => removeMember(name, options, terminal));
  memberCommand(member, 'replace <old> [new]')
    .description('start a new member, and let it vote in the place of an old one, dead or alive, in one step')
    .option('--peer-url <url>', 'take the process that was started with "polder serve --join", and listens there')
    .addHelpText('after', AGAIN)
    .action((old: string, name: string | undefined, options: MemberOptions & JoinOptions) =>
      replaceMember(old, name, options, terminal),
    );
  memberCommand(member, 'update <name>')
    .description('tell the others that a member is found at another address')
    .requiredOption('--peer-url <url>', 'where it listens for its peers now')
    .action((name: string, options: MemberOptions & { peerUrl: string }) => updateMember(name, options, terminal));
  memberCommand(program, 'transfer [name]', 10_000)
    .description('let another member lead (default: any that can)')
    .action((name: string | undefined, options: MemberOptions) => transferLeadership(name, options, terminal));
}

function memberCommand(parent: Command, nameAndArguments: string, timeoutMs = TIMEOUT_MS_DEFAULT): Command {
  return parent
    .command(nameAndArguments)
    .option('--endpoints <list>', 'host:port,host:port (default: the cluster started last on this machine)')
    .option('--data <dir>', 'the data directory of "polder up"')
    .option('--json', 'for programs')
    .option('--timeout-ms <n>', 'how long to wait', integer(1, TIMEOUT_MS_MAX), timeoutMs);
}
