import { CONFIGURED_MEMBERS_MAX, PolderError } from '@polder/core';

/** `member`: by number, as in the configuration. */
export type NumberedChange = {
  readonly type: 'promote' | 'demote' | 'remove';
  readonly member: number;
};

export type MembershipRequest =
  /** The process that listens there for peers becomes a learner; one that is a member already stays as it is. */
  | { readonly type: 'add'; readonly host: string; readonly port: number }
  /** All in one step; `waits`: until the learners have caught up. */
  | { readonly type: 'change'; readonly changes: readonly NumberedChange[]; readonly waits: boolean }
  /** It has moved its listener for peers. */
  | { readonly type: 'readdress'; readonly member: number; readonly host: string; readonly port: number }
  /** 0: to whoever has most of the log. */
  | { readonly type: 'transfer'; readonly to: number };

export interface MembershipCall {
  readonly request: MembershipRequest;
  readonly timeoutMs: number;
  /** It comes from a member, which asks nobody else. */
  readonly forwarded: boolean;
}

const TIMEOUT_MS_DEFAULT = 5_000;
const TIMEOUT_MS_MAX = 60_000;

/** Throws `InvalidRequest`. */
export function parseMembershipCall(json: string): MembershipCall {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new PolderError('InvalidRequest', 'the body is not JSON', { cause });
  }
  const { request, timeoutMs = TIMEOUT_MS_DEFAULT, forwarded = false } = object(value, 'the body');
  if (typeof timeoutMs !== 'number' || !(timeoutMs > 0 && timeoutMs <= TIMEOUT_MS_MAX)) {
    throw invalid(`timeoutMs is from 1 to ${TIMEOUT_MS_MAX}`);
  }
  return { request: parseRequest(object(request, 'request')), timeoutMs, forwarded: forwarded === true };
}

function parseRequest(request: Record<string, unknown>): MembershipRequest {
  switch (request['type']) {
    case 'add':
      return { type: 'add', ...address(request) };
    case 'change':
      return { type: 'change', changes: changes(request['changes']), waits: request['waits'] === true };
    case 'readdress':
      return { type: 'readdress', member: memberNumber(request['member']), ...address(request) };
    case 'transfer':
      return { type: 'transfer', to: request['to'] === 0 ? 0 : memberNumber(request['to']) };
    default:
      throw invalid('request.type is add, change, readdress or transfer');
  }
}

function changes(value: unknown): NumberedChange[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > CONFIGURED_MEMBERS_MAX) {
    throw invalid(`changes are an array of 1 to ${CONFIGURED_MEMBERS_MAX}`);
  }
  return value.map((each: unknown) => {
    const { type, member } = object(each, 'a change');
    if (type !== 'promote' && type !== 'demote' && type !== 'remove') {
      throw invalid('a change’s type is promote, demote or remove');
    }
    return { type, member: memberNumber(member) };
  });
}

function address({ host, port }: Record<string, unknown>): { host: string; port: number } {
  if (typeof host !== 'string' || host === '' || host.length > 255) throw invalid('host is a name or an address');
  if (!Number.isInteger(port) || (port as number) < 1 || (port as number) > 65_535) throw invalid('port is 1 to 65535');
  return { host, port: port as number };
}

function memberNumber(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 1) throw invalid('a member is named by its number, from 1');
  return value as number;
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(`${what} is an object`);
  return value as Record<string, unknown>;
}

function invalid(why: string): PolderError {
  return new PolderError('InvalidRequest', why);
}
