export {
  type ChangeOutcome,
  type ClientPort,
  Driver,
  type DriverOptions,
  type DriverStatus,
  type ProposalOutcome,
  type ReadOutcome,
} from './driver.ts';
export { decodeFrame } from './frame.ts';
export type { DriverObserver } from './observer.ts';
export { type FrameFault, FrameReader, MAX_FRAME_BYTES, type ReadResult, wrapFrame } from './wire.ts';
