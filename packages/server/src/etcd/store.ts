import type { SnapshotSealer } from '@polder/core';
import type { KvRequest, KvResult } from '@polder/core/kv';
import type { MembershipRequest } from '../membership/request.ts';

/** An answer of the replicated state machine, and where in the log it stands. */
export interface StoreAnswer {
  readonly term: number;
  readonly index: number;
  readonly result: KvResult;
}

/** `number` counts from 1 inside the cluster; `id` is the 64-bit one that etcd's clients see. */
export interface StoreMember {
  readonly number: number;
  readonly id: bigint;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

export interface StoreStatus {
  readonly clusterId: bigint;
  /** Of this member, as in `StoreMember.number`. */
  readonly member: number;
  /** What this member calls itself: it may not be in the configuration yet. */
  readonly name: string;
  readonly role: 'follower' | 'precandidate' | 'candidate' | 'leader';
  readonly term: number;
  /** As in `StoreMember.number`; 0 = none known. */
  readonly leader: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly lastIndex: number;
  readonly revision: number;
  readonly compactRevision: number;
  readonly keys: number;
  readonly sizeBytes: number;
  /** This member refuses requests that need room; those that make room, and reads, are served. */
  readonly noSpace: boolean;
  /** How much `sizeBytes` may be. */
  readonly quotaBytes: number;
  /** Changes of leader that this process has seen. */
  readonly leaderChanges: number;
  /** Names of the peers that are connected now. */
  readonly peersReachable: readonly string[];
  readonly configuration: {
    /** Of its entry in the log; 0: the first one. */
    readonly index: number;
    /** A change of voters is under way. */
    readonly joint: boolean;
    /** The least number that a new member may have. */
    readonly nextMember: number;
  };
}

/**
 * What the client API stands on. `propose` and `read` throw a PolderError: `NoLeader` and `NotApplied` (it certainly
 * had no effect), `NoSpace`, `TooManyRequests`, `Stopped`, or `Aborted` and `Unknown` (it may or may not take effect).
 */
export interface Store {
  propose(request: KvRequest, signal: AbortSignal): Promise<StoreAnswer>;
  /**
   * Linearizable by default; `serializable` answers from this member's own state, which may be behind, and need not
   * make anyone wait.
   */
  read(
    request: KvRequest,
    options: { readonly serializable: boolean },
    signal: AbortSignal,
  ): StoreAnswer | Promise<StoreAnswer>;
  /** Resolves once a majority has confirmed that this member's view is current; throws as `read` does. */
  confirm(signal: AbortSignal): Promise<void>;
  /** This member's own state as it is now, which may be behind; to be closed. Throws `Stopped`. */
  snapshot(): SnapshotSealer;
  status(): StoreStatus;
  members(): readonly StoreMember[];
}

/** How members come, go, move and lead; `MembershipService` says with which errors. */
export interface ChangesMembership {
  perform(request: MembershipRequest, signal: AbortSignal, forwarded?: boolean): Promise<number>;
}
