import { canonical } from '../history.ts';
import { type Call, IMPOSSIBLE, type Impossible, type Model, MUTATES } from './model.ts';
import { repeated } from './registers.ts';

const FREE = '';

/**
 * One holder at a time: `acquire`, `release`. The value names the holder, who alone may release; without values it is
 * a mutex that anyone may release.
 */
export const LOCK: Model<string> = {
  name: 'lock',
  functions: { acquire: MUTATES, release: MUTATES },
  partitioned: true,
  initial: () => FREE,
  identity: (state) => state,
  step(state: string, call: Call): string | Impossible {
    const [from, to] = call.f === 'acquire' ? [FREE, holder(call)] : [holder(call), FREE];
    return state === from ? to : IMPOSSIBLE;
  },
  complaint: ({ f, argument, result }: Call) => repeated(f, argument, result),
  gives: (call) => [call.f === 'acquire' ? holder(call) : FREE],
  takes: (call) => [call.f === 'acquire' ? FREE : holder(call)],
};

function holder(call: Call): string {
  return canonical(call.argument ?? null);
}
