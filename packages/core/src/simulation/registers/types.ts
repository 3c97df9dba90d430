import type {
  HostStatus,
  RegisterOutcome,
  RegisterRequest,
  RegistersOptions,
  RegisterTiming,
} from '../../registers/index.ts';
import type { RegisterRules } from '../../registers/rules.ts';

export interface RegistersSimulationOptions {
  readonly timing?: RegisterTiming;
  readonly rules?: Partial<RegisterRules>;
  readonly limits?: RegistersOptions['limits'];
  readonly buckets?: RegistersOptions['buckets'];
}

/** A client's question; `repeats`: of a strong write whose outcome is unknown it asks once more, under the same tag. */
export interface AskedOfRegisters {
  readonly request: RegisterRequest;
  readonly repeats: boolean;
}

export type RegistersStatusOfMember = HostStatus & { readonly member: number; readonly ready: boolean };

export interface RegistersTypes {
  readonly request: AskedOfRegisters;
  readonly outcome: RegisterOutcome;
  readonly status: RegistersStatusOfMember;
}

/** Everything within a simulated second or two. */
export const QUICK_REGISTERS: RegisterTiming = {
  exchangeUs: 60_000,
  retryUs: 40_000,
  auditUs: 250_000,
  awayUs: 400_000,
};
