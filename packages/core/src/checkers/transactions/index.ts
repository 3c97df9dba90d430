export { checkTransactions, type TransactionOptions } from './check.ts';
export type {
  Anomaly,
  Dependency,
  DependencyType,
  TransactionModel,
  TransactionVerdict,
  TransactionViolation,
} from './model.ts';
