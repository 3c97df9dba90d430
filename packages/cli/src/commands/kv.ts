/** get, put, del, txn, compact and member list, over etcd's own services. */
import type { rpc } from '@polder/server';
import type { Located } from '../cluster/locate.ts';
import { CommandError, ExitCode } from '../exit-code.ts';
import { membersByPreference, onSomeMember } from '../kv/failover.ts';
import { parseCompare, parseOperation } from '../kv/txn-parser.ts';
import { formatTable, type Terminal } from '../terminal.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** All keys from `key` on (etcd's convention for `range_end`). */
const TO_THE_END = Uint8Array.of(0);
const NONE = new Uint8Array(0);

export interface KvOptions {
  readonly json?: boolean;
  readonly timeoutMs: number;
  readonly prefix?: boolean;
  readonly serializable?: boolean;
  readonly limit?: number;
  readonly rev?: number;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
  readonly printValueOnly?: boolean;
}

export async function get(
  located: Located,
  key: string,
  end: string | undefined,
  options: KvOptions,
  terminal: Terminal,
) {
  const range = {
    rangeEnd: rangeEnd(key, end, options),
    serializable: options.serializable ?? false,
    limit: options.limit ?? 0,
    revision: options.rev ?? 0,
    keysOnly: options.keysOnly ?? false,
    countOnly: options.countOnly ?? false,
  };
  const urls = await membersByPreference(located);
  const answer = await onSomeMember(urls, 'read', (member) => member.range(firstKey(key), range, options.timeoutMs));
  if (options.json) {
    const body = {
      ...header(answer.header),
      count: Number(answer.count),
      more: answer.more,
      kvs: answer.kvs.map(keyValue),
    };
    terminal.data(JSON.stringify(body));
    return;
  }
  if (options.countOnly) terminal.data(String(answer.count));
  for (const kv of answer.kvs) {
    if (!options.printValueOnly) writeLine(terminal, kv.key);
    if (!options.keysOnly) writeLine(terminal, kv.value);
  }
}

export async function put(located: Located, key: string, value: string, options: KvOptions, terminal: Terminal) {
  const urls = await membersByPreference(located);
  const bytes = encoder.encode(value);
  const answer = await onSomeMember(urls, 'write', (member) =>
    member.put(encoder.encode(key), bytes, options.timeoutMs),
  );
  terminal.data(options.json ? JSON.stringify(header(answer.header)) : 'OK');
}

export async function del(
  located: Located,
  key: string,
  end: string | undefined,
  options: KvOptions,
  terminal: Terminal,
) {
  const urls = await membersByPreference(located);
  const to = rangeEnd(key, end, options);
  const answer = await onSomeMember(urls, 'write', (member) =>
    member.deleteRange(firstKey(key), to, options.timeoutMs),
  );
  const deleted = Number(answer.deleted);
  terminal.data(options.json ? JSON.stringify({ ...header(answer.header), deleted }) : String(deleted));
}

export interface TxnOptions extends KvOptions {
  readonly if?: readonly string[];
  readonly then?: readonly string[];
  readonly else?: readonly string[];
}

export async function txn(located: Located, options: TxnOptions, terminal: Terminal) {
  const request: rpc.TxnRequest = {
    compare: (options.if ?? []).map(parseCompare),
    success: (options.then ?? []).map(parseOperation),
    failure: (options.else ?? []).map(parseOperation),
  };
  if (request.success.length + request.failure.length === 0) {
    throw new CommandError(ExitCode.unknown, `a transaction does something: --if 'value("a") = "1"' --then 'put a 2'`);
  }
  const onlyReads = [...request.success, ...request.failure].every((each) => each.request?.$case === 'requestRange');
  const urls = await membersByPreference(located);
  const kind = onlyReads ? 'read' : 'write';
  const answer = await onSomeMember(urls, kind, (member) => member.txn(request, options.timeoutMs));
  const responses = answer.responses.map((each) => responseOf(each));
  if (options.json) {
    terminal.data(JSON.stringify({ ...header(answer.header), succeeded: answer.succeeded, responses }));
    return;
  }
  terminal.data(answer.succeeded ? 'SUCCESS' : 'FAILURE');
  for (const response of responses) terminal.data(response.text);
}

