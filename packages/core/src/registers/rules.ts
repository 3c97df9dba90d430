/** The decisions of the registers, by name: replaced only by the zoo. The letters are those of docs/PITFALLS.md. */
import type { Tag } from './version.ts';
import { compareTags } from './version.ts';

export interface RegisterRules {
  /** How many make a majority of `configured` members, `reached` of which have answered anything lately (G1, S1). */
  readonly majority: (configured: number, reached: number) => number;
  /** Hints that are kept for members which are away count as their answers (G1). */
  readonly countsHints: boolean;
  /** A strong read returns only what a majority holds: else it writes it back first (G2, S5). */
  readonly writesBack: boolean;
  /** A strong write asks a majority which tags there are, before it takes one (G3, S4). */
  readonly asksForTags: boolean;
  /** An answer with a higher tag makes a read adopt it and repeat, until a majority agrees (G4). */
  readonly confirms: boolean;
  /** A write that some members may hold is unknown, and nothing else (G5, S3). */
  readonly reportsUnknown: boolean;
  /** A repeated write keeps its tag (G5). */
  readonly keepsTag: boolean;
  /** A directory takes part in majorities only after it has fetched what its member may have promised (G6). */
  readonly joinsFirst: boolean;
  /** An answer of a directory that is known to be gone does not count (G6). */
  readonly knowsGoneDirectories: boolean;
  /** What is sent or answered waits until it is durable (G7). */
  readonly logsFirst: boolean;
  /** Tombstones go when every member has them and all that they replaced (G8). */
  readonly collectsOnStableCut: boolean;
  /** A version that the vector counts and that is not here was replaced: it does not come back (G13). */
  readonly guardsResurrection: boolean;
  /** Causal reads see only versions whose dependencies are here (G11). */
  readonly readsVisible: boolean;
  /** Causal operations wait until this member has seen what the session has. */
  readonly waitsForToken: boolean;
  /** A clock is not pulled further ahead of the wall than its bound (G10). */
  readonly boundsDrift: boolean;
  /** A tag that was observed always has a successor, wherever the clock is (G14). */
  readonly allowsSuccessors: boolean;
  /** What a member missed is fetched from the others (S2, S7). */
  readonly exchanges: boolean;
  /** The order of versions: by logical time, the writer deciding ties (S4). */
  readonly compare: (a: Tag | null, b: Tag | null) => number;
}

export const REGISTER_RULES: RegisterRules = {
  majority: (configured) => Math.floor(configured / 2) + 1,
  countsHints: false,
  writesBack: true,
  asksForTags: true,
  confirms: true,
  reportsUnknown: true,
  keepsTag: true,
  joinsFirst: true,
  knowsGoneDirectories: true,
  logsFirst: true,
  collectsOnStableCut: true,
  guardsResurrection: true,
  readsVisible: true,
  waitsForToken: true,
  boundsDrift: true,
  allowsSuccessors: true,
  exchanges: true,
  compare: compareTags,
};
