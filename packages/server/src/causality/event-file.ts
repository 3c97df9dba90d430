import { closeSync, openSync, writeSync } from 'node:fs';
import { PolderError } from '@polder/core';
import { formatShiViz, type LoggedEvent, shiVizHeader } from '@polder/core/clocks';

/**
 * The event log of one process as a ShiViz file. Each event is with the operating system before the call returns: a
 * message that others count must not come from an event that died with its process. That costs a few microseconds.
 */
export class EventFile {
  readonly #descriptor: number;
  #open = true;

  /** Throws `EventLogExists`: a process that starts again counts anew, and two counts in one file contradict each other. */
  constructor(path: string) {
    try {
      this.#descriptor = openSync(path, 'wx', 0o644);
    } catch (cause) {
      if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause;
      const message = `${path} exists, from an earlier start: use another file, and another process name such as orders#2`;
      throw new PolderError('EventLogExists', message, { cause });
    }
    this.#write(shiVizHeader('polder'));
  }

  append(event: LoggedEvent): void {
    this.#write(formatShiViz(event, 'polder'));
  }

  close(): void {
    if (this.#open) closeSync(this.#descriptor);
    this.#open = false;
  }

  #write(text: string): void {
    // The number of a closed file may be another file's by now.
    if (!this.#open) throw new PolderError('EventLogClosed', 'the event log was closed: log before `close`');
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#descriptor, bytes, written);
  }
}
