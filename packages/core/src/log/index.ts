export { LOG_RULES, type LogRules } from './format.ts';
export { Log, type LogOptions } from './log.ts';
export { readLogRecord, writeRecord } from './records.ts';
