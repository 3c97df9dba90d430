import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parseTrace } from '../scenario/trace.ts';
import { generalRaft } from './general.ts';
import { NO_SABOTAGE } from './sabotage.ts';

/**
 * A snapshot of the leader's was written, and not yet named in the log, when the member began one of its own, which is
 * older. That one was named last, and at the next start the entries between the two were gone.
 */
it('R17: an older snapshot never takes the place of a newer one in the log', () => {
  const trace = parseTrace(readFileSync(new URL('older-snapshot.trace.json', import.meta.url), 'utf8'));
  // The scenario in which it was found: every proposal is made twice.
  const report = generalRaft({ durable: false, sabotage: { ...NO_SABOTAGE, proposesAgain: 'at once' } }).replay(trace);
  expect(report.violation).toBeNull();
  expect(report.counts['snapshotsInstalled']).toBeGreaterThan(0);
});
