export {
  checkSequential,
  type SequentialOptions,
  type SequentialVerdict,
  type SequentialViolation,
} from './check.ts';
