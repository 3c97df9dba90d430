/** etcdctl's words for a transaction: compares, then what to do if all hold, then what to do otherwise. */
import { rpc } from '@polder/server';
import { CommandError, ExitCode } from '../exit-code.ts';
import { putRequest, rangeRequest } from './member-client.ts';

const encoder = new TextEncoder();
const NONE = new Uint8Array(0);

/** `value("k") = "v"`, `version("k") > "0"`, `create`/`mod` likewise. */
export function parseCompare(text: string): rpc.Compare {
  const match = /^\s*(value|val|version|ver|create|c|mod|m)\(\s*(.+?)\s*\)\s*(!=|=|<|>)\s*(.*?)\s*$/.exec(text);
  if (match === null) {
    throw wrong(`"${text}" is not a compare: value("key") = "text", or version|create|mod("key") =|!=|<|> "number"`);
  }
  const [, target = '', key = '', operator = '', operand = ''] = match;
  const { EQUAL, GREATER, LESS, NOT_EQUAL } = rpc.Compare_CompareResult;
  const result = operator === '=' ? EQUAL : operator === '>' ? GREATER : operator === '<' ? LESS : NOT_EQUAL;
  const base = { result, key: encoder.encode(unquote(key)), rangeEnd: NONE };
  const targets = rpc.Compare_CompareTarget;
  if (target.startsWith('val')) {
    return { ...base, target: targets.VALUE, targetUnion: { $case: 'value', value: encoder.encode(unquote(operand)) } };
  }
  const value = parseInteger(unquote(operand), text);
  if (target.startsWith('ver')) return { ...base, target: targets.VERSION, targetUnion: { $case: 'version', value } };
  if (target.startsWith('c')) {
    return { ...base, target: targets.CREATE, targetUnion: { $case: 'createRevision', value } };
  }
  return { ...base, target: targets.MOD, targetUnion: { $case: 'modRevision', value } };
}

/** `put key value`, `get key`, `del key`. */
export function parseOperation(text: string): rpc.RequestOp {
  const [verb = '', key, value, ...rest] = splitWords(text);
  if (key === undefined || rest.length > 0)
    throw wrong(`"${text}" is not an operation: put key value, get key or del key`);
  const bytes = encoder.encode(key);
  if (verb === 'put' && value !== undefined) {
    return { request: { $case: 'requestPut', value: putRequest(bytes, encoder.encode(value)) } };
  }
  if (verb === 'get' && value === undefined) {
    return { request: { $case: 'requestRange', value: rangeRequest(bytes, {}) } };
  }
  if (verb === 'del' && value === undefined) {
    return { request: { $case: 'requestDeleteRange', value: { key: bytes, rangeEnd: NONE, prevKv: false } } };
  }
  throw wrong(`"${text}" is not an operation: put key value, get key or del key`);
}

function splitWords(text: string): string[] {
  return (text.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? []).map(unquote);
}

function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return JSON.parse(text) as string;
  } catch {
    throw wrong(`${text} is not a quoted text`);
  }
}

function parseInteger(text: string, whole: string): bigint {
  if (!/^\d{1,18}$/.test(text)) throw wrong(`"${whole}" compares with "${text}", which is not a number`);
  return BigInt(text);
}

function wrong(message: string): CommandError {
  return new CommandError(ExitCode.unknown, message);
}
