export { RAFT_MESSAGE_TYPES, type RaftMessage, raftCodec } from './message.ts';
export type { RaftOptions, RaftTiming } from './options.ts';
export { Raft } from './raft.ts';
export { type QuorumPurpose, RAFT_RULES, type RaftRules } from './rules.ts';
