export { MemoryVotes } from './memory-votes.ts';
export { VirtualPlatform } from './virtual-platform.ts';
