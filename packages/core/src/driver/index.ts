export { CHECKPOINT_RULES, type CheckpointOptions, type CheckpointRules } from './checkpoints.ts';
export { Driver } from './driver.ts';
export { decodeFrame } from './frame.ts';
export type { DriverObserver } from './observer.ts';
export type {
  ChangeOutcome,
  ClientPort,
  DriverOptions,
  DriverStatus,
  ProposalOutcome,
  ReadOutcome,
} from './options.ts';
export { SNAPSHOT_RULES, type SnapshotRules } from './snapshot-arrival.ts';
export { BytesSource, type SnapshotName, SnapshotOpener, SnapshotSealer } from './snapshot-file.ts';
export type { OpenSnapshot } from './snapshots.ts';
export { type FrameFault, FrameReader, MAX_FRAME_BYTES, type ReadResult, wrapFrame } from './wire.ts';
