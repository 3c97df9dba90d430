import type { Command } from 'commander';
import { MAX_MEMBERS } from '../cluster/cluster-file.ts';
import { locate, type Whereabouts } from '../cluster/locate.ts';
import { integer } from '../integer-flag.ts';
import type { Terminal } from '../terminal.ts';
import { inspectSnapshot, summaryTable } from './inspect.ts';
import { type RestoreCommand, restoreSnapshot } from './restore.ts';
import { saveSnapshot } from './save.ts';

export function addSnapshot(program: Command, terminal: Terminal): void {
  const snapshot = program.command('snapshot').description('back a cluster up to a file, and make a new one from it');
  snapshot
    .command('save <file>')
    .description("write one member's data to a file, whole and checked; the cluster goes on meanwhile")
    .option('--member <name>', 'whose (default: the leader, whose data is the newest)')
    .option('--endpoints <list>', 'host:port,host:port (default: the cluster started last on this machine)')
    .option('--data <dir>', 'the data directory of "polder up"')
    .addHelpText('after', '\nThe format is Polder’s own: it is no file of etcd’s, and etcdctl cannot restore it.')
    .action((file: string, options: Whereabouts & { member?: string }) =>
      saveSnapshot(locate(options), file, options.member, terminal),
    );
  snapshot
    .command('status <file>')
    .description('check a file from its first byte to its last, and say what is in it')
    .option('--json', 'for programs')
    .action(async (file: string, options: { json?: boolean }) => {
      const summary = await inspectSnapshot(file);
      terminal.data(options.json ? JSON.stringify(summary) : summaryTable(summary));
    });
  snapshot
    .command('restore <file>')
    .description(
      'make the data directories of a new cluster with the data of a file; refuses directories with something in them',
    )
    .requiredOption(
      '--data <dir>',
      'where: of a cluster for "polder up", or with --name of one member for "polder serve"',
    )
    .option('--members <n>', 'of a cluster on this machine (default: 3)', integer(1, MAX_MEMBERS))
    .option('--base-port <port>', 'its ports in turn from here (default: free ports)', integer(1, 65_000))
    .option('--name <name>', 'make the directory of this member only; run it for each member, with the same file')
    .option('--cluster <name>', 'with --name: the new cluster, which never had another member')
    .addHelpText(
      'after',
      '\nAll members must be restored from the same file. Members of the old cluster are refused by the new one.\n' +
        'Members, sessions and what was under way are not restored: only the data, with its revisions.',
    )
    .action((file: string, options: RestoreCommand) => restoreSnapshot(file, options, terminal));
}
