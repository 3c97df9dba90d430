import { checkGrowOnlySet } from './set-checker.ts';
import { field, isArray, type Workload, type WorkloadOptions } from './workload.ts';

export function growOnlySetWorkload({ stream }: WorkloadOptions): Workload {
  let nextElement = 0;
  return {
    session: (call) => ({
      perform: async ({ f, value }) => {
        if (f === 'read') return field(await call({ type: 'read' }), 'value', isArray, 'an array');
        await call({ type: 'add', element: value });
        return null;
      },
    }),
    next: () => (stream.below(2) === 0 ? { f: 'read', value: null } : { f: 'add', value: nextElement++ }),
    final: { f: 'read', value: null },
    check: (history) => checkGrowOnlySet(history, 'add'),
  };
}
