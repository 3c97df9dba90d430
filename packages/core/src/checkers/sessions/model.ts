import type { ConsistencyVerdict, RecordedOperation } from '../recorded.ts';

/**
 * The guarantees of Terry, Demers, Petersen, Spreitzer, Theimer and Welch ("Session guarantees for weakly consistent
 * replicated data", PDIS 1994), key by key. A process is a session. What they imply together across keys is causal
 * consistency (Brzezinski, Sobaniec and Wawrzyniak, 2004), which `checkCausal` judges.
 */
export type SessionGuarantee = 'read-your-writes' | 'monotonic-reads' | 'monotonic-writes' | 'writes-follow-reads';

export const GUARANTEES: readonly SessionGuarantee[] = [
  'read-your-writes',
  'monotonic-reads',
  'monotonic-writes',
  'writes-follow-reads',
];

/** An operation with the version that the store gave to a write, or that a read returned: larger is newer. */
export interface VersionedOperation extends RecordedOperation {
  readonly version?: number;
}

/** Two operations of one session of which the second may not show less than the first. */
export interface SessionPair {
  /** Null: what holds without any guarantee, that nothing comes before every write and a cas replaces what it saw. */
  readonly guarantee: SessionGuarantee | null;
  readonly first: VersionedOperation | null;
  readonly second: VersionedOperation;
}

export interface SessionViolation {
  /** One guarantee that is broken; or several that cannot all hold: which of them is broken, values alone do not tell. */
  readonly guarantees: readonly SessionGuarantee[];
  readonly key: string;
  /** Of versions, one pair; of values, pairs that lead around in a circle. */
  readonly pairs: readonly SessionPair[];
  /** For a person. */
  readonly sentence: string;
}

export type SessionVerdict = ConsistencyVerdict<SessionViolation>;
