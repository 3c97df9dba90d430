/** `polder sim`: one seed, narrated. */
import { randomInt } from 'node:crypto';
import { CommandError, ExitCode } from '../../exit-code.ts';
import type { Terminal } from '../../terminal.ts';
import { formatDuration } from '../duration.ts';
import { picture } from '../picture.ts';
import type { BuiltIn } from '../scenarios.ts';
import { Interrupted, withThreads } from '../threads/worker-thread.ts';
import type { SimEvent } from './events.ts';
import { eventText } from './sim-text.ts';

export interface SimFlags {
  readonly members: number;
  readonly for: number;
  readonly seed?: number;
  readonly json?: boolean;
  readonly protocol?: BuiltIn;
}

/** 0: nothing is broken; 1: a rule is. */
export async function sim(flags: SimFlags, terminal: Terminal, signal: AbortSignal): Promise<ExitCode> {
  const { members, for: forMs, json = false } = flags;
  const seed = flags.seed ?? randomInt(1, 1_000_000_000);
  const { protocol } = flags;
  const chosen = protocol === undefined ? {} : { protocol };
  const which = protocol === undefined ? '' : ` --protocol ${protocol}`;
  const again = `polder sim${which} --members ${members} --for ${formatDuration(forMs)} --seed ${seed}`;
  terminal.progress(`running: ${again}`);
  const show = (event: SimEvent): void => terminal.data(json ? JSON.stringify(event) : eventText(event));
  try {
    const report = await withThreads(1, signal, ([thread]) =>
      (thread as NonNullable<typeof thread>).run<'narrate'>(
        { type: 'narrate', members, forUs: forMs * 1_000, seed, ...chosen },
        show,
      ),
    );
    if (!json && report.violation !== null) terminal.data(`\n${picture(report)}\n`);
    if (!json) terminal.data(`Repeat it with:\n  ${again}`);
    return report.violation === null ? ExitCode.ok : ExitCode.failure;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    throw new CommandError(ExitCode.failure, `interrupted before the end; repeat it with: ${again}`);
  }
}
