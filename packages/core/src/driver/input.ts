import type { MembershipChange } from '../consensus/replica.ts';
import type { DiskResult } from '../world/world.ts';

/** What reaches a driver between two turns. */
export type Input<Query> =
  | { readonly type: 'frame'; readonly from: number; readonly frame: Uint8Array }
  | { readonly type: 'disk'; readonly token: number; readonly result: DiskResult }
  | { readonly type: 'wake' }
  | { readonly type: 'unreachable'; readonly peer: number }
  | { readonly type: 'propose'; readonly id: number; readonly command: Uint8Array }
  | { readonly type: 'read'; readonly id: number; readonly query: Query }
  | { readonly type: 'transfer'; readonly to: number }
  | { readonly type: 'change'; readonly id: number; readonly changes: readonly MembershipChange[] };