export async function compact(
  located: Located,
  revision: number,
  options: KvOptions & { physical?: boolean },
  terminal: Terminal,
) {
  const urls = await membersByPreference(located);
  const physical = options.physical ?? false;
  const answer = await onSomeMember(urls, 'write', (member) => member.compact(revision, physical, options.timeoutMs));
  terminal.data(options.json ? JSON.stringify(header(answer.header)) : `compacted revision ${revision}`);
}

export async function memberList(located: Located, options: KvOptions, terminal: Terminal) {
  const urls = await membersByPreference(located);
  const answer = await onSomeMember(urls, 'read', (member) => member.memberList(options.timeoutMs));
  const members = answer.members.map((member) => ({
    id: member.ID.toString(16),
    name: member.name,
    peerUrls: member.peerURLs,
    clientUrls: member.clientURLs,
    isLearner: member.isLearner,
  }));
  if (options.json) {
    terminal.data(JSON.stringify({ members }));
    return;
  }
  const rows = members.map((each) => [
    each.id,
    each.name,
    each.isLearner ? 'learner' : 'voter',
    each.peerUrls.join(','),
    each.clientUrls.join(','),
  ]);
  terminal.data(formatTable(['ID', 'NAME', 'VOTE', 'PEERS', 'CLIENTS'], rows));
}

/** The first key after every key that starts with `prefix`: its last byte below 0xff, plus one. */
export function prefixEnd(prefix: Uint8Array): Uint8Array {
  let length = prefix.length;
  while (length > 0 && prefix[length - 1] === 0xff) length--;
  if (length === 0) return TO_THE_END;
  const end = prefix.slice(0, length);
  end[length - 1] = (end[length - 1] as number) + 1;
  return end;
}

/** With --prefix an empty key means all keys, whose first is one zero byte. */
function firstKey(key: string): Uint8Array {
  return key === '' ? TO_THE_END : encoder.encode(key);
}

function rangeEnd(key: string, end: string | undefined, options: KvOptions): Uint8Array {
  if (options.prefix && end !== undefined) {
    throw new CommandError(ExitCode.unknown, 'give either --prefix or the end of the range, not both');
  }
  if (options.prefix) return key === '' ? TO_THE_END : prefixEnd(encoder.encode(key));
  if (key === '') throw new CommandError(ExitCode.unknown, 'the key is empty; for all keys: get --prefix ""');
  return end === undefined ? NONE : encoder.encode(end);
}

/** Bytes as they are: a value need not be text. */
function writeLine(terminal: Terminal, bytes: Uint8Array): void {
  terminal.bytes(bytes);
  terminal.bytes(encoder.encode('\n'));
}

function header(from: rpc.ResponseHeader | undefined): { revision: number; raftTerm: number } {
  return { revision: Number(from?.revision ?? 0), raftTerm: Number(from?.raftTerm ?? 0) };
}

function keyValue(kv: rpc.RangeResponse['kvs'][number]): object {
  return {
    key: decoder.decode(kv.key),
    value: decoder.decode(kv.value),
    createRevision: Number(kv.createRevision),
    modRevision: Number(kv.modRevision),
    version: Number(kv.version),
  };
}

function responseOf(operation: rpc.ResponseOp): { type: string; text: string; [more: string]: unknown } {
  const { response } = operation;
  switch (response?.$case) {
    case 'responseRange': {
      const text = response.value.kvs.map((kv) => `${decoder.decode(kv.key)}\n${decoder.decode(kv.value)}`).join('\n');
      return { type: 'range', text, kvs: response.value.kvs.map(keyValue), count: Number(response.value.count) };
    }
    case 'responsePut':
      return { type: 'put', text: 'OK' };
    case 'responseDeleteRange':
      return { type: 'deleteRange', text: String(response.value.deleted), deleted: Number(response.value.deleted) };
    case 'responseTxn':
    case undefined:
      return { type: 'txn', text: response?.value.succeeded === true ? 'SUCCESS' : 'FAILURE' };
  }
}
