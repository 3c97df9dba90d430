import type { ConsistencyVerdict, RecordedOperation } from '../recorded.ts';

/**
 * What can be wrong with a history of transactions. G0 to G2 are Adya's phenomena ("Weak consistency", PhD thesis,
 * MIT 1999); the names of the others, and of those that need an order in time, are Elle's (Kingsbury and Alvaro,
 * "Elle: inferring isolation anomalies from experimental observations", VLDB 2020). docs/ANOMALIES.md explains each.
 */
export type Anomaly = (typeof ANOMALIES)[number];

export const ANOMALIES = [
  'thin-air-read',
  'duplicate-elements',
  'incompatible-order',
  'dirty-update',
  'G0',
  'G1a',
  'G1b',
  'G1c',
  'internal',
  'lost-update',
  'G-single',
  'G-nonadjacent',
  'G2-item',
  'G0-process',
  'G1c-process',
  'G-single-process',
  'G2-item-process',
  'G0-realtime',
  'G1c-realtime',
  'G-single-realtime',
  'G2-item-realtime',
] as const;

export type TransactionModel =
  | 'read-uncommitted'
  | 'read-committed'
  | 'snapshot-isolation'
  | 'serializable'
  | 'strong-session-serializable'
  | 'strict-serializable';

/** The order in time that a model asks the transactions to keep. */
export type TimeOrder = 'none' | 'process' | 'realtime';

const READ_UNCOMMITTED: readonly Anomaly[] = [
  'thin-air-read',
  'duplicate-elements',
  'incompatible-order',
  'dirty-update',
  'G0',
];
const READ_COMMITTED: readonly Anomaly[] = [...READ_UNCOMMITTED, 'G1a', 'G1b', 'G1c'];
const SNAPSHOT: readonly Anomaly[] = [...READ_COMMITTED, 'internal', 'lost-update', 'G-single', 'G-nonadjacent'];
const SERIALIZABLE: readonly Anomaly[] = [...SNAPSHOT, 'G2-item'];

/** Which anomalies a model rules out. */
export const FORBIDDEN: Readonly<Record<TransactionModel, ReadonlySet<Anomaly>>> = {
  'read-uncommitted': new Set(READ_UNCOMMITTED),
  'read-committed': new Set(READ_COMMITTED),
  'snapshot-isolation': new Set(SNAPSHOT),
  serializable: new Set(SERIALIZABLE),
  'strong-session-serializable': new Set(ANOMALIES.filter((anomaly) => !anomaly.endsWith('-realtime'))),
  'strict-serializable': new Set(ANOMALIES.filter((anomaly) => !anomaly.endsWith('-process'))),
};

export const TIME_ORDER: Readonly<Record<TransactionModel, TimeOrder>> = {
  'read-uncommitted': 'none',
  'read-committed': 'none',
  'snapshot-isolation': 'none',
  serializable: 'none',
  'strong-session-serializable': 'process',
  'strict-serializable': 'realtime',
};

/** What one transaction did, in order; keys and values are numbers of the `Interned` that goes with it. */
export type Step =
  | { readonly type: 'append'; readonly key: number; readonly element: number }
  | { readonly type: 'write'; readonly key: number; readonly element: number }
  | { readonly type: 'list'; readonly key: number; readonly elements: readonly number[] }
  | { readonly type: 'read'; readonly key: number; readonly element: number };

export interface Transaction {
  readonly id: number;
  readonly operation: RecordedOperation;
  readonly outcome: 'ok' | 'fail' | 'info';
  /** Without the reads of a transaction that is not `ok`: nobody saw what they returned. */
  readonly steps: readonly Step[];
}

export type DependencyType = 'ww' | 'wr' | 'rw' | 'process' | 'realtime';

/** One edge of a cycle: why `from` must come before `to`. */
export interface Dependency {
  readonly type: DependencyType;
  /** Positions in the violation's `transactions`. */
  readonly from: number;
  readonly to: number;
  readonly sentence: string;
}

export interface TransactionViolation {
  readonly anomaly: Anomaly;
  /** The transactions involved; of a cycle, in its order. */
  readonly transactions: readonly RecordedOperation[];
  /** The cycle, ending where it began; empty for an anomaly that is none. */
  readonly cycle: readonly Dependency[];
  /** For a person. */
  readonly sentence: string;
}

export interface TransactionVerdict extends ConsistencyVerdict<TransactionViolation> {
  readonly model: TransactionModel;
  /** How many of each anomaly were found; of cycles, one for each knot of transactions that depend on each other. */
  readonly anomalies: Readonly<Partial<Record<Anomaly, number>>>;
  /** What was found and the model allows. */
  readonly tolerated: readonly TransactionViolation[];
  readonly transactions: Readonly<Record<'ok' | 'fail' | 'info', number>>;
}
