import { backoffMs, type Jitter } from '../retry/backoff.ts';
import { VirtualPlatform } from '../testing/virtual-platform.ts';
import { Agenda } from './agenda.ts';

/** The seed text's way: the exponential wait and up to a tenth more. */
export type ContentionJitter = Jitter | 'tenth';

export interface ContentionResult {
  /** When the last client had its write accepted. */
  readonly completionMs: number;
  /** Writes tried by all clients together. */
  readonly calls: number;
}

/**
 * Clients that all want to change the same row under optimistic locking: each reads a version, writes, and backs off when another
 * was faster. Brooker, Exponential Backoff and Jitter, 2015: one way takes 10 ms on average, waits start at 5 ms and end at 2 s.
 */
export function simulateContention(clients: number, jitter: ContentionJitter, seed: number): ContentionResult {
  const agenda = new Agenda();
  const chance = new VirtualPlatform(seed);
  const random = (): number => chance.random();
  const wayMs = (): number => Math.max(0, 10 + 2 * normal(random));
  let [version, calls, completionMs] = [0, 0, 0];

  const client = (): void => {
    let [failures, previousMs] = [0, 0];
    const read = (): void => {
      agenda.after(wayMs(), () => {
        const seen = version;
        agenda.after(wayMs(), () => write(seen));
      });
    };
    const write = (seen: number): void => {
      calls++;
      agenda.after(wayMs(), () => {
        const accepted = version === seen;
        if (accepted) version++;
        agenda.after(wayMs(), () => answer(accepted));
      });
    };
    const answer = (accepted: boolean): void => {
      if (accepted) {
        completionMs = Math.max(completionMs, agenda.now);
        return;
      }
      previousMs = waitMs(jitter, ++failures, previousMs, random);
      agenda.after(previousMs, read);
    };
    read();
  };

  for (let index = 0; index < clients; index++) client();
  agenda.run(Infinity);
  return { completionMs, calls };
}

function waitMs(jitter: ContentionJitter, failures: number, previousMs: number, random: () => number): number {
  const backoff = { growth: 'exponential', baseMs: 5, maxMs: 2_000 } as const;
  if (jitter !== 'tenth') return backoffMs({ ...backoff, jitter }, failures, previousMs, random);
  return backoffMs({ ...backoff, jitter: 'none' }, failures, previousMs, random) * (1 + random() * 0.1);
}

/** Near enough to a normal draw, from additions only: the sum of twelve uniform ones, less six. */
function normal(random: () => number): number {
  let sum = -6;
  for (let draw = 0; draw < 12; draw++) sum += random();
  return sum;
}
