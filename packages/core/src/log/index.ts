export { Log, type LogOptions } from './log.ts';
export { readLogRecord, writeRecord } from './records.ts';
