import { canonical } from '../history.ts';
import { type Call, IMPOSSIBLE, type Impossible, type Model, MUTATES, READS } from './model.ts';

/** One value, null at first: `write v`, `read` → v. */
export const REGISTER: Model<string> = register('register', { read: READS, write: MUTATES });

/** A register that can also compare: `cas [old, new]` happens only when the value is `old`. */
export const CAS_REGISTER: Model<string> = register('cas-register', { read: READS, write: MUTATES, cas: MUTATES });

function register(name: string, functions: Model['functions']): Model<string> {
  return {
    name,
    functions,
    partitioned: true,
    initial: () => canonical(null),
    identity: (state) => state,
    step,
    complaint,
    gives: (call) => (call.f === 'read' ? [] : [leaves(call)]),
    takes: (call) => (call.f === 'write' ? [] : [observes(call)]),
    canWait: (call) => call.f === 'write',
    overwrites: (call) => call.f === 'write',
  };
}

function step(state: string, call: Call): string | Impossible {
  switch (call.f) {
    case 'read':
      return call.result === undefined || canonical(call.result) === state ? state : IMPOSSIBLE;
    case 'write':
      return leaves(call);
    default:
      return observes(call) === state ? leaves(call) : IMPOSSIBLE;
  }
}

/** What a read or cas must have found. */
function observes(call: Call): string {
  return canonical(call.f === 'cas' ? (call.argument as unknown[])[0] : call.result);
}

function leaves(call: Call): string {
  return canonical(call.f === 'cas' ? (call.argument as unknown[])[1] : call.argument);
}

function complaint({ f, argument, result }: Call): string | null {
  if (f === 'read') return null;
  if (f === 'write' && argument === undefined) return 'writes no value: write the value';
  if (f === 'cas' && !(Array.isArray(argument) && argument.length === 2)) {
    return 'is a cas without its two values: write [old, new]';
  }
  return repeated(f, argument, result);
}

/** An answer that says nothing new repeats the value, or is null. */
export function repeated(f: string, argument: unknown, result: unknown): string | null {
  if (result === undefined || result === null || result === argument) return null;
  if (canonical(result) === canonical(argument)) return null;
  return `completes a ${f} with another value than it was invoked with: repeat the value, or null`;
}
