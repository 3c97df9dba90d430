/** A member's configuration: flags, over POLDER_* in the environment, over a JSON file. */
import { readFileSync } from 'node:fs';
import type { MemberConfig } from '@polder/server';
import { MAX_MEMBERS } from '../cluster/cluster-file.ts';
import { CommandError, ExitCode, messageOf } from '../exit-code.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export interface ServeFlags {
  readonly config?: string;
  readonly name?: string;
  readonly cluster?: string;
  readonly data?: string;
  readonly members?: string;
  readonly join?: boolean;
  readonly breakable?: boolean;
  readonly logLevel?: string;
  readonly storage?: string;
  readonly quotaBytes?: string;
  readonly slowRequestMs?: number;
}

type Addresses = MemberConfig['members'][number];

export function resolveServeConfig(flags: ServeFlags, environment: NodeJS.ProcessEnv): MemberConfig {
  const variable = (name: string): string | undefined => {
    const value = environment[`POLDER_${name}`];
    return value === '' ? undefined : value;
  };
  const path = flags.config ?? variable('CONFIG');
  const file = path === undefined ? {} : readConfigFile(path);
  const members = flags.members ?? variable('MEMBERS');
  const breakable = variable('BREAKABLE');
  const join = variable('JOIN');
  const storage = flags.storage ?? variable('STORAGE') ?? file['storage'];
  const quotaBytes = flags.quotaBytes ?? variable('QUOTA_BYTES') ?? file['quotaBytes'];
  const config = {
    name: flags.name ?? variable('NAME') ?? file['name'],
    cluster: flags.cluster ?? variable('CLUSTER') ?? file['cluster'] ?? 'polder',
    members: members === undefined ? file['members'] : parseMembers(members),
    join: flags.join ?? (join === undefined ? file['join'] : parseBoolean('JOIN', join)) ?? false,
    dataDirectory: flags.data ?? variable('DATA') ?? file['dataDirectory'],
    breakable:
      flags.breakable ?? (breakable === undefined ? file['breakable'] : parseBoolean('BREAKABLE', breakable)) ?? false,
    logLevel: flags.logLevel ?? variable('LOG_LEVEL') ?? file['logLevel'] ?? 'info',
    ...slowRequests(flags.slowRequestMs ?? variable('SLOW_REQUEST_MS') ?? file['slowRequestMs']),
    ...(file['timing'] === undefined ? {} : { timing: file['timing'] }),
    leaseReads: file['leaseReads'] ?? false,
    ...(storage === undefined ? {} : { storage }),
    ...(quotaBytes === undefined ? {} : { quotaBytes: Number(quotaBytes) }),
  };
  checkConfig(config);
  return config as unknown as MemberConfig;
}

/** 0: none is logged. */
function slowRequests(value: unknown): Pick<MemberConfig, 'slowRequestMs'> {
  if (value === undefined) return {};
  const slowRequestMs = Number(value);
  if (!Number.isInteger(slowRequestMs) || slowRequestMs < 0) {
    throw wrong(`slowRequestMs is ${JSON.stringify(value)}: give whole milliseconds, or 0 for none`);
  }
  return { slowRequestMs: slowRequestMs === 0 ? null : slowRequestMs };
}

/** `m1=1@127.0.0.1:2380/127.0.0.1:2379,...`: name, id, the peers' address, the clients' address. */
export function parseMembers(list: string): Addresses[] {
  return list.split(',').map((item) => {
    const match = /^([\w.-]+)=(\d+)@(\[[^\]]+\]|[^:/]+):(\d+)\/(\[[^\]]+\]|[^:/]+):(\d+)$/.exec(item.trim());
    if (match === null) {
      throw wrong(`"${item}" is not a member: name=id@peerHost:peerPort/clientHost:clientPort, separated by commas`);
    }
    const [, name = '', id, peerHost = '', peerPort, clientHost = '', clientPort] = match;
    return {
      name,
      id: Number(id),
      peerHost: peerHost.replace(/^\[|\]$/g, ''),
      peerPort: Number(peerPort),
      clientHost: clientHost.replace(/^\[|\]$/g, ''),
      clientPort: Number(clientPort),
    };
  });
}

function checkConfig(config: Record<string, unknown>): void {
  for (const [field, flag] of [
    ['name', '--name'],
    ['cluster', '--cluster'],
    ['dataDirectory', '--data'],
  ] as const) {
    const value = config[field];
    if (typeof value !== 'string' || value === '')
      throw wrong(`${field} is missing: give ${flag}, or it in --config FILE`);
  }
  for (const field of ['breakable', 'join', 'leaseReads']) {
    if (typeof config[field] !== 'boolean') throw wrong(`${field} must be true or false`);
  }
  if (!(LOG_LEVELS as readonly unknown[]).includes(config['logLevel'])) {
    throw wrong(`the log level is one of ${LOG_LEVELS.join(', ')}`);
  }
  const { storage = 'lmdb', quotaBytes = 1 } = config;
  if (storage !== 'lmdb' && storage !== 'memory') throw wrong('storage is lmdb or memory');
  if (!Number.isSafeInteger(quotaBytes) || Number(quotaBytes) < 1) throw wrong('quotaBytes is a number of bytes');
  const { members } = config;
  if (!Array.isArray(members) || members.length === 0)
    throw wrong('members are missing: give --members, or in --config FILE');
  if (members.length > MAX_MEMBERS) throw wrong(`a cluster has at most ${MAX_MEMBERS} members`);
  for (const member of members as Partial<Addresses>[]) checkMember(member);
  const named = members as Addresses[];
  if (new Set(named.map((each) => each.name)).size !== named.length) throw wrong('two members have the same name');
  if (new Set(named.map((each) => each.id)).size !== named.length) throw wrong('two members have the same id');
  if (!named.some((each) => each.name === config['name'])) {
    throw wrong(`"${String(config['name'])}" is not among the members: ${named.map((each) => each.name).join(', ')}`);
  }
}

function checkMember(member: Partial<Addresses>): void {
  const { name, id, peerHost, peerPort, clientHost, clientPort } = member;
  const port = (value: unknown): boolean => Number.isInteger(value) && Number(value) > 0 && Number(value) <= 65_535;
  if (typeof name !== 'string' || name === '') throw wrong('a member has no name');
  if (!Number.isInteger(id) || Number(id) < 1) throw wrong(`the id of ${name} must be an integer from 1`);
  if (typeof peerHost !== 'string' || typeof clientHost !== 'string') throw wrong(`${name} lacks a host`);
  if (!port(peerPort) || !port(clientPort)) throw wrong(`the ports of ${name} must be from 1 to 65535`);
}

function readConfigFile(path: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw wrong(`cannot read the configuration ${path}: ${messageOf(cause)}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw wrong(`${path} must hold a JSON object`);
  return parsed as Record<string, unknown>;
}

function parseBoolean(variable: string, text: string): boolean {
  if (text === '1' || text === 'true') return true;
  if (text === '0' || text === 'false') return false;
  throw wrong(`POLDER_${variable} is "${text}": give true or false`);
}

function wrong(message: string): CommandError {
  return new CommandError(ExitCode.unknown, message);
}
