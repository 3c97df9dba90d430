import { join } from 'node:path';
import { clientUrl } from '../cluster/cluster-file.ts';
import { ExitCode, messageOf } from '../exit-code.ts';
import { formatTable, type Terminal } from '../terminal.ts';
import { formatMs, Tour } from '../tour/tour.ts';
import { Supervisor, type UpOptions } from './supervisor.ts';

export interface UpCommand extends UpOptions {
  readonly tour: boolean;
  readonly exit: boolean;
}

/** Starts the cluster, tours it if asked to, and stays until it is told to stop; then stops every member. */
export async function up(options: UpCommand, terminal: Terminal): Promise<ExitCode> {
  const startedMs = performance.now();
  const interrupted = stopSignal();
  const supervisor = await Supervisor.start(options);
  try {
    const work = run(supervisor, options, terminal, startedMs);
    // Whichever loses the race may still fail later; that failure is then only a consequence of stopping.
    work.catch(() => undefined);
    const code = await Promise.race([work, interrupted]);
    if (code !== 'stay') return code;
    await interrupted;
    return ExitCode.ok;
  } finally {
    terminal.progress('stopping the members');
    await supervisor.stop();
  }
}

async function run(
  supervisor: Supervisor,
  options: UpCommand,
  terminal: Terminal,
  startedMs: number,
): Promise<ExitCode | 'stay'> {
  await supervisor.ready();
  const { file, directory } = supervisor;
  terminal.progress(
    `${file.members.length} members, ready after ${formatMs(performance.now() - startedMs)}; data in ${directory}`,
  );
  terminal.data(
    formatTable(
      ['MEMBER', 'CLIENTS', 'PEERS', 'PID', 'LOG'],
      file.members.map((member) => [
        member.name,
        clientUrl(member),
        `${member.peerHost}:${member.peerPort}`,
        String(member.pid ?? '-'),
        join(directory, `${member.name}.log`),
      ]),
    ),
  );
  let passed = true;
  if (options.tour) {
    try {
      passed = await new Tour(file, directory, terminal).run();
    } catch (error) {
      if (options.exit) throw error;
      terminal.progress(messageOf(error));
      passed = false;
    }
  }
  if (options.exit) return passed ? ExitCode.ok : ExitCode.failure;
  const endpoints = file.members.map((member) => `${member.clientHost}:${member.clientPort}`).join(',');
  terminal.progress('\nThe cluster stays up until Ctrl-C. In another terminal, try:');
  terminal.progress('  npx polder put hello world && npx polder get hello && npx polder status');
  terminal.progress(`  etcdctl --endpoints=${endpoints} get hello`);
  return 'stay';
}

function stopSignal(): Promise<ExitCode> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve(ExitCode.ok));
    process.once('SIGTERM', () => resolve(ExitCode.ok));
    process.once('SIGHUP', () => resolve(ExitCode.ok));
  });
}
