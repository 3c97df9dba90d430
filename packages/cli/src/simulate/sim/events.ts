/** What a narrated run tells, in order of virtual time: plain records, a line of JSON each. */
import type { Fault, RunReport } from '@polder/core/simulation';

export interface MemberLine {
  readonly member: number;
  readonly state: 'up' | 'paused' | 'down';
  /** null while it is down. */
  readonly role: string | null;
  readonly term: number | null;
  readonly commit: number | null;
  readonly applied: number | null;
}

export type SimEvent =
  | {
      readonly type: 'begin';
      readonly atUs: 0;
      readonly seed: number;
      readonly members: number;
      readonly forUs: number;
    }
  | { readonly type: 'fault'; readonly atUs: number; readonly fault: Fault; readonly words: string }
  | { readonly type: 'elected'; readonly atUs: number; readonly member: number; readonly term: number }
  /** By itself, as it should: its disk failed, or it can no longer trust it. */
  | { readonly type: 'stopped'; readonly atUs: number; readonly member: number; readonly why: string }
  | { readonly type: 'status'; readonly atUs: number; readonly members: readonly MemberLine[] }
  /** From here on nothing breaks, and progress is owed. */
  | { readonly type: 'healed'; readonly atUs: number }
  | { readonly type: 'violation'; readonly atUs: number; readonly rule: string; readonly sentence: string }
  | { readonly type: 'end'; readonly atUs: number; readonly report: SimReport };

/** What was exercised, and the verdict. */
export type SimReport = Omit<RunReport, 'history' | 'faultTimes' | 'hashes' | 'trace'>;
