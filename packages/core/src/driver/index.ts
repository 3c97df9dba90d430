export {
  type ClientPort,
  Driver,
  type DriverOptions,
  type DriverStatus,
  type ProposalOutcome,
  type ReadOutcome,
} from './driver.ts';
export { decodeFrame } from './frame.ts';
