/** What a campaign has done so far, in a file: so that a long one can be stopped, or killed, and continued. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { CampaignReport } from '@polder/core/simulation';
import { CommandError, ExitCode, messageOf } from '../../exit-code.ts';
import type { SeedRange } from './seed-ledger.ts';

const VERSION = 1;

/** Two campaigns add up only if they are the same campaign. */
export interface CampaignIdentity {
  /** The flags that choose the scenario. */
  readonly scenario: string;
  /** Of the run of one seed: other code gives another. */
  readonly hash: string;
  readonly hashOfSeed: number;
}

export interface CampaignProgress {
  readonly done: readonly SeedRange[];
  readonly report: CampaignReport;
  readonly realMs: number;
}

type Saved = CampaignIdentity & CampaignProgress & { readonly polder: 'hunt'; readonly version: typeof VERSION };

/** The seed whose hash the file names; null: there is no file yet. Throws a `CommandError` for any other file. */
export function readResumeFile(path: string): Saved | null {
  if (!existsSync(path)) return null;
  let saved: Partial<Saved>;
  try {
    saved = JSON.parse(readFileSync(path, 'utf8')) as Partial<Saved>;
  } catch (cause) {
    throw unusable(path, messageOf(cause));
  }
  if (saved?.polder !== 'hunt') throw unusable(path, 'it was not written by `polder hunt --resume`');
  if (saved.version !== VERSION) throw unusable(path, `it is of version ${String(saved.version)}, not ${VERSION}`);
  const whole = Array.isArray(saved.done) && typeof saved.report === 'object' && Number.isFinite(saved.realMs);
  if (!whole || typeof saved.hash !== 'string') throw unusable(path, 'parts of it are missing');
  return saved as Saved;
}

/** Throws a `CommandError` when the file is of another campaign. */
export function demandSame(path: string, saved: CampaignIdentity, now: CampaignIdentity): void {
  if (saved.scenario !== now.scenario) throw unusable(path, `it is of another campaign: ${saved.scenario}`);
  if (saved.hash === now.hash) return;
  throw unusable(path, `the code has changed since: seed ${saved.hashOfSeed} no longer runs as it did`);
}

/** Whole or not at all: a reader sees the file as it was before, or as it is after. */
export function writeResumeFile(path: string, identity: CampaignIdentity, progress: CampaignProgress): void {
  const saved: Saved = { polder: 'hunt', version: VERSION, ...identity, ...progress };
  const beside = `${path}.${process.pid}.tmp`;
  writeFileSync(beside, `${JSON.stringify(saved, null, 1)}\n`, { flush: true });
  renameSync(beside, path);
}

function unusable(path: string, why: string): CommandError {
  return new CommandError(ExitCode.unknown, `cannot resume from ${path}: ${why}; give another file to begin anew`);
}
