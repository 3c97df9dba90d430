export { Clients, type ClientsOptions, type ScriptedOperation } from './clients.ts';
export { type KeyOptions, kv, type Mix, READ_HEAVY, WRITE_HEAVY } from './kv.ts';
export { type Choice, direct, done, type Intent, type Step, type Workload } from './workload.ts';
