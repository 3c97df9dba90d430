export { type RaftMessage, raftCodec } from './message.ts';
export { Raft, type RaftOptions, type RaftTiming } from './raft.ts';
export { RAFT_RULES, type RaftRules } from './rules.ts';
