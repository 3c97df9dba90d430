export { DottedVersionVectorSet, MAX_SIBLINGS_PER_ID } from './dotted-version-vector-set.ts';
export * from './event-log/index.ts';
export {
  compareHybridTimes,
  type DriftRefusal,
  HYBRID_TIME_ZERO,
  HybridClock,
  type HybridClockOptions,
  type HybridReading,
  type HybridTime,
  isHybridTime,
  MAX_LOGICAL,
  MAX_PHYSICAL_MS,
  packHybridTime,
  readHybridTime,
  successorOf,
  unpackHybridTime,
  writeHybridTime,
} from './hybrid-clock.ts';
export { LamportClock } from './lamport-clock.ts';
export { checkMemberId, isMemberId, MAX_MEMBER_ID_BYTES } from './member-id.ts';
export { type Causality, MAX_CLOCK_MEMBERS, VectorClock } from './vector-clock.ts';
export {
  decodeVectorClock,
  encodeVectorClock,
  MAX_CLOCK_TEXT_LENGTH,
  parseVectorClock,
  readVectorClock,
  writeVectorClock,
} from './vector-clock-codec.ts';
