export type { Faults, LinkRule } from './faults.ts';
export { type ClientListener, type ClientListenerOptions, startClientListener } from './listener.ts';
