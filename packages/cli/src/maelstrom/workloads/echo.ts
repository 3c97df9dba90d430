import type { Operation } from '../operation.ts';
import { canonical } from '../protocol.ts';
import { type Findings, field, findings, isPresent, type Workload, type WorkloadOptions } from './workload.ts';

export function echoWorkload({ stream }: WorkloadOptions): Workload {
  return {
    session: (call) => ({
      perform: async ({ value }) => field(await call({ type: 'echo', echo: value }), 'echo', isPresent, 'the payload'),
    }),
    next: () => ({ f: 'echo', value: `Please echo ${stream.below(1_000_000)}` }),
    check: checkEcho,
  };
}

export function checkEcho(history: readonly Operation[]): Findings {
  const answered = history.filter((operation) => operation.outcome === 'ok');
  const changed = answered.filter(({ value, result }) => canonical(value) !== canonical(result));
  const violations = changed
    .slice(0, 3)
    .map(({ node, value, result }) => `${node} was sent ${JSON.stringify(value)} and echoed ${JSON.stringify(result)}`);
  return findings(violations, [], { echoed: answered.length, changed: changed.length });
}
