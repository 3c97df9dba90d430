import { type MemberConfig, startMember } from '@polder/server';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';

/** Runs one member until it is told to stop, or stops itself because it cannot go on. */
export async function serve(config: MemberConfig, stopWithStdin: boolean): Promise<void> {
  const asked = stopRequest(stopWithStdin);
  const member = await startMember(config);
  const ended = await Promise.race([asked.then(() => 'asked' as const), member.stopped.then((error) => ({ error }))]);
  if (ended === 'asked') {
    await member.close();
    return;
  }
  if (ended.error !== null) {
    const text = `${config.name} stopped: ${messageOf(ended.error)}`;
    throw new CommandError(ExitCode.failure, text, { cause: ended.error });
  }
}

/** Settles on SIGTERM, SIGINT, or (when asked to) the end of standard input: then whoever started the member is gone. */
function stopRequest(stopWithStdin: boolean): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
    if (!stopWithStdin) return;
    process.stdin.once('end', () => resolve());
    process.stdin.once('error', () => resolve());
    process.stdin.resume();
  });
}
