import type { Operation } from '../operation.ts';
import { canonical } from '../protocol.ts';
import { type Findings, field, findings, isPresent, type Workload } from './workload.ts';

export function uniqueIdsWorkload(): Workload {
  return {
    session: (call) => ({
      perform: async () => field(await call({ type: 'generate' }), 'id', isPresent, 'any value'),
    }),
    next: () => ({ f: 'generate', value: null }),
    check: checkUniqueIds,
  };
}

export function checkUniqueIds(history: readonly Operation[]): Findings {
  const acknowledged = history.filter((operation) => operation.outcome === 'ok');
  const givenBy = new Map<string, string[]>();
  for (const { result, node } of acknowledged) {
    const id = canonical(result);
    const nodes = givenBy.get(id);
    if (nodes === undefined) givenBy.set(id, [node]);
    else nodes.push(node);
  }
  const duplicated = [...givenBy].filter(([, nodes]) => nodes.length > 1);
  const violations = duplicated
    .slice(0, 3)
    .map(([id, nodes]) => `the id ${id} was given ${nodes.length} times, by ${[...new Set(nodes)].join(', ')}`);
  const figures = {
    attempted: history.length,
    acknowledged: acknowledged.length,
    duplicated: duplicated.length,
  };
  return findings(violations, [], figures);
}
