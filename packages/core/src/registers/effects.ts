/** The replica's only ways in and out. */
import type { Mark } from '../consensus/replica.ts';
import type { RegisterMessage } from './message.ts';
import type { RegisterRecord } from './record.ts';
import type { RegisterOutcome, RegisterRequest } from './request.ts';

export interface Moment {
  /** Never goes back: for time-outs. */
  readonly monotonicUs: number;
  /** Goes where it likes: for tags, within bounds. */
  readonly wallMs: number;
}

export type RegisterEvent =
  /** `boot`: how often this directory has been started; `records`: its log. */
  | { readonly type: 'start'; readonly boot: number; readonly records: readonly RegisterRecord[] }
  /** `directory`: the sender's; `addressee`: this one's, as the sender knows it. */
  | {
      readonly type: 'receive';
      readonly from: number;
      readonly directory: number;
      readonly addressee: number;
      readonly message: RegisterMessage;
    }
  | { readonly type: 'request'; readonly id: number; readonly request: RegisterRequest }
  /** The caller does not want the answer any more; it gets one, at once. */
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'tick' }
  | { readonly type: 'persisted'; readonly mark: Mark };

export type RegisterEffect =
  /** `addressee`: the directory that it is for; 0: whichever the member has. */
  | {
      readonly type: 'send';
      readonly to: number;
      readonly addressee: number;
      readonly message: RegisterMessage;
      readonly after: Mark;
    }
  | { readonly type: 'persist'; readonly mark: Mark; readonly record: RegisterRecord }
  | { readonly type: 'answer'; readonly id: number; readonly outcome: RegisterOutcome; readonly after: Mark };

export interface RegisterOutbox {
  put(effect: RegisterEffect): void;
}
