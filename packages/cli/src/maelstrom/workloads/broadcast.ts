import { topology } from '../network/topology.ts';
import { checkGrowOnlySet } from './set-checker.ts';
import { field, isArray, type Workload, type WorkloadOptions } from './workload.ts';

export function broadcastWorkload({ stream, topology: name }: WorkloadOptions): Workload {
  let nextMessage = 0;
  return {
    setup: async (calls) => {
      const request = { type: 'topology', topology: topology(name, [...calls.keys()]) };
      await Promise.all([...calls.values()].map((call) => call(request)));
    },
    session: (call) => ({
      perform: async ({ f, value }) => {
        if (f === 'read') return field(await call({ type: 'read' }), 'messages', isArray, 'an array');
        await call({ type: 'broadcast', message: value });
        return null;
      },
    }),
    next: () => (stream.below(2) === 0 ? { f: 'read', value: null } : { f: 'broadcast', value: nextMessage++ }),
    final: { f: 'read', value: null },
    check: (history) => checkGrowOnlySet(history, 'broadcast'),
  };
}
