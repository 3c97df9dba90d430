/** Which scenario is meant: one that Polder brings, by its name, or one of the user's own, by its module. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  generalRaft,
  generalRegisters,
  type ProtocolTypes,
  raftMembershipStorm,
  raftMembershipWalk,
  raftSteady,
  type Scenario,
} from '@polder/core/simulation';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';

export type ScenarioSource =
  | { readonly type: 'builtIn'; readonly name: BuiltIn }
  /** `path` is absolute; `exported` is the name under which the module exports the scenario. */
  | { readonly type: 'file'; readonly path: string; readonly exported: string };

export type BuiltIn = (typeof BUILT_INS)[number];

/** A worker knows a scenario only by what every scenario has. */
export type AnyScenario = Scenario<ProtocolTypes>;

export const BUILT_INS = ['raft', 'raft-membership', 'raft-membership-storm', 'raft-steady', 'registers'] as const;

export interface ScenarioFlags {
  readonly protocol?: BuiltIn;
  readonly scenario?: string;
  readonly export?: string;
}

/** What the flags ask for: without any, Raft. Throws a `CommandError` for flags that contradict one another. */
export function sourceOf({ protocol, scenario, export: exported }: ScenarioFlags): ScenarioSource {
  if (scenario === undefined) {
    if (exported !== undefined) throw usage('--export needs --scenario: it names an export of that file');
    return { type: 'builtIn', name: protocol ?? 'raft' };
  }
  if (protocol !== undefined) throw usage('give --protocol or --scenario, not both');
  const path = resolve(scenario);
  if (!existsSync(path)) throw usage(`there is no ${scenario}: give a module that exports a scenario`);
  return { type: 'file', path, exported: exported ?? 'default' };
}

/** The flags that ask for this source, as they stand in a command to be repeated. */
export function flagsOf(source: ScenarioSource): string[] {
  if (source.type === 'builtIn') return ['--protocol', source.name];
  const { path, exported } = source;
  return ['--scenario', path, ...(exported === 'default' ? [] : ['--export', exported])];
}

/** Imports the module. Throws a `CommandError` that says what is wrong with it. */
export async function loadScenario(source: ScenarioSource): Promise<AnyScenario> {
  if (source.type === 'builtIn') return builtIn(source.name);
  const { path, exported } = source;
  let module: Readonly<Record<string, unknown>>;
  try {
    module = await import(pathToFileURL(path).href);
  } catch (cause) {
    throw usage(`cannot load ${path}: ${messageOf(cause)}`, cause);
  }
  const found = module[exported];
  if (isScenario(found)) return found;
  const names = Object.keys(module).filter((name) => isScenario(module[name]));
  const others = names.length === 0 ? 'no export is one' : `--export could name ${names.join(', ')}`;
  throw usage(`${path}: the export "${exported}" is not a scenario made with @polder/core/simulation (${others})`);
}

export function builtIn(name: BuiltIn): AnyScenario {
  switch (name) {
    case 'raft':
      return generalRaft() as unknown as AnyScenario;
    case 'raft-steady':
      return raftSteady() as unknown as AnyScenario;
    case 'raft-membership-storm':
      return raftMembershipStorm() as unknown as AnyScenario;
    case 'raft-membership':
      return raftMembershipWalk() as unknown as AnyScenario;
    case 'registers':
      return generalRegisters() as unknown as AnyScenario;
    default:
      return name satisfies never;
  }
}

/** Not `instanceof`: the module may have brought a core of its own. */
function isScenario(value: unknown): value is AnyScenario {
  if (typeof value !== 'object' || value === null) return false;
  return 'spec' in value && ['run', 'record', 'replay', 'shrink'].every((method) => method in value);
}

function usage(message: string, cause?: unknown): CommandError {
  return new CommandError(ExitCode.unknown, message, { cause });
}
