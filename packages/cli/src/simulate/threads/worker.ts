/** The thread's side: one job after the other, each answered by its id. */
import { parentPort } from 'node:worker_threads';
import { CommandError } from '../../exit-code.ts';
import type { FromWorker, ToWorker } from './jobs.ts';
import { perform } from './perform.ts';

const port = parentPort;
if (port === null) throw new Error('this module is a worker thread: it is started by worker-thread.ts');

port.on('message', ({ id, job }: ToWorker) => {
  const post = (message: FromWorker): void => port.postMessage(message);
  perform(job, (told) => post({ id, type: 'told', told })).then(
    (answer) => post({ id, type: 'answer', answer }),
    (error: unknown) => post({ id, type: 'failed', message: describe(error) }),
  );
});

/** A person can put right what the first two say; anything else is a bug, and its stack says where. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof CommandError || error.name === 'PolderError' ? error.message : (error.stack ?? error.message);
}
