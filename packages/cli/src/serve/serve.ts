import { PolderError } from '@polder/core';
import { type MemberConfig, startMember } from '@polder/server';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';

/** Runs one member until it is told to stop, or stops itself because it cannot go on. */
export async function serve(config: MemberConfig, stopWithStdin: boolean): Promise<void> {
  const asked = stopRequest(stopWithStdin);
  const member = await started(config);
  const ended = await Promise.race([asked.then(() => 'asked' as const), member.stopped.then((error) => ({ error }))]);
  if (ended === 'asked') {
    await member.close();
    return;
  }
  if (ended.error !== null) {
    const code = ended.error instanceof PolderError ? ended.error.code : '';
    const text = `${config.name} stopped${code === '' ? '' : ` (${code})`}: ${messageOf(ended.error)}`;
    throw new CommandError(code === 'Removed' ? ExitCode.removed : ExitCode.failure, text, { cause: ended.error });
  }
}

/** A member that was removed while it was down finds that in its own log. */
async function started(config: MemberConfig): Promise<Awaited<ReturnType<typeof startMember>>> {
  try {
    return await startMember(config);
  } catch (error) {
    if (error instanceof PolderError && error.code === 'Removed') {
      throw new CommandError(ExitCode.removed, `${config.name} stopped (Removed): ${error.message}`, { cause: error });
    }
    throw error;
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
