export { Log, type LogOptions } from './log.ts';
