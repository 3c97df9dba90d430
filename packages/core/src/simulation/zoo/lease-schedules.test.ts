import { describe, expect, it } from 'vitest';
import { NO_SABOTAGE } from '../raft/sabotage.ts';
import { lateAnswerRenewsALease, restartInsideALease, transferInsideALease } from './lease-schedules.ts';

describe('a lease', () => {
  it.each([
    ['a late answer', lateAnswerRenewsALease],
    ['a restart', restartInsideALease],
    ['a transfer', transferInsideALease],
  ])('R10 R25: %s does not let an old leader answer a read after a new one’s write', (_, schedule) => {
    for (let seed = 1; seed <= 10; seed++) expect(() => schedule(NO_SABOTAGE, seed)).not.toThrow();
  });
});
